/** The encoder and decoder of nghttp2, by way of `node:http2`, against ours. */
import { once } from 'node:events';
import {
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
} from 'node:http2';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import { encodeBlock, RequestEncoder, TABLE_SIZE_ZERO } from '../../../src/http2/hpack/encoder.ts';
import { SeededRandom } from '../../support/random.ts';
import {
  blockOf,
  flag,
  type Frame,
  FrameSplitter,
  frameType,
  headersFrame,
  preface,
  settingsAcknowledged,
  settingsFrame,
} from '../support/frames.ts';
import { fieldsOf } from './hex.ts';

const REQUESTS = 60;

const names = ['x-a', 'x-b', 'x-trace', 'cookie', 'authorization', 'accept', 'user-agent', 'x-long'];

/** Fields of which many repeat from one head to the next. */
function fieldsBy(random: SeededRandom): Field[] {
  const chosen = names.filter(() => random.chance(0.6));
  return chosen.map((name): Field => {
    if (name === 'x-trace') return [name, random.uint32().toString(36)];
    if (name === 'x-long') return [name, '~'.repeat(random.pick([10, 300, 3000, 5000]))];
    return [name, random.pick(['', 'one', 'two words', '*/*', 'ümläut', '\x80\xff', '0123456789'.repeat(4)])];
  });
}

function headersOf(fields: readonly Field[]): OutgoingHttpHeaders {
  return Object.fromEntries(fields);
}

/** Names and values as `node:http2` tells them. */
function plain(headers: IncomingHttpHeaders): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers));
}

/** Waits for frames of a socket, one after the other. */
class Peer {
  readonly socket: Socket;
  readonly #splitter = new FrameSplitter();
  #seen = 0;
  #wake = (): void => undefined;

  constructor(socket: Socket, skip = 0) {
    this.socket = socket;
    this.#splitter.skip(skip);
    socket.on('data', (chunk: Buffer) => {
      this.#splitter.push(chunk);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
    socket.on('error', () => undefined);
  }

  /** The next frame of this type; those before it are passed over. */
  async next(type: number): Promise<Frame> {
    for (;;) {
      const frame = this.#splitter.frames[this.#seen];
      if (frame !== undefined) {
        this.#seen++;
        if (frame.type === type) return frame;
        if (frame.type === frameType.GOAWAY) throw new Error(`GOAWAY ${frame.payload.toString('latin1')}`);
      } else {
        if (this.socket.destroyed) throw new Error('closed');
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** A header block, its frames joined. */
  async nextBlock(): Promise<Buffer> {
    let frame = await this.next(frameType.HEADERS);
    const parts = [blockOf(frame)];
    while ((frame.flags & flag.END_HEADERS) === 0) {
      frame = await this.next(frameType.CONTINUATION);
      parts.push(frame.payload);
    }
    return Buffer.concat(parts);
  }
}

async function listening(server: {
  listen(port: number, host: string): unknown;
  address(): unknown;
}): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server as unknown as Http2Server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Our side connected to the server of `node:http2`, whose SETTINGS have come. */
async function toNodeServer(options: object): Promise<{ server: Http2Server; peer: Peer; settings: Frame }> {
  const server = createHttp2Server({ maxHeaderListPairs: 1000, ...options });
  const port = await listening(server);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  const peer = new Peer(socket);
  socket.write(Buffer.concat([preface, settingsFrame()]));
  const settings = await peer.next(frameType.SETTINGS);
  socket.write(settingsAcknowledged);
  return { server, peer, settings };
}

const pseudo: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'kelp'],
];

describe('what our encoders make, node:http2 reads', () => {
  test.each([4096, 1000, 64, 0])('requests, with a table of %i bytes', async (headerTableSize) => {
    const { server, peer } = await toNodeServer({ settings: { headerTableSize } });
    const received: Record<string, unknown>[] = [];
    server.on('stream', (stream, headers) => {
      received.push(plain(headers));
      stream.respond({ ':status': 200 }, { endStream: true });
    });
    const encoder = new RequestEncoder();
    encoder.setTableBytesMax(headerTableSize);
    const random = new SeededRandom(headerTableSize);
    const sent: Record<string, unknown>[] = [];
    for (let index = 0; index < REQUESTS; index++) {
      const fields = [...pseudo, ...fieldsBy(random)];
      sent.push(plain(Object.fromEntries(fields)));
      const length = encoder.encode(fields);
      peer.socket.write(
        headersFrame(2 * index + 1, encoder.bytes.subarray(0, length), flag.END_HEADERS | flag.END_STREAM),
      );
      await peer.nextBlock();
    }
    expect(received).toEqual(sent);
  });

  test.each([4096, 0])('prebuilt blocks, to a peer with a table of %i bytes', async (headerTableSize) => {
    const { server, peer } = await toNodeServer({ settings: { headerTableSize } });
    const received: Record<string, unknown>[] = [];
    server.on('stream', (stream, headers) => {
      received.push(plain(headers));
      stream.respond({ ':status': 200 }, { endStream: true });
    });
    const random = new SeededRandom(1);
    const sent: Record<string, unknown>[] = [];
    for (let index = 0; index < REQUESTS; index++) {
      const fields = [...pseudo, ...fieldsBy(random)];
      sent.push(plain(Object.fromEntries(fields)));
      const isFirstAfterSmaller = index === 0 && headerTableSize === 0;
      const block = Buffer.concat([
        isFirstAfterSmaller ? Buffer.of(TABLE_SIZE_ZERO) : Buffer.alloc(0),
        encodeBlock(fields),
      ]);
      peer.socket.write(headersFrame(2 * index + 1, block, flag.END_HEADERS | flag.END_STREAM));
      await peer.nextBlock();
    }
    expect(received).toEqual(sent);
  });

  test('without a word of the smaller table it breaks the connection off: the word is needed', async () => {
    const { peer } = await toNodeServer({ settings: { headerTableSize: 0 } });
    peer.socket.write(headersFrame(1, encodeBlock(pseudo), flag.END_HEADERS | flag.END_STREAM));
    const { payload } = await peer.next(frameType.GOAWAY);
    expect(payload.readUInt32BE(4)).toBe(constants.NGHTTP2_COMPRESSION_ERROR);
  });
});

describe('what node:http2 makes, our decoder reads', () => {
  test('responses and trailers', async () => {
    const { server, peer } = await toNodeServer({});
    const random = new SeededRandom(2);
    const sent: Field[][] = [];
    server.on('stream', (stream) => {
      const head = fieldsBy(random);
      const trailers = [['grpc-status', '0'] as Field, ...fieldsBy(random)];
      sent.push([[':status', '200'], ...head], trailers);
      const options = { waitForTrailers: true, sendDate: false };
      stream.respond(headersOf(head), options);
      stream.on('wantTrailers', () => stream.sendTrailers(headersOf(trailers)));
      stream.end('body');
    });
    const decoder = new HpackDecoder(1 << 16);
    const received: unknown[] = [];
    for (let index = 0; index < REQUESTS; index++) {
      peer.socket.write(headersFrame(2 * index + 1, encodeBlock(pseudo), flag.END_HEADERS | flag.END_STREAM));
      received.push(fieldsOf(decoder, await peer.nextBlock()), fieldsOf(decoder, await peer.nextBlock()));
    }
    expect(received).toEqual(sent);
  });

  test('requests', async () => {
    const server = createServer();
    const port = await listening(server);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    const [socket] = (await once(server, 'connection')) as [Socket];
    onTestFinished(() => {
      session.destroy();
      socket.destroy();
      server.close();
    });
    const peer = new Peer(socket, preface.length);
    socket.write(settingsFrame([[3, 1000]]));
    await once(session, 'remoteSettings');
    const decoder = new HpackDecoder(1 << 16);
    const random = new SeededRandom(3);
    for (let index = 0; index < REQUESTS; index++) {
      const fields = fieldsBy(random);
      const request = session.request({ ':path': `/${index % 3}`, ...headersOf(fields) });
      request.on('error', () => undefined);
      const received = fieldsOf(decoder, await peer.nextBlock()) ?? [];
      expect(new Set(received.slice(0, 4))).toEqual(
        new Set([
          [':method', 'GET'],
          [':scheme', 'http'],
          [':path', `/${index % 3}`],
          [':authority', `127.0.0.1:${port}`],
        ]),
      );
      expect(received.slice(4)).toEqual(fields);
    }
  });
});

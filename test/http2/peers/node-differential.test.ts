/** Our server and client beside those of `node:http2`: the same requests come to the same. */
import { once } from 'node:events';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { ClientConnection } from '../../../src/http2/connection/client-connection.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock, RequestEncoder } from '../../../src/http2/hpack/encoder.ts';
import { type BareReply, frame } from '../../support/bare-http2.ts';
import { SeededRandom } from '../../support/random.ts';
import { Response } from '../support/client-under-test.ts';
import { EchoServer } from '../support/echo-server.ts';
import {
  dataFrame,
  flag,
  FrameSplitter,
  frameType,
  headersFrame,
  padded,
  pingFrame,
  preface,
  setting,
  settingsAcknowledged,
  settingsFrame,
  uint32,
  windowUpdateFrame,
} from '../support/frames.ts';
import { serverOptions } from '../support/server-under-test.ts';
import { rawBlock } from '../sessions/sessions.ts';
import { sentIn, textOfSent } from '../support/transcript.ts';

const { END_STREAM, END_HEADERS, PADDED, PRIORITY } = flag;
const WHOLE = END_STREAM | END_HEADERS;
const SESSIONS = 40;

/** Does for `/echo` and the rest what the behaviours of the same names do. */
function answerAsEcho(stream: ServerHttp2Stream, path: string): void {
  stream.on('error', () => undefined);
  const options = { waitForTrailers: true, sendDate: false };
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, options);
  if (path === '/echo') {
    stream.pipe(stream);
    return;
  }
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => stream.end(Buffer.concat(chunks)));
}

async function nodeServer(): Promise<{ server: Http2Server; port: number }> {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => answerAsEcho(stream, headers[':path'] ?? ''));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

/** What a server sends for these bytes, up to its answer to the last PING among them, or the end of the connection. */
async function sentBy(port: number, bytes: Buffer): Promise<ReturnType<typeof sentIn>> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const splitter = new FrameSplitter();
  const isOver = new Promise<void>((resolve) => {
    let asked = false;
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk);
      const sent = sentIn(whole(splitter));
      const isAnswered = Object.values(sent.streams).every(
        ({ isEnded, resetCodes }) => isEnded || resetCodes.length > 0,
      );
      // The last PING goes out when all streams are done, so that what a server says afterwards is seen too.
      if (sent.pingsAnswered.includes('streams ') && isAnswered && !asked) {
        asked = true;
        socket.write(pingFrame('last'));
      }
      if (sent.pingsAnswered.includes('last    ')) resolve();
    });
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  socket.write(bytes);
  await isOver;
  socket.destroy();
  return sentIn(whole(splitter));
}

/** The frames so far, without a header block that is not whole. */
function whole({ frames }: FrameSplitter): FrameSplitter['frames'] {
  const last = frames.findLastIndex(
    ({ type }) => type === frameType.HEADERS || type === frameType.CONTINUATION,
  );
  const isWhole = last === -1 || (frames[last]!.flags & END_HEADERS) !== 0;
  return isWhole ? frames : frames.slice(0, last);
}

/** Requests whose frames have everything that is allowed. */
function anySession(random: SeededRandom): Buffer {
  const encoder = new RequestEncoder();
  const parts = [
    preface,
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, random.pick([65_535, 1 << 20])]]),
    windowUpdateFrame(0, 1 << 24),
    settingsAcknowledged,
  ];
  const count = random.between(1, 8);
  for (let index = 0; index < count; index++) {
    const id = 2 * index + 1;
    const length = encoder.encode([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', 'kelp'],
      [':path', random.pick(['/echo', '/unary'])],
      ['x-any', random.pick(['a', 'b', random.uint32().toString(36)])],
    ]);
    parts.push(...requestFrames(random, id, Buffer.from(encoder.bytes.subarray(0, length))));
    if (random.chance(0.3)) parts.push(pingFrame(`ping ${index}`));
    if (random.chance(0.2)) parts.push(frame(frameType.PRIORITY, 0, id, Buffer.alloc(5)));
    if (random.chance(0.2)) parts.push(frame(0xef, random.below(256), 0, random.bytes(random.below(50))));
  }
  parts.push(pingFrame('streams'));
  return Buffer.concat(parts);
}

function requestFrames(random: SeededRandom, id: number, block: Buffer): Buffer[] {
  const pieces = random.pick([0, 0, 1, 2, 5]);
  const hasTrailers = random.chance(0.3);
  const head = random.chance(0.3) ? Buffer.concat([uint32(0), Buffer.of(15), block]) : undefined;
  const isWhole = pieces === 0 && !hasTrailers;
  const flags = (isWhole ? END_STREAM : 0) | (head === undefined ? 0 : PRIORITY);
  const bytes = head ?? block;
  /** The priority stands in the first frame. */
  const cut = head === undefined ? 2 : 7;
  const frames: Buffer[] = [];
  switch (random.below(3)) {
    case 0:
      frames.push(headersFrame(id, bytes, flags | END_HEADERS));
      break;
    case 1:
      frames.push(headersFrame(id, padded(bytes, random.below(200)), flags | END_HEADERS | PADDED));
      break;
    default:
      frames.push(
        headersFrame(id, bytes.subarray(0, cut), flags),
        frame(frameType.CONTINUATION, 0, id, bytes.subarray(cut, cut + 2)),
        frame(frameType.CONTINUATION, END_HEADERS, id, bytes.subarray(cut + 2)),
      );
  }
  for (let piece = 0; piece < pieces; piece++) {
    const end = piece === pieces - 1 && !hasTrailers ? END_STREAM : 0;
    const body = Buffer.from(random.bytes(random.pick([1, 10, 2000])));
    frames.push(
      random.chance(0.3)
        ? dataFrame(id, padded(body, random.below(256)), end | PADDED)
        : dataFrame(id, body, end),
    );
  }
  if (hasTrailers) frames.push(headersFrame(id, encodeBlock([['x-checksum', 'abc']]), WHOLE));
  return frames;
}

describe('the server', () => {
  test(`${SESSIONS} sessions of any requests have the same answers`, async () => {
    const ours = await EchoServer.start();
    const theirs = await nodeServer();
    for (let seed = 1; seed <= SESSIONS; seed++) {
      const bytes = anySession(new SeededRandom(seed));
      const [own, other] = await Promise.all([sentBy(ours.port, bytes), sentBy(theirs.port, bytes)]);
      expect(textOfSent(own), `seed ${seed}`).toEqual(textOfSent(other));
    }
  });

  const good: Field[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'kelp'],
    [':path', '/unary'],
  ];

  test.each<[string, Field[]]>([
    ['no method', good.slice(1)],
    ['no path', good.slice(0, 3)],
    ['no scheme', good.filter(([name]) => name !== ':scheme')],
    ['a pseudo-header twice', [...good, [':path', '/']]],
    ['a pseudo-header after a field', [['a', 'b'], ...good]],
    ['an unknown pseudo-header', [...good, [':x', 'y']]],
    ['upper case', [...good, ['A', 'b']]],
    ['connection', [...good, ['connection', 'close']]],
    ['te: gzip', [...good, ['te', 'gzip']]],
    ['a content-length that is none', [...good, ['content-length', 'x']]],
    ['a content-length without a body', [...good, ['content-length', '3']]],
  ])('with %s a request is refused alike', async (_what, fields) => {
    const bytes = Buffer.concat([
      preface,
      settingsFrame(),
      settingsAcknowledged,
      headersFrame(1, rawBlock(fields), WHOLE),
      headersFrame(3, rawBlock(good), WHOLE),
      pingFrame('streams'),
    ]);
    const own = await sentBy((await EchoServer.start()).port, bytes);
    const other = await sentBy((await nodeServer()).port, bytes);
    expect(own.streams[1]?.resetCodes).toEqual([1]);
    expect(textOfSent(own)).toEqual(textOfSent(other));
  });
});

describe('the client', () => {
  /** What a client of any kind learns of a reply. */
  interface Learned {
    readonly status: number;
    readonly fields: Record<string, unknown>;
    readonly body: string;
    readonly trailers: Record<string, unknown>;
  }

  /** Without what `node:http2` adds under a symbol. */
  function named(headers: object): Record<string, unknown> {
    return Object.fromEntries(Object.entries(headers));
  }

  async function byNode(port: number, path: string, body: Buffer): Promise<Learned> {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': path, te: 'trailers' });
    let head: BareReply['headers'] = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => (head = headers));
    stream.on('trailers', (headers: IncomingHttpHeaders) => (trailers = headers));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(body);
    await once(stream, 'close');
    session.destroy();
    const { ':status': status, ...fields } = head;
    return {
      status: status ?? 0,
      fields: named(fields),
      body: Buffer.concat(chunks).toString('latin1'),
      trailers: named(trailers),
    };
  }

  async function byOurs(port: number, path: string, body: Buffer): Promise<Learned> {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    const connection = new ClientConnection(
      socket,
      {
        clock: systemClock,
        streamWindowBytes: serverOptions.streamWindowBytes,
        connectionWindowBytes: serverOptions.connectionWindowBytes,
        isConnectionWindowHeld: false,
        headerListBytesMax: serverOptions.headerListBytesMax,
        handshakeTimeoutMs: serverOptions.handshakeTimeoutMs,
      },
      {
        opened: () => undefined,
        roomMade: () => undefined,
        goingAway: () => undefined,
        closed: () => undefined,
      },
    );
    const response = await new Promise<Response>((resolve) => {
      const own = new Response({
        data: ({ stream }, { length }) => stream?.consumed(length),
        closed: resolve,
      });
      own.stream = connection.request(
        [
          [':method', 'POST'],
          [':scheme', 'http'],
          [':path', path],
          [':authority', `127.0.0.1:${port}`],
          ['te', 'trailers'],
        ],
        own,
      );
      own.stream?.write(body);
      own.stream?.end();
    });
    connection.leave();
    expect(response.closes).toEqual([[0, 'peer']]);
    expect(response.late).toEqual([]);
    const [head] = response.heads;
    return {
      status: head?.status ?? 0,
      fields: Object.fromEntries(head?.fields ?? []),
      body: response.body,
      trailers: Object.fromEntries(response.trailers ?? []),
    };
  }

  test.each([
    ['/echo', 0],
    ['/echo', 1],
    ['/echo', 300_000],
    ['/unary', 0],
    ['/unary', 16_384],
    ['/unary', 1_000_000],
  ])('learns the same of a reply to %s with %i bytes, from either server', async (path, bytes) => {
    const body = Buffer.from(new SeededRandom(bytes).bytes(bytes));
    const theirs = await nodeServer();
    const ours = await EchoServer.start();
    const all = await Promise.all(
      [theirs.port, ours.port].flatMap((port) => [byOurs(port, path, body), byNode(port, path, body)]),
    );
    for (const learned of all) {
      expect(learned.body === body.toString('latin1')).toBe(true);
      expect({ ...learned, body: '' }).toEqual({
        status: 200,
        fields: { 'content-type': 'application/grpc' },
        body: '',
        trailers: { 'grpc-status': '0' },
      });
    }
  });
});

/** The port of HTTP/2 without the rest of the listener: the age of connections, and their end. */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, constants, connect } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { Deadlines } from '../../../src/deadlines.ts';
import { serverDefaults, serverFixed } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import type { HttpResponse } from '../../../src/server/http/http-message.ts';
import { Http2Port } from '../../../src/server/listener/http2-port.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { pageRefusal } from '../web/default-refusal.ts';

const AGE_MS = 60_000;
/** Of what a greatest age may differ by, the middle: it and the grace behind it are far apart. */
const MIDDLE = { bytes: () => Uint8Array.of(0x80) };

class PortUnderTest {
  readonly clock = new ManualClock();
  readonly port: Http2Port;
  /** Requests that wait for their answer. */
  readonly held: HttpResponse[] = [];
  #wake = (): void => undefined;

  constructor(maxConnectionAgeMs: number) {
    this.port = new Http2Port({
      pageRefusal,
      grpcLane: () => undefined,
      handle: (request, response) => {
        if (request.url === '/held') this.held.push(response);
        else response.end(`${request.method} ${request.url}`);
        this.#wake();
      },
      calls: new CallTable(serverDefaults),
      limits: { ...serverDefaults, maxConnectionAgeMs },
      deadlines: new Deadlines(this.clock),
      clock: systemClock,
      random: MIDDLE,
    });
  }

  async connect(): Promise<ClientHttp2Session> {
    const server = createServer((socket) => this.port.take(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    session.on('error', () => undefined);
    onTestFinished(() => {
      session.destroy();
      server.close();
    });
    await once(session, 'remoteSettings');
    return session;
  }

  async firstHeld(): Promise<HttpResponse> {
    for (;;) {
      const [response] = this.held;
      if (response !== undefined) return response;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function request(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request({ ':path': path });
  stream.on('error', () => undefined);
  return stream;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('a connection that has reached its age takes no new request, and closes when its calls are done', async () => {
  const served = new PortUnderTest(AGE_MS);
  const session = await served.connect();
  const stream = request(session, '/held');
  const response = await served.firstHeld();
  const goaway = once(session, 'goaway') as Promise<[code: number, lastStreamId: number, text: Buffer]>;

  served.clock.advance(AGE_MS * 0.89);
  expect(await textOf(request(session, '/ping'))).toBe('GET /ping');
  served.clock.advance(AGE_MS * 0.22);

  const [code, , text] = await goaway;
  expect([code, text.toString()]).toEqual([0, 'the connection has reached its greatest age']);
  const closed = once(session, 'close');
  response.end('done');
  expect(await textOf(stream)).toBe('done');
  await closed;
  await served.port.empty();
});

test('calls that go on beyond the grace of a connection that was too old are broken off', async () => {
  const served = new PortUnderTest(AGE_MS);
  const session = await served.connect();
  const stream = request(session, '/held');
  const response = await served.firstHeld();
  const isOver = new Promise<void>((resolve) => void response.once('close', resolve));
  const goaway = once(session, 'goaway');
  served.clock.advance(AGE_MS * 1.11);
  await goaway;

  served.clock.advance(serverFixed.connectionAgeGraceMs * 1.1);

  await isOver;
  await served.port.empty();
  if (!stream.closed) await once(stream, 'close');
  expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
});

test('without a greatest age a connection grows as old as it likes', async () => {
  const served = new PortUnderTest(0);
  const session = await served.connect();

  served.clock.advance(365 * 24 * 3_600_000);

  expect(await textOf(request(session, '/ping'))).toBe('GET /ping');
});

test('a port that is shut down lets calls finish and closes the rest, those that come later too', async () => {
  const served = new PortUnderTest(0);
  const [busy, idle] = [await served.connect(), await served.connect()];
  const stream = request(busy, '/held');
  const response = await served.firstHeld();
  const idleClosed = once(idle, 'close');

  served.port.shutdown();

  await idleClosed;
  response.end('done');
  expect(await textOf(stream)).toBe('done');
  await served.port.empty();
  const late = await served.connect();
  if (!late.closed) await once(late, 'close');
});

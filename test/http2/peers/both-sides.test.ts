/** Client and server of our own on real sockets, in plain text and over TLS: bodies come through whole, whatever the pace. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { ClientConnection } from '../../../src/http2/connection/client-connection.ts';
import type { ConnectionEnd, EndpointOptions } from '../../../src/http2/contract/endpoint.ts';
import { errorCode, type ErrorCode } from '../../../src/http2/contract/error-code.ts';
import { ServerConnection } from '../../../src/http2/connection/server-connection.ts';
import type { ClientStream, ClosedBy, RequestReceiver, Stream } from '../../../src/http2/contract/stream.ts';
import { eventually } from '../../support/eventually.ts';
import { callFields } from '../support/client-under-test.ts';
import { okHead, okTrailers, serverOptions } from '../support/server-under-test.ts';

const cert = readFileSync('test/support/tls/cert.pem');
const key = readFileSync('test/support/tls/key.pem');

interface Pair {
  readonly client: ClientConnection;
  readonly clientSocket: Socket;
  readonly clientEnd: Promise<ConnectionEnd>;
  readonly server: ServerConnection;
  readonly serverEnd: Promise<ConnectionEnd>;
}

/** A connection between both, whose server does with requests what `receive` says. */
async function pairOf(
  isTls: boolean,
  receive: RequestReceiver,
  changes: Partial<EndpointOptions> = {},
): Promise<Pair> {
  const options = { ...serverOptions, clock: systemClock, ...changes };
  const accepted = Promise.withResolvers<ServerConnection>();
  const serverEnd = Promise.withResolvers<ConnectionEnd>();
  const accept = (socket: Socket): void =>
    accepted.resolve(
      new ServerConnection(
        socket,
        { ...options, onClosed: (_connection, end) => serverEnd.resolve(end) },
        receive,
      ),
    );
  const listener = isTls
    ? createTlsServer({ cert, key, ALPNProtocols: ['h2'] }, accept)
    : createServer(accept);
  listener.listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const clientSocket = isTls
    ? connectTls({ host: '127.0.0.1', port, ca: cert, ALPNProtocols: ['h2'] })
    : connectTcp({ host: '127.0.0.1', port });
  onTestFinished(() => void clientSocket.destroy());
  await once(clientSocket, isTls ? 'secureConnect' : 'connect');
  const clientEnd = Promise.withResolvers<ConnectionEnd>();
  const client = new ClientConnection(clientSocket, options, {
    opened: () => undefined,
    roomMade: () => undefined,
    goingAway: () => undefined,
    closed: clientEnd.resolve,
  });
  return {
    client,
    clientSocket,
    clientEnd: clientEnd.promise,
    server: await accepted.promise,
    serverEnd: serverEnd.promise,
  };
}

/** Byte `position` of every body here, so that one that is lost, doubled or of another stream shows. */
function byteAt(seed: number, position: number): number {
  return (seed * 31 + position + (position >>> 8) * 7 + (position >>> 16) * 13) & 0xff;
}

function bodyOf(seed: number, size: number): Buffer {
  const body = Buffer.allocUnsafe(size);
  for (let position = 0; position < size; position++) body[position] = byteAt(seed, position);
  return body;
}

/** Counts and checks the bytes of a body. */
class Check {
  readonly seed: number;
  size = 0;
  wrong = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  take(buffer: Buffer, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      if (buffer[at] !== byteAt(this.seed, this.size + at - from)) this.wrong++;
    }
    this.size += to - from;
  }
}

/** Sends a body in pieces for as long as the stream holds none. */
function sender(stream: Stream, body: Buffer, pieceBytes: number, ended: () => void): () => void {
  let at = 0;
  return () => {
    while (at < body.length) {
      const piece = body.subarray(at, (at += pieceBytes));
      if (!stream.write(piece)) return;
    }
    ended();
  };
}

/** Sends back what comes, each piece consumed once it is sent. */
const echo: RequestReceiver = (stream) => {
  let waitingBytes = 0;
  let isEnded = false;
  stream.respond(okHead, false);
  const goOn = (): void => {
    stream.consumed(waitingBytes);
    waitingBytes = 0;
    if (isEnded) stream.end(okTrailers);
  };
  return {
    data(buffer, from, to) {
      waitingBytes += to - from;
      if (stream.write(Buffer.from(buffer.subarray(from, to)))) goOn();
    },
    end() {
      isEnded = true;
      if (stream.queuedBytes === 0) goOn();
    },
    drained: goOn,
    closed: () => undefined,
  };
};

interface Outcome {
  readonly size: number;
  readonly wrong: number;
  readonly code: ErrorCode;
  readonly by: ClosedBy;
}

/** Sends a body and checks that the same comes back. */
async function echoed(
  client: ClientConnection,
  seed: number,
  size: number,
  pieceBytes: number,
): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const check = new Check(seed);
  let send = (): void => undefined;
  const stream: ClientStream | undefined = client.request(callFields, {
    head: () => undefined,
    data(buffer, from, to) {
      check.take(buffer, from, to);
      stream?.consumed(to - from);
    },
    end: () => undefined,
    drained: () => send(),
    closed: (code, by) => resolve({ size: check.size, wrong: check.wrong, code, by }),
  });
  if (stream === undefined) throw new Error('no stream is free');
  send = sender(stream, bodyOf(seed, size), pieceBytes, () => stream.end());
  send();
  return promise;
}

describe.each([
  ['in plain text', false],
  ['over TLS', true],
])('%s', (_name, isTls) => {
  test('bodies of all lengths go there and back at once', async () => {
    const { client } = await pairOf(isTls, echo);
    const sizes = [0, 1, 100, 16_383, 16_384, 16_385, 65_535, 65_536, 1_000_000, 3_000_000];
    const outcomes = await Promise.all(sizes.map((size, seed) => echoed(client, seed, size, 40_000)));
    expect(outcomes).toEqual(sizes.map((size) => ({ size, wrong: 0, code: errorCode.NO_ERROR, by: 'peer' })));
    expect(client.streamCount).toBe(0);
  });

  test('a thousand small calls in one turn are answered', async () => {
    const { client } = await pairOf(isTls, echo);
    await client.ping();
    const outcomes: Promise<Outcome>[] = [];
    for (let seed = 0; seed < 1000; seed++) {
      if (client.freeStreams === 0) await outcomes[seed - 100];
      outcomes.push(echoed(client, seed, 50, 20));
    }
    const wrong = (await Promise.all(outcomes)).filter(
      ({ size, wrong: bytes, code }) => size !== 50 || bytes > 0 || code !== 0,
    );
    expect(wrong).toEqual([]);
  });

  test('windows of many bytes let a body fill the socket, and a client that stops reading gets all of it later', async () => {
    const size = 12_000_000;
    const body = bodyOf(5, size);
    const { client, clientSocket, server } = await pairOf(
      isTls,
      (stream) => ({
        data: () => undefined,
        end: () => {
          stream.respond(okHead, false);
          stream.write(body);
          stream.end(okTrailers);
        },
        drained: () => undefined,
        closed: () => undefined,
      }),
      { streamWindowBytes: 16_000_000, connectionWindowBytes: 16_000_000 },
    );
    await client.ping();
    const check = new Check(5);
    const { promise, resolve } = Promise.withResolvers<ErrorCode>();
    const paused = Promise.withResolvers<void>();
    const stream = client.request(callFields, {
      head: () => {
        clientSocket.pause();
        paused.resolve();
      },
      data: (buffer, from, to) => check.take(buffer, from, to),
      end: () => undefined,
      drained: () => undefined,
      closed: resolve,
    });
    stream?.end();
    await paused.promise;
    await eventually(() => server.unsentBytes).toBeGreaterThan(0);
    clientSocket.resume();
    expect(await promise).toBe(errorCode.NO_ERROR);
    expect(check).toMatchObject({ size, wrong: 0 });
    expect(server.unsentBytes).toBe(0);
  });

  test('the client leaves: both sides are done, and both sockets closed', async () => {
    const { client, clientEnd, serverEnd } = await pairOf(isTls, echo);
    const call = echoed(client, 1, 100_000, 1000);
    client.leave();
    expect(await call).toMatchObject({ size: 100_000, wrong: 0, code: errorCode.NO_ERROR });
    expect(await clientEnd).toEqual({ kind: 'done' });
    expect(await serverEnd).toEqual({ kind: 'done' });
  });

  test('the server shuts down: calls under way are finished', async () => {
    const { client, clientEnd, server, serverEnd } = await pairOf(isTls, echo);
    const call = echoed(client, 1, 1_000_000, 10_000);
    await client.ping();
    server.shutdown('the server stops');
    expect(await call).toMatchObject({ size: 1_000_000, wrong: 0, code: errorCode.NO_ERROR });
    expect(await clientEnd).toEqual({ kind: 'done' });
    expect(await serverEnd).toEqual({ kind: 'done' });
  });

  test('the server fails: the client learns why', async () => {
    const { client, clientEnd, server } = await pairOf(isTls, () => ({
      data: () => undefined,
      end: () => undefined,
      drained: () => undefined,
      closed: () => undefined,
    }));
    const call = echoed(client, 1, 10, 10);
    await client.ping();
    server.goaway(errorCode.ENHANCE_YOUR_CALM, 'too much');
    expect(await call).toMatchObject({ by: 'connection' });
    expect(await clientEnd).toEqual({
      kind: 'peer',
      code: errorCode.ENHANCE_YOUR_CALM,
      debugText: 'too much',
    });
  });

  test('the socket of the client is cut: both sides are told', async () => {
    const { client, clientSocket, clientEnd, serverEnd } = await pairOf(isTls, echo);
    const call = echoed(client, 1, 10_000_000, 100_000);
    await client.ping();
    clientSocket.destroy();
    expect(await call).toMatchObject({ by: 'connection' });
    expect(await clientEnd).toMatchObject({ kind: 'io' });
    expect(await serverEnd).toMatchObject({ kind: 'io' });
  });
});

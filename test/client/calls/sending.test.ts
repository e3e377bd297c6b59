/** What a client knows of a request that failed: whether the server can have acted on it. */
import { create, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GrantResponseSchema } from '../../../gen/kelp/v1/lease_pb.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import { frame } from '../../support/bare-http2.ts';
import { eventually } from '../../support/eventually.ts';
import { FakePace, failureOf } from '../support/fake-server.ts';
import type { Script, ScriptedConnection, ScriptedServer } from '../support/scripted-http2.ts';
import { answer, goAway, reset, sendSettings, startScripted } from '../support/scripted-http2.ts';

const { NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = constants;

function clientFor(port: number, options: Partial<ClientOptions> = {}, pace = new FakePace()): KelpClient {
  const client = createClient({ address: `127.0.0.1:${port}`, deadlineMs: 30_000, ...options }, pace);
  onTestFinished(() => client.close());
  return client;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** A frame of headers on stream 0, which belongs to the connection. */
const brokenRule = frame(1, 4, 0, new Uint8Array(1));

type Act = (connection: ScriptedConnection, streamId: number) => void;

/** As a server that stops, but breaks off what is under way. */
const leaveBehind: Act = (connection, streamId) => {
  goAway(connection, streamId, NGHTTP2_NO_ERROR);
  connection.socket.end();
};

/** Does one thing to the first request, and answers those that follow. */
function first(act: Act): Script {
  let isFirst = true;
  return {
    onRequest: (connection, streamId) => {
      (isFirst ? act : answer)(connection, streamId);
      isFirst = false;
    },
  };
}

describe('a write that the server was not sent in full', () => {
  const neverRead: Script = { onRequest: () => undefined };
  /** Longer than the window of a stream. */
  const long = Buffer.alloc(200_000);

  test('has changed nothing when its time is over', async () => {
    const server = await startScripted(neverRead);
    const failure = await failureOf(clientFor(server.port).put('a', long, { deadlineMs: 100 }));
    expect(failure).toMatchObject({ code: 'deadlineExceeded', mayHaveTakenEffect: false });
  });

  test('has changed nothing when it is given up', async () => {
    const controller = new AbortController();
    const server = await startScripted({ ...neverRead, onData: () => controller.abort() });
    const put = clientFor(server.port).put('a', long, { signal: controller.signal });
    expect(await failureOf(put)).toMatchObject({ code: 'canceled', mayHaveTakenEffect: false });
  });
});

describe('a write is made again when the server', () => {
  test.each<[string, Act, number[]]>([
    ['refuses its stream', (...stream) => reset(...stream, NGHTTP2_REFUSED_STREAM), [2]],
    ['goes away before it', (connection) => goAway(connection, 0, NGHTTP2_NO_ERROR), [1, 1]],
    ['goes away before it in anger', (connection) => goAway(connection, 0, NGHTTP2_INTERNAL_ERROR), [1, 1]],
  ])('%s', async (_, act, requestCounts) => {
    const server = await startScripted(first(act));
    await clientFor(server.port).put('a', '1');
    expect(server.requestCounts).toEqual(requestCounts);
  });

  test('closes the connection before it has sent its settings', async () => {
    const server = await startScripted({
      onConnection: (socket, index) => void (index < 3 ? socket.end() : sendSettings(socket)),
      onRequest: answer,
    });
    await clientFor(server.port).put('a', '1');
    expect(sum(server.requestCounts)).toBe(1);
    expect(server.requestCounts.length).toBeGreaterThanOrEqual(4);
  });

  test('resets the connection before it has sent its settings', async () => {
    const server = await startScripted({
      onConnection: (socket, index) => void (index < 3 ? socket.resetAndDestroy() : sendSettings(socket)),
      onRequest: answer,
    });
    await clientFor(server.port).put('a', '1');
    expect(sum(server.requestCounts)).toBe(1);
    expect(server.requestCounts.length).toBeGreaterThanOrEqual(4);
  });

  test('resets the connection before anything of it was written', async () => {
    const sockets: Socket[] = [];
    const server = await startScripted({
      onConnection: (socket) => (sockets.push(socket), sendSettings(socket)),
      onRequest: answer,
    });
    const client = clientFor(server.port);
    await client.get('a');
    // Node writes what is handed over now in the next turn of the event loop, after it has read what has come by then.
    await nextTurn();
    sockets[0]?.resetAndDestroy();
    await client.put('a', '1');
    expect(server.requestCounts).toEqual([1, 1]);
  });
});

describe('a write is not made again, and may have taken effect, when the server', () => {
  test.each<[string, Act]>([
    ['resets its stream with another code', (...stream) => reset(...stream, NGHTTP2_INTERNAL_ERROR)],
    ['cancels its stream', (...stream) => reset(...stream, NGHTTP2_CANCEL)],
    ['goes away behind it in anger', (connection, id) => goAway(connection, id, NGHTTP2_INTERNAL_ERROR)],
    ['goes away behind it and closes the connection', leaveBehind],
    ['breaks a rule of HTTP/2', ({ socket }) => void socket.write(brokenRule)],
    ['closes the connection', ({ socket }) => void socket.end()],
    ['resets the connection', ({ socket }) => void socket.resetAndDestroy()],
  ])('%s', async (_, act) => {
    const server = await startScripted(first(act));
    expect(await failureOf(clientFor(server.port).put('a', '1'))).toMatchObject({ mayHaveTakenEffect: true });
    expect(sum(server.requestCounts)).toBe(1);
  });
});

test('a read is made again after all of that', async () => {
  const acts: Act[] = [
    (...stream) => reset(...stream, NGHTTP2_REFUSED_STREAM),
    (...stream) => reset(...stream, NGHTTP2_CANCEL),
    (connection, id) => goAway(connection, id, NGHTTP2_INTERNAL_ERROR),
    leaveBehind,
    ({ socket }) => void socket.end(),
    ({ socket }) => void socket.resetAndDestroy(),
  ];
  const server = await startScripted({ onRequest: (...call) => (acts.shift() ?? answer)(...call) });
  await clientFor(server.port).get('a');
  expect(sum(server.requestCounts)).toBe(7);
});

describe('a write that waits for its connection', () => {
  /** Takes connections, and says nothing. */
  async function silentPort(): Promise<number> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  test('has changed nothing when its deadline passes', async () => {
    const put = clientFor(await silentPort()).put('a', '1', { deadlineMs: 50 });
    expect(await failureOf(put)).toMatchObject({ code: 'deadlineExceeded', mayHaveTakenEffect: false });
  });

  test('has changed nothing when it is aborted', async () => {
    const controller = new AbortController();
    const put = failureOf(clientFor(await silentPort()).put('a', '1', { signal: controller.signal }));
    await nextTurn();
    controller.abort();
    expect(await put).toMatchObject({ code: 'canceled', mayHaveTakenEffect: false });
  });

  test('has changed nothing when the client is closed', async () => {
    const client = clientFor(await silentPort());
    const put = failureOf(client.put('a', '1'));
    await nextTurn();
    client.close();
    expect(await put).toMatchObject({ code: 'closed', mayHaveTakenEffect: false });
  });

  test('is not sent any more once it has failed', async () => {
    let settle = (): void => undefined;
    const server = await startScripted({
      onConnection: (socket) => void (settle = () => sendSettings(socket)),
      onRequest: answer,
    });
    const client = clientFor(server.port);
    expect(await failureOf(client.put('a', '1', { deadlineMs: 50 }))).toMatchObject({
      code: 'deadlineExceeded',
    });
    settle();
    await client.get('a');
    expect(server.requestCounts).toEqual([1]);
  });
});

describe('a connection that has gone silent', () => {
  /** The first connection answers so many requests and no more, the others all. */
  function silentAfter(count: number, message?: Uint8Array): Promise<ScriptedServer> {
    return startScripted({
      onRequest: (connection, streamId) => {
        if (connection.index > 0 || connection.requestCount <= count) answer(connection, streamId, message);
      },
    });
  }

  test('is left by the calls that follow one that waited in vain', async () => {
    const server = await silentAfter(1);
    const client = clientFor(server.port);
    await client.get('a');
    expect(await failureOf(client.get('a', { deadlineMs: 300 }))).toMatchObject({ code: 'deadlineExceeded' });
    await client.get('a');
    expect(server.requestCounts).toEqual([2, 1]);
  });

  test('does not cost a lease that is kept alive', async () => {
    const ttl = durationFromMs(1000);
    const server = await silentAfter(
      1,
      toBinary(GrantResponseSchema, create(GrantResponseSchema, { leaseId: 7n, ttl })),
    );
    const lease = await clientFor(server.port).leases.grant(1000);
    lease.keepAlive();
    await eventually(() => server.requestCounts[1]).toBeGreaterThan(0);
    lease.close();
    expect(lease.signal.aborted).toBe(false);
    expect(server.requestCounts[0]).toBe(2);
  });
});

test('a server that breaks a rule of HTTP/2 is told with the rule', async () => {
  const server = await startScripted({
    onRequest: ({ socket }) => void socket.write(brokenRule),
  });
  const failure = await failureOf(clientFor(server.port, { retries: 0 }).get('a'));
  expect(failure).toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/is not available: it broke a rule of HTTP\/2: \S/),
  });
});

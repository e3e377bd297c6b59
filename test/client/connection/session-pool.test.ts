/** Over which connection a request goes, and how many there are. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import { parseAddress } from '../../../src/client/connection/address.ts';
import { SessionPool } from '../../../src/client/connection/session-pool.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';
import { failureOf } from '../support/fake-server.ts';
import {
  type ScriptedConnection,
  type ScriptedServer,
  answer,
  goAway,
  sendSettings,
  startScripted,
} from '../support/scripted-http2.ts';

/** The requests that have come and were not answered, in their order. */
let open: [ScriptedConnection, number][] = [];
beforeEach(() => void (open = []));

function holding(streamsMax: number): Promise<ScriptedServer> {
  return startScripted({
    onConnection: (socket) => sendSettings(socket, streamsMax),
    onRequest: (connection, streamId) => void open.push([connection, streamId]),
  });
}

function answerNext(): void {
  const [next] = open.splice(0, 1);
  if (next !== undefined) answer(...next);
}

function clientFor({ port }: ScriptedServer, options: Partial<ClientOptions> = {}): KelpClient {
  // Each call takes a stream.
  const ownStreams = { retries: 0, deadlineMs: 60_000, pipeline: false };
  const client = createClient({ address: `127.0.0.1:${port}`, ...ownStreams, ...options });
  onTestFinished(() => client.close());
  return client;
}

describe('a server that takes few streams on a connection', () => {
  test('is called over another one when those are taken, and over the first when one is free again', async () => {
    const server = await holding(2);
    const client = clientFor(server);
    const calls = Array.from({ length: 5 }, () => client.get('a'));
    await eventually(() => server.requestCounts).toEqual([2, 2, 1]);
    answerNext();
    await calls[0];
    const sixth = client.get('a');
    await eventually(() => server.requestCounts).toEqual([3, 2, 1]);
    while (open.length > 0) answerNext();
    await Promise.all([...calls, sixth]);
  });

  test('refuses no call while a connection is being made, and the first one too many at once by its limit', async () => {
    const server = await holding(2);
    const client = clientFor(server, { connectionsMax: 2 });
    const calls = Array.from({ length: 4 }, () => client.get('a'));
    await eventually(() => server.requestCounts).toEqual([2, 2]);
    expect(await failureOf(client.put('a', '1'))).toMatchObject({
      code: 'limitReached',
      mayHaveTakenEffect: false,
      message:
        'all 2 connections to the server have as many calls under way as it takes (connectionsMax); wait for some of ' +
        'them before more are made, or raise it',
    });
    answerNext();
    await calls[0];
    const fifth = client.get('a');
    await eventually(() => server.requestCounts).toEqual([3, 2]);
    while (open.length > 0) answerNext();
    await Promise.all([...calls, fifth]);
  });

  test('refuses those that wait once it shows that there is no room for them', async () => {
    const server = await holding(2);
    const client = clientFor(server, { connectionsMax: 1 });
    const calls = Array.from({ length: 3 }, () => client.get('a'));
    expect(await failureOf(calls[2] as Promise<unknown>)).toMatchObject({ code: 'limitReached' });
    await eventually(() => open.length).toBe(2);
    while (open.length > 0) answerNext();
    await Promise.all(calls.slice(0, 2));
  });

  test('has a limit of its own by default', async () => {
    const server = await holding(1);
    const client = clientFor(server);
    const calls = Array.from({ length: limits.connectionsMax }, () => client.get('a'));
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'limitReached' });
    await eventually(() => open.length).toBe(limits.connectionsMax);
    while (open.length > 0) answerNext();
    await Promise.all(calls);
  });
});

test('a call goes over another connection once the server leaves the first, which ends its own calls and counts no more', async () => {
  const server = await holding(100);
  const client = clientFor(server, { connectionsMax: 1, retries: Number.POSITIVE_INFINITY });
  const first = client.get('a');
  await eventually(() => open.length).toBe(1);
  const [connection, streamId] = open[0] as [ScriptedConnection, number];
  goAway(connection, streamId, 0);
  // It is refused there if it is sent before the client has heard.
  const second = client.get('a');
  await eventually(() => server.requestCounts[1]).toBe(1);
  while (open.length > 0) answerNext();
  await Promise.all([first, second]);
  expect(server.requestCounts).toHaveLength(2);
});

test('a call that is made while the only connection that may be there ends waits for another one', async () => {
  const server = await holding(1000);
  const client = clientFor(server, { connectionsMax: 1 });
  const calls: Promise<unknown>[] = [];
  const call = (): void => void calls.push(client.get('a').catch((error: unknown) => error));
  call();
  await eventually(() => open.length).toBe(1);
  const [[connection] = []] = open.splice(0, 1);
  connection?.socket.destroy();
  // The end is heard in one of the next turns, and is over some turns later.
  while (server.requestCounts.length < 2) {
    call();
    await nextTurn();
  }
  const outcomes = Promise.all(calls);
  await eventually(() => {
    while (open.length > 0) answerNext();
    return server.requestCounts.length;
  }).toBe(2);
  client.close();
  expect(await outcomes).not.toContainEqual(expect.objectContaining({ code: 'limitReached' }));
});

test('connections that the server leaves are at most as many again; beyond that the oldest is closed', async () => {
  const closed: number[] = [];
  const server = await startScripted({
    onConnection: (socket, index) => {
      socket.on('close', () => closed.push(index));
      sendSettings(socket);
    },
    // What comes on a later stream, before the client has heard, is refused by this.
    onRequest: (connection) => goAway(connection, 1, 0),
  });
  const client = clientFor(server, { connectionsMax: 2, retries: Number.POSITIVE_INFINITY });
  const calls: Promise<unknown>[] = [];
  for (let count = 1; count <= 4; count++) {
    calls.push(failureOf(client.put('a', '1')));
    await eventually(() => server.requestCounts[count - 1] ?? 0).toBeGreaterThan(0);
  }
  for (const call of calls.slice(0, 2)) {
    expect(await call).toMatchObject({
      code: 'unavailable',
      mayHaveTakenEffect: true,
      message: expect.stringContaining('more than 2 connections (connectionsMax) take no new calls'),
    });
  }
  await eventually(() => closed).toEqual([0, 1]);
});

test('a client that is closed makes no connection for the calls that waited for one', async () => {
  let connections = 0;
  const server = await startScripted({
    onConnection: () => void connections++,
    onRequest: () => undefined,
  });
  const client = clientFor(server);
  const call = failureOf(client.get('a'));
  await eventually(() => connections).toBe(1);
  client.close();
  expect(await call).toMatchObject({ code: 'closed' });
  expect(await failureOf(client.get('a'))).toMatchObject({ code: 'closed' });
  await nextTurn();
  expect(connections).toBe(1);
});

test('watches have a connection of their own', async () => {
  const server = await holding(100);
  const client = clientFor(server);
  const call = client.get('a');
  await eventually(() => open.length).toBe(1);
  const watches = [client.watch(), client.watch()];
  const next = watches.map((watch) => watch.next());
  await eventually(() => server.requestCounts).toEqual([1, 2]);
  for (const watch of watches) await watch.return();
  await Promise.all(next);
  answerNext();
  await call;
});

test('a watch that is not read holds up neither another one nor a call', async () => {
  const { url } = await startTestServer();
  const client = createClient({ address: url });
  onTestFinished(() => client.close());
  // More than what may come ahead of the readers on all streams of the connection, of which each holds a part.
  const value = Buffer.alloc(512 * 1024);
  const count = (2 * limits.streamWindowBytes) / value.length + 1;
  for (let index = 0; index < count; index++) await client.put(`a${index}`, value);
  const idle = Array.from({ length: limits.connectionWindowBytes / limits.streamWindowBytes + 1 }, () =>
    client.watch({ startRevision: 1 }),
  );
  for (const watch of idle) await watch.next();
  const watch = client.watch({ startRevision: 1 });
  let last = 0;
  while (last < count) {
    const message = await watch.next();
    if (message.value?.kind === 'events') last = message.value.revision;
  }
  expect(await client.get('a0')).toMatchObject({ entry: { modRevision: 1 } });
  for (const each of [...idle, watch]) await each.return();
});

describe('a server to which no connection can be made', () => {
  const patience = { connectMs: 100, pingIntervalMs: 1000, pingTimeoutMs: 1000 };

  /** @returns what becomes of a request, by then withdrawn or not. */
  async function outcomes(isWithdrawn: boolean): Promise<string[]> {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const told: string[] = [];
    const onDoubt = (): void => void told.push('doubted');
    const pool = new SessionPool(parseAddress(`127.0.0.1:${port}`, false), {}, 1, { patience, onDoubt });
    onTestFinished(() => pool.close());
    const applicant = { begin: () => told.push('begun'), refuse: () => told.push('refused') };
    pool.place(applicant);
    if (isWithdrawn) pool.withdraw(applicant);
    await eventually(() => told.length).toBe(1);
    return told;
  }

  test('is doubted, where the calls that waited had no time to hear of it', async () => {
    expect(await outcomes(true)).toEqual(['doubted']);
  });

  test('refuses the calls that wait, which tell of it', async () => {
    expect(await outcomes(false)).toEqual(['refused']);
  });
});

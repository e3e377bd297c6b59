/** Watches over several servers: each change once, whichever of them dies. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { WatchMessage, WatchRequest } from '../../../src/client/messages/types.ts';
import { client as limits } from '../../../src/limits.ts';
import { startTestServer } from '../../support/test-server.ts';
import { ClusterFront, startScriptedNode } from '../support/cluster-front.ts';
import { FakePace, failureOf } from '../support/fake-server.ts';
import { FakeWatchServer } from '../support/fake-watch-server.ts';
import { line, read, readUntilFailure, upTo } from '../support/watch-reading.ts';

function clientOf(fronts: readonly ClusterFront[], pace = new FakePace()): KelpClient {
  const client = createClient({ addresses: fronts.map(({ address }) => address) }, pace);
  onTestFinished(() => client.close());
  return client;
}

/** Servers of one cluster: each has the same log, as far as it has come. */
async function nodes(count: number): Promise<{ servers: FakeWatchServer[]; fronts: ClusterFront[] }> {
  const servers = Array.from({ length: count }, () => new FakeWatchServer());
  for (const server of servers) server.incarnation = 'b'.repeat(32);
  const fronts = await Promise.all(servers.map(({ routes }) => startScriptedNode(routes)));
  return { servers, fronts };
}

/** Always begins with the first. */
function paceOfFirst(): FakePace {
  const pace = new FakePace();
  pace.chance = 0;
  return pace;
}

test('a watch over three servers misses nothing and repeats nothing, while one dies after the other', async () => {
  const { address, port } = await startTestServer();
  const fronts = await Promise.all([0, 1, 2].map(() => ClusterFront.before(port)));
  await using writer = createClient({ address });
  const client = clientOf(fronts);
  const watches = [
    client.watch({ ranges: [{ prefix: 'k/' }] }),
    client.watch({ ranges: [{ prefix: 'k/' }], includeCurrent: true }),
  ];
  const seen = watches.map(() => [] as string[]);
  const reading = watches.map(async (watch, index) => {
    for await (const message of watch) {
      if (message.kind === 'restarted' || message.kind === 'compacted') throw new Error(message.kind);
      if (message.kind !== 'events') {
        if (message.kind === 'synced') started[index]?.resolve();
        continue;
      }
      for (const event of message.events) {
        seen[index]?.push(`${message.revision} ${'key' in event ? event.key : event.entry.key}`);
      }
      if (message.revision >= lastRevision.value) return;
    }
  });
  const started = watches.map(() => Promise.withResolvers<void>());
  const lastRevision = { value: Number.POSITIVE_INFINITY };
  await Promise.race([Promise.all(started.map(({ promise }) => promise)), ...reading]);
  const truth: string[] = [];
  for (let round = 0; round < 9; round++) {
    const front = fronts[round % fronts.length];
    for (let count = 0; count < 20; count++) {
      const keys = Array.from({ length: 1 + (count % 3) }, (_, index) => `k/${round}/${count}/${index}`);
      const { revision } = await writer.txn({
        success: keys.map((key) => ({ kind: 'put', key, value: key })),
      });
      truth.push(...keys.map((key) => `${revision} ${key}`));
      if (count === 10) await front?.die();
    }
    await front?.rise();
  }
  const { revision } = await writer.put('k/last', '');
  truth.push(`${revision} k/last`);
  lastRevision.value = revision;
  await Promise.all(reading);
  expect(seen).toEqual([truth, truth]);
});

describe('a server that has not come to where a watch goes on', () => {
  test('is waited for, and the watch has each change once', async () => {
    const { servers, fronts } = await nodes(2);
    const [first, second] = servers as [FakeWatchServer, FakeWatchServer];
    for (const key of ['a', 'b', 'c']) first.commit(key);
    second.commit('a');
    const pace = paceOfFirst();
    const wait = pace.wait.bind(pace);
    pace.wait = (ms, signal) => {
      // It comes to it while the watch waits.
      if (pace.waitsMs.length === 3) for (const key of ['b', 'c', 'd']) second.commit(key);
      return wait(ms + 1, signal);
    };
    const client = clientOf(fronts, pace);
    const messages: WatchMessage[] = [];
    for await (const message of client.watch({ startRevision: 1 })) {
      messages.push(message);
      if ('revision' in message && message.revision === 3 && message.kind === 'synced')
        await fronts[0]?.die();
      if ('revision' in message && message.revision === 4) break;
    }
    expect(messages.map(line)).toEqual([
      'events 1: a',
      'events 2: b',
      'events 3: c',
      'synced 3',
      'events 4: d',
    ]);
    const { requests } = second;
    expect(requests.length).toBeGreaterThan(2);
    expect(new Set(requests.map(({ startRevision }) => startRevision))).toEqual(new Set([4n]));
  });

  test('is left for one that has', async () => {
    const { servers, fronts } = await nodes(3);
    const [first, second, third] = servers as [FakeWatchServer, FakeWatchServer, FakeWatchServer];
    for (const key of ['a', 'b']) for (const server of [first, third]) server.commit(key);
    second.commit('a');
    const pace = paceOfFirst();
    const client = clientOf(fronts, pace);
    const messages: WatchMessage[] = [];
    for await (const message of client.watch({ startRevision: 1 })) {
      messages.push(message);
      if (message.kind === 'synced') {
        await fronts[0]?.die();
        third.commit('c');
      }
      if ('revision' in message && message.revision === 3) break;
    }
    expect(messages.map(line)).toEqual(['events 1: a', 'events 2: b', 'synced 2', 'events 3: c']);
    expect(second.requests.length).toBe(1);
    expect(pace.waitsMs).toEqual([]);
  });

  test('is waited for when the watch begins behind a write, which another one has acknowledged', async () => {
    const { servers, fronts } = await nodes(2);
    const pace = paceOfFirst();
    const wait = pace.wait.bind(pace);
    pace.wait = (ms, signal) => {
      if (pace.waitsMs.length === 2)
        for (const server of servers) for (const key of ['a', 'b']) server.commit(key);
      return wait(ms + 1, signal);
    };
    const messages = await read(clientOf(fronts, pace), { startRevision: 2 }, upTo(2));
    expect(messages.map(line)).toEqual(['events 2: b']);
  });

  test.each<[string, WatchRequest, object]>([
    ['revisionFuture', { startRevision: 5 }, { code: 'revisionFuture', details: { requestedRevision: 5 } }],
    [
      'historyDiffers',
      { startRevision: 5, incarnation: 'b'.repeat(32) },
      { code: 'historyDiffers', details: { requestedRevision: 4 } },
    ],
  ])('for as long as a call may take, as all say: the watch ends with %s', async (_, request, failure) => {
    const { servers, fronts } = await nodes(2);
    for (const server of servers) server.commit('a');
    const pace = new FakePace();
    const outcome = await readUntilFailure(clientOf(fronts, pace), request);
    expect(outcome.failure).toMatchObject(failure);
    const waitedMs = pace.waitsMs.reduce((sum, ms) => sum + ms, 0);
    expect(waitedMs).toBeGreaterThan(limits.deadlineMs / 2);
    expect(waitedMs).toBeLessThanOrEqual(2 * limits.deadlineMs);
  });

  test('but one that has another history at that place is believed', async () => {
    const { servers, fronts } = await nodes(2);
    for (const server of servers) for (const key of ['a', 'b', 'c']) server.commit(key);
    const pace = new FakePace();
    const request = { startRevision: 3, incarnation: 'c'.repeat(32) };
    const { failure } = await readUntilFailure(clientOf(fronts, pace), request);
    expect(failure).toMatchObject({ code: 'historyDiffers' });
    expect(pace.waitsMs).toEqual([]);
  });
});

test('a watch that is read while no server is there goes on when one is, and tells it once', async () => {
  const { servers, fronts } = await nodes(3);
  for (const server of servers) server.commit('a');
  const pace = new FakePace();
  const client = clientOf(fronts, pace);
  const told: string[] = [];
  const watch = client.watch({
    startRevision: 1,
    onInterrupted: ({ code }) => told.push(code),
    onResumed: () => told.push('resumed'),
  });
  expect(line((await watch.next()).value as WatchMessage)).toBe('events 1: a');
  expect(line((await watch.next()).value as WatchMessage)).toBe('synced 1');
  await Promise.all(fronts.map((front) => front.die()));
  const next = watch.next();
  const wait = pace.wait.bind(pace);
  const risen = Promise.withResolvers<void>();
  pace.wait = async (ms, signal) => {
    if (pace.waitsMs.length === 20) {
      for (const server of servers) server.commit('b');
      await fronts[1]?.rise();
      risen.resolve();
    }
    await wait(ms, signal);
  };
  await risen.promise;
  expect(line((await next).value as WatchMessage)).toBe('events 2: b');
  expect(told).toEqual(['unavailable', 'resumed']);
  await watch.return();
});

test('a watch that never heard anything ends with why, after each server was asked', async () => {
  const { fronts } = await nodes(3);
  await Promise.all(fronts.map((front) => front.die()));
  const failure = await failureOf(clientOf(fronts).watch({}).next());
  expect(failure).toMatchObject({ code: 'unavailable' });
  expect(fronts.map(({ connectCount }) => connectCount)).toEqual([0, 0, 0]);
});

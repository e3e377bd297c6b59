/** What a stream of watches of etcd's API does beside what a real etcd shows: bounds, slow readers, rights, ends of keys. */
import { expect, test } from 'vitest';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { fixed, serverFixed } from '../../../src/limits.ts';
import type { WatchReply } from '../../../src/server/etcd/watch/watch-reply.ts';
import { allRights } from '../../../src/access/rights/rights.ts';
import { IntervalSet } from '../../../src/access/rights/interval-set.ts';
import { StoreError } from '../../../src/errors.ts';
import { encodeKey } from '../../../src/store/views/keys.ts';
import { opened } from '../../access/opened.ts';
import { WatchInProcess } from './support/watch-in-process.ts';

const all = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };
const prefix = (text: string): object => ({
  key: Buffer.from(`${text}/`),
  rangeEnd: Buffer.from(`${text}0`),
});

async function told(stream: WatchInProcess): Promise<WatchReply> {
  const reply = await stream.next();
  if (reply === undefined) throw new Error('the stream has ended');
  return reply;
}

function keysOf({ events }: WatchReply): string[] {
  return events.map(({ kv }) => Buffer.from(kv?.key ?? []).toString());
}

/** The next reply is waited for, and none comes: a watch that has told all may be at work for a turn. */
async function holdsNothing(stream: WatchInProcess): Promise<void> {
  stream.next().catch(() => undefined);
  while (stream.call.heldBytes > 0) await new Promise(setImmediate);
}

/** Keys that are there. */
async function manyKeys(store: KvStore, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => `k/${String(index).padStart(6, '0')}`);
  await Promise.all(keys.map((key) => store.put(key, 'v')));
  return keys;
}

test('many events of a revision come in one reply, or in fragments for a watch that wants those', async () => {
  const { store } = await opened();
  const keys = await manyKeys(store, 2 * fixed.watchMessageEventsMax + 10);
  const stream = new WatchInProcess(store);
  stream.create({ ...all, watchId: 1 });
  stream.create({ ...all, watchId: 2, fragment: true, prevKv: true });
  await told(stream);
  await told(stream);
  const { revision } = await store.deleteRange({ prefix: 'k/' });
  const replies = new Map<number, WatchReply[]>([
    [1, []],
    [2, []],
  ]);
  const isDone = (id: number): boolean => replies.get(id)?.at(-1)?.fragment === false;
  while (!isDone(1) || !isDone(2)) {
    const reply = await told(stream);
    expect(reply.header.revision).toBe(revision + 1);
    replies.get(reply.watchId)?.push(reply);
  }
  expect(replies.get(1)?.map(({ fragment }) => fragment)).toEqual([false]);
  expect(replies.get(2)?.map(({ fragment }) => fragment)).toEqual([true, true, false]);
  for (const ofWatch of replies.values()) expect(ofWatch.flatMap(keysOf)).toEqual(keys);
  for (const { events } of replies.get(2) ?? []) {
    for (const { prevKv } of events) expect(Buffer.from(prevKv?.value ?? []).toString()).toBe('v');
  }
  stream.askProgress();
  await told(stream);
  await holdsNothing(stream);
});

test('what a revision has changed beyond the size of a reply ends a watch that wants no fragments', async () => {
  const { store } = await opened();
  const stream = new WatchInProcess(store, { replyBytesMax: 100_000 });
  stream.create({ ...all, watchId: 1 });
  stream.create({ ...all, watchId: 2, fragment: true });
  await told(stream);
  await told(stream);
  const keys = Array.from({ length: 2000 }, (_, index) => encodeKey(`k/${index}`));
  await store.decideWith(keys, (view, given) => {
    for (const key of given) view.put(key, Buffer.alloc(100, 'v'));
  });
  let eventCount = 0;
  let reason = '';
  while (reason === '' || eventCount < 2000) {
    const reply = await told(stream);
    if (reply.watchId === 1) {
      expect(reply).toMatchObject({ canceled: true, events: [] });
      reason = reply.cancelReason;
    } else eventCount += reply.events.length;
  }
  expect(reason).toContain('reply-bytes-max');
});

test('a stream that is not read holds one message, whatever its watches are to tell', async () => {
  const { store } = await opened();
  const stream = new WatchInProcess(store);
  const watchCount = 40;
  for (let id = 1; id <= watchCount; id++) stream.create({ ...all, watchId: id, fragment: id % 2 === 0 });
  for (let id = 1; id <= watchCount; id++)
    expect(await told(stream)).toMatchObject({ watchId: id, created: true });
  const value = Buffer.alloc(50_000, 'v');
  const count = 60;
  for (let index = 0; index < count; index++) await store.put(`k/${index}`, value);
  const countById = new Map<number, number>();
  for (let left = watchCount * count; left > 0; left--) {
    const { watchId, events, header } = await told(stream);
    const seen = countById.get(watchId) ?? 0;
    expect(keysOf({ events } as WatchReply)).toEqual([`k/${seen}`]);
    expect(header.revision).toBeGreaterThanOrEqual(seen + 2);
    countById.set(watchId, seen + 1);
    expect(stream.call.heldBytes).toBeLessThanOrEqual(
      serverFixed.etcdWatchesAtWorkMax * fixed.watchMessageBytesMax,
    );
  }
  stream.askProgress();
  expect(await told(stream)).toMatchObject({ watchId: -1, header: { revision: count + 1 } });
  await holdsNothing(stream);
});

test('progress is told when all before it was, by every watch', async () => {
  const { store } = await opened();
  const count = 3000;
  for (let index = 0; index < count; index++) void store.put(`k/${index}`, 'v');
  await store.put('last', 'v');
  const stream = new WatchInProcess(store);
  stream.create({ ...all, startRevision: 1 });
  stream.create({ ...prefix('k'), startRevision: 1 });
  stream.askProgress();
  const countById = new Map<number, number>();
  for (;;) {
    const reply = await told(stream);
    if (reply.watchId === -1) {
      expect(reply.header.revision).toBe(count + 2);
      break;
    }
    countById.set(reply.watchId, (countById.get(reply.watchId) ?? 0) + reply.events.length);
  }
  expect([...countById]).toEqual([
    [0, count + 1],
    [1, count],
  ]);
});

test('progress comes by itself while there is nothing to tell, to watches that want it', async () => {
  const { store, clock } = await opened();
  const stream = new WatchInProcess(store);
  stream.create({ key: Buffer.from('a'), progressNotify: true });
  stream.create({ key: Buffer.from('a') });
  await told(stream);
  await told(stream);
  await store.put('b', 'v');
  const reply = told(stream);
  for (let passed = 0; passed <= fixed.progressIntervalMsDefault; passed += 1000) await clock.pass(1000);
  expect(await reply).toMatchObject({ watchId: 0, header: { revision: 2 }, events: [] });
  stream.askProgress();
  expect(await told(stream)).toMatchObject({ watchId: -1 });
});

test('a key whose time is over is deleted, and a new time to live is no event', async () => {
  const { store, clock } = await opened();
  const stream = new WatchInProcess(store);
  stream.create({ ...all, prevKv: true });
  await told(stream);
  await store.put('a', 'v', { ttlMs: 5000 });
  expect(keysOf(await told(stream))).toEqual(['a']);
  await store.touch('a', { ttlMs: 6000 });
  const reply = told(stream);
  await clock.pass(7000);
  expect((await reply).events).toMatchObject([{ type: 1, prevKv: { version: 1 } }]);
});

test('a watch that is not allowed any more is canceled, and the others go on', async () => {
  const { store } = await opened();
  let rights = allRights;
  const login = {
    userName: 'ann',
    expireTimeMs: 0,
    get rights() {
      return rights;
    },
  };
  const stream = new WatchInProcess(store, { login });
  stream.create(all);
  stream.create(prefix('a'));
  await told(stream);
  await told(stream);
  rights = { ...allRights, read: IntervalSet.of([{ start: Buffer.from('a/'), end: Buffer.from('a0') }]) };
  stream.table.lasting.askAgain();
  const cancelReason = 'rpc error: code = PermissionDenied desc = etcdserver: permission denied';
  expect(await told(stream)).toMatchObject({ watchId: 0, canceled: true, created: false, cancelReason });
  stream.create(all);
  expect(await told(stream)).toMatchObject({ watchId: -1, canceled: true, created: true, cancelReason });
  await store.put('b', 'v');
  await store.put('a/1', 'v');
  expect(await told(stream)).toMatchObject({ watchId: 1, header: { revision: 3 } });
});

test('a stream ends when its login does', async () => {
  const { store } = await opened();
  let isOver = false;
  const stream = new WatchInProcess(store, {
    login: {
      userName: 'ann',
      expireTimeMs: 0,
      get rights() {
        if (isOver) throw new StoreError('unauthenticated', 'it is over');
        return allRights;
      },
    },
  });
  stream.create(all);
  await told(stream);
  const end = stream.next();
  isOver = true;
  stream.table.lasting.askAgain();
  await expect(end).rejects.toThrow('it is over');
  expect((await store.status()).watcherCount).toBe(0);
});

test('a stream has a bounded number of watches', async () => {
  const { store } = await opened();
  const stream = new WatchInProcess(store);
  const count = serverFixed.etcdWatchesPerStreamMax;
  for (let index = 0; index <= count; index++) stream.create({ key: Buffer.from(`k/${index}`) });
  for (let index = 0; index < count; index++) expect((await told(stream)).watchId).toBe(index);
  expect(await told(stream)).toMatchObject({
    watchId: -1,
    created: true,
    canceled: true,
    cancelReason: `etcdserver: one stream has at most ${count} watches`,
  });
  await store.put('k/77', 'v');
  expect(await told(stream)).toMatchObject({ watchId: 77 });
});

test('answers that are not read hold back further requests', async () => {
  const { store } = await opened();
  const stream = new WatchInProcess(store);
  const count = 3 * serverFixed.etcdWatchAnswersMax;
  stream.create({ key: Buffer.from('k') });
  await told(stream);
  for (let index = 0; index < count; index++) stream.create({ key: Buffer.from(`k/${index}`) });
  await new Promise(setImmediate);
  expect((await store.status()).watcherCount).toBeLessThanOrEqual(serverFixed.etcdWatchAnswersMax + 1);
  for (let index = 0; index < count; index++) await told(stream);
  expect((await store.status()).watcherCount).toBe(count + 1);
});

test('a stream whose client sends no more goes on for its watches, and ends without any', async () => {
  const { store } = await opened();
  const stream = new WatchInProcess(store);
  stream.create(all);
  stream.send('end');
  await told(stream);
  await store.put('a', 'v');
  expect(keysOf(await told(stream))).toEqual(['a']);
  const empty = new WatchInProcess(store);
  empty.send('end');
  expect(await empty.next()).toBeUndefined();
});

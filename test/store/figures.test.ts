/** What the store counts for metrics: each figure moves by what it says, and by nothing else. */
import { expect, onTestFinished, test } from 'vitest';
import type { WatchMessage } from '../../src/api.ts';
import { isStoreError } from '../../src/errors.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { fixed } from '../../src/limits.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';
import { type PulledWatch, plainForm } from '../../src/store/watch/messages/pulled-watch.ts';
import type { Flush, WrittenBatch } from '../../src/wal/commit/log-observer.ts';
import { HeldDisk } from '../support/held-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { DATA_DIR } from './model/store-harness.ts';

class Figures {
  readonly clock = new ManualClock();
  readonly disk = new HeldDisk(new SimulatedDisk({ seed: 1 }));
  readonly batches: WrittenBatch[] = [];
  readonly flushes: Flush[] = [];
  readonly keys: string[] = [];
  store!: KvStore;

  static async open(options: Partial<StoreOptions> = {}): Promise<Figures> {
    const figures = new Figures();
    figures.store = await openUncheckedStore({
      dataDir: DATA_DIR,
      clock: figures.clock,
      disk: figures.disk,
      random: new SeededRandom(1),
      observer: {
        batchWritten: (batch) => figures.batches.push(batch),
        flushed: (flush) => figures.flushes.push(flush),
      },
      keyObserver: {
        keyRead: (key) => figures.keys.push(`read ${Buffer.from(key).toString()}`),
        keyWritten: (key) => figures.keys.push(`written ${Buffer.from(key).toString()}`),
      },
      ...options,
    });
    figures.batches.length = figures.flushes.length = 0;
    onTestFinished(() => figures.store.close().catch(() => undefined));
    return figures;
  }
}

test('the observer is told of each batch, and of each flush with what it has made durable', async () => {
  const { store, disk, clock, batches, flushes } = await Figures.open({ fsync: 'always' });
  await store.put('a', 'one');
  disk.hold();
  const first = store.put('b', 'two');
  await clock.settled();
  const rest = [store.put('c', 'three'), store.put('d', 'four')];
  clock.advance(25);
  disk.release();
  await Promise.all([first, ...rest]);
  expect(batches.map(({ recordCount }) => recordCount)).toEqual([1, 1, 2]);
  expect(flushes.map(({ sequence, recordCount }) => [sequence, recordCount])).toEqual([
    [1, 1],
    [2, 1],
    [4, 2],
  ]);
  expect(flushes.map(({ startMs, durationMs }) => [startMs, durationMs])).toEqual([
    [0, 0],
    [0, 25],
    [25, 0],
  ]);
  expect(flushes.map(({ bytes }) => bytes)).toEqual(batches.map(({ bytes }) => bytes));
});

test('where flushes come later, each tells of all batches since the one before', async () => {
  const { store, clock, batches, flushes } = await Figures.open({ fsync: 'interval' });
  await store.put('a', 'one');
  const flushedCount = flushes.length;
  await store.put('b', 'two');
  await store.put('c', 'three');
  expect([batches.length, flushes.length]).toEqual([3, flushedCount]);
  await clock.pass(1000);
  expect(flushes.at(-1)).toMatchObject({ recordCount: 2, sequence: 3 });
});

test('the keys of reads and changes are told, in plain rows too', async () => {
  const { store, keys } = await Figures.open();
  await store.put('a', '1');
  await Promise.all([store.put('b', '1'), store.put('c', '1'), store.delete('a')]);
  await Promise.all([store.get('b'), store.get('c'), store.get('absent')]);
  await store.exists(['b']);
  expect(keys.filter((key) => key.startsWith('written')).toSorted()).toEqual([
    'written a',
    'written a',
    'written b',
    'written c',
  ]);
  expect(keys.filter((key) => key.startsWith('read')).toSorted()).toEqual([
    'read absent',
    'read b',
    'read b',
    'read c',
  ]);
});

test('keys and leases count as expired when they are removed for it', async () => {
  const { store, clock } = await Figures.open();
  const { leaseId } = await store.grantLease(5000);
  await store.put('short', '1', { ttlMs: 1000 });
  await store.put('other', '1', { ttlMs: 1000 });
  await store.put('held', '1', { leaseId });
  await store.delete('other');
  await store.revokeLease((await store.grantLease(5000)).leaseId);
  expect(store.figures()).toMatchObject({ expiredKeyCount: 0, expiredLeaseCount: 0 });
  await clock.pass(20_000);
  expect((await store.status()).keyCount).toBe(0);
  expect(store.figures()).toMatchObject({ expiredKeyCount: 1, expiredLeaseCount: 1 });
});

test('a request that uses up its budget is counted', async () => {
  const { store } = await Figures.open();
  // A key counts as several the longer it is.
  const keys = Array.from({ length: 5000 }, (_, index) => `${'k'.repeat(fixed.keyBytesMax - 4)}${index}`);
  const error = await store.exists(keys).catch((reason: unknown) => reason);
  expect(isStoreError(error, 'limitReached')).toBe(true);
  expect(store.figures().budgetRefusalCount).toBe(1);
});

test('calls that do much in one turn rest', async () => {
  const { store } = await Figures.open();
  expect(store.figures().restCounts).toEqual({ calls: 0, long_reads: 0, watches: 0, expiry: 0 });
  const keys = Array.from({ length: fixed.existsKeysMax }, (_, index) => `key ${index}`);
  await Promise.all([store.exists(keys), store.exists(keys), store.exists(keys)]);
  expect(store.figures().restCounts).toMatchObject({ calls: 1, long_reads: 0 });
});

test('the lag of watches is that of the one that is furthest behind, and 0 when all have come up', async () => {
  const { store, clock } = await Figures.open();
  const reader = { ready: () => undefined };
  const slow = store.openWatch({ ranges: [{ prefix: 'a' }] }, plainForm, reader);
  const other = store.openWatch({ ranges: [{ prefix: 'elsewhere' }] }, plainForm, reader);
  const takeAll = (watch: typeof slow): void => {
    while (watch.take() !== undefined);
  };
  takeAll(slow);
  takeAll(other);
  expect(store.figures().watchLag).toEqual({ behindCount: 0, revisions: 0, logBytes: 0, ms: 0 });
  await store.put('a1', '1');
  clock.advance(3000);
  await store.put('a2', '2');
  await clock.settled();
  clock.advance(4000);
  expect(store.figures()).toMatchObject({
    watchLag: { behindCount: 1, revisions: 2, ms: 7000 },
    watchEventsSent: 0,
  });
  takeAll(slow);
  await clock.settled();
  takeAll(slow);
  expect(store.figures()).toMatchObject({ watchLag: { behindCount: 0, revisions: 0 }, watchEventsSent: 2 });
});

test('watches are counted by why they ended', async () => {
  const { store, clock } = await Figures.open({ limits: { segmentBytes: 4096, logRetentionBytes: 0 } });
  const reader = { ready: () => undefined };
  const open = (): PulledWatch<WatchMessage> => store.openWatch({}, plainForm, reader);
  open().end();
  const slow = open();
  open();
  // What one has not taken goes out of the log, and out of what is kept of the newest changes.
  for (let count = 0; count < 10; count++) {
    await store.put('a', 'x'.repeat(4096));
    await store.snapshot();
  }
  await store.compact(10);
  const take = async (): Promise<unknown> => {
    for (;;) {
      slow.take();
      await clock.settled();
    }
  };
  await expect(take()).rejects.toMatchObject({ code: 'slowWatcher' });
  expect(store.figures().watchEndCounts).toEqual({ requested: 1, fell_behind: 1, closed: 0, failed: 0 });
  await store.close();
  expect(store.figures().watchEndCounts).toEqual({ requested: 1, fell_behind: 1, closed: 1, failed: 0 });
});

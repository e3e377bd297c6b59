/** Watches of etcd's API whose history is dropped under them: each is told where one can begin again, and nothing is missing from there. */
import { expect, onTestFinished, test } from 'vitest';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { compact } from '../../../src/server/etcd/kv/compact.ts';
import type { WatchReply } from '../../../src/server/etcd/watch/watch-reply.ts';
import { engineOfStore } from '../../store/model/engine-of-harness.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { KEPT_HISTORY } from '../../support/test-engine.ts';
import { WatchInProcess } from './support/watch-in-process.ts';

const all = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };
/** So little that each snapshot lets go of what was before. */
const limits = {
  segmentBytes: 4096,
  logRetentionBytes: 1,
  logRetentionMs: 1,
  historyBytesMax: 1,
  historyAgeMs: 1,
};
const VALUE = 'v'.repeat(100);

async function opened(
  kept: Partial<typeof KEPT_HISTORY> = {},
): Promise<{ readonly store: KvStore; readonly clock: ManualClock }> {
  const disk = new SimulatedDisk({ seed: 1 });
  const clock = new ManualClock();
  const store = await openUncheckedStore({
    dataDir: '/data',
    disk,
    clock,
    random: new SeededRandom(2),
    ...engineOfStore({ limits: { ...limits, ...kept } }),
  });
  onTestFinished(() => store.close());
  return { store, clock };
}

async function told(stream: WatchInProcess): Promise<WatchReply> {
  const reply = await stream.next();
  if (reply === undefined) throw new Error('the stream has ended');
  return reply;
}

/** Replies up to the one that ends a watch. */
async function toldToTheEnd(
  stream: WatchInProcess,
): Promise<{ readonly revisions: number[]; readonly end: WatchReply }> {
  const revisions: number[] = [];
  for (;;) {
    const reply = await told(stream);
    if (reply.canceled) return { revisions, end: reply };
    revisions.push(...revisionsOf(reply));
  }
}

function revisionsOf({ events }: WatchReply): number[] {
  return events.map(({ kv }) => kv?.modRevision ?? 0);
}

async function put(store: KvStore, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await store.put(`k/${index % 10}`, VALUE);
}

/** Of a new watch from there on: every revision up to the newest, and one more. */
async function expectAllFrom(stream: WatchInProcess, startRevision: number, store: KvStore): Promise<void> {
  const newest = store.visibleRevision + 2;
  stream.create({ ...all, watchId: 99, startRevision });
  expect(await told(stream)).toMatchObject({ watchId: 99, created: true, canceled: false });
  await put(store, 1);
  const revisions: number[] = [];
  while (revisions.at(-1) !== newest) {
    const reply = await told(stream);
    expect(reply).toMatchObject({ watchId: 99, canceled: false });
    revisions.push(...revisionsOf(reply));
  }
  expect(revisions).toEqual(
    Array.from({ length: newest - startRevision + 1 }, (_, index) => startRevision + index),
  );
}

test.each([false, true])('a watch that is not read while segments go is over, prev_kv %s', async (prevKv) => {
  const { store, clock } = await opened();
  const stream = new WatchInProcess(store);
  stream.create({ ...all, prevKv });
  await told(stream);
  await put(store, 1);
  expect(revisionsOf(await told(stream))).toEqual([2]);
  for (let round = 0; round < 4; round++) {
    await put(store, 200);
    await clock.pass(20_000);
    await store.snapshot();
  }
  const { revisions, end } = await toldToTheEnd(stream);
  // What it was told until then has no gap.
  expect(revisions).toEqual(revisions.map((_, index) => 3 + index));
  expect(end).toMatchObject({ watchId: 0, created: false, cancelReason: '', header: { revision: 0 } });
  const { oldestWatchRevision } = await store.status();
  expect(end.compactRevision).toBeGreaterThan(100);
  if (!prevKv) expect(end.compactRevision).toBe(oldestWatchRevision + 1);
  await expectAllFrom(stream, end.compactRevision, store);
  // Its id stays taken until it is canceled.
  stream.create({ ...all, watchId: 99 });
  expect((await told(stream)).cancelReason).toContain('duplicate watch ID');
});

test('a watch that is not read during a compaction is over, and one can begin with the revision that was compacted to', async () => {
  const { store } = await opened(KEPT_HISTORY);
  const stream = new WatchInProcess(store);
  stream.create(all);
  await told(stream);
  await put(store, 50);
  await compact(store, { revision: 31, physical: true });
  const { revisions, end } = await toldToTheEnd(stream);
  expect(revisions).toEqual(revisions.map((_, index) => 2 + index));
  expect(revisions.length).toBeLessThan(29);
  expect(end).toMatchObject({ compactRevision: 31, cancelReason: '' });
  await expectAllFrom(stream, 31, store);
});

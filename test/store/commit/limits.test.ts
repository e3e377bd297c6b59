/** What is refused when writes come faster than the disk takes them, and that nothing is lost by it. */
import { describe, expect, it } from 'vitest';
import { HeapEngine } from '../../engine/contract/heap-engine.ts';
import { fixed } from '../../../src/limits.ts';
import type { Compare, Operation, WatchMessage } from '../../../src/api.ts';
import { WatchHub } from '../../../src/store/watch/watch-hub.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { allPairs, refused, valueOf, Watching } from '../model/readable.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryHarness } from '../model/store-harness.ts';

describe('a full buffer of the log', () => {
  it('refuses writes with what to do, and takes them again when it has been written', async () => {
    const { harness, disk } = await openHeld();
    const { store } = harness;
    disk.hold();
    const writes = Array.from({ length: 100 }, (_, index) => store.put(`k${index}`, 'v'.repeat(1000)));
    const outcomes = Promise.allSettled(writes);
    await harness.clock.settled();
    disk.release();
    const codes = (await outcomes).map((outcome) =>
      outcome.status === 'fulfilled' ? 'done' : (outcome.reason as { code: string }).code,
    );
    const doneCount = codes.filter((code) => code === 'done').length;
    expect(doneCount).toBeGreaterThan(5);
    expect(doneCount).toBeLessThan(12);
    expect(codes.filter((code) => code === 'limitReached')).toHaveLength(100 - doneCount);
    expect(await store.count({})).toEqual({ count: doneCount, revision: doneCount });
    expect(await store.put('again', '')).toMatchObject({ revision: doneCount + 1 });
    await harness.reopen();
    expect(await allPairs(harness.store)).toHaveLength(doneCount + 1);
  });

  it('takes a single write that is longer than it', async () => {
    const { harness } = await openHeld();
    await harness.store.put('long', 'v'.repeat(50_000));
    expect(await valueOf(harness.store, 'long')).toHaveLength(50_000);
  });

  it('puts off the removal of what is due until there is room', async () => {
    const { harness, disk } = await openHeld();
    const { store, clock } = harness;
    await store.grantLease(1000, 7);
    await store.put('leased', '', { leaseId: 7 });
    await store.put('due', '', { ttlMs: 1000 });
    disk.hold();
    const writes = Array.from({ length: 20 }, (_, index) => store.put(`k${index}`, 'v'.repeat(1000)));
    const outcomes = Promise.allSettled(writes);
    await clock.settled();
    await harness.advance(1500);
    expect(await valueOf(store, 'due')).toBeUndefined();
    expect(await valueOf(store, 'leased')).toBe('');
    disk.release();
    await outcomes;
    await harness.advance(1000);
    expect(await store.exists(['leased', 'due'])).toMatchObject({ exists: [false, false] });
    await refused(store.getLease(7), 'leaseNotFound');
  });
});

describe('what a watch that is not read holds in memory', () => {
  it.each(['recent changes', 'log'])('is about one message, from the %s', async (source) => {
    let valuesRead = 0;
    const harness = await MemoryHarness.open({
      limits: { historyRevisionsMax: source === 'log' ? 1 : 100 },
      makeEngine: () => {
        const engine = new HeapEngine();
        const readPlaced = engine.readPlaced.bind(engine);
        engine.readPlaced = (key, revision, visit) => {
          valuesRead++;
          readPlaced(key, revision, visit);
        };
        return engine;
      },
    });
    const { store } = harness;
    const puts = Array.from({ length: 3000 }, (_, index) => ({
      kind: 'put' as const,
      key: `k${String(index).padStart(4, '0')}`,
      value: 'v'.repeat(10_000),
    }));
    const live = store.watch();
    expect(await live.next()).toMatchObject({ value: { kind: 'synced' } });
    await store.txn({ success: puts });
    for (let index = 0; index < 5; index++) await store.put('later', String(index));
    await harness.advance(20_000);
    const watching = source === 'log' ? store.watch({ startRevision: 1 }) : live;
    valuesRead = 0;
    const keys: string[] = [];
    let fragmentCount = 0;
    for (;;) {
      const { value: message } = (await watching.next()) as { value: WatchMessage };
      expect(message).toMatchObject({ kind: 'events', revision: 1 });
      if (message.kind !== 'events') break;
      fragmentCount++;
      expect(message.events.length).toBeLessThan(110);
      expect(valuesRead).toBeLessThan(110);
      valuesRead = 0;
      for (const event of message.events) if (event.type === 'put') keys.push(event.entry.key);
      if (!message.moreFragments) break;
    }
    expect(fragmentCount).toBeGreaterThan(25);
    expect(keys).toEqual(puts.map(({ key }) => key));
    expect(await watching.next()).toMatchObject({ value: { revision: 2 } });
  });

  it('does not grow with transactions that change no key', () => {
    const hub = new WatchHub({ watchersMax: 1 }, new ManualClock());
    const revisionCount = fixed.recentChangesMax + 10;
    for (let revision = 1; revision <= revisionCount; revision++) {
      hub.publish(revision, { revision, timeMs: 0, changes: [], borders: undefined, keyBytes: 0 });
    }
    expect(hub.recent(10)).toBeUndefined();
    expect(hub.recent(revisionCount)).toMatchObject({ revision: revisionCount });
  });
});

describe('the watches that a change wakes', () => {
  it('are woken some at a time, and all of them', async () => {
    const { store } = await MemoryHarness.open();
    const watches = await Promise.all(Array.from({ length: 300 }, () => Watching.live(store)));
    let wokenCount = 0;
    const nexts = watches.map(async (watching) => {
      expect(await watching.next()).toMatchObject({ kind: 'events', revision: 1 });
      wokenCount++;
    });
    const put = store.put('a', '');
    const perTurn: number[] = [];
    while (wokenCount < watches.length) {
      const before = wokenCount;
      await new Promise(setImmediate);
      perTurn.push(wokenCount - before);
    }
    await Promise.all([put, ...nexts]);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(fixed.watchesWokenVisitsMax / fixed.wokenLaterVisits);
  });
});

describe('the compares of a transaction', () => {
  it('go through a limited number of keys', async () => {
    const { store } = await MemoryHarness.open();
    const batch = (from: number): Operation[] =>
      Array.from({ length: 10_000 }, (_, index) => ({ kind: 'put', key: `k${from + index}`, value: '' }));
    for (let from = 0; from < 60_000; from += 10_000) await store.txn({ success: batch(from) });
    const compare: Compare = {
      subject: { range: { prefix: 'k' } },
      relation: 'greater',
      operand: { kind: 'version', value: 0 },
    };
    const { requestVisitsMax } = fixed;
    expect(2 * 60_000).toBeLessThan(requestVisitsMax);
    expect(3 * 60_000).toBeGreaterThan(requestVisitsMax);
    expect(await store.txn({ compares: [compare, compare] })).toMatchObject({ succeeded: true });
    await refused(store.txn({ compares: [compare, compare, compare] }), 'limitReached');
  });
});

describe('history', () => {
  it('grows old while nothing is written', async () => {
    const harness = await MemoryHarness.open({ limits: { historyAgeMs: 30_000 } });
    await harness.store.put('a', '1');
    await harness.store.put('a', '2');
    await harness.advance(20_000);
    expect((await harness.store.get('a', { revision: 1 })).entry).toBeDefined();
    await harness.advance(40_000);
    await refused(harness.store.get('a', { revision: 1 }), 'revisionCompacted');
  });
});

async function openHeld(): Promise<{ harness: MemoryHarness; disk: HeldDisk }> {
  let held: HeldDisk | undefined;
  const harness = await MemoryHarness.open({
    limits: { unflushedBytesMax: 10_000 },
    wrap: (disk) => (held = new HeldDisk(disk)),
  });
  if (held === undefined) throw new Error('the store has opened no disk');
  return { harness, disk: held };
}

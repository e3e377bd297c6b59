/** Nothing that a crash could still undo is seen, and nothing that is durable is missed. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import type { Store, WatchMessage } from '../../../src/api.ts';
import { WatchHub } from '../../../src/store/watch/watch-hub.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { allPairs, messageText, refused, valueOf, Watching } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';

describe('what waits for its flush while there is a watch', () => {
  it('is kept for watches up to a limit of bytes, and known to the log beyond it', async () => {
    const { store, disk, settled } = await openHeld();
    const others = await Watching.live(store, { ranges: [{ prefix: 'zzz' }] });
    const watching = await Watching.live(store, { ranges: [{ prefix: 'k' }], keysOnly: true });
    const published = vi.spyOn(WatchHub.prototype, 'publish');
    onTestFinished(() => published.mockRestore());
    const keys = Array.from({ length: (1.5 * fixed.recentKeyBytesMax) / 4096 }, (_, index) =>
      `k${String(index).padStart(6, '0')}`.padEnd(4096, '.'),
    );
    disk.hold();
    const writes = keys.map((key) => store.put(key, ''));
    await settled();
    disk.release();
    await Promise.all(writes);
    const stagedBytes = published.mock.calls.reduce((sum, [, staged]) => sum + (staged?.keyBytes ?? 0), 0);
    expect(stagedBytes).toBeGreaterThan(0.9 * fixed.recentKeyBytesMax);
    expect(stagedBytes).toBeLessThanOrEqual(fixed.recentKeyBytesMax + 4096);
    const seen: string[] = [];
    while (seen.length < keys.length) {
      const message = await watching.next();
      if (message?.kind === 'events') {
        for (const event of message.events) if (event.type === 'put') seen.push(event.entry.key);
      }
    }
    expect(seen).toEqual(keys);
    await others.iterator.return?.();
    // What comes afterwards is kept again.
    published.mockClear();
    await store.put('k', '');
    expect(published.mock.calls.map(([, staged]) => staged?.keyBytes)).toEqual([1]);
  });
});

describe('while a write waits for its flush', () => {
  it('is not seen by any read, and is by all once it is flushed', async () => {
    const { store, disk, settled } = await openHeld();
    await store.put('k', 'old');
    disk.hold();
    const write = store.put('k', 'new');
    const created = store.put('created', '');
    const removed = store.delete('k');
    await settled();
    expect(disk.waitingCount).toBeGreaterThan(0);
    expect(await valueOf(store, 'k')).toBe('old');
    expect(await store.exists(['k', 'created'])).toEqual({ exists: [true, false], revision: 1 });
    expect(await allPairs(store)).toEqual(['k=old']);
    expect(await store.count({}, { revision: 1 })).toEqual({ count: 1, revision: 1 });
    await refused(store.count({}, { revision: 2 }), 'revisionFuture', { newestRevision: 1 });
    expect(await store.keys('*')).toMatchObject({ keys: ['k'], revision: 1 });
    expect((await store.status()).revision).toBe(1);
    await refused(store.get('k', { revision: 2 }), 'revisionFuture', { newestRevision: 1 });
    await refused(store.compact(2), 'revisionFuture');
    await refused(new Watching(store, { startRevision: 3 }).next(), 'revisionFuture');
    disk.release();
    expect([await write, await created, await removed].map(({ revision }) => revision)).toEqual([2, 3, 4]);
    expect(await allPairs(store)).toEqual(['created=']);
    expect(await valueOf(store, 'k', 2)).toBe('new');
  });

  it('is not counted by status, which does not wait for it either', async () => {
    const { store, disk, settled } = await openHeld();
    await store.put('k', '');
    await store.grantLease(5000, 7);
    const before = await store.status();
    expect(before).toMatchObject({ revision: 1, keyCount: 1, leaseCount: 1 });
    disk.hold();
    const first = store.put('other', '');
    await settled();
    // It gathers in the next batch.
    const second = [store.grantLease(5000, 8), store.revokeLease(7), store.put('third', '')];
    await settled();
    expect(await store.status()).toMatchObject({ revision: 1, keyCount: 1, leaseCount: 1 });
    disk.release();
    await first;
    const { revision, keyCount } = await store.status();
    expect(keyCount).toBe(revision === 2 ? 2 : 3);
    await Promise.all(second);
    expect(await store.status()).toMatchObject({ revision: 3, keyCount: 3, leaseCount: 1 });
  });

  it('lets no answer out that depends on it', async () => {
    const { store, disk, settled } = await openHeld();
    disk.hold();
    const condition = { kind: 'mustNotExist' } as const;
    const answers = {
      put: store.put('lock', 'mine', { condition }),
      failedCondition: store.put('lock', 'other', { condition }),
      read: store.txn({ success: [{ kind: 'get', key: 'lock' }] }),
      failedCompare: store.txn({
        compares: [{ subject: { key: 'lock' }, relation: 'equal', operand: { kind: 'version', value: 0 } }],
      }),
      nothingDeleted: store.delete('missing'),
      notThere: store.touch('missing', { ttlMs: 5 }),
      refresh: store.get('lock', { refreshTtl: true }),
      grant: store.grantLease(5000, 7),
      renewal: store.renewLease(7),
      lease: store.getLease(7),
      leases: store.listLeases(),
      noLease: store.getLease(8),
      count: store.count({}),
    };
    const settledNames: string[] = [];
    for (const [name, answer] of Object.entries(answers)) {
      const note = () => void settledNames.push(name);
      answer.then(note, note);
    }
    await settled();
    expect(settledNames).toEqual([]);
    disk.release();
    await refused(answers.failedCondition, 'conditionFailed', { currentModRevision: 1 });
    await refused(answers.notThere, 'keyNotFound');
    await refused(answers.noLease, 'leaseNotFound');
    expect(await answers.count).toEqual({ count: 1, revision: 1 });
    expect(await answers.read).toMatchObject({ results: [{ entry: { key: 'lock', modRevision: 1 } }] });
    expect(await answers.failedCompare).toMatchObject({ succeeded: false });
    await Promise.all([answers.put, answers.nothingDeleted, answers.refresh, answers.grant, answers.renewal]);
    expect(await answers.leases).toMatchObject({ leases: [{ leaseId: 7 }] });
  });

  it('is not seen by a watch, from the present or from the log', async () => {
    const { store, disk, settled } = await openHeld();
    await store.put('a', '1');
    const watches = [await Watching.live(store), new Watching(store, { startRevision: 1 })];
    disk.hold();
    const write = store.put('b', '2');
    watches.push(new Watching(store, { includeCurrent: true }), new Watching(store));
    const seen = watches.map((watching) => collect(watching));
    await settled();
    const before = [[], ['1: put a=1', 'synced 1'], ['current 1: a=1', 'synced 1'], ['synced 1']];
    expect(seen).toEqual(before);
    disk.release();
    await write;
    await settled();
    expect(seen).toEqual(before.map((texts) => [...texts, '2: put b=2']));
  });

  it('is not missed by a watch that was opened meanwhile, and later writes neither', async () => {
    const { store, disk, settled } = await openHeld();
    disk.hold();
    const writes = [store.put('a', '1'), store.put('b', '2')];
    await settled();
    writes.push(store.put('a', '3'));
    const waiting = collect(new Watching(store));
    const narrow = collect(new Watching(store, { ranges: [{ key: 'b' }] }));
    await settled();
    disk.release();
    await Promise.all(writes);
    await store.put('b', '4');
    await settled();
    expect(waiting).toEqual(['synced 0', '1: put a=1', '2: put b=2', '3: put a=3', '4: put b=4']);
    expect(narrow).toEqual(['synced 0', '2: put b=2', '4: put b=4']);
  });

  it('is not missed by a watch whose progress falls due at the same instant', async () => {
    const { store, disk, clock, settled } = await openHeld();
    for (const stepCount of Array.from({ length: 30 }, (_, index) => index)) {
      const watching = await Watching.live(store, { progressIntervalMs: 100 });
      const seen = collect(watching);
      await settled();
      disk.hold();
      const { revision } = await store.status();
      const write = store.put('k', `${stepCount}`);
      await settled();
      disk.release();
      // The flush goes on by promises: the timer strikes between any two of them.
      for (let step = 0; step < stepCount; step++) await Promise.resolve();
      clock.advance(100);
      await write;
      await settled();
      const events = seen.filter((text) => !text.startsWith('progress'));
      expect(events, `after ${stepCount} steps`).toEqual([`${revision + 1}: put k=${stepCount}`]);
      await watching.stop();
    }
  });

  it('is in no snapshot', async () => {
    const { store, disk, settled } = await openHeld();
    await store.put('a', '1');
    disk.hold();
    const write = store.put('b', '2');
    const snapshot = store.snapshot();
    await settled();
    expect((await store.status()).snapshotCount).toBe(0);
    disk.release();
    await write;
    expect((await snapshot).revision).toBe(2);
  });
});

describe('closing', () => {
  it('waits for the writes under way and answers them', async () => {
    const { store, disk, settled } = await openHeld();
    disk.hold();
    const writes = Array.from({ length: 10 }, (_, index) => store.put(`k${index}`, ''));
    const closed = store.close();
    let isClosed = false;
    void closed.then(() => (isClosed = true));
    await settled();
    expect(isClosed).toBe(false);
    disk.release();
    expect((await Promise.all(writes)).at(-1)?.revision).toBe(10);
    await closed;
  });

  it('gives up a snapshot that is being written', async () => {
    const harness = await MemoryHarness.open();
    const { store } = harness;
    for (let index = 0; index < 10; index++) {
      const puts = Array.from(
        { length: 1000 },
        (_, key) => ({ kind: 'put', key: `${index}-${key}`, value: '' }) as const,
      );
      await store.txn({ success: puts });
    }
    const snapshot = store.snapshot();
    snapshot.catch(() => undefined);
    const closed = store.close();
    await refused(snapshot, 'closed');
    await closed;
    await harness.reopen();
    expect(await harness.store.status()).toMatchObject({ keyCount: 10_000, snapshotCount: 0 });
  });
});

const policies = ['interval', 'never'] as const;

describe('with another flush policy', () => {
  it.each(policies)('%s shows a write as soon as it is written, without a flush', async (fsync) => {
    const { store, disk, settled } = await openHeld(fsync);
    await store.put('first of its life', '');
    disk.hold();
    const watching = await Watching.live(store);
    expect(await store.put('k', '1')).toMatchObject({ revision: 2 });
    expect(await valueOf(store, 'k')).toBe('1');
    expect(await watching.nextText()).toBe('2: put k=1');
    expect(await new Watching(store, { startRevision: 2 }).texts(2)).toEqual(['2: put k=1', 'synced 2']);
    disk.release();
    await settled();
  });

  it.each(policies)('%s flushes the first transaction of a life before anything shows it', async (fsync) => {
    const { store, disk, settled } = await openHeld(fsync);
    const seen = collect(new Watching(store));
    disk.hold();
    const answers: number[] = [];
    const put = async (): Promise<void> => void answers.push((await store.put('k', '')).revision);
    const writes = [put(), put()];
    await settled();
    writes.push(put());
    await settled();
    expect(disk.waitingCount).toBe(1);
    expect([answers, seen]).toEqual([[], ['synced 0']]);
    expect((await store.status()).revision).toBe(0);
    disk.release();
    await Promise.all(writes);
    await settled();
    expect(answers.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(seen).toEqual(['synced 0', '1: put k=', '2: put k=', '3: put k=']);
    // Only the first one.
    disk.hold();
    await put();
    expect(disk.waitingCount).toBe(0);
    disk.release();
  });
});

async function openHeld(fsync: 'always' | 'interval' | 'never' = 'always') {
  let held: HeldDisk | undefined;
  const harness = await MemoryHarness.open({ fsync, wrap: (disk) => (held = new HeldDisk(disk)) });
  if (held === undefined) throw new Error('the store has opened no disk');
  const store: Store = harness.store;
  return { store, disk: held, clock: harness.clock, settled: () => harness.clock.settled() };
}

/** Reads a watch to its end in the background; the result grows. */
function collect(watching: Watching): string[] {
  const texts: string[] = [];
  const read = async (): Promise<void> => {
    for (
      let next = await watching.iterator.next();
      next.done !== true;
      next = await watching.iterator.next()
    ) {
      texts.push(messageText(next.value satisfies WatchMessage));
    }
  };
  read().catch((error: unknown) => texts.push(`${(error as { code?: string }).code}`));
  return texts;
}

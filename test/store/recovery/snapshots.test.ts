/** Snapshots beside writes, and what is removed once they are there. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/api.ts';
import { eventually } from '../../support/eventually.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import type { SimulatedDisk } from '../../support/simulated-disk.ts';
import { allPairs, refused, valueOf, Watching } from '../model/readable.ts';
import { DATA_DIR, MemoryHarness, SNAPSHOT_DIR } from '../model/store-harness.ts';

describe('a snapshot beside writes', () => {
  it('holds the state of one revision, and the log all that follows', async () => {
    const harness = await MemoryHarness.open();
    const { store } = harness;
    for (let index = 0; index < 3000; index++) void store.put(`k${index % 500}`, `${index}`);
    const snapshot = store.snapshot();
    for (let index = 3000; index < 6000; index++) void store.put(`k${index % 700}`, `${index}`);
    expect((await snapshot).revision).toBe(3000);
    const { revision } = await store.put('last', '');
    const before = await allPairs(store);
    const old = await allPairs(store, {}, 1500);
    await harness.crash('losePower');
    expect(await harness.store.status()).toMatchObject({ revision, snapshotRevision: 3000 });
    expect(await allPairs(harness.store)).toEqual(before);
    expect(await allPairs(harness.store, {}, 1500)).toEqual(old);
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 3000 });
  });

  it('keeps every revision readable that was readable before', async () => {
    const harness = await MemoryHarness.open({ limits: { historyRevisionsMax: 50 } });
    for (let index = 1; index <= 200; index++) await harness.store.put('k', `${index}`);
    await harness.store.snapshot();
    await harness.reopen();
    const { oldestRevision } = await harness.store.status();
    expect(oldestRevision).toBe(150);
    expect(await valueOf(harness.store, 'k', 150)).toBe('150');
    expect(await valueOf(harness.store, 'k', 199)).toBe('199');
    await refused(harness.store.get('k', { revision: 149 }), 'revisionCompacted');
  });

  it('knows what was compacted on demand while something was being read', async () => {
    const harness = await MemoryHarness.open();
    const { store } = harness;
    for (let index = 1; index <= 10; index++) await store.put('k', `${index}`);
    // Present entries that are read hold their revision, and with it all later ones.
    const watching = new Watching(store, { includeCurrent: true });
    await watching.next();
    for (let index = 11; index <= 20; index++) await store.put('k', `${index}`);
    expect(await store.compact(15)).toEqual({ oldestRevision: 10 });
    await store.put('k', '21');
    await store.snapshot();
    await watching.stop();
    await harness.crash('losePower');
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 21 });
    await refused(harness.store.get('k', { revision: 14 }), 'revisionCompacted');
    expect(await valueOf(harness.store, 'k', 15)).toBe('15');
  });

  it('does not lose the renewal of a lease that follows it in the same batch', async () => {
    const harness = await MemoryHarness.open();
    const { store } = harness;
    await store.grantLease(10_000, 7);
    await harness.advance(5000);
    const answers = [store.put('k', '', { leaseId: 7 }), store.snapshot(), store.renewLease(7)];
    await Promise.all(answers);
    await harness.crash('endProcess');
    expect(await harness.store.getLease(7)).toMatchObject({ remainingMs: 10_000, keyCount: 1 });
  });

  it('does not give a lease the renewal of another one that had its id before', async () => {
    const harness = await MemoryHarness.open();
    const { store } = harness;
    await store.grantLease(3_600_000, 7);
    const answers = [
      store.put('k', ''),
      store.renewLease(7),
      store.revokeLease(7),
      store.grantLease(1000, 7),
      store.snapshot(),
      store.put('k', ''),
    ];
    await Promise.all(answers);
    await harness.crash('endProcess');
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 1, revision: 2 });
    expect(await harness.store.getLease(7)).toMatchObject({ remainingMs: 1000 });
  });

  it('attaches keys to the leases they name now, not to those of old versions', async () => {
    const harness = await MemoryHarness.open();
    const { store } = harness;
    await store.grantLease(60_000, 1);
    await store.grantLease(60_000, 2);
    await store.put('moved', '', { leaseId: 1 });
    await store.put('moved', '', { leaseId: 2 });
    await store.put('freed', '', { leaseId: 1 });
    await store.put('freed', '');
    await store.put('deleted', '', { leaseId: 2 });
    await store.delete('deleted');
    await store.revokeLease(1);
    await store.grantLease(60_000, 1);
    await store.put('kept', '', { leaseId: 1 });
    await store.snapshot();
    await store.put('later', '', { leaseId: 1 });
    await harness.reopen();
    const keysOf = async (id: number) => (await harness.store.getLease(id, { includeKeys: true })).keys;
    expect(await keysOf(1)).toEqual(['kept', 'later']);
    expect(await keysOf(2)).toEqual(['moved']);
    expect(await harness.store.revokeLease(2)).toMatchObject({ deletedCount: 1 });
  });

  it('is begun by the growth of the log and by time, not when nothing was written', async () => {
    const limits = { snapshotLogBytes: 10_000, snapshotIntervalMs: 60_000 };
    const harness = await MemoryHarness.open({ limits });
    const { store } = harness;
    await harness.advance(60_000);
    expect((await store.status()).snapshotCount).toBe(0);
    await store.put('k', 'v');
    await harness.advance(60_000);
    await harness.told('snapshotWritten', 1);
    expect(await store.status()).toMatchObject({ snapshotCount: 1, snapshotRevision: 1 });
    await harness.advance(120_000);
    expect(await store.status()).toMatchObject({ snapshotCount: 1 });
    await store.put('k', 'v'.repeat(10_000));
    await harness.told('snapshotWritten', 2);
    expect(await store.status()).toMatchObject({ snapshotCount: 2, snapshotRevision: 2 });
    expect(harness.events.filter(({ kind }) => kind === 'snapshotWritten')).toHaveLength(2);
  });
});

describe('a store that is closed', () => {
  const limits = { closeSnapshotLogBytes: 10_000 };
  const grow = (store: Store) => store.put('k', 'v'.repeat(11_000));

  it('writes a snapshot when the log has grown long, so that the next start need not read it', async () => {
    const harness = await MemoryHarness.open({ limits });
    await grow(harness.store);
    await harness.store.put('last', '1');
    await harness.reopen();
    expect(harness.events).toMatchObject([
      { kind: 'snapshotWritten', revision: 2 },
      { kind: 'recovered', snapshotRevision: 2, revision: 2 },
    ]);
    expect(await valueOf(harness.store, 'last')).toBe('1');
    // It holds no more than the log does: revisions of before are there, too.
    expect(await valueOf(harness.store, 'k', 1)).toHaveLength(11_000);
  });

  it('writes one of leases, too, which keep what remained', async () => {
    const harness = await MemoryHarness.open({ limits });
    await harness.store.grantLease(60_000, 7);
    await harness.store.put('leased', '', { leaseId: 7 });
    await grow(harness.store);
    await harness.advance(12_345);
    await harness.reopen(100_000);
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 2 });
    expect(await harness.store.getLease(7)).toMatchObject({ remainingMs: 47_655, keyCount: 1 });
  });

  it('writes none when that would take time for little', async () => {
    const harness = await MemoryHarness.open({ limits });
    const { events } = harness;
    await harness.reopen();
    await harness.store.put('k', 'v'.repeat(9000));
    await harness.reopen();
    await harness.reopen();
    expect(events.map(({ kind }) => kind)).toEqual(['recovered', 'recovered', 'recovered']);
    // Where there is far more data than log, the next start takes its time anyway.
    for (let index = 0; index < 10; index++) await harness.store.put(`large${index}`, 'v'.repeat(100_000));
    await harness.store.snapshot();
    await harness.reopen();
    await grow(harness.store);
    events.length = 0;
    await harness.reopen();
    expect(events).toMatchObject([{ kind: 'recovered', snapshotRevision: 11, revision: 12 }]);
  });

  it('writes none of a revision that it has a snapshot of', async () => {
    const harness = await MemoryHarness.open({ limits });
    await grow(harness.store);
    await harness.store.snapshot();
    await harness.store.grantLease(60_000, 7);
    for (let index = 0; index < 1000; index++) await harness.store.renewLease(7);
    harness.events.length = 0;
    await harness.reopen();
    expect(harness.events).toMatchObject([{ kind: 'recovered', snapshotRevision: 1 }]);
  });

  it('counts the log that it has read itself when it was opened', async () => {
    const harness = await MemoryHarness.open({ limits });
    await grow(harness.store);
    await harness.crash('endProcess');
    harness.events.length = 0;
    await harness.reopen();
    expect(harness.events).toMatchObject([
      { kind: 'snapshotWritten' },
      { kind: 'recovered', snapshotRevision: 1 },
    ]);
  });

  it('does not count what its snapshot holds already', async () => {
    const harness = await MemoryHarness.open({ limits });
    await grow(harness.store);
    await harness.reopen();
    await harness.store.put('small', '');
    harness.events.length = 0;
    await harness.reopen();
    expect(harness.events).toMatchObject([{ kind: 'recovered', snapshotRevision: 1, revision: 2 }]);
  });

  it('lets a snapshot that is being written be the last one', async () => {
    const harness = await MemoryHarness.open({ limits });
    await grow(harness.store);
    const [snapshot] = await Promise.all([harness.store.snapshot(), harness.store.close()]);
    expect(snapshot).toMatchObject({ revision: 1 });
    expect(harness.events.filter(({ kind }) => kind === 'snapshotWritten')).toHaveLength(1);
  });

  it('gives the snapshot up when its time is over, and leaves the log as it is', async () => {
    let held: HeldDisk | undefined;
    const wrap = (disk: SimulatedDisk) => (held = new HeldDisk(disk));
    const harness = await MemoryHarness.open({ limits, fsync: 'never', wrap });
    for (let index = 0; index < 3000; index++) await harness.store.put(`k${index}`, 'v'.repeat(100));
    // The snapshot waits for the flush of what it holds, and meanwhile its time runs out.
    held?.hold();
    const closed = harness.store.close({ snapshotMsMax: 700 });
    await eventually(() => held?.waitingCount).toBe(1);
    harness.clock.advance(700);
    held?.release();
    await closed;
    expect(harness.events).toEqual([]);
    expect(await harness.disk.list(SNAPSHOT_DIR)).toEqual([]);
    await harness.reopen();
    expect(harness.events).toMatchObject([{ kind: 'recovered', snapshotRevision: 0, revision: 3000 }]);
  });

  it.each([
    ['when it is told so', { snapshotMsMax: 0 }, async () => undefined],
    [
      'after its disk has failed',
      {},
      async ({ store, disk }: MemoryHarness) => {
        disk.injectFault({ call: 'sync', pathEnd: '.log' });
        await refused(store.put('x', ''), 'storageFailed');
      },
    ],
    [
      'in a directory that is not its own any more',
      {},
      ({ disk }: MemoryHarness) => disk.remove(`${DATA_DIR}/LOCK`),
    ],
  ] as const)('writes none %s', async (_, options, before) => {
    const harness = await MemoryHarness.open({ limits });
    await grow(harness.store);
    await before(harness);
    await harness.store.close(options);
    const kinds = harness.events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.startsWith('snapshot'))).toEqual([]);
    expect(await harness.disk.list(SNAPSHOT_DIR)).toEqual([]);
  });
});

describe('what is not needed any more', () => {
  const limits = {
    segmentBytes: 4096,
    logRetentionBytes: 1,
    logRetentionMs: 1,
    historyBytesMax: 1,
    historyAgeMs: 1,
  };

  it('is removed: old snapshots, and segments that neither recovery nor watches need', async () => {
    const harness = await MemoryHarness.open({ limits });
    for (let round = 1; round <= 5; round++) {
      await fill(harness, 100);
      await harness.store.snapshot();
    }
    const status = await harness.store.status();
    expect(status.snapshotCount).toBe(2);
    expect(await harness.disk.list(SNAPSHOT_DIR)).toHaveLength(2);
    expect(status.oldestWatchRevision).toBeGreaterThan(200);
    expect(status.oldestWatchRevision).toBeLessThanOrEqual(401);
    expect(status.segmentCount).toBeLessThan(25);
    await harness.reopen();
    expect(await harness.store.status()).toMatchObject({ revision: 500, keyCount: 10 });
  });

  it('ends a watch that is read so slowly that the log has moved on', async () => {
    const harness = await MemoryHarness.open({ limits });
    const { store } = harness;
    const watching = new Watching(store, { startRevision: 1 });
    await fill(harness, 10);
    expect(await watching.nextText()).toMatch(/^1: put/);
    const idle = await Watching.live(store, { ranges: [{ key: 'other' }] });
    await watching.stop();
    const slow = new Watching(store, { startRevision: 1 });
    await watching.stop();
    await idle.stop();
    for (let round = 1; round <= 4; round++) {
      await fill(harness, 100);
      await harness.advance(20_000);
      await store.snapshot();
    }
    const { oldestWatchRevision } = await store.status();
    expect(oldestWatchRevision).toBeGreaterThan(100);
    const read = async () => {
      for (;;) await slow.next();
    };
    await expect(read()).rejects.toMatchObject({ code: 'slowWatcher', details: { resumeRevision: 1 } });
    expect(await slow.iterator.next()).toMatchObject({ done: true });
    await refused(new Watching(store, { startRevision: 1 }).next(), 'revisionCompacted', {
      requestedRevision: 1,
      oldestRevision: oldestWatchRevision - 1,
      newestRevision: 410,
    });
  });
});

describe('a watch that is read slowly', () => {
  it('goes on from the log when memory has moved on, and then from memory again', async () => {
    const { store } = await MemoryHarness.open();
    const watching = await Watching.live(store, { ranges: [{ prefix: 'k' }] });
    await store.put('k', 'first');
    for (let round = 0; round < 7; round++) {
      // Together more changes than memory keeps.
      const puts = Array.from(
        { length: 10_000 },
        (_, key) => ({ kind: 'put', key: `x${key}`, value: '' }) as const,
      );
      await store.txn({ success: [...puts.slice(1), { kind: 'put', key: 'k', value: `${round}` }] });
    }
    await store.put('k', 'last');
    expect(await watching.texts(9)).toEqual([
      '1: put k=first',
      ...Array.from({ length: 7 }, (_, round) => `${round + 2}: put k=${round}`),
      '9: put k=last',
    ]);
    await store.put('k', 'live');
    expect(await watching.nextText()).toBe('10: put k=live');
  });

  it('leaves no file of the log open when it is left in the middle of it', async () => {
    const harness = await MemoryHarness.open({ limits: { segmentBytes: 4096 } });
    await fill(harness, 200);
    const open = () => {
      const calls = harness.disk.dump().split('\n');
      const count = (call: string) =>
        calls.filter((line) => new RegExp(`^\\d+ ${call} \\S+\\.log`).test(line)).length;
      return count('open') - count('close');
    };
    const before = open();
    for (const leave of ['return', 'abort'] as const) {
      const controller = new AbortController();
      const watching = new Watching(harness.store, { startRevision: 1, signal: controller.signal });
      await watching.nextText();
      if (leave === 'return') await watching.stop();
      else controller.abort();
      await harness.clock.settled();
      expect(open(), leave).toBe(before);
    }
  });
});

/** Puts so many times, over and over to ten keys. */
async function fill(harness: MemoryHarness, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await harness.store.put(`k${index % 10}`, 'v'.repeat(100));
}

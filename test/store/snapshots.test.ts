/** Snapshots beside writes, and what is removed once they are there. */
import { describe, expect, it } from 'vitest';
import { allPairs, refused, valueOf, Watching } from './readable.ts';
import { MemoryHarness, SNAPSHOT_DIR } from './store-harness.ts';

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

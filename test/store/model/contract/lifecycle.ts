/** Status, snapshots, closing and opening again. */
import { expect, it } from 'vitest';
import { allPairs, plain, refused, valueOf, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

/** @param isOnDisk the engine keeps its state on disk, and has checkpoints in place of snapshots. */
export function testLifecycle(open: OpenHarness, isOnDisk: boolean): void {
  it('tells how it does', async () => {
    const { store } = await open();
    const empty = await store.status();
    expect(empty).toMatchObject({
      revision: 0,
      oldestRevision: 0,
      oldestWatchRevision: 1,
      keyCount: 0,
      leaseCount: 0,
      dataBytes: 0,
      segmentCount: 1,
      activeSegmentId: 1,
      oldestSegmentId: 1,
      snapshotBytes: 0,
      snapshotCount: 0,
      snapshotRevision: 0,
      watcherCount: 0,
    });
    expect(empty.storeId).toMatch(/^[0-9a-f]{32}$/);
    await store.put('key', 'value');
    await store.grantLease(5000);
    const watching = new Watching(store);
    const { revision, bytes } = await store.snapshot();
    expect(revision).toBe(1);
    expect(await store.status()).toMatchObject({
      storeId: empty.storeId,
      revision: 1,
      keyCount: 1,
      leaseCount: 1,
      dataBytes: 8,
      ...(isOnDisk
        ? { snapshotBytes: 0, snapshotCount: 0, snapshotRevision: 0, oldestRevision: 1 }
        : { snapshotBytes: bytes, snapshotCount: 1, snapshotRevision: 1, oldestRevision: 0 }),
      watcherCount: 1,
    });
    expect((await store.status()).storage?.revision).toBe(isOnDisk ? 1 : undefined);
    await watching.stop();
  });

  it('has everything again after a restart, by the log or by a snapshot and the log', async () => {
    for (const withSnapshot of [false, true]) {
      const harness = await open();
      await harness.store.grantLease(5000, 7);
      await harness.store.put('a', '1', { ttlMs: 100_000 });
      await harness.store.put('a', '2', { ttlMs: 200_000, leaseId: 7 });
      await harness.store.put('gone', '3');
      if (withSnapshot) await harness.store.snapshot();
      await harness.store.delete('gone');
      await harness.store.touch('a', { ttlMs: 300_000 });
      const before = await harness.store.get('a');
      const { storeId } = await harness.store.status();
      await harness.reopen();
      const { store } = harness;
      expect(plain((await store.get('a')).entry)).toEqual(plain(before.entry));
      expect(await store.status()).toMatchObject({ storeId, revision: 5, keyCount: 1, leaseCount: 1 });
      if (isOnDisk && withSnapshot) await refused(store.get('a', { revision: 2 }), 'revisionCompacted');
      else expect(await valueOf(store, 'a', 1)).toBe('1');
      expect(await allPairs(store, {}, 3)).toEqual(['a=2', 'gone=3']);
      expect(await allPairs(store, {}, 4)).toEqual(['a=2']);
      expect(await store.revokeLease(7)).toMatchObject({ revision: 6, deletedCount: 1 });
      await harness.end();
    }
  });

  it('goes on with the next revision after each restart', async () => {
    const harness = await open();
    for (let life = 1; life <= 4; life++) {
      expect(await harness.store.increment('lives', 1n)).toEqual({ value: BigInt(life), revision: life });
      if (life === 2) await harness.store.snapshot();
      await harness.reopen();
    }
    expect(await harness.store.get('lives')).toMatchObject({ revision: 4, entry: { version: 4 } });
  });

  it('writes a snapshot for each of several that ask at once', async () => {
    const { store } = await open();
    await store.put('a', '');
    const snapshots = [store.snapshot()];
    for (let index = 0; index < 3; index++) {
      void store.put('a', `${index}`);
      snapshots.push(store.snapshot());
    }
    const revisions = (await Promise.all(snapshots)).map(({ revision }) => revision);
    for (const [index, revision] of revisions.entries()) expect(revision).toBeGreaterThanOrEqual(index + 1);
    const { snapshotRevision, storage } = await store.status();
    expect(storage?.revision ?? snapshotRevision).toBe(4);
  });

  it('answers every write that was under way when it is closed', async () => {
    const harness = await open();
    const writes = Array.from({ length: 100 }, (_, index) => harness.store.put(`k${index}`, ''));
    const closed = harness.store.close();
    const late = harness.store.put('late', '');
    await refused(late, 'closed');
    expect((await Promise.all(writes)).map(({ revision }) => revision)).toHaveLength(100);
    await closed;
    await harness.reopen();
    expect(await harness.store.count({})).toEqual({ count: 100, revision: 100 });
  });

  it('refuses every call once it is closed, and ends its watches', async () => {
    const { store } = await open();
    await store.put('a', '');
    const waiting = await Watching.live(store);
    const next = waiting.next();
    next.catch(() => undefined);
    const unread = new Watching(store, { startRevision: 1 });
    await store.close();
    await refused(next, 'closed');
    await refused(unread.next(), 'closed');
    const calls: (() => Promise<unknown>)[] = [
      () => store.get('a'),
      () => store.get('a', { refreshTtl: true }),
      () => store.put('a', ''),
      () => store.delete('a'),
      () => store.deleteRange({ all: true }),
      () => store.exists(['a']),
      () => store.scan({}),
      () => store.count({}),
      () => store.keys('*'),
      () => store.increment('a', 1n),
      () => store.touch('a'),
      () => store.txn({}),
      () => new Watching(store).next(),
      () => store.grantLease(1000),
      () => store.renewLease(1),
      () => store.revokeLease(1),
      () => store.getLease(1),
      () => store.listLeases(),
      () => store.status(),
      () => store.snapshot(),
      () => store.compact(1),
    ];
    for (const call of calls) await refused(call(), 'closed');
    await store.close();
  });
}

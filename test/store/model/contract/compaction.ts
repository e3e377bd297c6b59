/** What can be read of the past, and dropping it. */
import { expect, it } from 'vitest';
import { allPairs, plain, refused, valueOf, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

/** @param isOnDisk the engine keeps its state on disk: nothing below a checkpoint can be read. */
export function testCompaction(open: OpenHarness, isOnDisk: boolean): void {
  it('reads every revision from the oldest on, and none before', async () => {
    const { store } = await open();
    for (let index = 1; index <= 10; index++) await store.put('k', `${index}`);
    expect(await store.compact(6)).toEqual({ oldestRevision: 6 });
    const details = { requestedRevision: 5, oldestRevision: 6, newestRevision: 10 };
    await refused(store.get('k', { revision: 5 }), 'revisionCompacted', details);
    await refused(store.scan({}, { revision: 5 }), 'revisionCompacted', details);
    await refused(store.count({}, { revision: 5 }), 'revisionCompacted', details);
    await refused(store.compact(5), 'revisionCompacted', details);
    for (let revision = 6; revision <= 10; revision++)
      expect(await valueOf(store, 'k', revision)).toBe(`${revision}`);
    expect(await store.compact(6)).toEqual({ oldestRevision: 6 });
    expect(await store.compact(10)).toEqual({ oldestRevision: 10 });
    expect(await valueOf(store, 'k')).toBe('10');
    expect((await store.status()).oldestRevision).toBe(10);
  });

  it('refuses to compact to what is no revision, or not reached', async () => {
    const { store } = await open();
    await store.put('k', '');
    await refused(store.compact(0), 'invalidArgument');
    await refused(store.compact(2), 'revisionFuture', { requestedRevision: 2, newestRevision: 1 });
  });

  it('keeps at the oldest revision what was there, not what had been deleted', async () => {
    const { store } = await open();
    await store.put('kept', '1');
    await store.put('deleted', '2');
    await store.delete('deleted');
    await store.put('other', '4');
    await store.compact(4);
    expect(await allPairs(store, {}, 4)).toEqual(['kept=1', 'other=4']);
    expect(plain((await store.get('kept', { revision: 4 })).entry)).toMatchObject({
      createRevision: 1,
      version: 1,
    });
    expect((await store.put('deleted', '5')).revision).toBe(5);
    expect(plain((await store.get('deleted')).entry)).toMatchObject({ createRevision: 5, version: 1 });
  });

  it('ends a scan whose revision is compacted between two pages', async () => {
    const { store } = await open();
    for (const key of ['a', 'b', 'c']) await store.put(key, key);
    const first = await store.scan({}, { limit: 1 });
    const keys = await store.keys('*', { limit: 1 });
    await store.put('d', 'd');
    await store.compact(3);
    expect((await store.scan({}, { limit: 1, pageToken: first.nextPageToken })).entries).toHaveLength(1);
    await store.compact(4);
    const details = { requestedRevision: 3, oldestRevision: 4 };
    await refused(store.scan({}, { limit: 1, pageToken: first.nextPageToken }), 'revisionCompacted', details);
    await refused(store.keys('*', { limit: 1, pageToken: keys.nextPageToken }), 'revisionCompacted', details);
  });

  it('moves on by itself when there are more revisions than are kept', async () => {
    const { store } = await open({ historyRevisionsMax: 5 });
    for (let index = 1; index <= 20; index++) await store.put('k', `${index}`);
    expect((await store.status()).oldestRevision).toBe(15);
    expect(await valueOf(store, 'k', 15)).toBe('15');
    await refused(store.get('k', { revision: 14 }), 'revisionCompacted');
  });

  it('moves on by itself with age', async () => {
    const harness = await open({ historyAgeMs: 60_000 });
    const { store } = harness;
    await store.put('k', '1');
    await harness.advance(30_000);
    await store.put('k', '2');
    await harness.advance(29_999);
    await store.put('k', '3');
    expect(await valueOf(store, 'k', 1)).toBe('1');
    await harness.advance(40_001);
    await store.put('k', '4');
    await refused(store.get('k', { revision: 1 }), 'revisionCompacted');
    expect(await valueOf(store, 'k', 3)).toBe('3');
  });

  it('starts a watch with the revision compacted to, and one with previous entries behind it, not before', async () => {
    const { store } = await open();
    for (let index = 1; index <= 5; index++) await store.put('k', `${index}`);
    await store.compact(3);
    const watching = new Watching(store, { startRevision: 3 });
    expect(await watching.texts(4)).toEqual(['3: put k=3', '4: put k=4', '5: put k=5', 'synced 5']);
    await refused(new Watching(store, { startRevision: 2 }).next(), 'revisionCompacted', {
      requestedRevision: 2,
      oldestRevision: 2,
      newestRevision: 5,
    });
    const withPrevious = new Watching(store, { startRevision: 4, returnPrevious: true });
    expect(await withPrevious.nextText()).toBe('4: put k=4 was 3');
    const tooEarly = new Watching(store, { startRevision: 3, returnPrevious: true });
    await refused(tooEarly.next(), 'revisionCompacted', {
      requestedRevision: 3,
      oldestRevision: 3,
      newestRevision: 5,
    });
  });

  it('does not read after a restart what was compacted on demand', async () => {
    const harness = await open();
    for (let index = 1; index <= 10; index++) await harness.store.put('k', `${index}`);
    await harness.store.compact(6);
    await harness.reopen();
    const { store } = harness;
    expect(await store.status()).toMatchObject({ oldestRevision: 6, oldestWatchRevision: 6 });
    const details = { requestedRevision: 5, oldestRevision: 6, newestRevision: 10 };
    await refused(store.get('k', { revision: 5 }), 'revisionCompacted', details);
    await refused(store.compact(5), 'revisionCompacted', details);
    expect(await valueOf(store, 'k', 6)).toBe('6');
    await refused(new Watching(store, { startRevision: 5 }).next(), 'revisionCompacted');
    expect(await new Watching(store, { startRevision: 6 }).nextText()).toBe('6: put k=6');
  });

  it('does not read it either once a snapshot has taken the place of the log', async () => {
    const harness = await open({ snapshotsKept: 1 });
    for (let index = 1; index <= 10; index++) await harness.store.put('k', `${index}`);
    await harness.store.compact(6);
    await harness.store.put('k', '11');
    await harness.store.snapshot();
    for (let index = 12; index <= 15; index++) await harness.store.put('k', `${index}`);
    await harness.reopen();
    const oldestRevision = isOnDisk ? 11 : 6;
    await refused(harness.store.get('k', { revision: 5 }), 'revisionCompacted', { oldestRevision });
    expect(await valueOf(harness.store, 'k', oldestRevision)).toBe(`${oldestRevision}`);
    await harness.store.compact(12);
    await harness.reopen();
    await refused(harness.store.get('k', { revision: 11 }), 'revisionCompacted', { oldestRevision: 12 });
    expect(await valueOf(harness.store, 'k', 12)).toBe('12');
  });
}

/** An import from etcd where it goes wrong, and what keeps keys of leases alive: beside an etcd that says what it is told to. */
import { describe, expect, test } from 'vitest';
import { transfer as limits } from '../../src/limits.ts';
import { LeaseEnds } from '../../src/transfer/etcd/lease-ends.ts';
import { LeasedKeys } from '../../src/transfer/etcd/leased-keys.ts';
import { RevisionQueue } from '../../src/transfer/etcd/revision-queue.ts';
import { type EtcdImportOptions, importFromEtcd } from '../../src/transfer/import-etcd.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeEtcd, FakeStore, entry, failure, revision } from './etcd-sources.ts';

const { signal } = new AbortController();
const quiet: EtcdImportOptions = {
  signal,
  onConflict: 'replace',
  isDryRun: false,
  follows: false,
  fromRevision: undefined,
  onProgress: () => undefined,
  onCopied: async () => undefined,
  onState: () => undefined,
  onInterrupted: () => undefined,
  onResumed: () => undefined,
  onStoreInterrupted: () => undefined,
};

function manyEntries(count: number): FakeEtcd {
  const etcd = new FakeEtcd();
  etcd.entries = Array.from({ length: count }, (_, index) => entry(`key/${String(index).padStart(5, '0')}`));
  return etcd;
}

describe('copying', () => {
  test('says that the copy is not whole when etcd compacts its revision', async () => {
    const etcd = manyEntries(5000);
    let pages = 0;
    etcd.before = () => {
      if (++pages === 4) throw failure('compacted', 'etcdserver: mvcc: required revision has been compacted');
    };
    await expect(importFromEtcd(new FakeStore(), etcd, quiet)).rejects.toMatchObject({
      code: 'revisionLost',
      message: expect.stringMatching(
        /^etcd has compacted .*--auto-compaction-retention.*the copy is not whole, \d+ keys of it are written/,
      ) as string,
    });
  });

  test('asks again for a page when etcd is away for a moment, and for a shorter one when it was too long', async () => {
    const etcd = manyEntries(2000);
    const asked: number[] = [];
    etcd.before = (_, limit) => {
      asked.push(limit);
      if (asked.length === 3) throw failure('unavailable');
      if (limit > 150) throw failure('tooLong');
    };
    const store = new FakeStore();
    const { copied } = await importFromEtcd(store, etcd, quiet);
    expect(copied).toMatchObject({ revision: 10, writtenCount: 2000 });
    expect(store.values.size).toBe(2000);
    expect(asked[0]).toBe(100);
  });

  test('does not wait for an etcd that was not there in the beginning', async () => {
    const etcd = manyEntries(1);
    etcd.before = () => {
      throw failure('unavailable', "can't reach etcd");
    };
    await expect(importFromEtcd(new FakeStore(), etcd, quiet)).rejects.toMatchObject({
      code: 'sourceUnavailable',
      message: "can't reach etcd; nothing was written",
    });
  });

  test('leaves out keys whose lease is over, and counts them', async () => {
    const etcd = new FakeEtcd();
    etcd.entries = [entry('over', 'x', 7n), entry('stays', 'x', 8n)];
    etcd.leftMs.set(8n, 5000);
    const store = new FakeStore();
    const { copied } = await importFromEtcd(store, etcd, quiet, new ManualClock());
    expect(copied).toMatchObject({ writtenCount: 1, expiredCount: 1 });
    expect([...store.ttlMs]).toEqual([['stays', 5000]]);
  });
});

describe('following', () => {
  test('ends with an error when etcd has gone back behind what was read', async () => {
    const etcd = manyEntries(1);
    const store = new FakeStore();
    const onCopied = async (): Promise<void> => void (etcd.revision = 5);
    await expect(importFromEtcd(store, etcd, { ...quiet, follows: true, onCopied })).rejects.toMatchObject({
      code: 'sourceFailed',
      message: expect.stringContaining('etcd is at revision 5, but was at 10 before') as string,
    });
  });

  test('begins the watch anew behind what it has read, and ends with a signal', async () => {
    const etcd = manyEntries(1);
    etcd.revisions = [revision(11, entry('a', '1')), revision(12, entry('a', '2'), 'key/00000')];
    const from: number[] = [];
    const states: number[] = [];
    const stop = new AbortController();
    let interruptions = 0;
    etcd.before = (call, revisionAsked) => {
      if (call !== 'watch') return;
      from.push(revisionAsked);
      if (from.length === 1) throw failure('unavailable');
    };
    const store = new FakeStore();
    const done = await importFromEtcd(store, etcd, {
      ...quiet,
      follows: true,
      signal: stop.signal,
      onInterrupted: () => interruptions++,
      onState: ({ revision: reached }) => {
        states.push(reached);
        if (reached === 12) stop.abort(new Error('stopped'));
      },
    });
    expect(done).toMatchObject({ revision: 12, changeCount: 3, revisionCount: 2 });
    expect([...store.values]).toEqual([['a', '2']]);
    expect([from, interruptions]).toEqual([[11, 11], 1]);
  });
});

describe('keys of leases', () => {
  function leased() {
    const clock = new ManualClock();
    const etcd = new FakeEtcd();
    const store = new FakeStore();
    const ends = new LeaseEnds(etcd, clock);
    return { clock, etcd, store, ends, keys: new LeasedKeys(store, etcd, ends, clock) };
  }

  test('are renewed before half of their time is over, for as long as etcd does not say that the lease is', async () => {
    const { clock, etcd, store, ends, keys } = leased();
    etcd.leftMs.set(7n, 5000);
    await ends.learn([7n], signal);
    store.values.set('a', 'x');
    keys.set(Buffer.from('a'), 7n);
    clock.advance(29_999);
    await keys.renew(10, signal);
    expect(store.touchedCount).toBe(0);
    clock.advance(1);
    etcd.leftMs.set(7n, 1_000_000);
    await keys.renew(10, signal);
    expect(store.ttlMs.get('a')).toBe(1_000_000);
    // While it can't be asked, they live on.
    clock.advance(999_000);
    etcd.before = () => {
      throw failure('unavailable');
    };
    await keys.renew(10, signal);
    expect(store.ttlMs.get('a')).toBe(limits.etcdLeaseTtlMsMin);
    etcd.before = () => undefined;
    etcd.leftMs.delete(7n);
    clock.advance(30_000);
    await keys.renew(10, signal);
    clock.advance(1_000_000);
    await keys.renew(10, signal);
    expect(store.touchedCount).toBe(2);
  });

  test('that have lost their lease are left alone', async () => {
    const { clock, etcd, store, ends, keys } = leased();
    etcd.leftMs.set(7n, 5000);
    await ends.learn([7n], signal);
    store.values.set('a', 'x').set('b', 'x');
    keys.set(Buffer.from('a'), 7n);
    keys.set(Buffer.from('b'), 7n);
    keys.set(Buffer.from('a'), 0n);
    clock.advance(60_000);
    await keys.renew(10, signal);
    expect([...store.ttlMs.keys()]).toEqual(['b']);
  });

  test('that have ended here while their lease lived come back as they were', async () => {
    const { clock, etcd, store, ends, keys } = leased();
    etcd.leftMs.set(7n, 500_000);
    etcd.entries = [entry('a', 'of etcd', 7n)];
    await ends.learn([7n], signal);
    keys.set(Buffer.from('a'), 7n);
    keys.expectAll();
    await keys.renew(10, signal);
    expect([store.values.get('a'), store.ttlMs.get('a')]).toEqual(['of etcd', 500_000]);
    clock.advance(250_000);
    await keys.renew(10, signal);
    expect(store.touchedCount).toBe(1);
  });
});

describe('revisions that wait', () => {
  const taken = (queue: RevisionQueue): number[] => queue.take().map((each) => each.revision);

  test('go together if they change different keys, and in their order', () => {
    const queue = new RevisionQueue();
    for (const each of [
      revision(2, entry('a'), 'b'),
      revision(3, entry('c')),
      revision(4),
      revision(5, entry('d'), entry('a')),
      revision(6, 'e'),
    ])
      void queue.put(each);
    expect(taken(queue)).toEqual([2, 3, 4]);
    expect(taken(queue)).toEqual([5, 6]);
    expect(taken(queue)).toEqual([]);
  });

  test('go together whatever they change when they are many, and never in part', () => {
    const queue = new RevisionQueue();
    for (let index = 0; index < limits.etcdBehindRevisionsMax; index++)
      void queue.put(revision(index, entry('a')));
    expect(taken(queue)).toHaveLength(1);
    for (let index = 0; index < 3; index++) void queue.put(revision(index, entry('a')));
    expect(taken(queue)).toHaveLength(limits.batchKeysMax);
    const long = Array.from({ length: 2 * limits.batchKeysMax }, (_, index) => entry(`key/${index}`));
    const other = new RevisionQueue();
    void other.put(revision(2, ...long));
    void other.put(revision(3, entry('b')));
    expect(taken(other)).toEqual([2]);
  });

  test('are taken before what has ended them is thrown', () => {
    const queue = new RevisionQueue();
    void queue.put(revision(2, entry('a')));
    queue.fail(new Error('gone'));
    expect(taken(queue)).toEqual([2]);
    expect(() => queue.take()).toThrow('gone');
  });
});

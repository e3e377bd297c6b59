/** Disks that fail, files that are damaged: what is lost then, and what is said. */
import { describe, expect, it } from 'vitest';
import type { DiskErrorCode } from '../../../src/disk/disk.ts';
import type { StoreError } from '../../../src/errors.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import { contentOfBackup } from '../model/backup-content.ts';
import { allPairs, refused, valueOf, Watching } from '../model/readable.ts';
import { DATA_DIR, LOG_DIR, MemoryHarness, SNAPSHOT_DIR } from '../model/store-harness.ts';

describe('a write or flush of the log that fails', () => {
  const places = [1, 2, 3, 5, 8].flatMap((at) =>
    (['write', 'sync'] as const).flatMap((call) =>
      (['endProcess', 'losePower'] as const).map((end) => ({ at, call, end })),
    ),
  );

  it.each(places)(
    'ends all writes and loses none that was answered: $call $at, then $end',
    async ({ at, call, end }) => {
      const harness = await MemoryHarness.open({ seed: at });
      const { store, disk } = harness;
      const watching = await Watching.live(store);
      disk.injectFault({ call, at, pathEnd: '.log', isPermanent: true });
      let acknowledged = 0;
      let attempted = 0;
      let failedWave: number | undefined;
      for (let wave = 0; wave < 10; wave++) {
        const writes = Array.from({ length: 5 }, () => store.put('k', `${++attempted}`));
        for (const [index, outcome] of (await Promise.allSettled(writes)).entries()) {
          if (outcome.status === 'fulfilled') {
            expect(outcome.value.revision).toBe(wave * 5 + index + 1);
            acknowledged = outcome.value.revision;
          } else {
            // The wave that was under way may be on disk; those that follow were never begun.
            failedWave ??= wave;
            expect(outcome.reason).toMatchObject({
              code: wave === failedWave ? 'storageFailed' : 'readOnly',
            });
          }
        }
      }
      expect(acknowledged).toBeLessThan(attempted);
      await expect(store.failed).resolves.toMatchObject({ code: 'storageFailed' });
      expect(harness.events.filter(({ kind }) => kind === 'storageFailed')).toHaveLength(1);
      // Writes of every kind are refused, reads go on at what is visible.
      await refused(store.put('x', ''), 'readOnly');
      await refused(store.delete('k'), 'readOnly');
      await refused(store.txn({ success: [{ kind: 'put', key: 'x', value: '' }] }), 'readOnly');
      await refused(store.grantLease(5000), 'readOnly');
      const { revision } = await store.status();
      expect(revision).toBe(acknowledged);
      expect(await valueOf(store, 'k')).toBe(acknowledged === 0 ? undefined : `${acknowledged}`);
      for (let seen = 1; seen <= acknowledged; seen++)
        expect(await watching.nextText()).toBe(`${seen}: put k=${seen}`);
      disk.clearFaults();
      await refused(store.put('x', ''), 'readOnly');
      await harness.crash(end);
      const recovered = (await harness.store.status()).revision;
      expect(recovered).toBeGreaterThanOrEqual(acknowledged);
      // What was refused as never begun is not there.
      expect(recovered).toBeLessThanOrEqual(acknowledged + 5);
      for (let each = 1; each <= recovered; each++)
        expect(await valueOf(harness.store, 'k', each)).toBe(`${each}`);
      expect(await harness.store.put('k', 'again')).toMatchObject({ revision: recovered + 1 });
    },
  );

  it('lets a count that waits for it, and later ones, tell of what is visible', async () => {
    const { store, disk } = await MemoryHarness.open();
    await store.put('a', '1');
    disk.injectFault({ call: 'sync', pathEnd: '.log' });
    const put = store.put('b', '2');
    const counted = store.count({});
    await refused(put, 'storageFailed');
    expect(await counted).toEqual({ count: 1, revision: 1 });
    expect(await store.count({})).toEqual({ count: 1, revision: 1 });
    await refused(store.deleteRange({ prefix: 'a' }), 'readOnly');
    expect(await store.count({ prefix: 'b' })).toEqual({ count: 0, revision: 1 });
  });

  it('is also told by closing, and gives the directory back', async () => {
    const harness = await MemoryHarness.open();
    const { store, disk } = harness;
    await store.put('a', '1');
    disk.injectFault({ call: 'sync', pathEnd: '.log' });
    await refused(store.put('b', '2'), 'storageFailed');
    await store.close().catch((error: unknown) => expect(error).toMatchObject({ code: 'storageFailed' }));
    await harness.reopen();
    expect(await valueOf(harness.store, 'a')).toBe('1');
  });

  it('tells a call under way whether it has changed anything', async () => {
    const harness = await MemoryHarness.open();
    const { store, disk } = harness;
    await store.put('k', '1');
    disk.injectFault({ call: 'sync', pathEnd: '.log' });
    const calls = [
      store.put('k', '2'),
      store.put('k', '3', { condition: { kind: 'mustNotExist' } }),
      store.delete('missing'),
      store.txn({ success: [{ kind: 'get', key: 'k' }] }),
      store.increment('k', 1n),
    ];
    const codes = (await Promise.allSettled(calls)).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as StoreError).code : outcome.status,
    );
    expect(codes).toEqual(['storageFailed', 'readOnly', 'readOnly', 'readOnly', 'storageFailed']);
  });

  it('does not drop history that it could not note', async () => {
    const harness = await MemoryHarness.open();
    const { store, disk } = harness;
    for (const value of ['1', '2', '3']) await store.put('k', value);
    disk.injectFault({ call: 'sync', pathEnd: '.log' });
    await refused(store.compact(2), 'storageFailed');
    await refused(store.compact(3), 'readOnly');
    expect(await valueOf(store, 'k', 1)).toBe('1');
  });

  it('does not stop the expiry of what is visible: a dead key is not read', async () => {
    const harness = await MemoryHarness.open();
    const { store, disk } = harness;
    await store.put('k', '1', { ttlMs: 1000 });
    disk.injectFault({ call: 'write', pathEnd: '.log' });
    await refused(store.put('x', ''), 'storageFailed');
    await harness.advance(10_000);
    expect(await valueOf(store, 'k')).toBeUndefined();
  });
});

describe('after a disk that failed under changes of keys and leases', () => {
  /** What is durable: a=1 and b=2, lease 7 with the key b, lease 8 without one. Then everything changes, in vain. */
  async function failedStore(call: 'write' | 'sync'): Promise<MemoryHarness> {
    const harness = await MemoryHarness.open();
    const { store, disk } = harness;
    await store.put('a', '1');
    await store.grantLease(60_000, 7);
    await store.grantLease(60_000, 8);
    await store.put('b', '2', { leaseId: 7 });
    await harness.advance(10_000);
    disk.injectFault({ call, pathEnd: '.log', isPermanent: true });
    const calls = [
      store.put('c', '3', { leaseId: 8 }),
      store.put('b', '4', { leaseId: 8 }),
      store.renewLease(8),
      store.revokeLease(7),
      store.grantLease(90_000, 7),
      store.put('d', '', { leaseId: 7 }),
      store.revokeLease(8),
      store.delete('a'),
      store.grantLease(60_000, 9),
    ];
    for (const outcome of await Promise.allSettled(calls)) expect(outcome.status).toBe('rejected');
    return harness;
  }

  it.each(['write', 'sync'] as const)('status tells of what is durable: %s', async (call) => {
    const { store } = await failedStore(call);
    expect(await store.status()).toMatchObject({ revision: 2, keyCount: 2, leaseCount: 2 });
  });

  it.each(['write', 'sync'] as const)(
    'a backup holds what is visible, and can be restored: %s',
    async (call) => {
      const { store } = await failedStore(call);
      const backup = await contentOfBackup(store.backup());
      expect(backup).toMatchObject({ revision: 2, incarnationCount: 1, pairs: ['a=1', 'b=2'] });
      expect(backup.leases).toMatchObject([
        { leaseId: 7, ttlMs: 60_000, deadlineMs: 60_000 },
        { leaseId: 8, ttlMs: 60_000, deadlineMs: 60_000 },
      ]);
    },
  );

  it('a backup that was just begun holds what is visible, too', async () => {
    const { store, disk } = await MemoryHarness.open();
    await store.put('a', '1');
    disk.injectFault({ call: 'sync', pathEnd: '.log', isPermanent: true });
    const write = refused(store.put('a', '2'), 'storageFailed');
    const backup = contentOfBackup(store.backup());
    await write;
    expect(await backup).toMatchObject({ revision: 1, pairs: ['a=1'] });
  });

  it('the life that could not write its first revision is in no backup', async () => {
    const { store, disk } = await MemoryHarness.open();
    disk.injectFault({ call: 'sync', pathEnd: '.log', isPermanent: true });
    await refused(store.put('a', '1'), 'storageFailed');
    expect(await contentOfBackup(store.backup())).toEqual({
      revision: 0,
      incarnationCount: 0,
      pairs: [],
      leases: [],
    });
  });

  it('leases are told as they are on disk', async () => {
    const { store } = await failedStore('sync');
    expect(await store.getLease(7, { includeKeys: true })).toEqual({
      leaseId: 7,
      ttlMs: 60_000,
      remainingMs: 50_000,
      keyCount: 1,
      keys: ['b'],
    });
    expect((await store.listLeases()).leases).toMatchObject([
      { leaseId: 7, keyCount: 1 },
      { leaseId: 8, remainingMs: 50_000, keyCount: 0 },
    ]);
    await refused(store.getLease(9), 'leaseNotFound');
  });
});

describe('a snapshot that can not be written', () => {
  const faults = (['create', 'write', 'sync', 'rename'] as const).map((call) => ({
    call,
    pathEnd: '.snapshot.tmp',
  }));

  it.each(faults)('leaves the store as it was: $call', async (fault) => {
    const harness = await MemoryHarness.open();
    const { store, disk } = harness;
    await store.put('a', '1');
    const code: DiskErrorCode = 'noSpace';
    disk.injectFault({ ...fault, code });
    await refused(store.snapshot(), 'snapshotFailed');
    expect(harness.events).toMatchObject([{ kind: 'snapshotFailed', revision: 1 }]);
    expect(await store.put('a', '2')).toMatchObject({ revision: 2 });
    expect(await store.snapshot()).toMatchObject({ revision: 2 });
    await harness.reopen();
    expect(await valueOf(harness.store, 'a', 1)).toBe('1');
  });

  it('is written all the same when only what is old can not be removed', async () => {
    const harness = await MemoryHarness.open();
    const { store, disk } = harness;
    for (let index = 1; index <= 2; index++) {
      await store.put('a', `${index}`);
      await store.snapshot();
    }
    disk.injectFault({ call: 'remove', pathEnd: '.snapshot' });
    await store.put('a', '3');
    expect(await store.snapshot()).toMatchObject({ revision: 3 });
    expect(harness.events.map(({ kind }) => kind)).toContain('cleanupFailed');
    await store.put('a', '4');
    await store.snapshot();
    expect(await disk.list(SNAPSHOT_DIR)).toHaveLength(2);
  });
});

describe('damaged files', () => {
  it('of the newest snapshot: the one before and the log serve, and it is said', async () => {
    const harness = await withSnapshots();
    const before = await allPairs(harness.store);
    await harness.close();
    const [newest] = await snapshotPaths(harness);
    damage(harness, newest);
    await harness.open();
    expect(harness.events.map(({ kind }) => kind)).toContain('snapshotDamaged');
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 10 });
    expect(await allPairs(harness.store)).toEqual(before);
    expect(await valueOf(harness.store, 'k', 15)).toBe('15');
    // A snapshot of the same revision is written anew.
    expect(await harness.store.snapshot()).toMatchObject({ revision: 20 });
    harness.events.length = 0;
    await harness.reopen();
    expect(harness.events).toMatchObject([{ kind: 'recovered', snapshotRevision: 20 }]);
  });

  it('of all snapshots: the log serves as long as it reaches back to the first revision', async () => {
    const harness = await withSnapshots();
    const before = await allPairs(harness.store);
    await harness.close();
    for (const path of await snapshotPaths(harness)) damage(harness, path);
    await harness.open();
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 0, revision: 20 });
    expect(await allPairs(harness.store)).toEqual(before);
  });

  it('of all snapshots, with a log that does not reach back: the start is refused', async () => {
    const harness = await withSnapshots({ segmentBytes: 4096 });
    await harness.store.compact(20);
    await harness.store.put('k', '21');
    await harness.store.snapshot();
    expect((await harness.store.status()).oldestWatchRevision).toBeGreaterThan(1);
    await harness.close();
    const paths = await snapshotPaths(harness);
    for (const path of paths) damage(harness, path);
    await refused(harness.open(), 'damaged');
    // Nothing was changed by that, and the directory is free.
    expect(await snapshotPaths(harness)).toEqual(paths);
    await refused(harness.open(), 'damaged');
  });

  it('that are missing: a log without its beginning, a directory without its log', async () => {
    const harness = await withSnapshots({ segmentBytes: 4096 });
    await harness.store.compact(20);
    await harness.store.put('k', '21');
    await harness.store.snapshot();
    await harness.close();
    const paths = await snapshotPaths(harness);
    const contents = paths.map((path) => harness.disk.contentOf(path));
    for (const path of paths) await harness.disk.remove(path);
    await refused(harness.open(), 'damaged');
    for (const [index, path] of paths.entries())
      harness.disk.setContent(path, contents[index] ?? new Uint8Array(0));
    await harness.open();
    expect(await valueOf(harness.store, 'k')).toBe('21');
    await harness.close();
    for (const name of await harness.disk.list(LOG_DIR)) await harness.disk.remove(`${LOG_DIR}/${name}`);
    await refused(harness.open(), 'damaged');
  });

  it('of another store: a snapshot that does not belong to the log is not taken', async () => {
    const harness = await withSnapshots();
    const other = await MemoryHarness.open({ seed: 2 });
    for (let index = 1; index <= 20; index++) await other.store.put('k', 'other');
    await other.store.snapshot();
    await harness.close();
    const [newest = ''] = await snapshotPaths(harness);
    harness.disk.setContent(newest, other.disk.contentOf(newest));
    await harness.open();
    expect(harness.events.map(({ kind }) => kind)).toContain('snapshotDamaged');
    expect(await valueOf(harness.store, 'k')).toBe('20');
  });
});

describe('opening', () => {
  it('is refused while another store has the directory', async () => {
    const harness = await MemoryHarness.open();
    await refused(openStore({ dataDir: DATA_DIR, disk: harness.disk }), 'locked');
    await harness.store.put('a', '');
    await harness.close();
    const second = await openStore({ dataDir: DATA_DIR, disk: harness.disk });
    await second.close();
  });

  it('that fails leaves the directory free', async () => {
    const harness = await MemoryHarness.open();
    await harness.store.put('a', '1');
    await harness.close();
    for (const call of ['list', 'open', 'read', 'sync'] as const) {
      harness.disk.injectFault({ call });
      await refused(harness.open(), 'storageFailed');
      harness.disk.clearFaults();
    }
    await harness.open();
    expect(await valueOf(harness.store, 'a')).toBe('1');
  });

  it('refuses limits that are no whole numbers from 1 on', async () => {
    for (const limits of [
      { segmentBytes: 0 },
      { leasesMax: 1.5 },
      { historyAgeMs: NaN },
      { watchersMax: -1 },
    ]) {
      await refused(MemoryHarness.open({ limits }), 'invalidArgument');
    }
  });
});

/** A store with twenty revisions of one key, and snapshots of the tenth and the last. */
async function withSnapshots(limits: { segmentBytes?: number } = {}): Promise<MemoryHarness> {
  const harness = await MemoryHarness.open({ limits });
  for (let index = 1; index <= 20; index++) {
    await harness.store.txn({
      success: [
        { kind: 'put', key: 'k', value: `${index}` },
        { kind: 'put', key: 'long', value: 'v'.repeat(1000) },
      ],
    });
    if (index % 10 === 0) await harness.store.snapshot();
  }
  return harness;
}

/** The newest first. */
async function snapshotPaths(harness: MemoryHarness): Promise<string[]> {
  const names = (await harness.disk.list(SNAPSHOT_DIR)).filter((name) => name.endsWith('.snapshot'));
  return names
    .sort()
    .reverse()
    .map((name) => `${SNAPSHOT_DIR}/${name}`);
}

/** Changes one bit in the middle of a file. */
function damage(harness: MemoryHarness, path = ''): void {
  const bytes = harness.disk.contentOf(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x10;
  harness.disk.setContent(path, bytes);
}

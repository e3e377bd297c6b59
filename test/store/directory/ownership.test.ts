/** A data directory that is taken away from a store: it notices, and writes no more. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import type { OperatorEvent } from '../../../src/store/operator-event.ts';
import { refused, valueOf } from '../model/readable.ts';
import { DATA_DIR, LOG_DIR, MemoryHarness, SNAPSHOT_DIR } from '../model/store-harness.ts';

const LOCKS = [`${DATA_DIR}/LOCK`, `${LOG_DIR}/.lock`];

/** The names of all files of the store, with their bytes. */
async function contents({ disk }: MemoryHarness): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const folder of [DATA_DIR, LOG_DIR, SNAPSHOT_DIR]) {
    for (const name of await disk.list(folder)) {
      const path = `${folder}/${name}`;
      if ([LOG_DIR, SNAPSHOT_DIR].includes(path)) continue;
      files.set(path, Buffer.from(disk.contentOf(path)).toString('base64'));
    }
  }
  return files;
}

async function expectReadOnly(harness: MemoryHarness): Promise<void> {
  const { store, events } = harness;
  await refused(store.put('late', ''), 'readOnly');
  await expect(store.put('late', '')).rejects.toThrow(/the lock of the data directory \/data was removed/);
  await expect(store.failed).resolves.toMatchObject({ code: 'storageFailed' });
  expect(events.filter(({ kind }) => kind === 'ownershipLost')).toHaveLength(1);
  expect(events.filter(({ kind }) => kind === 'storageFailed')).toEqual([]);
  expect(await valueOf(store, 'k')).toBe('v');
}

describe('a store whose lock is taken away', () => {
  it.each(LOCKS)('stops writing within a second when %s is removed', async (path) => {
    const harness = await MemoryHarness.open();
    await harness.store.put('k', 'v');
    await harness.disk.remove(path);
    await harness.advance(fixed.ownershipCheckMs);
    await expectReadOnly(harness);
  });

  it.each(LOCKS)('stops writing when %s is replaced', async (path) => {
    const harness = await MemoryHarness.open();
    await harness.store.put('k', 'v');
    harness.disk.setContent(`${DATA_DIR}/other`, Buffer.alloc(0));
    await harness.disk.remove(path);
    harness.disk.setContent(path, Buffer.alloc(0));
    await harness.advance(fixed.ownershipCheckMs);
    await expectReadOnly(harness);
  });

  it.each(LOCKS)('lets nobody else in as long as only %s was removed', async (path) => {
    const harness = await MemoryHarness.open();
    await harness.store.put('k', 'v');
    await harness.disk.remove(path);
    const second = { dataDir: DATA_DIR, disk: harness.disk, clock: harness.clock };
    await refused(openStore(second), 'locked');
    await harness.advance(fixed.ownershipCheckMs);
    await expectReadOnly(harness);
    await refused(openStore(second), 'locked');
    await harness.close();
    const store = await openStore(second);
    expect(await valueOf(store, 'k')).toBe('v');
    await store.close();
  });

  it('begins no segment', async () => {
    const harness = await MemoryHarness.open({ limits: { segmentBytes: 4096 } });
    await harness.store.put('k', 'v');
    await harness.store.put('long', 'x'.repeat(4096));
    await harness.disk.remove(`${DATA_DIR}/LOCK`);
    const before = await contents(harness);
    await refused(harness.store.put('more', ''), 'storageFailed');
    expect(await contents(harness)).toEqual(before);
    await expectReadOnly(harness);
  });

  it('writes no snapshot, and removes nothing', async () => {
    const harness = await MemoryHarness.open({
      limits: { segmentBytes: 4096, snapshotsKept: 1, logRetentionBytes: 0, logRetentionMs: 0 },
    });
    await harness.store.put('k', 'v');
    await harness.store.snapshot();
    for (let index = 0; index < 5; index++) await harness.store.put('long', 'x'.repeat(4000));
    await harness.disk.remove(`${DATA_DIR}/LOCK`);
    // The mark behind the last batch may still be written within that second.
    const before = [...(await contents(harness)).keys()];
    await expect(harness.store.snapshot()).rejects.toMatchObject({ code: 'snapshotFailed' });
    await harness.advance(fixed.historyCheckMs);
    expect([...(await contents(harness)).keys()]).toEqual(before);
    await expectReadOnly(harness);
  });

  it('writes nothing when it is closed', async () => {
    const harness = await MemoryHarness.open({ fsync: 'never' });
    await harness.store.put('k', 'v');
    await harness.store.grantLease(5000);
    await harness.disk.remove(`${DATA_DIR}/LOCK`);
    const before = await contents(harness);
    await harness.close();
    expect(await contents(harness)).toEqual(before);
  });

  it('has stopped before a second one begins to read, when all locks are removed', async () => {
    const harness = await MemoryHarness.open();
    await harness.store.put('k', 'v');
    for (const path of LOCKS) await harness.disk.remove(path);
    const events: OperatorEvent[] = [];
    const { disk, clock } = harness;
    const second = openStore({ dataDir: DATA_DIR, disk, clock, onEvent: (event) => events.push(event) });
    while (events.length === 0) await new Promise(setImmediate);
    expect(events).toEqual([{ kind: 'locksMissing', waitMs: fixed.unlockedStoreWaitMs }]);
    await harness.store.put('last', 'of the first');
    await harness.advance(fixed.unlockedStoreWaitMs - 1);
    await expectReadOnly(harness);
    expect(events).toHaveLength(1);
    await harness.advance(1);
    const store = await second;
    expect(await valueOf(store, 'last')).toBe('of the first');
    await store.close();
  });

  it('goes on for as long as nothing of that happens', async () => {
    const harness = await MemoryHarness.open();
    for (let second = 0; second < 10; second++) await harness.advance(fixed.ownershipCheckMs);
    await harness.store.put('k', 'v');
    expect(harness.events.filter(({ kind }) => kind !== 'recovered')).toEqual([]);
  });
});

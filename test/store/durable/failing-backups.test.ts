/** Backups of a store with an engine on disk that fail, or that their readers leave: what is told of them, and what they leave taken. */
import { describe, expect, it } from 'vitest';
import { DiskError } from '../../../src/disk/disk.ts';
import { fixed } from '../../../src/limits.ts';
import { contentOfBackup } from '../model/backup-content.ts';
import { refused } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';
import { openLayered } from './layered-store.ts';

describe('a backup of a store with an engine on disk', () => {
  it.each(['lsm', 'bitcask'] as const)(
    'says so with an error of the store when its files can not be read (%s)',
    async (engine) => {
      const harness = await MemoryHarness.open({ engine });
      const { store, disk } = harness;
      await store.put('a', Buffer.alloc(1000));
      await store.snapshot();
      disk.injectFault({ call: 'read', exceptNow: true, isPermanent: true, pathEnd: '.run' });
      await expect(contentOfBackup(store.backup())).rejects.toMatchObject({
        code: 'snapshotFailed',
        message: expect.stringContaining('the backup of revision 1 could not be read: ') as unknown,
        cause: expect.any(DiskError) as unknown,
      });
      disk.clearFaults();
      expect((await contentOfBackup(store.backup())).revision).toBe(1);
    },
  );

  it('tells the operator of damage that it meets', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('bad', '1');
    await store.snapshot();
    for (const key of bases.newest.keys()) if (key.includes('bad')) bases.newest.damaged.add(key);
    await refused(contentOfBackup(store.backup()), 'damaged');
    expect(harness.events.map(({ kind }) => kind)).toContain('storageDamaged');
  });

  it('does not count any more once it is lost', async () => {
    const { harness } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    const left = Array.from({ length: fixed.backupsMax }, () => store.backup());
    for (const backup of left) await backup.next();
    await refused(store.backup().next(), 'limitReached');
    await harness.advance(fixed.backupMsMax);
    for (const backup of left.slice(1)) await backup.return?.(undefined);
    const others = Array.from({ length: fixed.backupsMax }, () => store.backup());
    for (const backup of others) await backup.next();
    // None of those that were lost is counted twice.
    await refused(store.backup().next(), 'limitReached');
  });

  it('does not wait for the reader of another one, which has become a walk meanwhile', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    const opened = Promise.withResolvers<undefined>();
    const view = bases.newest.view.bind(bases.newest);
    bases.newest.view = () => opened.promise as Promise<never>;
    await store.put('a', '1');
    const slow = store.backup();
    const begun = slow.next();
    await harness.clock.settled();
    await store.put('b', '2');
    bases.hold();
    const snapshot = store.snapshot();
    await harness.clock.settled();
    await store.put('c', '3');
    // Its checkpoint begins behind that one.
    const content = contentOfBackup(store.backup());
    await harness.clock.settled();
    bases.newest.view = view;
    opened.resolve(undefined);
    await begun;
    await store.put('d', '4');
    bases.letGo();
    await snapshot;
    // Time stands still.
    expect((await content).revision).toBeGreaterThanOrEqual(3);
    await slow.return?.(undefined);
  });
});

it('a backup of an engine in memory does not count any more once it is lost', async () => {
  const harness = await MemoryHarness.open({ engine: 'memory', limits: { historyRevisionsMax: 1 } });
  const { store } = harness;
  await store.put('a', '1');
  for (let count = 0; count < fixed.backupsMax; count++) await store.backup().next();
  await refused(store.backup().next(), 'limitReached');
  await harness.advance(fixed.backupMsMax);
  await store.put('a', '2');
  await store.put('a', '3');
  expect((await contentOfBackup(store.backup())).revision).toBe(3);
});

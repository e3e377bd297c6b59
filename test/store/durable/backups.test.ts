/** How backups of a store with an engine on disk begin and end: of what state, with which leases, and what becomes of their views. */
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import { StoreError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { contentOfBackup } from '../model/backup-content.ts';
import { allPairs, refused } from '../model/readable.ts';
import { openLayered } from './layered-store.ts';

describe('a backup of a store with an engine on disk', () => {
  it('is of all that was committed before it, by a checkpoint, which it need not make twice', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    await store.put('b', '2');
    expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 2, pairs: ['a=1', 'b=2'] });
    expect(bases.newest.revision).toBe(2);
    const { flushes } = bases.newest;
    expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 2, pairs: ['a=1', 'b=2'] });
    expect(bases.newest.flushes).toBe(flushes);
    expect(bases.newest.viewCount).toBe(0);
  });

  it('of an empty store has its leases, and holds up no checkpoint', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.grantLease(60_000, 7);
    const backup = store.backup();
    const pieces = [(await backup.next()).value as Uint8Array];
    await store.put('a', '1');
    expect((await store.snapshot()).revision).toBe(1);
    expect(bases.newest.revision).toBe(1);
    for await (const piece of backup) pieces.push(piece);
    const content = await contentOfBackup(toAsync(pieces));
    expect(content).toMatchObject({ revision: 0, incarnationCount: 0, pairs: [], leases: [{ leaseId: 7 }] });
  });

  it('has the leases of now where no key has changed since the checkpoint', async () => {
    const { harness } = await openLayered();
    const { store } = harness;
    await store.grantLease(60_000, 7);
    await store.put('a', '1');
    await store.snapshot();
    await store.grantLease(60_000, 8);
    await store.renewLease(7);
    await store.revokeLease(7);
    expect((await contentOfBackup(store.backup())).leases).toMatchObject([{ leaseId: 8 }]);
  });

  it('has the leases of the call while a checkpoint of that revision is being written', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    bases.hold();
    const snapshot = store.snapshot();
    await store.grantLease(60_000, 8);
    const content = contentOfBackup(store.backup());
    await harness.clock.settled();
    await store.grantLease(60_000, 9);
    bases.letGo();
    expect(await content).toMatchObject({ revision: 1, pairs: ['a=1'], leases: [{ leaseId: 8 }] });
    await snapshot;
    expect(bases.newest.flushes).toBe(1);
  });

  it('shows no lease that a crash could still undo', async () => {
    const held: HeldDisk[] = [];
    const wrap = (disk: Disk): Disk => {
      held.push(new HeldDisk(disk));
      return held.at(-1) ?? disk;
    };
    const { harness, bases } = await openLayered({ wrap });
    const { store } = harness;
    await store.put('a', '1');
    await store.snapshot();
    held[0]?.hold();
    const granted = store.grantLease(60_000, 8);
    let isDone = false;
    const content = contentOfBackup(store.backup()).finally(() => (isDone = true));
    await harness.clock.settled();
    expect([isDone, bases.newest.viewCount]).toEqual([false, 0]);
    held[0]?.release();
    expect((await content).leases).toMatchObject([{ leaseId: 8 }]);
    await granted;
  });

  it('waits for a checkpoint of an older revision, and then for its own', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    bases.hold();
    const snapshot = store.snapshot();
    await store.put('b', '2');
    await store.grantLease(60_000, 8);
    const content = contentOfBackup(store.backup());
    await harness.clock.settled();
    await store.put('c', '3');
    await store.grantLease(60_000, 9);
    bases.letGo();
    await snapshot;
    const pairs = ['a=1', 'b=2', 'c=3'];
    const leases = [{ leaseId: 8 }, { leaseId: 9 }];
    expect(await content).toMatchObject({ revision: 3, incarnationCount: 1, pairs, leases });
  });

  it('lets checkpoints and another backup go on, and shows nothing of what comes later', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    const first = store.backup();
    const pieces = [(await first.next()).value as Uint8Array];
    await store.put('a', '2');
    expect((await store.snapshot()).revision).toBe(2);
    await store.put('a', '3');
    expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 3, pairs: ['a=3'] });
    expect(bases.newest.viewCount).toBe(1);
    for await (const piece of first) pieces.push(piece);
    expect(await contentOfBackup(toAsync(pieces))).toMatchObject({ revision: 1, pairs: ['a=1'] });
    expect(bases.newest.viewCount).toBe(0);
  });

  it.each(['begin', 'add', 'commit'] as const)(
    'is still possible when its checkpoint fails at %s, and so is another beside it',
    async (step) => {
      const { harness, bases } = await openLayered();
      const { store } = harness;
      const expected: string[] = [];
      for (let index = 0; index < 10; index++) {
        await store.put(`k${index}`, 'v');
        expected.push(`k${index}=v`);
      }
      bases.newest.failsAt = step;
      const backup = store.backup();
      const pieces = [(await backup.next()).value as Uint8Array];
      expect(harness.events.at(-1)).toMatchObject({ kind: 'checkpointFailed', revision: 10 });
      await store.put('k0', 'w');
      // A checkpoint would wait for the first one to end.
      expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 11 });
      for await (const piece of backup) pieces.push(piece);
      expect(await contentOfBackup(toAsync(pieces))).toMatchObject({ revision: 10, pairs: expected });
      // It can be made again by now.
      expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 11 });
      expect(bases.newest.revision).toBe(11);
    },
  );

  it('is of what reads show once the log has failed, also while it begins', async () => {
    const { harness } = await openLayered();
    const { store, disk } = harness;
    await store.put('a', '1');
    disk.injectFault({ call: 'sync', pathEnd: '.log', isPermanent: true });
    const write = refused(store.put('a', '2'), 'storageFailed');
    const begun = contentOfBackup(store.backup());
    await write;
    expect(await begun).toMatchObject({ revision: 1, pairs: ['a=1'] });
    expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 1, pairs: ['a=1'] });
  });

  it('ends with the reader that leaves it, and with the store', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    const backup = store.backup();
    await backup.next();
    expect(bases.newest.viewCount).toBe(1);
    await backup.return?.(undefined);
    expect(bases.newest.viewCount).toBe(0);
    const other = store.backup();
    await other.next();
    await harness.close();
    await refused(other.next(), 'closed');
    expect(bases.newest.viewCount).toBe(0);
  });

  it('that waits for its checkpoint is refused when the store is closed', async () => {
    const { harness, bases } = await openLayered();
    await harness.store.put('a', '1');
    bases.hold();
    const refusal = refused(contentOfBackup(harness.store.backup()), 'closed');
    await harness.clock.settled();
    const closed = harness.close();
    await harness.clock.settled();
    bases.letGo();
    await refusal;
    await closed;
  });

  it('is lost when it has been read for too long, and lets go of its files by itself', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    const backup = store.backup();
    await backup.next();
    await harness.advance(fixed.backupMsMax - 1);
    expect(bases.newest.viewCount).toBe(1);
    await harness.advance(1);
    expect(bases.newest.viewCount).toBe(0);
    await refused(backup.next(), 'limitReached');
    expect((await contentOfBackup(store.backup())).revision).toBe(1);
  });

  it('has a second more for each MiB that was read of it', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    for (let index = 0; index < 8; index++) await store.put(`k${index}`, Buffer.alloc(1024 * 1024, index));
    const backup = store.backup();
    // The header, then values of a MiB each.
    for (let count = 0; count < 5; count++) await backup.next();
    await harness.advance(fixed.backupMsMax + 3 * fixed.backupMsPerMiB);
    expect(bases.newest.viewCount).toBe(1);
    await harness.advance(2 * fixed.backupMsPerMiB);
    expect(bases.newest.viewCount).toBe(0);
  });

  it('fails with damage of what it reads, and no other is shown in its place', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('bad', '1');
    await store.snapshot();
    for (const key of bases.newest.keys()) if (key.includes('bad')) bases.newest.damaged.add(key);
    await refused(contentOfBackup(store.backup()), 'damaged');
    expect(bases.newest.viewCount).toBe(0);
  });

  it('is a walk where the state on disk can not be viewed', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    bases.newest.view = () => Promise.resolve(undefined as never);
    expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 1, pairs: ['a=1'] });
    bases.newest.view = () => Promise.reject(new StoreError('damaged', 'no'));
    expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 1, pairs: ['a=1'] });
    expect(await allPairs(store)).toEqual(['a=1']);
  });
});

async function* toAsync(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, undefined> {
  yield* pieces;
  return undefined;
}

/** Checkpoints beside reads and writes: when they begin, what they wait for, and what becomes of one that fails. */
import { describe, expect, it, vi } from 'vitest';
import { DiskError } from '../../../src/disk/disk.ts';
import { StoreError } from '../../../src/errors.ts';
import { defaults, fixed } from '../../../src/limits.ts';
import {
  BaseCheckpointer,
  type BaseCheckpointerContext,
} from '../../../src/store/checkpoints/base-checkpointer.ts';
import { Checkpointer, type CheckpointerContext } from '../../../src/store/checkpoints/checkpointer.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { allPairs, refused, valueOf, Watching } from '../model/readable.ts';
import { openLayered } from './layered-store.ts';

const MIB = 1024 * 1024;

describe('a checkpoint', () => {
  it('begins by itself when so much has changed, and history need not be old for it', async () => {
    const { harness, bases } = await openLayered({ limits: { checkpointBytes: MIB } });
    const value = Buffer.alloc(10_000, 'v');
    for (let index = 0; index < 400; index++) await harness.store.put(`k${index}`, value);
    await eventually(() => bases.newest.flushes).toBeGreaterThan(1);
    await harness.told('checkpointWritten');
    expect(bases.newest.revision).toBeGreaterThan(50);
    const { oldestRevision, storage } = await harness.store.status();
    expect(oldestRevision).toBeGreaterThanOrEqual(storage?.revision ?? Infinity);
    expect((await allPairs(harness.store)).length).toBe(400);
  });

  it('has a merge by hand that fails told as an error of the store', async () => {
    const { harness, bases } = await openLayered();
    await harness.store.put('k', '1');
    await harness.store.snapshot();
    bases.newest.compactStorage = () => Promise.reject(new DiskError('noSpace', 'no space is left'));
    await expect(harness.store.compactStorage()).rejects.toMatchObject({
      code: 'snapshotFailed',
      message: expect.stringMatching(/could not be merged, and are as they were: no space/) as unknown,
    });
  });

  it('has a merge by hand that a close ends told so, whatever it has met by then', async () => {
    const { harness, bases } = await openLayered();
    await harness.store.put('k', '1');
    await harness.store.snapshot();
    const { promise, reject } = Promise.withResolvers<void>();
    bases.newest.compactStorage = () => promise;
    const refusal = expect(harness.store.compactStorage()).rejects.toMatchObject({ code: 'closed' });
    const closed = harness.store.close();
    reject(new DiskError('failed', 'the database is not open'));
    await refusal;
    await closed;
  });

  it('begins after an interval, and waits then for history to move by itself', async () => {
    const { harness, bases } = await openLayered({
      limits: { snapshotIntervalMs: 60_000, historyAgeMs: 600_000, historyRevisionsMax: 5 },
    });
    await harness.store.put('k', '1');
    await harness.advance(60_000);
    expect(await valueOf(harness.store, 'k', 1)).toBe('1');
    expect((await harness.store.status()).oldestRevision).toBe(0);
    expect(bases.newest.revision).toBe(0);
    for (let index = 2; index <= 10; index++) await harness.store.put('k', `${index}`);
    await harness.told('checkpointWritten');
    expect(bases.newest.revision).toBe(1);
  });

  it('waits for a reader of an older state, and goes on once that is done', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    for (let index = 0; index < 10; index++) await store.put(`k${index}`, 'before');
    const watching = new Watching(store, { includeCurrent: true });
    await watching.next();
    await store.put('k0', 'after');
    const snapshot = store.snapshot();
    await harness.advance(1000);
    expect(bases.newest.revision).toBe(0);
    await watching.stop();
    await harness.advance(fixed.checkpointLookMs);
    expect((await snapshot).revision).toBe(11);
    expect(bases.newest.revision).toBe(11);
  });

  it('is written before the log is cut by a start whose state may not be durable', async () => {
    const { harness, bases } = await openLayered({ limits: { segmentBytes: 4096, logRetentionBytes: 0 } });
    const put = async (): Promise<void> => {
      for (let index = 0; index < 20; index++) await harness.store.put(`k${index}`, Buffer.alloc(1000));
    };
    await put();
    await harness.store.snapshot();
    await put();
    // The next start has the state of that snapshot, and the log above it; a crash would find an older one.
    bases.unsettled = new Error('the disk is full');
    await harness.reopen();
    expect(harness.events).toContainEqual({ kind: 'storageUnsettled', error: bases.unsettled });
    const { oldestSegmentId } = await harness.store.status();
    await put();
    await harness.store.compact((await harness.store.status()).revision);
    await harness.advance(60_000);
    expect((await harness.store.status()).oldestSegmentId).toBe(oldestSegmentId);
    await harness.store.snapshot();
    expect((await harness.store.status()).oldestSegmentId).toBeGreaterThan(oldestSegmentId);
  });

  it.each(['by hand', 'after an interval'] as const)(
    'is written %s, though nothing has changed, when a start has found a state that may not be durable',
    async (kind) => {
      const limits = { snapshotIntervalMs: 60_000, historyAgeMs: 60_000 };
      const { harness, bases } = await openLayered({ limits });
      await harness.store.put('k', '1');
      await harness.store.snapshot();
      bases.unsettled = new Error('the disk is full');
      await harness.reopen();
      expect(bases.newest.unsettled).toBe(bases.unsettled);
      if (kind === 'by hand') expect((await harness.store.snapshot()).revision).toBe(2);
      else for (let minutes = 0; minutes < 3; minutes++) await harness.advance(60_000);
      expect(bases.newest.unsettled).toBeUndefined();
      // Then it is settled, and none more is needed.
      const { flushes } = bases.newest;
      await harness.store.snapshot();
      for (let minutes = 0; minutes < 3; minutes++) await harness.advance(60_000);
      expect(bases.newest.flushes).toBe(flushes);
      expect(await allPairs(harness.store)).toEqual(['k=1']);
    },
  );

  it('of a state that may not be durable is tried again until it is written', async () => {
    const { harness, bases } = await openLayered();
    await harness.store.put('k', '1');
    await harness.store.snapshot();
    bases.unsettled = new Error('the disk is full');
    await harness.reopen();
    bases.newest.failsAt = 'commit';
    await refused(harness.store.snapshot(), 'snapshotFailed');
    expect(bases.newest.unsettled).toBeDefined();
    await harness.advance(fixed.checkpointRetryMs);
    await harness.told('checkpointWritten');
    expect(bases.newest.unsettled).toBeUndefined();
    expect((await harness.store.status()).revision).toBe(2);
  });

  it('shows the state of before and behind it while it is written', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    await store.put('b', '1');
    bases.hold();
    const snapshot = store.snapshot();
    await store.put('a', '2');
    await store.delete('b');
    await store.put('c', '2');
    expect(await allPairs(store)).toEqual(['a=2', 'c=2']);
    expect(await allPairs(store, {}, 2)).toEqual(['a=1', 'b=1']);
    bases.letGo();
    expect((await snapshot).revision).toBe(2);
    expect(await allPairs(store)).toEqual(['a=2', 'c=2']);
    expect(await allPairs(store, {}, 2)).toEqual(['a=1', 'b=1']);
    await harness.crash('losePower');
    expect(await allPairs(harness.store)).toEqual(['a=2', 'c=2']);
  });

  it.each(['begin', 'add', 'commit'] as const)(
    'that fails at %s is told of, loses nothing, and is written a little later',
    async (step) => {
      const { harness, bases } = await openLayered();
      const { store } = harness;
      for (let index = 0; index < 10; index++) await store.put(`k${index}`, 'v');
      bases.newest.failsAt = step;
      await refused(store.snapshot(), 'snapshotFailed');
      expect(harness.events.at(-1)).toMatchObject({ kind: 'checkpointFailed', revision: 10 });
      await store.put('k0', 'w');
      expect(bases.newest.revision).toBe(0);
      const before = await allPairs(store);
      await harness.advance(fixed.checkpointRetryMs);
      for (let index = 0; index < 5; index++) await store.put('k1', `${index}`);
      const again = store.snapshot();
      expect((await again).revision).toBe(16);
      await harness.crash('losePower');
      expect(await allPairs(harness.store)).toEqual(before.with(1, 'k1=4'));
    },
  );

  it('that fails is lost with a crash, and the log has all', async () => {
    const { harness, bases } = await openLayered();
    for (let index = 0; index < 10; index++) await harness.store.put(`k${index}`, 'v');
    bases.newest.failsAt = 'commit';
    await refused(harness.store.snapshot(), 'snapshotFailed');
    const before = await allPairs(harness.store);
    await harness.crash('losePower');
    expect(bases.newest.revision).toBe(0);
    expect(await allPairs(harness.store)).toEqual(before);
  });

  it('stops the store when the files themselves are damaged, which no other try mends', async () => {
    const { harness, bases } = await openLayered();
    await harness.store.put('k', 'v');
    bases.newest.begin = () => Promise.reject(new StoreError('damaged', 'the manifest does not fit'));
    await refused(harness.store.snapshot(), 'snapshotFailed');
    expect((await harness.store.failed).message).toContain('the manifest does not fit');
    await refused(harness.store.put('k', 'w'), 'readOnly');
    expect(await valueOf(harness.store, 'k')).toBe('v');
  });

  it('is the last thing of a close where the log is long, and is given up when the time is over', async () => {
    const { harness, bases } = await openLayered({ limits: { closeSnapshotLogBytes: 100 } });
    await harness.store.put('k', 'v'.repeat(200));
    await harness.reopen();
    expect(bases.newest.revision).toBe(1);
    await harness.store.put('k', 'w'.repeat(200));
    bases.hold();
    const closed = harness.store.close({ snapshotMsMax: 1000 });
    await harness.advance(1000);
    bases.letGo();
    await closed;
    await harness.open();
    expect(await valueOf(harness.store, 'k')).toBe('w'.repeat(200));
  });
});

describe('damage of what the engine keeps', () => {
  it('refuses what needs it, is told once a minute, and nothing else stops', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('bad', 'v');
    await store.put('good', 'v');
    await store.snapshot();
    for (const key of bases.newest.keys()) if (key.includes('bad')) bases.newest.damaged.add(key);
    for (let round = 0; round < 3; round++) {
      await refused(store.get('bad'), 'damaged');
      await refused(store.put('bad', 'w'), 'damaged');
      await refused(store.txn({ success: [{ kind: 'get', key: 'bad' }] }), 'damaged');
    }
    const told = (): number => harness.events.filter(({ kind }) => kind === 'storageDamaged').length;
    expect(told()).toBe(1);
    await store.put('good', 'w');
    expect(await valueOf(store, 'good')).toBe('w');
    await harness.advance(fixed.damageEventMs);
    await refused(store.get('bad'), 'damaged');
    expect(told()).toBe(2);
    await Promise.all([refused(store.put('bad', '1'), 'damaged'), store.put('new', '1')]);
    expect(await valueOf(store, 'new')).toBe('1');
  });
});

const checkpointers = {
  'an engine on disk': (context: unknown) => new BaseCheckpointer(context as BaseCheckpointerContext),
  'the engine memory': (context: unknown) =>
    new Checkpointer(context as CheckpointerContext, [{ revision: 7, bytes: 1 }]),
};

it.each(Object.entries(checkpointers))(
  'a log that has no room for the revision of a checkpoint of %s puts that off, and stops nothing',
  (_engine, open) => {
    const takeRevision = vi.fn(() => false);
    const context = {
      clock: new ManualClock(),
      limits: { ...defaults, snapshotLogBytes: 100 },
      durable: { revision: 7, unsealedBytes: 0, sealedBytes: 0 },
      memory: { usedBytes: 0, bytesMax: 64 * MIB },
      log: { appendedBytes: 0, failure: undefined },
      replayedBytes: 0,
      lastRevision: () => 7,
      takeRevision,
      isAwaited: () => false,
    };
    const checkpointer = open(context);
    // Notes alone make it so long.
    context.log.appendedBytes = 1000;
    checkpointer.notice();
    checkpointer.notice();
    expect(takeRevision).toHaveBeenCalledTimes(2);
  },
);

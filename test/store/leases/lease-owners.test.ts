/** Whose a lease is: for as long as it lives, over renewals, restarts, snapshots and backups. */
import { expect, test } from 'vitest';
import { readRecord, sizeOfRecord, writeRecord } from '../../../gen/kelp/storage/v1/log_codec.ts';
import {
  readSnapshotBlock,
  sizeOfSnapshotBlock,
  writeSnapshotBlock,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { leaseEffect } from '../../../src/store/commit/effects.ts';
import { faultOfRecord, SnapshotOrder } from '../../../src/store/recovery/recorded-items.ts';
import { SeamHarness } from '../seam/seam-harness.ts';

const TTL_MS = 60_000;

function ownersOf({ calls }: SeamHarness): (string | undefined)[] {
  return [1, 2, 3].map((leaseId) => calls.leaseOwner(leaseId));
}

async function grantTwo(harness: SeamHarness): Promise<void> {
  await harness.calls.grantLease(TTL_MS, 1, 'ann');
  await harness.calls.grantLease(TTL_MS, 2);
}

const afterwards: Record<string, (harness: SeamHarness) => Promise<unknown>> = {
  'it was renewed': ({ calls }) => calls.renewLease(1),
  'keys were attached to it': ({ calls }) => calls.put('a', '', { leaseId: 1 }),
  'the store was opened again': (harness) => harness.reopen(),
  'the process was killed': (harness) => harness.crash(),
  'it was renewed and the process was killed': async (harness) => {
    await harness.calls.renewLease(1);
    await harness.crash();
  },
  'the store was opened from a snapshot': async (harness) => {
    await harness.calls.put('a', '', { leaseId: 1 });
    await harness.calls.snapshot();
    await harness.reopen();
  },
  'it was renewed behind a snapshot': async (harness) => {
    await harness.calls.snapshot();
    await harness.calls.renewLease(1);
    await harness.crash();
  },
};

test.each(Object.entries(afterwards))('a lease is its owner’s after %s', async (_, run) => {
  const harness = await SeamHarness.open();
  await grantTwo(harness);
  expect(ownersOf(harness)).toEqual(['ann', '', undefined]);
  await run(harness);
  expect(ownersOf(harness)).toEqual(['ann', '', undefined]);
});

test('the id of a lease that has ended is free for another owner, also where a snapshot is newer than its notes', async () => {
  const harness = await SeamHarness.open();
  const { calls } = harness;
  await calls.put('a', '');
  await calls.grantLease(TTL_MS, 1, 'ann');
  await calls.renewLease(1);
  await calls.revokeLease(1);
  expect(calls.leaseOwner(1)).toBeUndefined();
  await calls.grantLease(TTL_MS, 1, 'bob');
  // Its revision is that of the put: all notes are replayed over it.
  await calls.snapshot();
  expect(ownersOf(harness)).toEqual(['bob', undefined, undefined]);
  await harness.crash();
  expect(ownersOf(harness)).toEqual(['bob', undefined, undefined]);
  await harness.calls.renewLease(1);
  expect(ownersOf(harness)).toEqual(['bob', undefined, undefined]);
});

test('a grant that is rolled back leaves no owner behind', async () => {
  const harness = await SeamHarness.open();
  await harness.decide((view) => {
    const savepoint = view.savepoint();
    view.grantLease(1, TTL_MS, 'ann');
    expect(view.lease(1)).toMatchObject({ owner: 'ann' });
    view.rollBack(savepoint);
    view.grantLease(1, TTL_MS, 'bob');
    view.renewLease(1);
    expect(view.lease(1)).toMatchObject({ owner: 'bob' });
  });
  await harness.crash();
  expect(harness.calls.leaseOwner(1)).toBe('bob');
});

test('leases of files without owners have none, and owners that no store writes are damage', () => {
  const lease = { leaseId: 7, ttlMs: 1000, deadlineMs: 2000, owner: '' };
  const record = { revision: 0, timeMs: 1, leaseClockMs: 1, effects: [leaseEffect(lease)] };
  const bytes = Buffer.alloc(sizeOfRecord(record));
  writeRecord(record, bytes, 0);
  // As a program wrote it that knew no owners: an empty name takes no byte.
  expect(bytes.toString('hex')).toBe('10011801220a2208080710e80718d00f');
  expect(readRecord(bytes, 0, bytes.length)).toEqual(record);

  const block = { versions: [], leases: [lease] };
  const blockBytes = Buffer.alloc(sizeOfSnapshotBlock(block));
  writeSnapshotBlock(block, blockBytes, 0);
  expect(blockBytes.toString('hex')).toBe('1208080710e80718d00f');
  expect(readSnapshotBlock(blockBytes, 0, blockBytes.length)).toEqual(block);

  const tooLong = { ...lease, owner: 'x'.repeat(129) };
  const fault = 'the owner of lease 7 has 129 characters';
  expect(faultOfRecord({ ...record, effects: [leaseEffect(tooLong)] })).toBe(fault);
  expect(new SnapshotOrder(1).faultOfLease(tooLong)).toBe(fault);
});

/** A transaction over many leases does work that grows with what it changes, and not with the square of that. */
import { expect, test, vi } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { LeaseTable } from '../../../src/store/leases/lease-table.ts';
import { ChangeRow } from '../../../src/store/views/change-row.ts';
import type { View } from '../../../src/store/views/view.ts';
import { SeamHarness } from './seam-harness.ts';

const LEASES = 500;
const value = Buffer.from('v');

test('ends of many leases among many writes go through the writes once', async () => {
  const harness = await SeamHarness.open();
  await harness.decide((view) => writeAll(view));
  // All that a transaction has written.
  const all = vi.spyOn(ChangeRow.prototype, 'all', 'get');
  const ended = await harness.decide((view) => {
    for (let lease = 1; lease <= LEASES; lease++) view.put(keyOf('moved', lease), value, { leaseId: lease });
    let count = 0;
    for (let lease = 1; lease <= LEASES; lease++) {
      view.put(keyOf('late', lease), value, { leaseId: lease });
      // Attached, and let go of again.
      view.put(keyOf('free', lease), value, { leaseId: lease });
      view.put(keyOf('free', lease), value);
      count += view.endLease(lease, 'leaseRevoked');
    }
    return count;
  });
  expect(all.mock.calls.length).toBeLessThanOrEqual(4);
  all.mockRestore();
  // Of each lease the key that it had, the one that was moved to it and the late one; what was let go of stays.
  expect(ended).toBe(3 * LEASES);
  expect(harness.store.readVisible((view) => view.read(keyOf('free', 1))?.leaseId)).toBe(0);
  expect(harness.store.readVisible((view) => view.read(keyOf('moved', LEASES)))).toBeUndefined();
});

test('keys of one lease are not looked for among the changes when it alone ends', async () => {
  const harness = await SeamHarness.open();
  await harness.decide((view) => {
    view.grantLease(1, 60_000);
    for (let key = 0; key < LEASES; key++) view.put(keyOf('key', key), value, { leaseId: 1 });
  });
  const get = vi.spyOn(ChangeRow.prototype, 'get');
  const result = await harness.decide((view) => view.endLease(1, 'leaseRevoked'));
  expect(result).toBe(LEASES);
  expect(get).not.toHaveBeenCalled();
  get.mockRestore();
});

test('keys go with their lease as a whole, but for those that are another’s by then', async () => {
  const harness = await SeamHarness.open();
  await harness.decide((view) => {
    for (const lease of [1, 2]) view.grantLease(lease, 60_000);
    for (let key = 0; key < LEASES; key++) view.put(keyOf('key', key), value, { leaseId: 1 });
  });
  const move = vi.spyOn(LeaseTable.prototype, 'move');
  await harness.decide((view) => {
    view.put(keyOf('key', 1), value, { leaseId: 2 });
    expect(view.endLease(1, 'leaseRevoked')).toBe(LEASES - 1);
  });
  expect(move).toHaveBeenCalledTimes(1);
  move.mockRestore();
  const left = await harness.store.readLeases((leases) => leases.list(0, 10).map(({ keys }) => [...keys]));
  expect(left).toEqual([['key/1']]);
});

test('a lease ends as a whole, however little of the work is left that a request may do', async () => {
  const harness = await SeamHarness.open();
  await harness.decide((view) => {
    view.grantLease(1, 60_000);
    for (let key = 0; key < LEASES; key++) view.put(keyOf('key', key), value, { leaseId: 1 });
  });
  expect(() =>
    harness.store.decide((view) => {
      view.budget.begin(0);
      view.endLease(1, 'leaseRevoked');
    }),
  ).toThrow(expect.objectContaining({ code: 'limitReached' }));
  const left = await harness.decide((view) => {
    view.budget.begin(10);
    expect(view.endLease(1, 'leaseRevoked')).toBe(LEASES);
    return view.budget.visitsLeft;
  });
  // It is paid for all the same.
  expect(left).toBeLessThanOrEqual(10 - LEASES);
});

test('the most that a lease may have is within the work of one request', () => {
  const keyVisits = fixed.leaseKeyBytesMax / fixed.visitKeyBytes;
  expect(fixed.leaseKeysMax + keyVisits).toBeLessThan(100_000);
});

test('what is rolled back of leases is as if it had not been', async () => {
  const harness = await SeamHarness.open({ limits: { leasesMax: 2 } });
  await harness.decide((view) => view.grantLease(1, 1000, 'ann'));
  harness.clock.advance(400);
  await harness.decide((view) => {
    view.renewLease(1);
    const savepoint = view.savepoint();
    view.grantLease(2, 1000);
    view.endLease(2, 'leaseRevoked');
    view.endLease(1, 'leaseRevoked');
    expect(view.lease(1)).toBeUndefined();
    view.rollBack(savepoint);
    expect(view.lease(1)).toEqual({ leaseId: 1, ttlMs: 1000, remainingMs: 1000, owner: 'ann' });
    expect(view.lease(2)).toBeUndefined();
    // The grant that was rolled back does not count.
    view.grantLease(2, 2000);
  });
  expect(
    (await harness.store.readLeases((leases) => leases.list(0, 10))).map(({ leaseId }) => leaseId),
  ).toEqual([1, 2]);
});

function writeAll(view: View): void {
  for (let lease = 1; lease <= LEASES; lease++) {
    view.grantLease(lease, 60_000);
    view.put(keyOf('own', lease), value, { leaseId: lease });
  }
}

function keyOf(prefix: string, number: number): Uint8Array {
  return Buffer.from(`${prefix}/${number}`);
}

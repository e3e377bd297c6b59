/** The limits of leases count what comes to a lease, and nothing else that a transaction does. */
import { expect, test } from 'vitest';
import { sizeOfRecord } from '../../../gen/kelp/storage/v1/log_codec.ts';
import { fixed } from '../../../src/limits.ts';
import type { View } from '../../../src/store/views/view.ts';
import { SeamHarness } from './seam-harness.ts';

const { leaseKeysMax } = fixed;
const value = Buffer.from('v');

test('keys that have no lease are none of one that others come to', async () => {
  const harness = await openWithLeases();
  await harness.decide((view) => {
    putMany(view, 'free', leaseKeysMax + 1, 0);
    putMany(view, 'leased', 1, 1);
  });
  expect(await keysEndedWith(harness, 1)).toBe(1);
});

test('each lease takes what comes to it, however many there are in one transaction', async () => {
  const harness = await openWithLeases();
  const count = leaseKeysMax / 2 + 1;
  await harness.decide((view) => {
    putMany(view, 'first', count, 1);
    putMany(view, 'second', count, 2);
  });
  expect(await keysEndedWith(harness, 2)).toBe(count);
});

test('what was rolled back, or given to another lease, has left room', async () => {
  const harness = await openWithLeases();
  const refusal = await harness.decide((view) => {
    putMany(view, 'kept', 1, 1);
    const savepoint = view.savepoint();
    putMany(view, 'rolled back', leaseKeysMax - 1, 1);
    expect(() => putMany(view, 'more', 1, 1)).toThrow(`lease 1 has ${leaseKeysMax} keys`);
    view.rollBack(savepoint);
    putMany(view, 'kept', 1, 2);
    putMany(view, 'full', leaseKeysMax, 1);
    try {
      putMany(view, 'more', 1, 1);
    } catch (error) {
      return error;
    }
    return undefined;
  });
  expect(refusal).toMatchObject({ code: 'limitReached' });
  expect(await keysEndedWith(harness, 1)).toBe(leaseKeysMax);
});

async function openWithLeases(): Promise<SeamHarness> {
  const harness = await SeamHarness.open();
  await harness.decide((view) => {
    view.grantLease(1, 60_000);
    view.grantLease(2, 60_000);
  });
  return harness;
}

function putMany(view: View, name: string, count: number, leaseId: number): void {
  for (let index = 0; index < count; index++) view.put(Buffer.from(`${name} ${index}`), value, { leaseId });
}

function keysEndedWith(harness: SeamHarness, leaseId: number): Promise<number> {
  return harness.decide((view) => view.endLease(leaseId, 'leaseRevoked'));
}

test.each([1, 100, 200, fixed.keyBytesMax])(
  'the delete of a key of %i bytes takes no more beside it than is reckoned with',
  (length) => {
    const key = Buffer.alloc(length);
    const change = { effect: { case: 'delete', value: { key, reason: 4 } } } as const;
    const record = { revision: 2 ** 53 - 1, timeMs: 2 ** 53 - 1, leaseClockMs: 2 ** 53 - 1 };
    const empty = sizeOfRecord({ ...record, effects: [] });
    expect(sizeOfRecord({ ...record, effects: [change] }) - empty - length).toBeLessThanOrEqual(
      fixed.deleteEffectBytes,
    );
  },
);

/** Keys past their deadline in a transaction, where leases end and keys come and go above them. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import type { PlannedChange } from '../../../src/store/views/planned-change.ts';
import type { View } from '../../../src/store/views/view.ts';
import { ALL, bytesOf, SeamHarness, textOf } from './seam-harness.ts';

const HOUR_MS = 60 * 60 * 1000;
const key = bytesOf('overdue');
const value = bytesOf('new');

describe('an overdue key', () => {
  const cases: [string, (view: View) => void, string[]][] = [
    [
      'is let alone by reads',
      (view) => [view.read(key), view.touch(key, 5), view.delete(key), view.count(ALL)],
      [],
    ],
    ['is let alone by a put that is taken back', (view) => [view.put(key, value), view.delete(key)], []],
    [
      'is replaced by one put, however often it is written',
      (view) => [view.put(key, value), view.delete(key), view.put(key, value), view.touch(key, HOUR_MS)],
      ['put overdue version 1 replacedExpired'],
    ],
    [
      'goes with its lease, as expired',
      (view) => expect(view.endLease(7, 'leaseRevoked')).toBe(0),
      ['delete overdue expired'],
    ],
    [
      'goes with its lease from under a put that names that lease',
      (view) => {
        view.put(key, value, { leaseId: 7 });
        expect(view.endLease(7, 'leaseRevoked')).toBe(1);
      },
      ['delete overdue expired'],
    ],
    [
      'goes with its lease from under a put that is taken back later',
      (view) => {
        view.put(key, value, { leaseId: 8 });
        expect(view.endLease(7, 'leaseRevoked')).toBe(0);
        view.delete(key);
      },
      ['delete overdue expired'],
    ],
    [
      'goes with its lease from under a put that goes with another',
      (view) => {
        view.put(key, value, { leaseId: 8 });
        view.endLease(7, 'leaseRevoked');
        expect(view.endLease(8, 'leaseRevoked')).toBe(1);
      },
      ['delete overdue expired'],
    ],
    [
      'that has gone with its lease was none for a put behind that',
      (view) => {
        view.endLease(7, 'leaseRevoked');
        view.put(key, value);
      },
      ['put overdue version 1 replacedExpired'],
    ],
    [
      'is as it was once all of that is rolled back',
      (view) => {
        const savepoint = view.savepoint();
        view.put(key, value, { leaseId: 7 });
        view.endLease(7, 'leaseRevoked');
        view.put(key, value);
        view.rollBack(savepoint);
        expect(view.lease(7)).toBeDefined();
        expect(view.count(ALL)).toBe(0);
      },
      [],
    ],
  ];

  it.each(cases)('%s', async (_, run, expected) => {
    const harness = await SeamHarness.open();
    const { store, clock } = harness;
    await harness.decide((view) => {
      view.grantLease(7, HOUR_MS);
      view.grantLease(8, HOUR_MS);
      view.put(key, bytesOf('old'), { leaseId: 7, ttlMs: 1000 });
    });
    clock.jump(1000);
    const told: string[] = [];
    store.onCommitted((changes) => told.push(...changes.map(lineOf)));
    await harness.decide(run);
    expect(told).toEqual(expected);
    const before = await stateOf(harness);
    // No key may name a lease that is not there, in the log and in a snapshot.
    await harness.reopen();
    expect(await stateOf(harness)).toEqual(before);
    await harness.store.snapshot();
    await harness.reopen();
    expect(await stateOf(harness)).toEqual(before);
  });
});

function lineOf({ type, key: changed, version, reason, replacedExpired }: PlannedChange): string {
  const rest = type === 'delete' ? reason : `version ${version}${replacedExpired ? ' replacedExpired' : ''}`;
  return `${type} ${textOf(changed)} ${rest}`;
}

async function stateOf({ store }: SeamHarness): Promise<unknown> {
  // As it was committed, what is overdue included.
  const keys = store.readAt({ revision: store.visibleRevision, instantMs: 0 }, (view) => {
    const shown: string[] = [];
    view.scan(ALL, false, (entry) => shown.push(`${textOf(entry.key)} ${entry.leaseId}`) > 0);
    return shown;
  });
  const leases = await store.readLeases((table) =>
    table.list(0, 10).map((lease) => ({ leaseId: lease.leaseId, keys: [...lease.keys] })),
  );
  for (const shown of keys) {
    const leaseId = Number(shown.split(' ')[1]);
    if (leaseId !== 0) expect(leases.map((lease) => lease.leaseId)).toContain(leaseId);
  }
  return { keys, leases };
}

describe('more overdue keys than a count can leave out', () => {
  it('are refused again, however often a transaction asks', async () => {
    const harness = await SeamHarness.open();
    const keyCount = fixed.overdueCountedMax + 10;
    await harness.decide((view) => {
      for (let index = 0; index < keyCount; index++) view.put(bytesOf(`k${index}`), value, { ttlMs: 1000 });
      view.put(bytesOf('live'), value);
    });
    harness.clock.jump(2000);
    await harness.decide((view) => {
      const savepoint = view.savepoint();
      for (let time = 0; time < 3; time++) {
        expect(() => view.count(ALL)).toThrow('past their deadline');
        view.rollBack(savepoint);
      }
    });
  });
});

/** What fails once a record has joined the log's batch, and what can be read after a disk has failed. */
import { describe, expect, it, vi } from 'vitest';
import type { Lease } from '../../../src/api.ts';
import { StoreError } from '../../../src/errors.ts';
import { LeaseTable } from '../../../src/store/leases/lease-table.ts';
import { refused, valueOf } from '../model/readable.ts';
import { FailingEngine } from './failing-engine.ts';
import { ALL, bytesOf, SeamHarness, type SeamHarnessOptions, textOf } from './seam-harness.ts';

const value = bytesOf('v');
const HOUR_MS = 60 * 60 * 1000;

describe.each(['always', 'never'] as const)(
  'what throws once a record is durable, with fsync %s',
  (fsync) => {
    it('stops the store, and leaves no caller without an answer', async () => {
      const { harness, engine } = await openFailing({ fsync, limits: { historyRevisionsMax: 1 } });
      const { store, calls } = harness;
      await calls.put('k', 'old');
      await calls.put('k', 'newer');
      engine().failNextCompact(new Error('of the engine'));
      const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((key) => calls.put(key, '')));
      expect(outcomes.map(({ status }) => status)).toContain('rejected');
      await expect(store.failed).resolves.toMatchObject({ code: 'storageFailed' });
      await refused(calls.put('x', ''), 'readOnly');
      expect(harness.events.at(-1)).toMatchObject({ kind: 'storageFailed' });
      expect(await valueOf(calls, 'k')).toBe('newer');
    });
  },
);

describe('what throws after a record has joined the batch', () => {
  const errors: [string, unknown][] = [
    ['an error', new Error('of the engine')],
    [
      'an error of the store that says that nothing has changed',
      new StoreError('limitReached', 'of the engine'),
    ],
    ['what is no error', 'of the engine'],
  ];
  const cases = errors.flatMap(([name, error]) =>
    (['before', 'after'] as const).map((when) => ({ name, error, when })),
  );

  it.each(cases)(
    'stops the store for good: $name, $when the engine has the change',
    async ({ error, when }) => {
      const { harness, engine } = await openFailing();
      const { store, calls } = harness;
      await calls.put('k', 'old');
      await calls.grantLease(HOUR_MS, 7);
      engine().failNext(error, when);
      await refused(calls.put('k', 'new'), 'storageFailed');
      await expect(store.failed).resolves.toMatchObject({ code: 'storageFailed' });
      expect(harness.events).toMatchObject([{ kind: 'recovered' }, { kind: 'storageFailed' }].slice(-1));
      // Reads show what was, and go on doing so.
      const check = async (): Promise<void> => {
        expect(await valueOf(calls, 'k')).toBe('old');
        expect(await calls.status()).toMatchObject({ revision: 1 });
        expect(await calls.listLeases()).toMatchObject({ leases: [{ leaseId: 7, keyCount: 0 }] });
      };
      await check();
      await refused(calls.put('k', 'newer'), 'readOnly');
      await refused(calls.put('x', ''), 'readOnly');
      await refused(calls.delete('k'), 'readOnly');
      await refused(calls.grantLease(HOUR_MS), 'readOnly');
      await refused(calls.renewLease(7), 'readOnly');
      expect(await calls.count({})).toEqual({ count: 1, revision: 1 });
      await check();
      await harness.crash();
      // Its record was not written any more.
      expect(await valueOf(harness.calls, 'k')).toBe('old');
      expect(await harness.calls.put('k', 'next')).toMatchObject({ revision: 2 });
    },
  );

  it('in a transaction of keys and leases leaves the leases as they were', async () => {
    const { harness, engine } = await openFailing();
    const { store, calls } = harness;
    await harness.decide((view) => {
      view.grantLease(7, HOUR_MS);
      view.put(bytesOf('k'), value, { leaseId: 7 });
    });
    engine().failNext(new Error('of the engine'), 'before');
    expect(() =>
      store.decide((view) => {
        view.grantLease(8, HOUR_MS);
        view.endLease(7, 'leaseRevoked');
        view.put(bytesOf('k'), value, { leaseId: 8 });
      }),
    ).toThrow(expect.objectContaining({ code: 'storageFailed' }));
    expect((await calls.listLeases()).leases.map(({ leaseId }) => leaseId)).toEqual([7]);
    expect(await calls.getLease(7, { includeKeys: true })).toMatchObject({ keys: ['k'] });
  });

  it.each([1, 2])('of leases at their change number %i undoes what came before it', async (failing) => {
    const harness = await SeamHarness.open();
    const { store, calls } = harness;
    await harness.decide((view) => view.grantLease(7, HOUR_MS));
    const method = Object.getOwnPropertyDescriptor(LeaseTable.prototype, 'grant');
    const grant = method?.value as (this: LeaseTable, ...given: Parameters<LeaseTable['grant']>) => void;
    let count = 0;
    const spy = vi.spyOn(LeaseTable.prototype, 'grant').mockImplementation(function (
      this: LeaseTable,
      ...given
    ) {
      if (++count === failing) throw new Error('of the table');
      grant.apply(this, given);
    });
    try {
      expect(() =>
        store.decide((view) => {
          view.grantLease(8, HOUR_MS);
          view.grantLease(9, HOUR_MS);
        }),
      ).toThrow(expect.objectContaining({ code: 'storageFailed' }));
    } finally {
      spy.mockRestore();
    }
    await store.failed;
    expect((await calls.listLeases()).leases.map(({ leaseId }) => leaseId)).toEqual([7]);
    await refused(calls.grantLease(HOUR_MS), 'readOnly');
    await refused(calls.put('k', ''), 'readOnly');
    await harness.crash();
    expect((await harness.calls.listLeases()).leases.map(({ leaseId }) => leaseId)).toEqual([7]);
  });

  it('undoes what was committed before it and is not durable, too', async () => {
    const { harness, engine } = await openFailing();
    const { store, calls } = harness;
    await harness.decide((view) => view.grantLease(7, HOUR_MS));
    store.decide((view) => view.put(bytesOf('a'), value, { leaseId: 7 }));
    store.decide((view) => view.grantLease(8, HOUR_MS));
    engine().failNext(new Error('of the engine'), 'after');
    expect(() => store.decide((view) => view.put(bytesOf('a'), value, { leaseId: 8 }))).toThrow(
      expect.objectContaining({ code: 'storageFailed' }),
    );
    expect((await calls.listLeases()).leases).toMatchObject([{ leaseId: 7, keyCount: 0 }]);
    expect(await valueOf(calls, 'a')).toBeUndefined();
  });

  it('in the removal of an overdue key stops the store, and not the process', async () => {
    const { harness, engine } = await openFailing();
    const { store, calls, clock } = harness;
    await calls.put('k', 'old', { ttlMs: 1000 });
    engine().failNext(new Error('of the engine'), 'before');
    await clock.pass(5000);
    await expect(store.failed).resolves.toMatchObject({ code: 'storageFailed' });
    expect(await valueOf(calls, 'k')).toBeUndefined();
    await refused(calls.put('k', 'new'), 'readOnly');
  });
});

describe('after a failed disk', () => {
  it('leases are as of the last durable record: what came after it is undone, whatever it was', async () => {
    const harness = await SeamHarness.open();
    const { store, calls } = harness;
    await harness.decide((view) => {
      for (const leaseId of [1, 2, 3]) view.grantLease(leaseId, HOUR_MS * leaseId);
      view.put(bytesOf('a'), value, { leaseId: 1 });
      view.put(bytesOf('b'), value, { leaseId: 1 });
      view.put(bytesOf('c'), value, { leaseId: 2 });
      view.put(bytesOf('free'), value);
      view.put(bytesOf('overdue'), value, { leaseId: 3, ttlMs: 500 });
    });
    harness.clock.advance(400);
    harness.clock.jump(200);
    const before = await leasesOf(harness);
    expect(before.map(({ leaseId, keys }) => [leaseId, keys])).toEqual([
      [1, ['a', 'b']],
      [2, ['c']],
      [3, ['overdue']],
    ]);
    harness.disk.injectFault({ call: 'sync', pathEnd: '.log' });
    store.decide((view) => view.renewLease(2));
    store.decide((view) => view.grantLease(4, HOUR_MS));
    store.decide((view) => {
      // To another lease, to a new one, to none, from none, and onto an overdue key.
      view.put(bytesOf('a'), value, { leaseId: 2 });
      view.put(bytesOf('b'), value, { leaseId: 4 });
      view.put(bytesOf('c'), value);
      view.put(bytesOf('free'), value, { leaseId: 3 });
      view.put(bytesOf('overdue'), value, { leaseId: 1 });
    });
    store.decide((view) => view.delete(bytesOf('a')));
    store.decide((view) => view.endLease(1, 'leaseRevoked'));
    store.decide((view) => view.grantLease(1, HOUR_MS * 7));
    store.decide((view) => view.put(bytesOf('a'), value, { leaseId: 1 }));
    store.decide((view) => {
      view.grantLease(5, HOUR_MS);
      view.put(bytesOf('new'), value, { leaseId: 5 });
      view.endLease(3, 'leaseExpired');
      view.renewLease(2);
      view.renewLease(5);
    });
    await store.failed;
    expect(await leasesOf(harness)).toEqual(before);
    await refused(calls.getLease(4), 'leaseNotFound');
    await refused(calls.getLease(5), 'leaseNotFound');
    // Nobody is told more later on.
    expect(await leasesOf(harness)).toEqual(before);
    expect(visible(harness)).toEqual(['a', 'b', 'c', 'free']);
  });

  it('a read of leases that waits for its flush answers with what is durable', async () => {
    const harness = await SeamHarness.open();
    const { calls } = harness;
    await calls.grantLease(HOUR_MS, 7);
    harness.disk.injectFault({ call: 'sync', pathEnd: '.log' });
    const grant = calls.grantLease(HOUR_MS, 8);
    const listed = calls.listLeases();
    const missing = calls.getLease(8);
    await Promise.all([refused(grant, 'storageFailed'), refused(missing, 'leaseNotFound')]);
    expect((await listed).leases.map(({ leaseId }) => leaseId)).toEqual([7]);
  });
});

async function openFailing(
  options: SeamHarnessOptions = {},
): Promise<{ harness: SeamHarness; engine: () => FailingEngine }> {
  let engine = new FailingEngine();
  const harness = await SeamHarness.open({ ...options, makeEngine: () => (engine = new FailingEngine()) });
  return { harness, engine: () => engine };
}

async function leasesOf({ calls }: SeamHarness): Promise<Lease[]> {
  const { leases } = await calls.listLeases();
  return await Promise.all(leases.map(({ leaseId }) => calls.getLease(leaseId, { includeKeys: true })));
}

function visible({ store }: SeamHarness): string[] {
  return store.readVisible((view) => {
    const keys: string[] = [];
    view.scan(ALL, false, (shown) => keys.push(textOf(shown.key)) > 0);
    return keys;
  });
}

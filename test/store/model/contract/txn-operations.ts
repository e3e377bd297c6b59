/** Operations of a transaction: one revision, each sees the ones before, all of them or none. */
import { expect, it } from 'vitest';
import type { Operation } from '../../../../src/api.ts';
import { allPairs, plain, refused, textOf, valueOf } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

export function testTxnOperations(open: OpenHarness): void {
  it('writes everything at one revision and answers each operation', async () => {
    const { store } = await open();
    await store.put('old', '1');
    await store.put('r1', '1');
    await store.put('r2', '1');
    const answer = await store.txn({
      success: [
        { kind: 'put', key: 'new', value: 'a' },
        { kind: 'put', key: 'old', value: 'b', returnPrevious: true },
        { kind: 'increment', key: 'n', delta: 3n },
        { kind: 'deleteRange', range: { prefix: 'r' } },
        { kind: 'delete', key: 'missing', returnPrevious: true },
        { kind: 'get', key: 'old' },
      ],
    });
    expect(answer).toMatchObject({
      succeeded: true,
      revision: 4,
      results: [
        { kind: 'put', previous: undefined },
        { kind: 'put', previous: { key: 'old', modRevision: 1 } },
        { kind: 'increment', value: 3n },
        { kind: 'deleteRange', deletedCount: 2 },
        { kind: 'delete', deleted: false, previous: undefined },
        { kind: 'get', entry: { key: 'old', modRevision: 4, createRevision: 1, version: 2 } },
      ],
    });
    expect(await allPairs(store)).toEqual(['n=3', 'new=a', 'old=b']);
    const { entries } = await store.scan({});
    expect(entries.map(({ modRevision }) => modRevision)).toEqual([4, 4, 4]);
  });

  it('lets an operation see what those before it did', async () => {
    const { store } = await open();
    for (const key of ['a', 'b', 'c']) await store.put(key, 'old');
    const { results } = await store.txn({
      success: [
        { kind: 'get', key: 'a' },
        { kind: 'put', key: 'a', value: 'new' },
        { kind: 'get', key: 'a' },
        { kind: 'delete', key: 'b', returnPrevious: true },
        { kind: 'get', key: 'b' },
        { kind: 'deleteRange', range: { start: 'c' } },
        { kind: 'get', key: 'c' },
        { kind: 'increment', key: '0', delta: 1n },
        { kind: 'get', key: '0' },
      ],
    });
    const seen = results.map((result) =>
      result.kind === 'get' ? ((result.entry && textOf(result.entry.value)) ?? 'none') : result.kind,
    );
    expect(seen).toEqual(['old', 'put', 'new', 'delete', 'none', 'deleteRange', 'none', 'increment', '1']);
  });

  it('takes no revision when nothing changes', async () => {
    const { store } = await open();
    await store.put('a', '1');
    const success: Operation[] = [
      { kind: 'get', key: 'a' },
      { kind: 'delete', key: 'x' },
      { kind: 'deleteRange', range: { prefix: 'y' } },
    ];
    expect(await store.txn({ success })).toMatchObject({ revision: 1, succeeded: true });
    expect(await store.txn({})).toEqual({ succeeded: true, results: [], revision: 1 });
    expect((await store.status()).revision).toBe(1);
  });

  it('changes nothing when an operation fails, wherever it stands', async () => {
    const { store } = await open();
    await store.put('text', 'none');
    await store.put('max', '9223372036854775807');
    const failing: [Operation, 'notAnInteger' | 'integerOverflow' | 'leaseNotFound'][] = [
      [{ kind: 'increment', key: 'text', delta: 1n }, 'notAnInteger'],
      [{ kind: 'increment', key: 'max', delta: 1n }, 'integerOverflow'],
      [{ kind: 'put', key: 'leased', value: '', leaseId: 77 }, 'leaseNotFound'],
    ];
    for (const [operation, code] of failing) {
      const before: Operation[] = [
        { kind: 'put', key: 'a', value: '1' },
        { kind: 'deleteRange', range: { start: 'n', end: 's' } },
      ];
      const after: Operation = { kind: 'put', key: 'b', value: '1' };
      await refused(store.txn({ success: [...before, operation, after] }), code);
      await refused(store.txn({ success: [operation, after] }), code);
    }
    expect(await allPairs(store)).toEqual(['max=9223372036854775807', 'text=none']);
    expect((await store.put('c', '')).revision).toBe(3);
  });

  it('refuses operations that break a rule in a branch that would not run', async () => {
    const { store } = await open();
    const wrong: Operation[] = [
      { kind: 'put', key: 'a', value: '', ttlMs: 0 },
      { kind: 'put', key: 'a', value: '', ttlMs: -1 },
      { kind: 'put', key: 'a', value: '', leaseId: -1 },
      { kind: 'increment', key: 'a', delta: 1n, ttlMs: NaN },
      { kind: 'deleteRange', range: { start: 'b', end: 'a' } },
    ];
    for (const operation of wrong) {
      await refused(store.txn({ success: [operation] }), 'invalidArgument');
      await refused(store.txn({ failure: [operation] }), 'invalidArgument');
    }
  });

  it('runs 10000 operations in a branch and not more', async () => {
    const { store } = await open();
    const operations = Array.from({ length: 10_001 }, (_, index): Operation => {
      return { kind: 'put', key: `k${index}`, value: 'v' };
    });
    await refused(store.txn({ success: operations }), 'invalidArgument');
    await refused(store.txn({ failure: operations }), 'invalidArgument');
    expect((await store.txn({ success: operations.slice(1) })).results).toHaveLength(10_000);
    expect(await store.count({})).toEqual({ count: 10_000, revision: 1 });
  });

  it('gives a txn put its time to live and its lease', async () => {
    const { store, clock } = await open();
    await store.grantLease(60_000, 9);
    await store.txn({
      success: [
        { kind: 'put', key: 'a', value: '', ttlMs: 500, leaseId: 9 },
        { kind: 'increment', key: 'n', delta: 1n, ttlMs: 700 },
      ],
    });
    const expireTimeMs = clock.nowMs() + 500;
    expect(plain((await store.get('a')).entry)).toMatchObject({ leaseId: 9, expireTimeMs });
    expect(plain((await store.get('n')).entry)).toMatchObject({
      leaseId: 0,
      expireTimeMs: clock.nowMs() + 700,
    });
    await store.txn({ success: [{ kind: 'put', key: 'a', value: 'plain' }] });
    expect(plain((await store.get('a')).entry)).toMatchObject({
      leaseId: 0,
      expireTimeMs: 0,
      value: 'plain',
    });
    expect(await store.getLease(9)).toMatchObject({ keyCount: 0 });
  });

  it('isolates transactions that are asked for at the same time', async () => {
    const { store } = await open();
    await store.put('from', '100');
    await store.put('to', '0');
    const move = () =>
      store.txn({
        success: [
          { kind: 'increment', key: 'from', delta: -1n },
          { kind: 'increment', key: 'to', delta: 1n },
        ],
      });
    await Promise.all(Array.from({ length: 50 }, move));
    for (let revision = 2; revision <= 52; revision++) {
      const sum =
        Number(await valueOf(store, 'from', revision)) + Number(await valueOf(store, 'to', revision));
      expect(sum).toBe(100);
    }
    expect(await valueOf(store, 'to')).toBe('50');
  });
}

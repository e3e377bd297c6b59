/** Leases: grants, renewals, their keys and their end. */
import { expect, it } from 'vitest';
import { fixed, limitName } from '../../../../src/limits.ts';
import { allPairs, plain, refused, valueOf, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

const CENTURY_MS = 100 * 365 * 86_400_000;

export function testLeases(open: OpenHarness): void {
  it('grants leases with an id of the caller or of its own', async () => {
    const { store } = await open();
    expect(await store.grantLease(5000, 7)).toEqual({ leaseId: 7, ttlMs: 5000, revision: 0 });
    const { leaseId } = await store.grantLease(1000);
    expect(leaseId).toBeGreaterThan(0);
    expect(Number.isSafeInteger(leaseId)).toBe(true);
    const { leaseId: another } = await store.grantLease(CENTURY_MS, 0);
    expect(new Set([7, leaseId, another]).size).toBe(3);
    await refused(store.grantLease(5000, 7), 'leaseExists');
    await store.grantLease(1000, 2 ** 53 - 1);
    expect(await store.status()).toMatchObject({ leaseCount: 4, revision: 0 });
    for (const ttlMs of [0, 999, -1, 1000.5, NaN, Infinity, CENTURY_MS + 1]) {
      await refused(store.grantLease(ttlMs), 'invalidArgument');
    }
    for (const id of [-1, 1.5, NaN, 2 ** 53]) await refused(store.grantLease(1000, id), 'invalidArgument');
  });

  it('takes no revision for a grant, a renewal, or the end of a lease without keys', async () => {
    const harness = await open();
    const { store } = harness;
    await store.put('a', '1');
    const watching = await Watching.live(store);
    expect(await store.grantLease(5000, 7)).toMatchObject({ revision: 1 });
    expect(await store.grantLease(1000, 8)).toMatchObject({ revision: 1 });
    await store.renewLease(7);
    expect(await store.revokeLease(7)).toMatchObject({ revision: 1, deletedCount: 0 });
    await harness.advance(1000);
    expect(await store.status()).toMatchObject({ revision: 1, leaseCount: 0 });
    expect(await store.put('b', '2')).toMatchObject({ revision: 2 });
    expect(await watching.nextText()).toBe('2: put b=2');
    expect(await new Watching(store, { startRevision: 1 }).texts(3)).toEqual([
      '1: put a=1',
      '2: put b=2',
      'synced 2',
    ]);
  });

  it('tells of a grant the revision of the writes that were asked for before it', async () => {
    const { store } = await open();
    const calls = [store.put('a', ''), store.put('b', ''), store.grantLease(5000, 7)] as const;
    expect((await Promise.all(calls))[2].revision).toBe(2);
  });

  it('keeps over a restart what was granted, renewed and ended without a revision', async () => {
    for (const withSnapshot of [false, true]) {
      const harness = await open();
      const { store } = harness;
      await store.put('a', '');
      for (const id of [1, 2, 3]) await store.grantLease(10_000, id);
      if (withSnapshot) await store.snapshot();
      await harness.advance(4000);
      await store.renewLease(1);
      await store.revokeLease(2);
      await store.grantLease(3000, 4);
      await store.revokeLease(3);
      await store.grantLease(20_000, 3);
      if (withSnapshot) await store.snapshot();
      await store.grantLease(5000, 5);
      await harness.reopen();
      const { leases } = await harness.store.listLeases();
      expect(leases.map(({ leaseId, ttlMs, remainingMs }) => [leaseId, ttlMs, remainingMs])).toEqual([
        [1, 10_000, 10_000],
        [3, 20_000, 20_000],
        [4, 3000, 3000],
        [5, 5000, 5000],
      ]);
      expect((await harness.store.status()).revision).toBe(1);
      await harness.advance(3000);
      await harness.reopen();
      const left = (await harness.store.listLeases()).leases.map(({ leaseId }) => leaseId);
      expect(left).toEqual([1, 3, 5]);
      await harness.end();
    }
  });

  it('deletes the keys of a lease that ends, in one revision and in key order', async () => {
    const harness = await open();
    const { store } = harness;
    await store.grantLease(5000, 7);
    for (const key of ['b', '\u{10000}', '\uffff', 'a']) await store.put(key, '', { leaseId: 7 });
    await store.put('free', '');
    const watching = await Watching.live(store);
    await harness.advance(4999);
    expect((await store.status()).keyCount).toBe(5);
    await harness.advance(1);
    const line = ['a', 'b', '\uffff', '\u{10000}'].map((key) => `delete ${key} leaseExpired`).join(', ');
    expect(await watching.nextText()).toBe(`6: ${line}`);
    expect(await allPairs(store)).toEqual(['free=']);
    await refused(store.getLease(7), 'leaseNotFound');
    await refused(store.renewLease(7), 'leaseNotFound');
    await refused(store.revokeLease(7), 'leaseNotFound');
    await refused(store.put('a', '', { leaseId: 7 }), 'leaseNotFound');
    expect(await store.status()).toMatchObject({ leaseCount: 0, revision: 6 });
  });

  it('revokes a lease at once', async () => {
    const { store } = await open();
    await store.grantLease(5000, 7);
    await store.put('a', '1', { leaseId: 7 });
    await store.put('b', '2', { leaseId: 7 });
    const watching = await Watching.live(store);
    expect(await store.revokeLease(7)).toMatchObject({ revision: 3, deletedCount: 2 });
    expect(await watching.nextText()).toBe('3: delete a leaseRevoked, delete b leaseRevoked');
    expect(await store.grantLease(5000, 7)).toMatchObject({ revision: 3 });
    expect(await store.revokeLease(7)).toMatchObject({ revision: 3, deletedCount: 0 });
    for (const id of [0, 8]) {
      await refused(store.revokeLease(id), 'leaseNotFound');
      await refused(store.renewLease(id), 'leaseNotFound');
      await refused(store.getLease(id), 'leaseNotFound');
    }
    await refused(store.revokeLease(-1), 'invalidArgument');
    await refused(store.renewLease(NaN), 'invalidArgument');
  });

  it('renews a lease, which takes no revision', async () => {
    const harness = await open();
    const { store } = harness;
    await store.grantLease(2000, 7);
    await store.put('a', '', { leaseId: 7 });
    for (let round = 0; round < 5; round++) {
      await harness.advance(1500);
      expect(await store.getLease(7)).toMatchObject({ remainingMs: 500 });
      expect(await store.renewLease(7)).toEqual({ ttlMs: 2000 });
      expect(await store.getLease(7)).toMatchObject({ remainingMs: 2000 });
    }
    expect((await store.status()).revision).toBe(1);
    await harness.advance(2000);
    expect(await store.status()).toMatchObject({ revision: 2, leaseCount: 0, keyCount: 0 });
  });

  it('ends leases in the order of their deadlines', async () => {
    const harness = await open();
    const { store } = harness;
    for (const [id, ttlMs] of [
      [1, 3000],
      [2, 1000],
      [3, 2000],
      [4, 1500],
    ] as const) {
      await store.grantLease(ttlMs, id);
      await store.put(`k${id}`, '', { leaseId: id });
    }
    const watching = await Watching.live(store);
    await harness.advance(500);
    await store.renewLease(4);
    await harness.advance(5000);
    expect(await watching.texts(4)).toEqual([
      '5: delete k2 leaseExpired',
      '6: delete k3 leaseExpired',
      '7: delete k4 leaseExpired',
      '8: delete k1 leaseExpired',
    ]);
  });

  it('tells what is left of a lease, and its keys in key order', async () => {
    const harness = await open();
    const { store } = harness;
    await store.grantLease(5000, 7);
    await store.grantLease(9000, 3);
    for (const key of ['\u{10000}', 'b', '\uffff', 'a']) await store.put(key, '', { leaseId: 7 });
    await harness.advance(1200);
    const lease = { leaseId: 7, ttlMs: 5000, remainingMs: 3800, keyCount: 4 };
    expect(await store.getLease(7)).toEqual({ ...lease, keys: [] });
    expect(await store.getLease(7, { includeKeys: true })).toEqual({
      ...lease,
      keys: ['a', 'b', '\uffff', '\u{10000}'],
    });
    expect((await store.listLeases()).leases).toEqual([
      { leaseId: 3, ttlMs: 9000, remainingMs: 7800, keyCount: 0, keys: [] },
      { ...lease, keys: [] },
    ]);
  });

  it('lists leases in the order of their ids, page by page', async () => {
    const { store } = await open();
    for (const id of [30, 4, 1000, 200, 2 ** 53 - 1]) await store.grantLease(5000, id);
    const first = await store.listLeases({ limit: 2 });
    expect(first.leases.map(({ leaseId }) => leaseId)).toEqual([4, 30]);
    await store.revokeLease(200);
    const second = await store.listLeases({ limit: 2, pageToken: first.nextPageToken });
    expect(second.leases.map(({ leaseId }) => leaseId)).toEqual([1000, 2 ** 53 - 1]);
    expect(second.nextPageToken).toBe('');
    for (const pageToken of ['x', '-1', '1.5', '99999999999999999999']) {
      await refused(store.listLeases({ pageToken }), 'invalidArgument');
    }
  });

  it('attaches a key to one lease at a time', async () => {
    const { store } = await open();
    await store.grantLease(5000, 1);
    await store.grantLease(5000, 2);
    const counts = async () => (await store.listLeases()).leases.map(({ keyCount }) => keyCount);
    await store.put('k', '', { leaseId: 1 });
    expect(await counts()).toEqual([1, 0]);
    await store.put('k', '', { leaseId: 2 });
    expect(await counts()).toEqual([0, 1]);
    await store.put('k', '0', { leaseId: 2 });
    await store.increment('k', 1n);
    await store.touch('k', { ttlMs: 4000 });
    expect(await counts()).toEqual([0, 1]);
    expect(plain((await store.get('k')).entry)).toMatchObject({ leaseId: 2, value: '1' });
    await store.put('k', '');
    expect(await counts()).toEqual([0, 0]);
    await store.put('k', '', { leaseId: 1 });
    await store.delete('k');
    expect(await counts()).toEqual([0, 0]);
    expect(await store.revokeLease(1)).toMatchObject({ deletedCount: 0 });
  });

  it('lets a key go with the earlier of its deadline and its lease', async () => {
    const harness = await open();
    const { store } = harness;
    await store.grantLease(2000, 7);
    await store.put('own', '', { leaseId: 7, ttlMs: 1000 });
    await store.put('leased', '', { leaseId: 7, ttlMs: 3000 });
    const watching = await Watching.live(store);
    await harness.advance(1000);
    expect(await watching.nextText()).toBe('3: delete own expired');
    expect(await store.getLease(7)).toMatchObject({ keyCount: 1 });
    await harness.advance(1000);
    expect(await watching.nextText()).toBe('4: delete leased leaseExpired');
    await harness.advance(1000);
    expect((await store.status()).revision).toBe(4);
  });

  it('counts a key that is past its own deadline among those of its lease until it is removed', async () => {
    const harness = await open();
    const { store, clock } = harness;
    await store.grantLease(60_000, 7);
    await store.put('dead', '', { leaseId: 7, ttlMs: 1000 });
    await store.put('alive', '', { leaseId: 7 });
    clock.jump(1000);
    const both = { keyCount: 2, keys: ['alive', 'dead'] };
    expect(await store.getLease(7, { includeKeys: true })).toMatchObject(both);
    expect((await store.listLeases()).leases).toMatchObject([{ leaseId: 7, keyCount: 2 }]);
    expect((await store.status()).revision).toBe(2);
    await harness.advance(1000);
    expect(await store.getLease(7, { includeKeys: true })).toMatchObject({ keyCount: 1, keys: ['alive'] });
    expect((await store.status()).revision).toBe(3);
  });

  it('ends a lease with its keys that are past their own deadline in one revision, uncounted', async () => {
    const { store, clock } = await open();
    await store.grantLease(60_000, 7);
    await store.put('b dead', 'old', { leaseId: 7, ttlMs: 1000 });
    await store.put('a alive', '', { leaseId: 7 });
    await store.put('c alive', '', { leaseId: 7, ttlMs: 5000 });
    clock.jump(1000);
    const watching = await Watching.live(store);
    expect(await store.revokeLease(7)).toMatchObject({ revision: 4, deletedCount: 2 });
    expect(await watching.nextText()).toBe(
      '4: delete a alive leaseRevoked, delete b dead expired, delete c alive leaseRevoked',
    );
    expect(await store.status()).toMatchObject({ revision: 4, keyCount: 0 });
    await store.grantLease(60_000, 8);
    await store.put('dead', '', { leaseId: 8, ttlMs: 1000 });
    clock.jump(1000);
    expect(await store.revokeLease(8)).toMatchObject({ revision: 6, deletedCount: 0 });
    expect(await watching.texts(2)).toEqual(['5: put dead=', '6: delete dead expired']);
  });

  it('takes a key that is past its own deadline from its lease when it is put again', async () => {
    const { store, clock } = await open();
    await store.grantLease(60_000, 7);
    for (const key of ['a', 'b']) await store.put(key, '', { leaseId: 7, ttlMs: 1000 });
    clock.jump(1000);
    await store.put('a', 'new');
    await store.increment('b', 1n);
    expect(await store.getLease(7)).toMatchObject({ keyCount: 0 });
    expect(await store.revokeLease(7)).toMatchObject({ revision: 4, deletedCount: 0 });
    expect(await allPairs(store)).toEqual(['a=new', 'b=1']);
  });

  it('attaches a key to the lease of its last write in a transaction', async () => {
    const { store } = await open();
    for (const id of [1, 2]) await store.grantLease(60_000, id);
    await store.put('k', '', { leaseId: 1 });
    const put = (key: string, leaseId: number) => ({ kind: 'put', key, value: '', leaseId }) as const;
    const remove = (key: string) => ({ kind: 'delete', key }) as const;
    await store.txn({
      success: [
        put('k', 2),
        put('k', 1),
        put('k', 2),
        put('gone', 1),
        remove('gone'),
        put('x', 2),
        put('x', 0),
      ],
    });
    expect(await store.getLease(1, { includeKeys: true })).toMatchObject({ keys: [] });
    expect(await store.getLease(2, { includeKeys: true })).toMatchObject({ keys: ['k'] });
    await store.txn({ success: [remove('k'), put('k', 1)] });
    expect(await store.getLease(1)).toMatchObject({ keyCount: 1 });
    expect(await store.revokeLease(2)).toMatchObject({ deletedCount: 0 });
    expect(await store.revokeLease(1)).toMatchObject({ deletedCount: 1 });
  });

  it('attaches 50,000 keys to a lease and not more', { timeout: 60_000 }, async () => {
    const { store } = await open();
    expect(fixed.leaseKeysMax).toBe(50_000);
    await store.grantLease(60_000, 7);
    const put = (index: number) => ({ kind: 'put', key: `k${index}`, value: '', leaseId: 7 }) as const;
    for (let from = 0; from < fixed.leaseKeysMax; from += 10_000)
      await store.txn({ success: Array.from({ length: 10_000 }, (_, index) => put(from + index)) });
    await refused(store.put('more', '', { leaseId: 7 }), 'limitReached');
    await refused(store.txn({ success: [put(fixed.leaseKeysMax)] }), 'limitReached');
    // One that is attached already is none more.
    await store.put('k0', 'again', { leaseId: 7 });
    await store.delete('k0');
    await store.put('more', '', { leaseId: 7 });
    expect(await store.revokeLease(7)).toMatchObject({ deletedCount: fixed.leaseKeysMax });
  });

  it('keeps over a restart exactly the time that remained', async () => {
    const harness = await open();
    await harness.store.grantLease(10_000, 7);
    await harness.store.grantLease(5000, 8);
    await harness.store.put('k', 'v', { leaseId: 7 });
    await harness.advance(2500);
    await harness.store.renewLease(8);
    await harness.advance(300);
    await harness.reopen(1_000_000);
    expect(await harness.store.getLease(7, { includeKeys: true })).toEqual({
      leaseId: 7,
      ttlMs: 10_000,
      remainingMs: 7200,
      keyCount: 1,
      keys: ['k'],
    });
    expect(await harness.store.getLease(8)).toMatchObject({ remainingMs: 4700 });
    await harness.advance(700);
    await harness.store.snapshot();
    await harness.advance(100);
    await harness.reopen(1_000_000);
    expect(await harness.store.getLease(7)).toMatchObject({ remainingMs: 6400, keyCount: 1 });
    await harness.advance(6399);
    expect(await valueOf(harness.store, 'k')).toBe('v');
    await harness.advance(1);
    expect(await valueOf(harness.store, 'k')).toBeUndefined();
    expect((await harness.store.status()).leaseCount).toBe(0);
  });

  it('refuses more leases than allowed, until one has ended', async () => {
    const { store } = await open({ leasesMax: 2 });
    await store.grantLease(5000, 1);
    await store.grantLease(5000, 2);
    await expect(store.grantLease(5000, 3)).rejects.toMatchObject({
      code: 'limitReached',
      message: expect.stringContaining(`(${limitName('leasesMax')})`),
    });
    await store.revokeLease(1);
    await store.grantLease(5000, 3);
  });

  it('does not count the values of keys against the limit of a lease', async () => {
    const { store } = await open();
    await store.grantLease(5000, 7);
    const value = new Uint8Array(9 * 1024 * 1024);
    const put = (key: string) => ({ kind: 'put', key, value, leaseId: 7 }) as const;
    await store.txn({ success: [put('a'), put('b'), put('c')] });
    expect(await store.getLease(7)).toMatchObject({ keyCount: 3 });
  });

  it('ends a lease whose keys are many and long', async () => {
    const harness = await open({ valueBytesMax: 1000, txnBytesMax: 20_000 });
    const { store } = harness;
    await store.grantLease(1000, 7);
    for (let index = 0; index < 10; index++) await store.put(`${index}`.padEnd(4096), '', { leaseId: 7 });
    await store.put('own', '', { ttlMs: 1500 });
    await harness.advance(2000);
    expect(await store.status()).toMatchObject({ leaseCount: 0, keyCount: 0 });
  });
}

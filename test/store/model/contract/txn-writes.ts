/** Several writes of one key in a transaction: each is seen by those after it, the last one counts. */
import { expect, it } from 'vitest';
import type { Operation } from '../../../../src/api.ts';
import { allPairs, plain, refused, valueOf, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

export function testTxnWrites(open: OpenHarness): void {
  it('makes one event of all writes of a key, with the last of them', async () => {
    const { store } = await open();
    await store.put('old', '0');
    const watching = await Watching.live(store, { returnPrevious: true });
    const { results, revision } = await store.txn({
      success: [
        put('old', '1'),
        put('old', '2'),
        put('new', '3'),
        { kind: 'get', key: 'old' },
        put('old', '4'),
        put('new', '5'),
      ],
    });
    expect(revision).toBe(2);
    expect(results).toMatchObject([
      { previous: { version: 1, modRevision: 1 } },
      { previous: { version: 2, modRevision: 2, createRevision: 1 } },
      { previous: undefined },
      { entry: { version: 3, modRevision: 2 } },
      { previous: { version: 3 } },
      { previous: { version: 1, createRevision: 2 } },
    ]);
    expect(await watching.nextText()).toBe('2: put old=4 was 0, put new=5');
    expect(plain((await store.get('old')).entry)).toMatchObject({ createRevision: 1, version: 4 });
    expect(plain((await store.get('new')).entry)).toMatchObject({ createRevision: 2, version: 2 });
    expect(await valueOf(store, 'old', 1)).toBe('0');
  });

  it('creates a key anew that it deleted before, and tells the entry before the transaction', async () => {
    const { store } = await open();
    await store.put('k', '1');
    await store.put('k', '2');
    const watching = await Watching.live(store, { returnPrevious: true });
    const { results } = await store.txn({
      success: [remove('k'), { kind: 'get', key: 'k' }, put('k', '3'), put('k', '4')],
    });
    expect(results).toMatchObject([
      { deleted: true, previous: { version: 2 } },
      { entry: undefined },
      { previous: undefined },
      { previous: { version: 1, createRevision: 3, modRevision: 3 } },
    ]);
    expect(plain((await store.get('k')).entry)).toMatchObject({
      value: '4',
      createRevision: 3,
      modRevision: 3,
      version: 2,
    });
    expect(await watching.nextText()).toBe('3: put k=4 was 2');
    expect(await new Watching(store, { startRevision: 3, returnPrevious: true }).nextText()).toBe(
      '3: put k=4 was 2',
    );
  });

  it('deletes a key in one event that it wrote before, if there was an entry before the transaction', async () => {
    const { store } = await open();
    await store.put('k', '1');
    const watching = await Watching.live(store, { returnPrevious: true });
    const { results } = await store.txn({
      success: [put('k', '2'), remove('k'), remove('k'), put('k', '3'), remove('k')],
    });
    expect(results).toMatchObject([{}, { deleted: true }, { deleted: false }, {}, { deleted: true }]);
    expect(await watching.nextText()).toBe('2: delete k requested was 1');
    expect(await store.status()).toMatchObject({ revision: 2, keyCount: 0 });
  });

  it('leaves nothing of writes that cancel each other out', async () => {
    const { store } = await open();
    await store.put('other', '1');
    const cancelled = [put('k', '1'), put('k', '2'), remove('k')];
    const answer = await store.txn({ success: cancelled });
    expect(answer).toMatchObject({ revision: 1, results: [{}, {}, { deleted: true }] });
    expect((await store.status()).revision).toBe(1);
    const watching = await Watching.live(store);
    await store.txn({ success: [...cancelled, put('other', '2')] });
    expect(await watching.nextText()).toBe('2: put other=2');
    expect(await store.get('k')).toMatchObject({ entry: undefined });
    expect(await store.status()).toMatchObject({ revision: 2, keyCount: 1 });
  });

  it('tells keys in the order in which they were first written, not counting what was cancelled out', async () => {
    const { store } = await open();
    await store.put('c', '0');
    const watching = await Watching.live(store);
    await store.txn({
      success: [
        put('new', '1'),
        put('c', '1'),
        put('b', '1'),
        put('a', '1'),
        remove('c'),
        remove('new'),
        put('b', '2'),
        put('new', '2'),
      ],
    });
    const line = '2: delete c requested, put b=2, put a=1, put new=2';
    expect(await watching.nextText()).toBe(line);
    expect(await new Watching(store, { startRevision: 2 }).nextText()).toBe(line);
  });

  it('adds to a number as often as it is asked to, also after a put or a delete', async () => {
    const { store, clock } = await open();
    await store.put('n', '10', { ttlMs: 5000 });
    const expireTimeMs = clock.nowMs() + 5000;
    const { results } = await store.txn({
      success: [
        add('n', 1n),
        add('n', 2n),
        put('m', '40'),
        add('m', 2n),
        remove('gone'),
        add('gone', 7n, 900),
        remove('gone'),
        add('gone', 1n, 700),
        add('gone', 1n, 100),
      ],
    });
    expect(results.flatMap((result) => (result.kind === 'increment' ? [result.value] : []))).toEqual([
      11n,
      13n,
      42n,
      7n,
      1n,
      2n,
    ]);
    expect(plain((await store.get('n')).entry)).toMatchObject({ value: '13', version: 3, expireTimeMs });
    expect(plain((await store.get('m')).entry)).toMatchObject({ value: '42', version: 2, expireTimeMs: 0 });
    expect(plain((await store.get('gone')).entry)).toMatchObject({
      value: '2',
      createRevision: 2,
      version: 2,
      expireTimeMs: clock.nowMs() + 700,
    });
  });

  it('deletes with a range what was written in it before, and counts it', async () => {
    const { store } = await open();
    for (const key of ['r1', 'r2', 'r4', 's']) await store.put(key, 'old');
    const watching = await Watching.live(store, { returnPrevious: true });
    const { results } = await store.txn({
      success: [
        put('r3', 'new'),
        put('r2', 'new'),
        remove('r4'),
        { kind: 'deleteRange', range: { prefix: 'r' } },
        { kind: 'deleteRange', range: { prefix: 'r' } },
        { kind: 'get', key: 'r3' },
        put('r1', 'back'),
        put('r0', 'new'),
        { kind: 'deleteRange', range: { start: 'r1', end: 's' } },
      ],
    });
    expect(results).toMatchObject([
      {},
      {},
      { deleted: true },
      { deletedCount: 3 },
      { deletedCount: 0 },
      { entry: undefined },
      {},
      {},
      { deletedCount: 1 },
    ]);
    const line = [
      'delete r2 requested was old',
      'delete r4 requested was old',
      'delete r1 requested was old',
      'put r0=new',
    ].join(', ');
    expect(await watching.nextText()).toBe(`5: ${line}`);
    expect(await allPairs(store)).toEqual(['r0=new', 's=old']);
  });

  it('has everything again after a restart', async () => {
    const harness = await open();
    await harness.store.put('k', '0');
    await harness.store.txn({
      success: [put('k', '1'), put('x', '1'), remove('k'), put('k', '2'), remove('x'), put('y', '1')],
    });
    const { entries } = await harness.store.scan({});
    await harness.reopen();
    expect((await harness.store.scan({})).entries.map(plain)).toEqual(entries.map(plain));
    expect(entries.map(plain)).toMatchObject([
      { key: 'k', value: '2', createRevision: 2, version: 1 },
      { key: 'y', value: '1', createRevision: 2, version: 1 },
    ]);
  });

  it('undoes all of them when a later operation fails', async () => {
    const { store } = await open();
    await store.put('k', 'text');
    await refused(
      store.txn({ success: [put('k', '1'), remove('k'), put('k', 'x'), add('k', 1n)] }),
      'notAnInteger',
    );
    expect(await valueOf(store, 'k')).toBe('text');
    expect((await store.status()).revision).toBe(1);
  });

  it('takes as many writes of one key as a branch may have operations', async () => {
    const { store } = await open();
    const success = Array.from({ length: 10_000 }, (_, index) => put('k', `${index}`));
    await store.txn({ success });
    expect(plain((await store.get('k')).entry)).toMatchObject({ value: '9999', version: 10_000 });
    expect(await new Watching(store, { startRevision: 1 }).texts(2)).toEqual(['1: put k=9999', 'synced 1']);
  });
}

function put(key: string, value: string): Operation {
  return { kind: 'put', key, value, returnPrevious: true };
}

function remove(key: string): Operation {
  return { kind: 'delete', key, returnPrevious: true };
}

function add(key: string, delta: bigint, ttlMs?: number): Operation {
  return { kind: 'increment', key, delta, ...(ttlMs !== undefined && { ttlMs }) };
}

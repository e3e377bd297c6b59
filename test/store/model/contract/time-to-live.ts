/** Times to live: deadlines, touch and refresh, expiry. */
import { expect, it } from 'vitest';
import type { Compare, Operation } from '../../../../src/api.ts';
import { allPairs, plain, refused, valueOf, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

export function testTimeToLive(open: OpenHarness): void {
  it('hides a key from every read from the instant of its deadline', async () => {
    const { store, clock } = await open();
    await store.put('k', '1', { ttlMs: 1000 });
    await store.put('other', '2');
    expect(plain((await store.get('k')).entry)).toMatchObject({ expireTimeMs: clock.nowMs() + 1000 });
    // The wall clock alone moves, so that nothing has been removed yet.
    clock.jump(999);
    expect(await valueOf(store, 'k')).toBe('1');
    clock.jump(1);
    expect((await store.get('k')).entry).toBeUndefined();
    expect((await store.exists(['k', 'other'])).exists).toEqual([false, true]);
    expect(await allPairs(store)).toEqual(['other=2']);
    expect((await store.count({})).count).toBe(1);
    expect((await store.keys('*')).keys).toEqual(['other']);
    expect((await store.status()).revision).toBe(2);
  });

  it('hides an expired key from every call that decides by it', async () => {
    const { store, clock } = await open();
    const putAll = async () => {
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await store.put(key, '7', { ttlMs: 100 });
    };
    await putAll();
    clock.jump(100);
    const mustExist = { condition: { kind: 'mustExist' } } as const;
    await refused(store.put('a', '', mustExist), 'conditionFailed', { currentModRevision: 0 });
    await refused(store.touch('b', { ttlMs: 5 }), 'keyNotFound');
    expect(await store.get('c', { refreshTtl: true })).toMatchObject({ entry: undefined });
    expect(await store.delete('d', { returnPrevious: true })).toMatchObject({
      deleted: false,
      previous: undefined,
    });
    expect(await store.increment('e', 1n)).toMatchObject({ value: 1n });
    expect((await store.put('f', 'new', { returnPrevious: true })).previous).toBeUndefined();
    const exists = { kind: 'exists', value: false } as const;
    const txn = await store.txn({
      compares: [
        { subject: { key: 'g' }, relation: 'equal', operand: exists },
        { subject: { range: { prefix: 'g' } }, relation: 'equal', operand: exists },
      ],
      success: [{ kind: 'get', key: 'h' }],
    });
    expect(txn).toMatchObject({ succeeded: true, results: [{ entry: undefined }] });
    await putAll();
    clock.jump(100);
    expect(await store.deleteRange({ all: true })).toMatchObject({ deletedCount: 0 });
  });

  it('writes nothing for calls that find only keys past their deadline', async () => {
    const { store, clock, advance } = bound(await open());
    for (const key of ['a', 'b', 'c']) await store.put(key, '7', { ttlMs: 100 });
    clock.jump(100);
    const revision = 3;
    await refused(store.put('a', '', { condition: { kind: 'mustExist' } }), 'conditionFailed', {
      currentModRevision: 0,
    });
    await refused(
      store.put('a', '', { condition: { kind: 'modRevisionEquals', modRevision: 1 } }),
      'conditionFailed',
      { currentModRevision: 0 },
    );
    await refused(store.touch('a'), 'keyNotFound');
    await refused(store.touch('a', { ttlMs: 0 }), 'keyNotFound');
    expect(await store.get('a', { refreshTtl: true })).toEqual({ entry: undefined, revision });
    expect(await store.delete('a')).toMatchObject({ deleted: false, revision });
    expect(await store.delete('a', { condition: { kind: 'mustNotExist' } })).toMatchObject({ revision });
    expect(await store.deleteRange({ all: true })).toMatchObject({ deletedCount: 0, revision });
    expect(await store.deleteRange({ key: 'a' })).toMatchObject({ deletedCount: 0, revision });
    expect(await store.count({})).toEqual({ count: 0, revision });
    const operations: Operation[] = [
      { kind: 'get', key: 'a' },
      { kind: 'delete', key: 'b' },
      { kind: 'deleteRange', range: { prefix: 'c' } },
    ];
    const compares = ['a', 'b', 'c'].map((key): Compare => {
      return { subject: { key }, relation: 'equal', operand: { kind: 'version', value: 0 } };
    });
    expect(await store.txn({ compares, success: operations })).toMatchObject({ succeeded: true, revision });
    expect(await store.status()).toMatchObject({ revision, keyCount: 3 });
    // Each goes in an event of its own, when it is removed.
    await advance(1000);
    expect(await new Watching(store, { startRevision: 4 }).texts(3)).toEqual([
      '4: delete a expired',
      '5: delete b expired',
      '6: delete c expired',
    ]);
  });

  it('puts a key that is past its deadline in one event, as one that was not there', async () => {
    const { store, clock, advance } = bound(await open());
    await store.put('k', 'old', { ttlMs: 100 });
    await store.put('k', 'older', { ttlMs: 100 });
    await store.put('n', '41', { ttlMs: 100 });
    const live = await Watching.live(store, { returnPrevious: true });
    clock.jump(100);
    const condition = { kind: 'mustNotExist' } as const;
    expect(await store.put('k', 'new', { condition, returnPrevious: true })).toEqual({
      revision: 4,
      previous: undefined,
    });
    expect(plain((await store.get('k')).entry)).toMatchObject({ createRevision: 4, version: 1 });
    expect(await store.increment('n', 1n)).toEqual({ value: 1n, revision: 5 });
    expect(plain((await store.get('n')).entry)).toMatchObject({
      createRevision: 5,
      version: 1,
      expireTimeMs: 0,
    });
    await store.put('k', 'newer');
    const lines = ['4: put k=new replacedExpired', '5: put n=1 replacedExpired'];
    expect(await live.texts(3)).toEqual([...lines, '6: put k=newer was new']);
    await advance(2000);
    expect(await new Watching(store, { startRevision: 1 }).texts(7)).toEqual([
      '1: put k=old',
      '2: put k=older',
      '3: put n=41',
      ...lines,
      '6: put k=newer',
      'synced 6',
    ]);
    expect(await valueOf(store, 'k', 3)).toBe('older');
  });

  it('says of a put that it replaced an expired entry only where it did', async () => {
    const { store, clock } = await open();
    await store.put('k', 'old', { ttlMs: 100 });
    clock.jump(100);
    await store.put('k', 'new');
    await store.put('k', 'newer');
    const watching = new Watching(store, { startRevision: 1 });
    const flags: unknown[] = [];
    for (let revision = 1; revision <= 3; revision++) {
      const message = await watching.next();
      if (message.kind !== 'events') throw new Error(`a message of kind ${message.kind}`);
      for (const event of message.events)
        flags.push('replacedExpired' in event ? event.replacedExpired : 'none');
    }
    expect(flags).toEqual(['none', true, 'none']);
  });

  it('tells of a replaced entry also after a restart, from the log', async () => {
    const harness = await open();
    await harness.store.put('k', 'old', { ttlMs: 100 });
    harness.clock.jump(100);
    await harness.store.put('k', 'new', { ttlMs: 60_000 });
    await harness.reopen();
    expect(await new Watching(harness.store, { startRevision: 2 }).texts(2)).toEqual([
      '2: put k=new replacedExpired',
      'synced 2',
    ]);
    expect(plain((await harness.store.get('k')).entry)).toMatchObject({ createRevision: 2, version: 1 });
  });

  it('takes a key that is past its deadline in a transaction as one that is not there', async () => {
    const { store, clock, advance } = bound(await open());
    for (const key of ['a', 'b', 'c', 'd']) await store.put(key, '7', { ttlMs: 100 });
    clock.jump(100);
    const live = await Watching.live(store, { returnPrevious: true });
    const { results, revision } = await store.txn({
      success: [
        { kind: 'put', key: 'a', value: '1', returnPrevious: true },
        { kind: 'put', key: 'a', value: '2', returnPrevious: true },
        { kind: 'increment', key: 'b', delta: 1n },
        { kind: 'put', key: 'c', value: 'for a moment' },
        { kind: 'delete', key: 'c' },
        { kind: 'deleteRange', range: { all: true } },
        { kind: 'put', key: 'b', value: 'again', returnPrevious: true },
      ],
    });
    expect(revision).toBe(5);
    expect(results).toMatchObject([
      { previous: undefined },
      { previous: { version: 1, createRevision: 5 } },
      { value: 1n },
      {},
      { deleted: true },
      { deletedCount: 2 },
      { previous: undefined },
    ]);
    expect(await live.nextText()).toBe('5: put b=again replacedExpired');
    // The others are as they were, and still to be removed.
    expect((await store.status()).keyCount).toBe(4);
    await advance(1000);
    expect(await live.texts(3)).toEqual([
      '6: delete a expired was 7',
      '7: delete c expired was 7',
      '8: delete d expired was 7',
    ]);
  });

  it('counts on the newest state what is there at that instant', async () => {
    const { store, clock } = await open();
    await store.put('a', '', { ttlMs: 100 });
    const before = store.count({});
    const put = store.put('b', '');
    const between = store.count({});
    clock.jump(100);
    const after = store.count({ start: 'a', end: 'c' });
    const answers = await Promise.all([before, between, after]);
    expect(answers).toEqual([
      { count: 1, revision: 1 },
      { count: 2, revision: 2 },
      { count: 1, revision: 2 },
    ]);
    await put;
    expect(await store.count({}, { revision: 2 })).toEqual({ count: 2, revision: 2 });
  });

  it('removes what is due by itself, in the order of deadlines, then of keys', async () => {
    const { store, advance } = bound(await open());
    const watching = await Watching.live(store);
    await store.put('z', '', { ttlMs: 100 });
    await store.put('late', '', { ttlMs: 300 });
    await store.put('a', '', { ttlMs: 200 });
    await store.put('\u{10000}', '', { ttlMs: 200 });
    await store.put('\uffff', '', { ttlMs: 200 });
    await watching.texts(5);
    await advance(250);
    expect(await watching.texts(4)).toEqual([
      '6: delete z expired',
      '7: delete a expired',
      '8: delete \uffff expired',
      '9: delete \u{10000} expired',
    ]);
    expect(await store.status()).toMatchObject({ revision: 9, keyCount: 1 });
    await advance(50);
    expect(await watching.texts(1)).toEqual(['10: delete late expired']);
  });

  it('removes many keys that share one deadline, each at its own revision', async () => {
    const { store, advance } = bound(await open());
    const keys = Array.from({ length: 1000 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    const puts = keys.map((key) => ({ kind: 'put', key, value: '', ttlMs: 5000 }) as const);
    await store.txn({ success: puts.reverse() });
    await advance(5000);
    const watching = new Watching(store, { startRevision: 2 });
    expect(await watching.texts(1000)).toEqual(
      keys.map((key, index) => `${index + 2}: delete ${key} expired`),
    );
    expect(await store.status()).toMatchObject({ keyCount: 0, revision: 1001 });
  });

  it('looks at a wall clock that jumped, at least every second', async () => {
    const { store, clock, advance } = bound(await open());
    await store.put('k', '', { ttlMs: 3_600_000 });
    clock.jump(3_600_000);
    await advance(1000);
    expect(await store.status()).toMatchObject({ keyCount: 0, revision: 2 });
  });

  it('keeps a key for its time to live when the clock goes back, and a seventh longer at most', async () => {
    const { store, clock, advance } = bound(await open());
    await store.put('k', '1', { ttlMs: 1000 });
    clock.jump(-10_000);
    expect(await valueOf(store, 'k')).toBe('1');
    await advance(1142);
    expect(await valueOf(store, 'k')).toBe('1');
    await advance(1);
    expect(await valueOf(store, 'k')).toBeUndefined();
    await advance(1);
    expect((await store.status()).revision).toBe(2);
  });

  it('gives a put without a time to live none, whatever there was before', async () => {
    const { store, advance } = bound(await open());
    await store.put('k', '1', { ttlMs: 100 });
    await store.put('k', '2');
    expect(plain((await store.get('k')).entry)).toMatchObject({ expireTimeMs: 0 });
    await advance(1000);
    expect(await valueOf(store, 'k')).toBe('2');
  });

  it('keeps the deadline of a number that is added to', async () => {
    const { store, clock, advance } = bound(await open());
    await store.increment('n', 1n, { ttlMs: 1000 });
    const expireTimeMs = clock.nowMs() + 1000;
    await advance(400);
    await store.increment('n', 1n, { ttlMs: 5000 });
    expect(plain((await store.get('n')).entry)).toMatchObject({ value: '2', expireTimeMs, version: 2 });
    await store.put('plain', '1');
    await store.increment('plain', 1n, { ttlMs: 5000 });
    expect(plain((await store.get('plain')).entry)).toMatchObject({ expireTimeMs: 0 });
    await advance(600);
    expect(await store.increment('n', 1n)).toMatchObject({ value: 1n });
    expect(plain((await store.get('n')).entry)).toMatchObject({ expireTimeMs: 0, version: 1 });
  });

  it('starts a time to live anew by touch, and changes nothing else', async () => {
    const { store, clock, advance } = bound(await open());
    await store.put('k', 'v1');
    await store.put('k', 'value', { ttlMs: 1000 });
    await advance(600);
    const { entry, revision } = await store.touch('k');
    const expireTimeMs = clock.nowMs() + 1000;
    const fields = { createRevision: 1, modRevision: 2, version: 2, expireTimeMs };
    expect(revision).toBe(3);
    expect(plain(entry)).toMatchObject({ ...fields, value: '' });
    expect(plain((await store.get('k')).entry)).toMatchObject({ ...fields, value: 'value' });
    await advance(999);
    expect(await valueOf(store, 'k')).toBe('value');
    await advance(1);
    expect(await valueOf(store, 'k')).toBeUndefined();
  });

  it('gives another time to live by touch, or none', async () => {
    const { store, clock, advance } = bound(await open());
    await store.put('k', 'v', { ttlMs: 1000 });
    expect((await store.touch('k', { ttlMs: 5000 })).entry.expireTimeMs).toBe(clock.nowMs() + 5000);
    await advance(1000);
    expect((await store.touch('k')).entry.expireTimeMs).toBe(clock.nowMs() + 5000);
    expect((await store.touch('k', { ttlMs: 0 })).entry.expireTimeMs).toBe(0);
    await advance(10_000);
    expect(await valueOf(store, 'k')).toBe('v');
    await refused(store.touch('k'), 'noTimeToLive');
    await refused(store.touch('missing'), 'keyNotFound');
    await refused(store.touch('missing', { ttlMs: 5 }), 'keyNotFound');
    for (const ttlMs of [-1, 1.5, NaN]) await refused(store.touch('k', { ttlMs }), 'invalidArgument');
    expect((await store.touch('k', { ttlMs: 7 })).entry.expireTimeMs).toBe(clock.nowMs() + 7);
  });

  it('refreshes a time to live on reading, if asked to and if there is one', async () => {
    const { store, clock, advance } = bound(await open());
    await store.put('k', 'v', { ttlMs: 1000 });
    await store.put('plain', 'p');
    await advance(600);
    const { entry, revision } = await store.get('k', { refreshTtl: true });
    expect(plain(entry)).toMatchObject({
      value: 'v',
      modRevision: 1,
      version: 1,
      expireTimeMs: clock.nowMs() + 1000,
    });
    expect(revision).toBe(3);
    expect(await store.get('plain', { refreshTtl: true })).toMatchObject({ revision: 3 });
    expect(await store.get('missing', { refreshTtl: true })).toEqual({ entry: undefined, revision: 3 });
    expect(await store.get('k', { refreshTtl: false })).toMatchObject({ revision: 3 });
    await refused(store.get('k', { refreshTtl: true, revision: 1 }), 'invalidArgument');
    await advance(1000);
    expect(await valueOf(store, 'k')).toBeUndefined();
  });

  it('does not let a touch satisfy or break a condition on the mod revision', async () => {
    const { store } = await open();
    await store.put('k', '1', { ttlMs: 1000 });
    await store.touch('k');
    await store.put('k', '2', { condition: { kind: 'modRevisionEquals', modRevision: 1 } });
    expect(plain((await store.get('k')).entry)).toMatchObject({ modRevision: 3, version: 2 });
  });

  it('reads a key at an old revision as it was, though its deadline has passed since', async () => {
    const { store, advance } = bound(await open());
    await store.put('k', 'v', { ttlMs: 100 });
    await store.put('x', '');
    await advance(1000);
    expect(await valueOf(store, 'k', 1)).toBe('v');
    expect(await allPairs(store, {}, 2)).toEqual(['k=v', 'x=']);
    expect((await store.count({}, { revision: 2 })).count).toBe(2);
    expect(await allPairs(store)).toEqual(['x=']);
  });

  it('shows on all pages of a scan what was alive at its beginning', async () => {
    const { store, clock, advance } = bound(await open());
    await store.put('a', '1', { ttlMs: 100 });
    await store.put('b', '2');
    await store.put('c', '3', { ttlMs: 500 });
    clock.jump(100);
    const first = await store.scan({}, { limit: 1 });
    expect(first.entries.map(({ key }) => key)).toEqual(['b']);
    await advance(2000);
    const second = await store.scan({}, { limit: 5, pageToken: first.nextPageToken });
    expect(second.entries.map(({ key }) => key)).toEqual(['c']);
    expect(await allPairs(store)).toEqual(['b=2']);
  });

  it('lets a deadline pass while the store is closed', async () => {
    const harness = await open();
    await harness.store.put('short', '1', { ttlMs: 1000 });
    await harness.store.put('long', '2', { ttlMs: 5000 });
    const expireTimeMs = harness.clock.nowMs() + 5000;
    await harness.reopen(1000);
    expect(await allPairs(harness.store)).toEqual(['long=2']);
    expect(plain((await harness.store.get('long')).entry)).toMatchObject({ expireTimeMs });
    await harness.advance(1000);
    expect(await harness.store.status()).toMatchObject({ revision: 3, keyCount: 1 });
    await harness.advance(3000);
    expect(await harness.store.status()).toMatchObject({ revision: 4, keyCount: 0 });
  });

  it('keeps the length of a time to live over a restart', async () => {
    const harness = await open();
    await harness.store.put('k', '1', { ttlMs: 5000 });
    await harness.reopen(100);
    const { entry } = await harness.store.touch('k');
    expect(entry.expireTimeMs).toBe(harness.clock.nowMs() + 5000);
  });
}

/** Methods that can be taken off the harness. */
function bound(harness: Awaited<ReturnType<OpenHarness>>) {
  return { store: harness.store, clock: harness.clock, advance: (ms: number) => harness.advance(ms) };
}

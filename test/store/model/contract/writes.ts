/** Put, delete, delete of a range, increment: what they change and what they answer. */
import { expect, it } from 'vitest';
import { limitName } from '../../../../src/limits.ts';
import { allPairs, plain, refused, valueOf } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
const NO_WHOLE_NUMBERS = [-1, 1.5, NaN, Infinity, -Infinity, 2 ** 53];

export function testWrites(open: OpenHarness): void {
  it('counts revisions from 1, and the versions of a key', async () => {
    const { store } = await open();
    expect(await store.get('a')).toEqual({ entry: undefined, revision: 0 });
    expect(await store.put('a', '1')).toEqual({ revision: 1, previous: undefined });
    expect(await store.put('b', '2')).toMatchObject({ revision: 2 });
    expect(await store.put('a', '3')).toMatchObject({ revision: 3 });
    const { entry, revision } = await store.get('a');
    expect(revision).toBe(3);
    expect(plain(entry)).toEqual({
      key: 'a',
      value: '3',
      createRevision: 1,
      modRevision: 3,
      version: 2,
      leaseId: 0,
      expireTimeMs: 0,
    });
    await store.delete('a');
    await store.put('a', '4');
    expect(plain((await store.get('a')).entry)).toMatchObject({
      createRevision: 5,
      modRevision: 5,
      version: 1,
    });
  });

  it('gives the entry before when asked for', async () => {
    const { store } = await open();
    expect((await store.put('a', '1', { returnPrevious: true })).previous).toBeUndefined();
    const { previous } = await store.put('a', '2', { returnPrevious: true });
    expect(plain(previous)).toMatchObject({ key: 'a', value: '1', modRevision: 1, version: 1 });
    expect((await store.put('a', '3')).previous).toBeUndefined();
    const deleted = await store.delete('a', { returnPrevious: true });
    expect(deleted).toMatchObject({ revision: 4, deleted: true });
    expect(plain(deleted.previous)).toMatchObject({
      value: '3',
      createRevision: 1,
      modRevision: 3,
      version: 3,
    });
    expect((await store.put('a', '4', { returnPrevious: true })).previous).toBeUndefined();
    expect((await store.delete('a')).previous).toBeUndefined();
  });

  it('takes no revision for deleting what is not there', async () => {
    const { store } = await open();
    await store.put('a', '1');
    expect(await store.delete('x', { returnPrevious: true })).toEqual({
      revision: 1,
      deleted: false,
      previous: undefined,
    });
    expect(await store.deleteRange({ prefix: 'x' })).toEqual({
      firstRevision: 1,
      revision: 1,
      deletedCount: 0,
    });
    expect(await store.delete('a')).toMatchObject({ revision: 2, deleted: true });
    expect(await store.delete('a')).toMatchObject({ revision: 2, deleted: false });
    expect((await store.status()).revision).toBe(2);
  });

  it('deletes a range in one revision', async () => {
    const { store } = await open();
    for (const key of ['a', 'b1', 'b2', 'c']) await store.put(key, key);
    expect(await store.deleteRange({ prefix: 'b' })).toEqual({
      firstRevision: 5,
      revision: 5,
      deletedCount: 2,
    });
    expect(await allPairs(store)).toEqual(['a=a', 'c=c']);
    expect(await allPairs(store, {}, 4)).toHaveLength(4);
    expect(await store.deleteRange({ all: true })).toMatchObject({ revision: 6, deletedCount: 2 });
    expect(await store.count({})).toEqual({ count: 0, revision: 6 });
    expect((await store.status()).keyCount).toBe(0);
  });

  it('writes only when the key does not exist, if that is the condition', async () => {
    const { store } = await open();
    const condition = { kind: 'mustNotExist' } as const;
    await store.put('a', '1', { condition });
    await refused(store.put('a', '2', { condition }), 'conditionFailed', { currentModRevision: 1 });
    await refused(store.delete('a', { condition }), 'conditionFailed', { currentModRevision: 1 });
    expect(await store.delete('x', { condition })).toMatchObject({ deleted: false });
    await store.delete('a');
    await store.put('a', '3', { condition });
    expect(await valueOf(store, 'a')).toBe('3');
  });

  it('writes only when the key exists, if that is the condition', async () => {
    const { store } = await open();
    const condition = { kind: 'mustExist' } as const;
    await refused(store.put('a', '1', { condition }), 'conditionFailed', { currentModRevision: 0 });
    await refused(store.delete('a', { condition }), 'conditionFailed', { currentModRevision: 0 });
    await store.put('a', '1');
    await store.put('a', '2', { condition });
    expect(await store.delete('a', { condition })).toMatchObject({ deleted: true, revision: 3 });
  });

  it('writes only at one mod revision, if that is the condition; 0 stands for no key', async () => {
    const { store } = await open();
    const at = (modRevision: number) => ({ condition: { kind: 'modRevisionEquals', modRevision } as const });
    await refused(store.put('a', '1', at(1)), 'conditionFailed', { currentModRevision: 0 });
    await store.put('a', '1', at(0));
    await refused(store.put('a', '2', at(0)), 'conditionFailed', { currentModRevision: 1 });
    await store.put('b', 'x');
    await refused(store.put('a', '2', at(2)), 'conditionFailed', { currentModRevision: 1 });
    await store.put('a', '2', at(1));
    await refused(store.delete('a', at(1)), 'conditionFailed', { currentModRevision: 3 });
    await store.delete('a', at(3));
    expect((await store.status()).revision).toBe(4);
    for (const modRevision of NO_WHOLE_NUMBERS)
      await refused(store.put('a', '', at(modRevision)), 'invalidArgument');
  });

  it('sees with a condition the writes that were asked for before, answered or not', async () => {
    const { store } = await open();
    const condition = { kind: 'mustNotExist' } as const;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => store.put('lock', `${index}`, { condition })),
    );
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      ...Array.from({ length: 19 }, () => false),
    ]);
    expect(await valueOf(store, 'lock')).toBe('0');
  });

  it('lets calls take effect in the order in which they are made', async () => {
    const { store } = await open();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => store.put('a', `${index}`)));
    expect(answers.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    expect(await valueOf(store, 'a')).toBe('99');
    for (const revision of [1, 50, 100]) expect(await valueOf(store, 'a', revision)).toBe(`${revision - 1}`);
  });

  it('refuses what is no time to live, no lease id and no revision', async () => {
    const { store } = await open();
    for (const ttlMs of [...NO_WHOLE_NUMBERS, 0, 100 * 365 * 86_400_000 + 1]) {
      await refused(store.put('a', '1', { ttlMs }), 'invalidArgument');
      await refused(store.increment('a', 1n, { ttlMs }), 'invalidArgument');
    }
    for (const number of NO_WHOLE_NUMBERS) {
      await refused(store.put('a', '1', { leaseId: number }), 'invalidArgument');
      await refused(store.get('a', { revision: number }), 'invalidArgument');
      await refused(store.scan({}, { revision: number }), 'invalidArgument');
      await refused(store.count({}, { revision: number }), 'invalidArgument');
      await refused(store.compact(number), 'invalidArgument');
      await refused(store.getLease(number), 'invalidArgument');
    }
    expect((await store.status()).revision).toBe(0);
  });

  it('adds to a number that get shows as decimal text', async () => {
    const { store } = await open();
    expect(await store.increment('n', 5n)).toEqual({ value: 5n, revision: 1 });
    expect(await store.increment('n', -7n)).toEqual({ value: -2n, revision: 2 });
    expect(await valueOf(store, 'n')).toBe('-2');
    expect(await store.increment('zero', 0n)).toEqual({ value: 0n, revision: 3 });
    expect(await valueOf(store, 'zero')).toBe('0');
    await store.put('n', '-0');
    expect(await store.increment('n', 0n)).toMatchObject({ value: 0n });
    await store.put('n', '007');
    expect(await store.increment('n', 1n)).toMatchObject({ value: 8n });
    expect(plain((await store.get('n')).entry)).toMatchObject({ value: '8', createRevision: 1, version: 6 });
  });

  it('adds up to both ends of a signed 64-bit integer and not beyond', async () => {
    const { store } = await open();
    expect(await store.increment('n', INT64_MAX)).toMatchObject({ value: INT64_MAX });
    await refused(store.increment('n', 1n), 'integerOverflow');
    expect(await store.increment('n', INT64_MIN)).toMatchObject({ value: -1n });
    expect(await store.increment('n', INT64_MIN + 1n)).toMatchObject({ value: INT64_MIN });
    await refused(store.increment('n', -1n), 'integerOverflow');
    expect(await valueOf(store, 'n')).toBe(INT64_MIN.toString());
    expect(await store.increment('n', INT64_MAX)).toMatchObject({ value: -1n });
    expect((await store.status()).revision).toBe(4);
  });

  it('adds nothing to what is not the text of such an integer', async () => {
    const { store } = await open();
    const values = ['', ' 1', '1 ', '+1', '-', '--1', '1.0', '1e3', '0x10', '1\n', '١'];
    values.push(`${INT64_MAX + 1n}`, `${INT64_MIN - 1n}`, '1'.repeat(100));
    for (const value of values) {
      await store.put('n', value);
      await refused(store.increment('n', 1n), 'notAnInteger');
      expect(await valueOf(store, 'n')).toBe(value);
    }
    expect((await store.status()).revision).toBe(values.length);
  });

  it('refuses a value that is too long, and takes the longest', async () => {
    const { store } = await open({ valueBytesMax: 10 });
    await store.put('a', 'x'.repeat(10));
    await expect(store.put('a', 'x'.repeat(11))).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringContaining(`(${limitName('valueBytesMax')})`),
    });
    await refused(store.put('a', 'é'.repeat(6)), 'invalidArgument');
    await refused(
      store.txn({ success: [{ kind: 'put', key: 'b', value: 'x'.repeat(11) }] }),
      'invalidArgument',
    );
    expect(await allPairs(store)).toEqual(['a=xxxxxxxxxx']);
  });

  it('refuses a transaction with too many bytes as a whole', async () => {
    const { store } = await open({ valueBytesMax: 1000, txnBytesMax: 5096 });
    const puts = (keys: readonly string[]) =>
      keys.map((key) => ({ kind: 'put', key, value: 'x'.repeat(1000) }) as const);
    await store.txn({ success: puts(['a', 'b', 'c', 'd', 'e']) });
    await expect(store.txn({ success: puts(['f', 'g', 'h', 'i', 'j', 'k']) })).rejects.toMatchObject({
      code: 'limitReached',
      message: expect.stringContaining(`(${limitName('txnBytesMax')})`),
    });
    expect(await store.count({})).toEqual({ count: 5, revision: 1 });
  });
}

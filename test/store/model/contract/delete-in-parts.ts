/** Deleting a range: in one revision as long as that is not too much, in several where that is asked for. */
import { expect, it } from 'vitest';
import type { Operation, Store } from '../../../../src/api.ts';
import { isStoreError } from '../../../../src/errors.ts';
import { fixed } from '../../../../src/limits.ts';
import { allPairs, refused, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

const IN_PARTS = { inParts: true } as const;
const SEVERAL_PARTS = 8 * fixed.deletePartKeysMax;
/** Too many for one revision. */
const MANY = fixed.txnChangesMax + 20_000;
const TIMEOUT_MS = 120_000;

export function testDeleteInParts(open: OpenHarness): void {
  it('deletes few keys in one revision, in parts or not', async () => {
    const { store } = await open();
    for (const key of ['a', 'b1', 'b2', 'c']) await store.put(key, '');
    const watching = await Watching.live(store);
    expect(await store.deleteRange({ prefix: 'b' }, IN_PARTS)).toEqual({
      firstRevision: 5,
      revision: 5,
      deletedCount: 2,
    });
    expect(await watching.nextText()).toBe('5: delete b1 requested, delete b2 requested');
    expect(await store.deleteRange({ all: true }, { inParts: false })).toEqual({
      firstRevision: 6,
      revision: 6,
      deletedCount: 2,
    });
  });

  it('takes no revision for a range that holds nothing', async () => {
    const { store, clock } = await open();
    await store.put('a', '');
    await store.put('overdue', '', { ttlMs: 100 });
    clock.jump(100);
    const nothing = { firstRevision: 2, revision: 2, deletedCount: 0 };
    expect(await store.deleteRange({ prefix: 'x' }, IN_PARTS)).toEqual(nothing);
    expect(await store.deleteRange({ prefix: 'overdue' }, IN_PARTS)).toEqual(nothing);
    expect((await store.status()).revision).toBe(2);
  });

  it('ends before its next part when its signal is aborted, and tells what it has done', async () => {
    const { store } = await open();
    await fill(store, SEVERAL_PARTS);
    const { revision } = await store.status();
    const ending = new AbortController();
    const deletion = store.deleteRange({ prefix: 'k' }, { ...IN_PARTS, signal: ending.signal });
    const outcome = deletion.catch((error: unknown) => error);
    while ((await store.exists([keyOf(0)])).exists[0]) await new Promise(setImmediate);
    const reason = new Error('enough');
    ending.abort(reason);
    const error = await outcome;
    if (!isStoreError(error, 'partlyDeleted')) throw error;
    const { count } = await store.count({ prefix: 'k' });
    expect(count).toBeGreaterThan(0);
    const { keyCount, revision: last } = await store.status();
    expect(keyCount).toBe(count);
    expect(error.details).toEqual({
      firstRevision: revision + 1,
      revision: last,
      deletedCount: SEVERAL_PARTS - count,
    });
    expect(error.cause).toBe(reason);
    expect(error.message).toBe(
      `${SEVERAL_PARTS - count} keys were deleted in revisions ${revision + 1} to ${last} before the delete ended early: enough`,
    );
  });

  it('deletes nothing once its signal is aborted, and rejects with the reason', async () => {
    const { store } = await open();
    await store.put('a', '');
    const reason = new Error('never mind');
    const signal = AbortSignal.abort(reason);
    await expect(store.deleteRange({ all: true }, { ...IN_PARTS, signal })).rejects.toBe(reason);
    expect(await allPairs(store)).toEqual(['a=']);
  });

  it('refuses in parts what it refuses without', async () => {
    const { store } = await open();
    await refused(store.deleteRange({ start: 'b', end: 'a' }, IN_PARTS), 'invalidArgument');
    await refused(store.deleteRange({ prefix: '\ud800' }, IN_PARTS), 'invalidArgument');
  });

  it(
    'refuses to delete more keys in one revision than a transaction may change',
    { timeout: TIMEOUT_MS },
    async () => {
      const { store } = await open();
      expect(fixed.txnChangesMax).toBe(100_000);
      await fill(store, fixed.txnChangesMax + 1);
      const { revision } = await store.status();
      await expect(store.deleteRange({ prefix: 'k' })).rejects.toMatchObject({
        code: 'limitReached',
        message:
          'the range has 100001 keys, and a transaction changes at most 100000: give smaller ranges, or delete the range in several revisions (in_parts, kelp delete --in-parts)',
      });
      await refused(store.deleteRange({ all: true }, { inParts: false }), 'limitReached');
      const success: Operation[] = [
        { kind: 'put', key: 'other', value: '' },
        { kind: 'deleteRange', range: { prefix: 'k' } },
      ];
      await refused(store.txn({ success }), 'limitReached');
      expect(await store.status()).toMatchObject({ revision, keyCount: fixed.txnChangesMax + 1 });
      // What a transaction writes itself counts, too.
      await store.delete(keyOf(0));
      await refused(store.txn({ success }), 'limitReached');
      expect(await store.deleteRange({ prefix: 'k' })).toEqual({
        firstRevision: revision + 2,
        revision: revision + 2,
        deletedCount: fixed.txnChangesMax,
      });
      expect((await store.status()).keyCount).toBe(0);
    },
  );

  it(
    'deletes many keys in several revisions and in key order; what is written behind it stays',
    { timeout: TIMEOUT_MS },
    async () => {
      const { store } = await open();
      await store.put('j', '');
      await fill(store, MANY);
      await store.put('l', '');
      const before = (await store.status()).revision;
      let isOver = false;
      const deletion = store.deleteRange({ prefix: 'k' }, IN_PARTS).finally(() => (isOver = true));
      const back = await putOnceGone(store, keyOf(0), () => isOver);
      const { firstRevision, revision, deletedCount } = await deletion;
      expect(deletedCount).toBe(MANY);
      expect(firstRevision).toBe(before + 1);
      expect(back).toBeGreaterThan(firstRevision);
      expect(back).toBeLessThan(revision);
      expect(await allPairs(store)).toEqual(['j=', `${keyOf(0)}=back`, 'l=']);
      expect((await store.status()).revision).toBe(revision);
      const deleted = await deletedKeys(store, firstRevision, revision);
      expect(deleted).toHaveLength(MANY);
      expect(deleted.every((key, index) => key === keyOf(index))).toBe(true);
    },
  );
}

function keyOf(index: number): string {
  return `k${String(index).padStart(6, '0')}`;
}

async function fill(store: Store, count: number): Promise<void> {
  for (let from = 0; from < count; from += 10_000) {
    const length = Math.min(10_000, count - from);
    const success = Array.from({ length }, (_, index): Operation => {
      return { kind: 'put', key: keyOf(from + index), value: '' };
    });
    await store.txn({ success });
  }
}

/** Tries in each turn of the event loop to write a key that does not exist. @returns the revision at which it could. */
async function putOnceGone(store: Store, key: string, isOver: () => boolean): Promise<number> {
  const condition = { kind: 'mustNotExist' } as const;
  const revisions: number[] = [];
  const fail = (error: unknown): void => {
    if (!isStoreError(error, 'conditionFailed')) throw error;
  };
  const tries: Promise<void>[] = [];
  while (revisions.length === 0 && !isOver()) {
    const put = store.put(key, 'back', { condition });
    tries.push(put.then(({ revision }) => void revisions.push(revision), fail));
    await new Promise(setImmediate);
  }
  await Promise.all(tries);
  const [revision] = revisions;
  if (revision === undefined) throw new Error(`${key} was never gone before all were deleted`);
  return revision;
}

/** In the order in which a watch tells of them. */
async function deletedKeys(store: Store, firstRevision: number, revision: number): Promise<string[]> {
  const watching = new Watching(store, { startRevision: firstRevision, eventTypes: ['delete'] });
  const keys: string[] = [];
  for (;;) {
    const message = await watching.next();
    if (message.kind !== 'events')
      throw new Error(`a message of kind ${message.kind} before revision ${revision}`);
    for (const event of message.events) if (event.type === 'delete') keys.push(event.key);
    if (message.revision === revision && !message.moreFragments) return keys;
  }
}

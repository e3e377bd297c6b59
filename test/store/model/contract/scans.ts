/** Pages of a range: order, limits, tokens, revisions. */
import { expect, it } from 'vitest';
import type { ScanPageOptions, Store } from '../../../../src/api.ts';
import { pairOf, plain, refused } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';
import { textKey } from '../../../support/text-key.ts';

export function testScans(open: OpenHarness): void {
  it('gives pages that end exactly with the range', async () => {
    const { store } = await open();
    await putAll(store, ['a', 'b', 'c', 'd']);
    expect(await pagesOf(store, { limit: 2 })).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(await pagesOf(store, { limit: 3 })).toEqual([['a', 'b', 'c'], ['d']]);
    expect(await pagesOf(store, { limit: 4 })).toEqual([['a', 'b', 'c', 'd']]);
    expect(await pagesOf(store, { limit: 1, reverse: true })).toEqual([['d'], ['c'], ['b'], ['a']]);
    expect(await pagesOf(store, { limit: 3, reverse: true })).toEqual([['d', 'c', 'b'], ['a']]);
    expect(await pagesOf(store, { limit: 2 }, { start: 'b', end: 'd' })).toEqual([['b', 'c']]);
    expect(await pagesOf(store, { limit: 1, reverse: true }, { start: 'b', end: 'd' })).toEqual([
      ['c'],
      ['b'],
    ]);
  });

  it('answers an empty range with one empty page', async () => {
    const { store } = await open();
    expect(await store.scan({})).toEqual({ entries: [], nextPageToken: '', revision: 0, incarnation: '' });
    await store.put('a', '1');
    expect(await store.scan({ prefix: 'b' })).toMatchObject({ entries: [], nextPageToken: '', revision: 1 });
    expect(await store.scan({ prefix: 'b' }, { reverse: true })).toMatchObject({
      entries: [],
      nextPageToken: '',
    });
  });

  it('gives whole entries, or entries without values', async () => {
    const { store } = await open();
    await store.put('a', 'one');
    await store.put('a', 'two');
    const { entries } = await store.scan({});
    expect(entries.map(plain)).toEqual([
      { key: 'a', value: 'two', createRevision: 1, modRevision: 2, version: 2, leaseId: 0, expireTimeMs: 0 },
    ]);
    const bare = await store.scan({}, { keysOnly: true });
    expect(bare.entries.map(plain)).toEqual([{ ...entries.map(plain)[0], value: '' }]);
  });

  it('shows one revision on all pages, whatever is written between them', async () => {
    const { store } = await open();
    await putAll(store, ['a', 'b', 'c', 'd']);
    for (const reverse of [false, true]) {
      const first = await store.scan({}, { limit: 1, reverse });
      await store.put(reverse ? 'a0' : 'c0', 'new');
      await store.delete(reverse ? 'b' : 'd');
      await store.put('c', 'changed');
      const second = await store.scan({}, { limit: 10, reverse, pageToken: first.nextPageToken });
      expect(second.revision).toBe(first.revision);
      const seen = [...first.entries, ...second.entries].map(pairOf);
      const before = await store.scan({}, { revision: first.revision, reverse });
      expect(seen).toEqual(before.entries.map(pairOf));
    }
  });

  it('reads at an old revision', async () => {
    const { store } = await open();
    await store.put('a', '1');
    await store.put('b', '2');
    await store.delete('a');
    const at = async (revision: number) => (await store.scan({}, { revision })).entries.map(pairOf);
    expect(await at(1)).toEqual(['a=1']);
    expect(await at(2)).toEqual(['a=1', 'b=2']);
    expect(await at(3)).toEqual(['b=2']);
    expect(await at(0)).toEqual(['b=2']);
    expect(await store.count({}, { revision: 2 })).toEqual({ count: 2, revision: 2 });
    expect(await store.count({})).toEqual({ count: 1, revision: 3 });
    const future = { requestedRevision: 4, newestRevision: 3 };
    await refused(store.scan({}, { revision: 4 }), 'revisionFuture', future);
    await refused(store.count({}, { revision: 4 }), 'revisionFuture', future);
    await refused(store.get('a', { revision: 4 }), 'revisionFuture', future);
  });

  it('takes a token only for the request that it came from', async () => {
    const { store } = await open();
    await putAll(store, ['a', 'b', 'c']);
    const { nextPageToken: pageToken } = await store.scan({ prefix: '' }, { limit: 1 });
    expect(pageToken).not.toBe('');
    await refused(store.scan({ prefix: 'a' }, { pageToken }), 'invalidArgument');
    await refused(store.scan({ end: 'c' }, { pageToken }), 'invalidArgument');
    await refused(store.scan({ prefix: '' }, { pageToken, reverse: true }), 'invalidArgument');
    await refused(store.scan({ prefix: '' }, { pageToken, keysOnly: true }), 'invalidArgument');
    await refused(store.scan({ prefix: '' }, { pageToken, revision: 3 }), 'invalidArgument');
    await refused(store.keys('*', { pageToken }), 'invalidArgument');
    await refused(store.listLeases({ pageToken }), 'invalidArgument');
    for (const garbage of [
      'x',
      pageToken.slice(0, -3),
      pageToken.slice(4),
      '=',
      '\u{1f40b}',
      'A'.repeat(9999),
    ]) {
      const outcome = await store
        .scan({ prefix: '' }, { pageToken: garbage })
        .catch((error: unknown) => error);
      expect(outcome instanceof Error ? outcome : 'page').toMatchObject({ code: 'invalidArgument' });
    }
    expect((await store.scan({ prefix: '' }, { pageToken })).entries.map(pairOf)).toEqual(['b=b', 'c=c']);
  });

  it('takes a token with another limit, and more than once', async () => {
    const { store } = await open();
    await putAll(store, ['a', 'b', 'c', 'd']);
    const { nextPageToken: pageToken } = await store.scan({}, { limit: 1 });
    expect((await store.scan({}, { limit: 2, pageToken })).entries.map(pairOf)).toEqual(['b=b', 'c=c']);
    expect((await store.scan({}, { pageToken })).entries.map(pairOf)).toEqual(['b=b', 'c=c', 'd=d']);
  });

  it('takes 1 to 10000 as limit: 0 is 1000, more is 10000, anything else is refused', async () => {
    const { store } = await open();
    await putMany(store, 10_050);
    const countOf = async (options: ScanPageOptions) => (await store.scan({}, options)).entries.length;
    expect(await countOf({})).toBe(1000);
    expect(await countOf({ limit: 0 })).toBe(1000);
    expect(await countOf({ limit: 10_000 })).toBe(10_000);
    expect(await countOf({ limit: 2 ** 40 })).toBe(10_000);
    expect((await store.keys('*', { limit: 20_000 })).keys).toHaveLength(10_000);
    for (const limit of [-1, 0.5, NaN, Infinity]) {
      await refused(store.scan({}, { limit }), 'invalidArgument');
      await refused(store.keys('*', { limit }), 'invalidArgument');
      await refused(store.listLeases({ limit }), 'invalidArgument');
    }
    expect((await pagesOf(store, { limit: 10_000 })).flat()).toHaveLength(10_050);
    expect(await store.count({})).toMatchObject({ count: 10_050 });
  });

  it('ends a page after 2 MiB, but gives at least one entry', async () => {
    const { store } = await open();
    const mebibyte = new Uint8Array(1024 * 1024);
    for (const key of ['a', 'b', 'c', 'd', 'e']) await store.put(key, mebibyte);
    await store.put('f', new Uint8Array(5 * 1024 * 1024));
    await store.put('g', mebibyte);
    expect(await pagesOf(store, {})).toEqual([['a', 'b'], ['c', 'd'], ['e', 'f'], ['g']]);
    expect(await pagesOf(store, { keysOnly: true })).toHaveLength(1);
  });

  it('passes over a long row of deleted keys', async () => {
    const { store } = await open();
    await putMany(store, 25_000);
    await store.put('z', 'last');
    await store.deleteRange({ prefix: 'k' });
    expect((await pagesOf(store, {})).flat()).toEqual(['z']);
    expect((await pagesOf(store, { reverse: true })).flat()).toEqual(['z']);
    expect(await store.count({})).toMatchObject({ count: 1 });
    expect(await keysOf(store, '*')).toEqual(['z']);
  });
}

async function putAll(store: Store, keys: readonly string[]): Promise<void> {
  for (const key of keys) await store.put(key, key);
}

/** Puts keys that begin with `k`, in transactions of 5000. */
async function putMany(store: Store, count: number): Promise<void> {
  for (let from = 0; from < count; from += 5000) {
    const length = Math.min(5000, count - from);
    const key = (index: number) => `k${String(from + index).padStart(8, '0')}`;
    await store.txn({
      success: Array.from({ length }, (_, index) => ({ kind: 'put', key: key(index), value: '' })),
    });
  }
}

async function pagesOf(store: Store, options: ScanPageOptions, range = {}): Promise<string[][]> {
  const pages: string[][] = [];
  let pageToken = '';
  do {
    const page = await store.scan(range, { ...options, pageToken });
    pages.push(page.entries.map(({ key }) => key));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return pages;
}

async function keysOf(store: Store, pattern: string): Promise<string[]> {
  const keys: string[] = [];
  let pageToken = '';
  do {
    const page = await store.keys(pattern, { pageToken });
    keys.push(...page.keys.map(textKey));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return keys;
}

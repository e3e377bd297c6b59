/** Pages of entries whose keys match a glob: what a filter over the whole range would give, in all directions and page lengths. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { KeyRange } from '../../src/api.ts';
import { fixed } from '../../src/limits.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { engineOfStore } from '../store/model/engine-of-harness.ts';
import { temporaryDirectory } from '../support/test-server.ts';

async function opened(): Promise<KvStore> {
  const dataDir = await temporaryDirectory();
  const store = await openUncheckedStore({ dataDir, fsync: 'never', ...engineOfStore() });
  onTestFinished(() => store.close());
  return store;
}

async function allPages(
  store: KvStore,
  range: KeyRange,
  options: { readonly match: string; readonly limit?: number; readonly reverse?: boolean },
): Promise<{ readonly keys: string[]; readonly pageCount: number }> {
  const keys: string[] = [];
  let pageToken = '';
  let pageCount = 0;
  do {
    const page = await store.scan(range, { ...options, pageToken });
    keys.push(...page.entries.map(({ key }) => key));
    ({ nextPageToken: pageToken } = page);
    pageCount++;
  } while (pageToken !== '');
  return { keys, pageCount };
}

const KEYS = ['a/1', 'a/2', 'b', 'user:1:mail', 'user:1:name', 'user:2:name', 'user:3:mail', 'z'];

describe('a page of what matches', () => {
  test.each<[string, KeyRange, string, string[]]>([
    ['all keys', {}, 'user:*:name', ['user:1:name', 'user:2:name']],
    ['a prefix', { prefix: 'user:2' }, '*:name', ['user:2:name']],
    ['a prefix with no match', { prefix: 'a/' }, 'user:*', []],
    ['a prefix behind the head', { prefix: 'b' }, 'a*', []],
    ['bounds', { start: 'user:1:n', end: 'user:3' }, 'user:*', ['user:1:name', 'user:2:name']],
    ['one key', { key: 'b' }, '?', ['b']],
  ])('of %s is what a filter would give', async (_, range, match, wanted) => {
    const store = await opened();
    for (const key of KEYS) await store.put(key, key);
    for (const limit of [0, 1, 2]) {
      expect((await allPages(store, range, { match, limit })).keys).toEqual(wanted);
      expect((await allPages(store, range, { match, limit, reverse: true })).keys).toEqual(
        wanted.toReversed(),
      );
    }
  });

  test('is of the revision that was asked for', async () => {
    const store = await opened();
    await store.put('a1', '1');
    await store.put('a1', '2');
    await store.put('a2', '1');
    const { entries } = await store.scan({}, { match: 'a*', revision: 1 });
    expect(entries.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([['a1', '1']]);
  });

  test('ends after so many keys that do not match, and goes on from there', async () => {
    const store = await opened();
    const puts = Array.from({ length: fixed.pageVisitsMax + 10 }, (_, index) => `k${100_000 + index}`);
    await Promise.all(puts.map((key) => store.put(key, '')));
    const last = puts.at(-1) ?? '';
    const { keys, pageCount } = await allPages(store, {}, { match: `*${last.slice(-5)}` });
    expect(keys).toEqual([last]);
    expect(pageCount).toBe(2);
  });

  test('has a token that another pattern does not take', async () => {
    const store = await opened();
    for (const key of KEYS) await store.put(key, '');
    const { nextPageToken: pageToken } = await store.scan({}, { match: 'user*', limit: 1 });
    for (const options of [{}, { match: 'user:*' }]) {
      await expect(store.scan({}, { ...options, pageToken })).rejects.toMatchObject({
        code: 'invalidArgument',
      });
    }
  });
});

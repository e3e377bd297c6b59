/** What is read of a sorted set element by element is what its ranks tell. */
import { expect, test } from 'vitest';
import type { SortedSetRange } from '../../src/api-collections.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { collectionReaders, rangePageOf } from '../../src/kv/collections/read-calls.ts';
import { walkAndCount, walkToRange, walkToRank } from '../../src/kv/collections/sorted-set-walks.ts';
import { fixed } from '../../src/limits.ts';
import { SeededRandom } from '../support/random.ts';

const KEY = 'set';
const charge = (): void => undefined;
const { signal } = new AbortController();

/** Members m0, m1 and so on, some with the same score. */
async function filled(store: KvStore, random: SeededRandom, count: number): Promise<void> {
  for (let from = 0; from < count; from += 1000) {
    const members = Array.from({ length: Math.min(1000, count - from) }, (_, index) => ({
      member: `m${from + index}`,
      score: random.below(50),
    }));
    await store.operate({ kind: 'sortedSetAdd', key: KEY, members });
  }
}

/** More than a piece of a walk visits is in the longest. */
test.each([0, 1, 20, 500, fixed.pageVisitsMax + 100])('of a set of %i elements', async (count) => {
  const seed = count + 1;
  const random = new SeededRandom(seed);
  const store = await openUncheckedStore({ dataDir: null });
  await filled(store, random, count);
  const ranges: (SortedSetRange | undefined)[] = [
    undefined,
    { score: { min: 10, max: 30, minExclusive: true } },
    { rank: { start: 0, stop: 5 } },
    { rank: { start: Math.floor(count / 2), stop: -2 } },
    { rank: { start: count - 1, stop: -1 } },
    { rank: { start: count, stop: count + 5 } },
  ];
  for (const range of ranges) {
    const asked = { key: KEY, range };
    expect(await walkAndCount(store, asked, signal), `seed ${seed}`).toEqual(
      await collectionReaders.sortedSetCount(store, asked, charge),
    );
    if (range === undefined || !('rank' in range)) continue;
    for (const reverse of [false, true]) {
      const page = { key: KEY, range, reverse, revision: 0, limit: 7, pageToken: '' };
      const found = await walkToRange(store, rangePageOf(page), charge, signal);
      const { nextPageToken, ...expected } = await collectionReaders.sortedSetRange(store, page, charge);
      expect(found, `seed ${seed}`).toMatchObject(expected);
      if (nextPageToken === '') continue;
      // The next page goes on from there.
      const next = { ...page, pageToken: found.nextPageToken };
      const expectedNext = { ...page, pageToken: nextPageToken };
      expect((await collectionReaders.sortedSetRange(store, next, charge)).members).toEqual(
        (await collectionReaders.sortedSetRange(store, expectedNext, charge)).members,
      );
    }
  }
  for (const member of ['m0', `m${Math.max(0, count - 1)}`, `m${random.below(count + 1)}`, 'absent']) {
    for (const reverse of [false, true]) {
      const asked = { key: KEY, member, reverse };
      expect(await walkToRank(store, asked, signal), `seed ${seed}, ${member}`).toEqual(
        await collectionReaders.sortedSetRank(store, asked, charge),
      );
    }
  }
  await store.close();
});

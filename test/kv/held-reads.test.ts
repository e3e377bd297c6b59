/**
 * Reads in process that take several calls show one revision to their end, whatever drops history meanwhile: checkpoints and compaction. They
 * hold it back for as long as a long reply may.
 */
import { expect, test } from 'vitest';
import type { KvStore } from '../../src/kv/kv-store.ts';
import type { PagedList } from '../../src/paged-list.ts';
import { fixed } from '../../src/limits.ts';
import { SeamHarness } from '../store/seam/seam-harness.ts';

const COUNT = 2 * fixed.pageLimitMax + 5000;
const names = Array.from({ length: COUNT }, (_, index) => `e${100_000 + index}`);
const LONG = { timeout: 120_000 };

type Open = (store: KvStore) => PagedList<unknown>;

const lists: readonly (readonly [string, (store: KvStore, part: string[]) => Promise<unknown>, Open])[] = [
  ['list', ({ list }, part) => list.push('k', part), ({ list }) => list.scan('k')],
  [
    'hash',
    ({ hash }, part) =>
      hash.set(
        'k',
        part.map((name) => [name, 'v'] as const),
      ),
    ({ hash }) => hash.scan('k'),
  ],
  ['set', ({ set }, part) => set.add('k', part), ({ set }) => set.scan('k')],
  [
    'sorted set',
    ({ sortedSet }, part) =>
      sortedSet.add(
        'k',
        part.map((name) => [name, 1] as const),
      ),
    ({ sortedSet }) => sortedSet.range('k'),
  ],
  [
    'sorted set by rank',
    ({ sortedSet }, part) =>
      sortedSet.add(
        'k',
        part.map((name) => [name, 1] as const),
      ),
    ({ sortedSet }) => sortedSet.range('k', { rank: {} }),
  ],
];

test.each(lists)('a %s is read page by page at one revision past compactions', LONG, async (_, add, open) => {
  const { harness, store } = await filled(add);
  let count = 0;
  const revisions = new Set<number>();
  for await (const { items, revision } of open(store).pages()) {
    count += items.length;
    if (items.length > 0) revisions.add(revision);
    await dropHistory(store);
  }
  expect(count).toBe(COUNT);
  expect(revisions.size).toBe(1);
  await dropHistory(store);
  expect(harness.store.oldestRevision).toBe(harness.store.visibleRevision);
});

test('a list is read by one call at one revision past compactions', LONG, async () => {
  const { store } = await filled(({ list }, part) => list.push('k', part));
  // Before each answer that the call waits for.
  const readSeam = store.readSeam.bind(store);
  let answers = 0;
  store.readSeam = async (given, read) => {
    if (answers++ > 0) await dropHistory(store);
    return await readSeam(given, read);
  };
  const { elements } = await store.list.range('k');
  expect(elements).toHaveLength(COUNT);
  expect(answers).toBeGreaterThan(2);
});

test('a loop that is left holds nothing any more, and one that stands still only so long', LONG, async () => {
  const { harness, store } = await filled(({ set }, part) => set.add('k', part));
  for await (const page of store.set.scan('k').pages()) {
    expect(page.items.length).toBeGreaterThan(0);
    break;
  }
  await dropHistory(store);
  expect(harness.store.oldestRevision).toBe(harness.store.visibleRevision);

  const still = store.set.scan('k').pages();
  await still.next();
  const { visibleRevision } = harness.store;
  await dropHistory(store);
  expect(harness.store.oldestRevision).toBe(visibleRevision);
  harness.clock.advance(fixed.pinMsMax);
  await dropHistory(store);
  expect(harness.store.oldestRevision).toBeGreaterThan(visibleRevision);
  await expect(still.next()).rejects.toMatchObject({ code: 'revisionCompacted' });
});

async function filled(
  add: (store: KvStore, part: string[]) => Promise<unknown>,
): Promise<{ harness: SeamHarness; store: KvStore }> {
  const harness = await SeamHarness.open();
  const store = harness.calls;
  for (let from = 0; from < COUNT; from += 5000) await add(store, names.slice(from, from + 5000));
  return { harness, store };
}

/** What was read last can't be read any more, unless something holds it. */
async function dropHistory(store: KvStore): Promise<void> {
  await store.put('other', 'v');
  const { revision } = await store.put('other', 'w');
  await store.compact(revision);
}

/** Seeded random calls on collections answer alike through the client and in process: results, revisions and the codes of errors. */
import { expect, test } from 'vitest';
import { Bytes } from '../../src/collections/bytes.ts';
import { HashFields } from '../../src/collections/hash-fields.ts';
import { PagedList } from '../../src/paged-list.ts';
import { SeededRandom } from '../support/random.ts';
import { type Face, faces } from './faces.ts';

const CALLS = 1500;
const seeds = [1, 2, 3];

type Call = (store: Face) => unknown;

/** What is made of an answer to be compared: what comes in no order is sorted. */
async function comparable(made: unknown): Promise<unknown> {
  try {
    const answer = plain(made instanceof PagedList ? await made.toArray() : await made);
    return made instanceof PagedList && Array.isArray(answer) ? answer.map(asText).toSorted() : answer;
  } catch (error) {
    return { code: (error as { code?: unknown }).code };
  }
}

function asText(value: unknown): string {
  return JSON.stringify(value);
}

function plain(value: unknown): unknown {
  if (value instanceof Bytes) return value.text();
  if (value instanceof HashFields) return plain([...value].toSorted(byName));
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

function byName(one: { readonly name: Bytes }, other: { readonly name: Bytes }): number {
  return one.name.text() < other.name.text() ? -1 : 1;
}

/** @param revisionMax up to which old states are asked for; one more is in the future. */
function anyCall(random: SeededRandom, revisionMax: number): Call {
  const anyKey = random.pick(['hash', 'list2', 'set', 'sorted', 'sketch', 'none', '']);
  const suffixes = [random.pick(['', '2', '3']), random.pick(['', '2', '3'])];
  const isOwn = random.chance(0.85);
  // Mostly keys of the type.
  const keysOf = (own: string): readonly [string, string] =>
    isOwn ? [`${own}${suffixes[0]}`, `${own}${suffixes[1]}`] : [anyKey, `${own}${suffixes[1]}`];
  const word = (): string => `w${random.below(12)}`;
  const words = (): string[] => Array.from({ length: random.below(6) }, word);
  const many = (): string[] => Array.from({ length: random.below(400) }, () => `m${random.below(600)}`);
  const index = (): number => random.between(-12, 12);
  const score = (): number => random.pick([0, -0, 1.5, -3, 7, Infinity, -Infinity, random.below(20)]);
  const flag = (): boolean => random.chance(0.3);
  const revision = random.chance(0.3) ? random.between(0, revisionMax + 1) : 0;
  const end = random.pick(['head', 'tail'] as const);
  const operation = random.pick(['union', 'intersection', 'difference'] as const);
  const range = random.pick([
    {},
    { rank: { start: index(), stop: index() } },
    { score: { min: score(), max: score(), minExclusive: flag(), maxExclusive: flag() } },
    { member: { min: word(), max: word(), minExclusive: flag() } },
  ]);
  const refreshTtl = random.chance(0.1);
  const pageSize = random.between(1, 50);
  const given = random.chance(0.15) ? many() : words();
  const [first, second, number, at, whole] = [word(), word(), score(), index(), random.below(40) - 20];
  const [yes, also] = [flag(), flag()];
  const [hashKey] = keysOf('hash');
  const [listKey, otherList] = keysOf('list');
  const [setKey, otherSet] = keysOf('set');
  const [sortedKey, otherSorted] = keysOf('sorted');
  const [sketchKey, otherSketch] = keysOf('sketch');
  const [filterKey] = keysOf('filter');
  const isStored = random.chance(0.3);
  return random.pick<Call>([
    ({ hash }) =>
      hash.set(
        hashKey,
        given.map((name) => [name, second] as const),
        { onlyIfAbsent: yes },
      ),
    ({ hash }) => hash.get(hashKey, { revision, refreshTtl, ...(yes ? {} : { names: given }) }),
    ({ hash }) => hash.scan(hashKey, { revision, pageSize, namesOnly: yes }),
    ({ hash }) => hash.delete(hashKey, given),
    ({ hash }) => hash.increment(hashKey, first, whole),
    ({ hash }) => hash.incrementFloat(hashKey, `float ${first}`, number),
    ({ list }) => list.push(listKey, given, { end, onlyIfExists: yes }),
    ({ list }) => list.pop(listKey, { end, limit: 1 + Math.abs(at) }),
    ({ list }) => list.range(listKey, { start: at, stop: whole, revision, refreshTtl }),
    ({ list }) => list.range(listKey),
    ({ list }) => list.scan(listKey, { start: whole, stop: at, revision, pageSize }),
    ({ list }) => list.set(listKey, at, first),
    ({ list }) => list.insert(listKey, first, yes ? { before: second } : { behind: second }),
    ({ list }) => list.remove(listKey, first, { limit: at }),
    ({ list }) => list.trim(listKey, { start: Math.floor(at / 6), stop: -1 }),
    ({ list }) => list.move(listKey, otherList, { from: end, to: yes ? 'head' : 'tail' }),
    ({ set }) => set.add(setKey, given),
    ({ set }) => set.remove(setKey, given),
    ({ set }) => set.contains(setKey, given, { revision, refreshTtl }),
    ({ set }) => set.scan(setKey, { revision, pageSize }),
    ({ set }) => set.combine(operation, [setKey, otherSet], isStored ? { destination: 'set3' } : {}),
    ({ sortedSet }) =>
      sortedSet.add(
        sortedKey,
        given.map((name, place) => [name, number + place] as const),
        {
          onlyIfAbsent: yes,
          onlyIfGreater: also,
        },
      ),
    ({ sortedSet }) => sortedSet.increment(sortedKey, first, whole, { onlyIfExists: yes }),
    ({ sortedSet }) => sortedSet.remove(sortedKey, given),
    ({ sortedSet }) => sortedSet.score(sortedKey, given, { revision, refreshTtl }),
    ({ sortedSet }) => sortedSet.rank(sortedKey, first, { reverse: yes }),
    ({ sortedSet }) => sortedSet.range(sortedKey, range, { reverse: yes, revision, pageSize }),
    ({ sortedSet }) => sortedSet.range(sortedKey, range, { reverse: yes, pageSize, limit: Math.abs(at) }),
    ({ sortedSet }) => sortedSet.count(sortedKey, range),
    ({ sortedSet }) => sortedSet.removeRange(sortedKey, range as { rank: object }),
    ({ sortedSet }) => sortedSet.pop(sortedKey, { highest: yes, limit: 1 + Math.abs(at) }),
    ({ sortedSet }) =>
      sortedSet.combine(operation, [sortedKey, yes ? otherSorted : otherSet], {
        ...(isStored ? { destination: 'sorted3' } : {}),
        aggregate: also ? 'max' : 'sum',
      }),
    ({ sketch }) => sketch.hllAdd(sketchKey, given),
    ({ sketch }) => sketch.hllCount([sketchKey, otherSketch], { revision }),
    ({ sketch }) => sketch.hllMerge(sketchKey, [otherSketch]),
    ({ sketch }) => sketch.bloomCreate(filterKey, { errorRate: 0.1, capacity: 4, nonScaling: yes }),
    ({ sketch }) => sketch.bloomAdd(filterKey, given),
    ({ sketch }) => sketch.bloomContains(filterKey, given, { revision, refreshTtl }),
    async (store) => {
      const { entry, revision: shown } = await store.get(otherSet);
      return { type: entry?.type, version: entry?.version, revision: shown };
    },
    (store) => (yes ? store.delete(hashKey) : undefined),
  ]);
}

test.each(seeds)('random calls of seed %i answer alike', { timeout: 120_000 }, async (seed) => {
  const opened = await Promise.all(faces.map(([, open]) => open()));
  const random = new SeededRandom(seed);
  let revision = 0;
  const told = { answers: 0, errors: 0 };
  for (let count = 0; count < CALLS; count++) {
    const call = anyCall(random, revision);
    const answers: unknown[] = [];
    for (const store of opened) answers.push(await comparable(call(store)));
    const [one, other] = answers;
    expect(other, `seed ${seed}, call ${count}: ${String(call)}`).toEqual(one);
    const { revision: newest, code } = (one ?? {}) as { revision?: number; code?: string };
    revision = Math.max(revision, newest ?? 0);
    told[code === undefined ? 'answers' : 'errors']++;
  }
  // Most calls must do something for this to prove anything.
  expect(told.answers).toBeGreaterThan(CALLS / 2);
  expect(told.errors).toBeGreaterThan(CALLS / 20);
  expect(revision).toBeGreaterThan(CALLS / 10);
});

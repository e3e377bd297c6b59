/** Checks of operations on collections, for the store in process and the client alike. */
import type {
  CollectionOperation,
  HashFieldInput,
  ListEnd,
  MemberBounds,
  RankBounds,
  ScoreAggregate,
  ScoreBounds,
  ScoredMemberInput,
  SetOperation,
  SortedSetRange,
} from '../api-collections.ts';
import type { Key } from '../api-value.ts';
import { fixed } from '../limits.ts';
import { type Check, flag, listOf, mustBe, numberThat, oneOf, required, wholeNumber } from './check.ts';
import { count } from './count.ts';
import { isKey, keyList } from './key.ts';
import { exactlyOne, shape, type Table } from './shape.ts';
import { value } from './value.ts';

const { integerMax } = fixed;

/** Counts from the end where it is negative. */
export const index = wholeNumber(-integerMax, integerMax);
export const values = listOf(value, 'texts or bytes');

/** A score, or a weight. */
export const score = numberThat((given) => !Number.isNaN(given), 'a number that is not NaN');
export const finite = numberThat(Number.isFinite, 'a finite number');
export const weights = listOf(score, 'numbers');

/** The key that gets a result. An empty one may come of a variable that was not set, and is not taken for one that was left out. */
export const destination: Check<Key> = (given) =>
  isKey(given) ??
  ((given as Key).length === 0 ? ' is empty; leave it out to get the result itself' : undefined);

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** What an increment adds: a bigint of 64 bits, or a number that is exact. */
export const delta: Check<bigint | number> = (given) => {
  const isDelta =
    typeof given === 'bigint' ? given >= INT64_MIN && given <= INT64_MAX : Number.isSafeInteger(given);
  return isDelta ? undefined : mustBe(given, 'a bigint of 64 bits or a whole number up to 2^53 - 1');
};

export const listEnd = oneOf<ListEnd>(['head', 'tail']);
export const setOperation = oneOf<SetOperation>(['union', 'intersection', 'difference']);
export const aggregate = oneOf<ScoreAggregate>(['sum', 'min', 'max']);

export const rankBounds = shape<RankBounds>({ start: index, stop: index });

/** The kinds of parts that a sorted set has. */
export const rangeTable = {
  rank: rankBounds,
  score: shape<ScoreBounds>({ min: score, max: score, minExclusive: flag, maxExclusive: flag }),
  member: shape<MemberBounds>({ min: value, max: value, minExclusive: flag, maxExclusive: flag }),
};

/** Of a Bloom filter. */
export const filterTable = {
  errorRate: numberThat((rate) => rate > 0 && rate < 1, 'a number above 0 and below 1'),
  capacity: wholeNumber(1, integerMax),
  expansion: wholeNumber(1, fixed.bloomExpansionMax),
  nonScaling: flag,
};

/** What stands against a score. */
export const scoreConditions = {
  onlyIfAbsent: flag,
  onlyIfExists: flag,
  onlyIfGreater: flag,
  onlyIfLess: flag,
};

type Tables = {
  readonly [Kind in CollectionOperation['kind']]: Table<Omit<CollectionOperation<Kind>, 'kind'>>;
};

/** @param ttlMs which times to live the caller takes. */
export function collectionTables(ttlMs: Check<number>): Tables {
  const key = required(isKey);
  const named = { key, members: required(values) };
  const elements = { key, elements: required(values), ttlMs };
  return {
    hashSet: {
      key,
      fields: required(
        listOf(shape<HashFieldInput>({ name: required(value), value: required(value) }), 'fields'),
      ),
      onlyIfAbsent: flag,
      ttlMs,
    },
    hashDelete: { key, names: required(values) },
    hashIncrement: { key, name: required(value), delta, floatDelta: finite, ttlMs },
    listPush: { ...elements, end: listEnd, onlyIfExists: flag },
    listPop: { key, end: listEnd, limit: count },
    listSet: { key, index: required(index), element: required(value) },
    listInsert: { key, pivot: required(value), element: required(value), isBehind: flag },
    listRemove: { key, element: required(value), limit: index },
    listTrim: { key, start: index, stop: index },
    listMove: { key, destination: required(isKey), from: listEnd, to: listEnd },
    setAdd: { ...named, ttlMs },
    setRemove: named,
    setPop: { key, limit: count },
    setCombine: {
      keys: required(keyList),
      operation: required(setOperation),
      destination,
      limit: count,
    },
    sortedSetAdd: {
      key,
      members: required(
        listOf(shape<ScoredMemberInput>({ member: required(value), score: required(score) }), 'members'),
      ),
      ...scoreConditions,
      increment: flag,
      ttlMs,
    },
    sortedSetRemove: named,
    sortedSetRemoveRange: { key, range: required(exactlyOne<SortedSetRange>(rangeTable)) },
    sortedSetPop: { key, highest: flag, limit: count },
    sortedSetCombine: {
      keys: required(keyList),
      operation: required(setOperation),
      weights,
      aggregate,
      destination,
    },
    hllAdd: elements,
    hllMerge: { key, sources: required(keyList) },
    bloomCreate: {
      key,
      ...filterTable,
      ttlMs,
    },
    bloomAdd: elements,
  };
}

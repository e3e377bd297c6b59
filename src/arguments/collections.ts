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
import { fixed } from '../limits.ts';
import { type Check, flag, listOf, mustBe, numberThat, oneOf, required, wholeNumber } from './check.ts';
import { isKey } from './key.ts';
import { exactlyOne, shape, type Table } from './shape.ts';
import { value } from './value.ts';

const { integerMax } = fixed;
const count = wholeNumber(0, integerMax);
const index = wholeNumber(-integerMax, integerMax);
const values = listOf(value, 'values');
const keys = listOf(isKey, 'keys');

/** A score, or a weight. */
const score = numberThat((given) => !Number.isNaN(given), 'a number, not NaN');
const finite = numberThat((given) => Number.isFinite(given), 'a finite number');

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** What an increment adds: a bigint of 64 bits, or a number that is exact. */
export const delta: Check<bigint | number> = (given) => {
  const isDelta =
    typeof given === 'bigint' ? given >= INT64_MIN && given <= INT64_MAX : Number.isSafeInteger(given);
  return isDelta ? undefined : mustBe(given, 'a bigint of 64 bits or a whole number up to 2^53 - 1');
};

const listEnd = oneOf<ListEnd>(['head', 'tail']);
const setOperation = oneOf<SetOperation>(['union', 'intersection', 'difference']);

const range = exactlyOne<SortedSetRange>({
  rank: shape<RankBounds>({ start: index, stop: index }),
  score: shape<ScoreBounds>({ min: score, max: score, minExclusive: flag, maxExclusive: flag }),
  member: shape<MemberBounds>({ min: value, max: value, minExclusive: flag, maxExclusive: flag }),
});

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
      keys: required(keys),
      operation: required(setOperation),
      destination: isKey,
      limit: count,
    },
    sortedSetAdd: {
      key,
      members: required(
        listOf(shape<ScoredMemberInput>({ member: required(value), score: required(score) }), 'members'),
      ),
      onlyIfAbsent: flag,
      onlyIfExists: flag,
      onlyIfGreater: flag,
      onlyIfLess: flag,
      increment: flag,
      ttlMs,
    },
    sortedSetRemove: named,
    sortedSetRemoveRange: { key, range: required(range) },
    sortedSetPop: { key, highest: flag, limit: count },
    sortedSetCombine: {
      keys: required(keys),
      operation: required(setOperation),
      weights: listOf(score, 'weights'),
      aggregate: oneOf<ScoreAggregate>(['sum', 'min', 'max']),
      destination: isKey,
    },
    hllAdd: elements,
    hllMerge: { key, sources: required(keys) },
    bloomCreate: {
      key,
      errorRate: numberThat((rate) => rate > 0 && rate < 1, 'a number above 0 and below 1'),
      capacity: wholeNumber(1, integerMax),
      expansion: wholeNumber(1, fixed.bloomExpansionMax),
      nonScaling: flag,
      ttlMs,
    },
    bloomAdd: elements,
  };
}

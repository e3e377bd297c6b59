/** Requests on sorted sets, from their plain form to that of the protocol. */
import {
  type MemberBoundsShape,
  type OptionalScoreShape,
  ScoreAggregate as ScoreAggregateNumber,
  type ScoreBoundsShape,
  type SortedSetAddRequestShape,
  type SortedSetCombineRequestShape,
  type SortedSetPopRequestShape,
  type SortedSetRangeShape,
  type SortedSetRemoveRangeRequestShape,
  type SortedSetRemoveRequestShape,
} from '../../../../gen/kelp/v1/sorted_set_codec.ts';
import type {
  CollectionArguments,
  MemberBounds,
  ScoreAggregate,
  ScoreBounds,
  SortedSetRange,
} from '../../../api-collections.ts';
import type { Value } from '../../../api-value.ts';
import { copyOf } from '../../../arguments/value.ts';
import { NO_DEMAND } from '../read-demand.ts';
import { toKey, toKeyList, toTtl } from '../request.ts';
import { toElements } from './elements.ts';
import { numberByOperation, toDestination } from './set.ts';

const numberByAggregate: Readonly<Record<ScoreAggregate, number>> = {
  sum: ScoreAggregateNumber.SUM,
  min: ScoreAggregateNumber.MIN,
  max: ScoreAggregateNumber.MAX,
};

export function toSortedSetAdd(given: CollectionArguments['sortedSetAdd']): SortedSetAddRequestShape {
  const members = toElements(given.members.map(({ member }) => member));
  return {
    ...toKey(given.key),
    members: members.map((member, index) => ({ member, score: given.members[index]?.score ?? 0 })),
    onlyIfAbsent: given.onlyIfAbsent ?? false,
    onlyIfExists: given.onlyIfExists ?? false,
    onlyIfGreater: given.onlyIfGreater ?? false,
    onlyIfLess: given.onlyIfLess ?? false,
    increment: given.increment ?? false,
    ttl: toTtl(given.ttlMs),
  };
}

export function toSortedSetRemove({
  key,
  members,
}: CollectionArguments['sortedSetRemove']): SortedSetRemoveRequestShape {
  return { ...toKey(key), members: toElements(members) };
}

export function toSortedSetRemoveRange({
  key,
  range,
}: CollectionArguments['sortedSetRemoveRange']): SortedSetRemoveRangeRequestShape {
  return { ...toKey(key), range: toSortedSetRange(range) };
}

export function toSortedSetPop(given: CollectionArguments['sortedSetPop']): SortedSetPopRequestShape {
  const { key, highest = false, limit = 1 } = given;
  return { ...toKey(key), highest, limit };
}

export function toSortedSetCombine(
  given: CollectionArguments['sortedSetCombine'],
): SortedSetCombineRequestShape {
  const { keys, operation, destination, weights = [], aggregate = 'sum' } = given;
  return {
    ...toKeyList(keys),
    operation: numberByOperation[operation],
    weights: [...weights],
    aggregate: numberByAggregate[aggregate],
    ...toDestination(destination),
    ...NO_DEMAND,
  };
}

export function toSortedSetRange(range: SortedSetRange): SortedSetRangeShape {
  if ('rank' in range) {
    const { start = 0, stop } = range.rank;
    return { bounds: { case: 'rank', value: { start, stop } } };
  }
  if ('score' in range) return { bounds: { case: 'score', value: toScoreBounds(range.score) } };
  return { bounds: { case: 'member', value: toMemberBounds(range.member) } };
}

function toScoreBounds({
  min,
  max,
  minExclusive = false,
  maxExclusive = false,
}: ScoreBounds): ScoreBoundsShape {
  return { min, max, minExclusive, maxExclusive };
}

function toMemberBounds({
  min,
  max,
  minExclusive = false,
  maxExclusive = false,
}: MemberBounds): MemberBoundsShape {
  return { min: bound(min), max: bound(max), minExclusive, maxExclusive };
}

function bound(given: Value | undefined): Uint8Array | undefined {
  return given === undefined ? undefined : copyOf(given);
}

/** @internal */
export function toScores(scores: readonly OptionalScoreShape[]): (number | undefined)[] {
  return scores.map(({ score }) => score);
}

/** Requests on sorted sets, from their plain form to that of the protocol. */
import {
  type MemberBoundsShape,
  type OptionalScoreShape,
  ScoreAggregate as ScoreAggregateNumber,
  type ScoreBoundsShape,
  type ScoredMemberShape,
  type SortedSetAddRequestShape,
  type SortedSetCombineRequestShape,
  type SortedSetPopRequestShape,
  type SortedSetRangeShape,
  type SortedSetRemoveRangeRequestShape,
  type SortedSetRemoveRequestShape,
} from '../../../../gen/kelp/v1/sorted_set_codec.ts';
import type { Key, Value } from '../../../api.ts';
import { copyOf } from '../../../arguments/value.ts';
import { toKey, toKeyList, toTtl } from '../request.ts';
import { Bytes } from './bytes.ts';
import { pairsOf, toElements } from './elements.ts';
import { numberByOperation, toDestination } from './set.ts';
import type {
  BoundedRange,
  MemberBounds,
  ScoreAggregate,
  ScoreBounds,
  ScoredMember,
  Scores,
  SetOperation,
  SortedSetAddOptions,
  SortedSetCombineOptions,
  SortedSetPopOptions,
  SortedSetRange,
} from './types.ts';

const numberByAggregate: Readonly<Record<ScoreAggregate, number>> = {
  sum: ScoreAggregateNumber.SUM,
  min: ScoreAggregateNumber.MIN,
  max: ScoreAggregateNumber.MAX,
};

export function toSortedSetAdd(
  key: Key,
  given: Scores,
  options: SortedSetAddOptions,
): SortedSetAddRequestShape {
  const pairs = pairsOf(given);
  const members = toElements(pairs.map(([member]) => member));
  return {
    ...toKey(key),
    members: members.map((member, index) => ({ member, score: pairs[index]?.[1] ?? 0 })),
    onlyIfAbsent: options.onlyIfAbsent ?? false,
    onlyIfExists: options.onlyIfExists ?? false,
    onlyIfGreater: options.onlyIfGreater ?? false,
    onlyIfLess: options.onlyIfLess ?? false,
    increment: options.increment ?? false,
    ttl: toTtl(options.ttlMs),
  };
}

export function toSortedSetRemove(key: Key, members: readonly Value[]): SortedSetRemoveRequestShape {
  return { ...toKey(key), members: toElements(members) };
}

export function toSortedSetRemoveRange(key: Key, range: BoundedRange): SortedSetRemoveRangeRequestShape {
  return { ...toKey(key), range: toSortedSetRange(range) };
}

export function toSortedSetPop(key: Key, options: SortedSetPopOptions): SortedSetPopRequestShape {
  const { highest = false, limit = 1 } = options;
  return { ...toKey(key), highest, limit };
}

export function toSortedSetCombine(
  operation: SetOperation,
  keys: readonly Key[],
  options: SortedSetCombineOptions,
): SortedSetCombineRequestShape {
  const { destination, weights = [], aggregate = 'sum' } = options;
  return {
    ...toKeyList(keys),
    operation: numberByOperation[operation],
    weights: [...weights],
    aggregate: numberByAggregate[aggregate],
    ...toDestination(destination),
  };
}

/** @returns nothing for all of a set. */
export function toSortedSetRange(range: SortedSetRange): SortedSetRangeShape | undefined {
  if (range.rank !== undefined) {
    const { start = 0, stop } = range.rank;
    return { bounds: { case: 'rank', value: { start, stop } } };
  }
  if (range.score !== undefined) return { bounds: { case: 'score', value: toScoreBounds(range.score) } };
  if (range.member !== undefined) return { bounds: { case: 'member', value: toMemberBounds(range.member) } };
  return undefined;
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

/** @internal What a reply lists. */
export function toScoredMembers(members: readonly ScoredMemberShape[]): ScoredMember[] {
  return members.map(({ member, score }) => ({ member: new Bytes(member), score }));
}

/** @internal */
export function toScores(scores: readonly OptionalScoreShape[]): (number | undefined)[] {
  return scores.map(({ score }) => score);
}

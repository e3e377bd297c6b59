/** Intervals of scores and of members, and the engine's ranges for them. */
import type { EngineRange } from '../../engine/engine.ts';
import { keyAfter } from '../../store/views/keys.ts';
import { allByMember, memberKey, scoreBound } from './element-keys.ts';

/** From -Infinity to Infinity. */
export interface ScoreInterval {
  readonly min: number;
  readonly max: number;
  readonly isMinExcluded: boolean;
  readonly isMaxExcluded: boolean;
}

/** A member as a bound; before or behind all of them: `low`, `high`. */
export type MemberBound = 'low' | 'high' | { readonly member: Uint8Array; readonly isExcluded: boolean };

/** Members in the order of their bytes. */
export interface MemberInterval {
  readonly min: MemberBound;
  readonly max: MemberBound;
}

export function hasScore(interval: ScoreInterval, score: number): boolean {
  const { min, max, isMinExcluded, isMaxExcluded } = interval;
  return (isMinExcluded ? score > min : score >= min) && (isMaxExcluded ? score < max : score <= max);
}

/** Whether no score can be within. */
export function isEmptyScoreInterval({ min, max, isMinExcluded, isMaxExcluded }: ScoreInterval): boolean {
  return min > max || (min === max && (isMinExcluded || isMaxExcluded));
}

export function hasMember({ min, max }: MemberInterval, member: Uint8Array): boolean {
  return isBehind(member, min, 1) && isBehind(member, max, -1);
}

/** @param sign 1: the bound is a lowest one; -1: a highest one. */
function isBehind(member: Uint8Array, bound: MemberBound, sign: number): boolean {
  if (bound === 'low') return sign > 0;
  if (bound === 'high') return sign < 0;
  const order = Buffer.compare(member, bound.member) * sign;
  return bound.isExcluded ? order > 0 : order >= 0;
}

/** Of keys by score. `undefined`: nothing is within. */
export function scoreRange(id: number, interval: ScoreInterval): EngineRange | undefined {
  if (isEmptyScoreInterval(interval)) return undefined;
  const start = scoreBound(id, interval.min, interval.isMinExcluded);
  const end = scoreBound(id, interval.max, !interval.isMaxExcluded);
  return Buffer.compare(start, end) < 0 ? { start, end } : undefined;
}

/** Of keys by member. `undefined`: nothing is within. */
export function memberRange(id: number, { min, max }: MemberInterval): EngineRange | undefined {
  const all = allByMember(id);
  if (min === 'high' || max === 'low') return undefined;
  const start = min === 'low' ? all.start : boundOf(id, min, min.isExcluded);
  const end = max === 'high' ? all.end : boundOf(id, max, !max.isExcluded);
  if (end !== undefined && Buffer.compare(start, end) >= 0) return undefined;
  return { start, end };
}

function boundOf(
  id: number,
  { member }: { readonly member: Uint8Array },
  isBehindMember: boolean,
): Uint8Array {
  const key = memberKey(id, member);
  return isBehindMember ? keyAfter(key) : key;
}

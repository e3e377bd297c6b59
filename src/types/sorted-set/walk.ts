/**
 * A part of a sorted set in order, on any state, from any place on: what pages are made of. A place is what an element's key has
 * behind its head, the sortable score and the member or the member alone, in both forms: so it sorts as the elements do.
 */
import type { EngineRange } from '../../engine/engine.ts';
import {
  ELEMENT_HEAD_BYTES,
  elementKey,
  elementsWithTag,
  subOf,
  tags,
} from '../../store/collections/collection-keys.ts';
import { keyAfter } from '../../store/views/keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { memberOfMemberKey, memberOfScoreKey, scoreKey, scoreOfKey } from './element-keys.ts';
import { hasMember, hasScore, memberRange, scoreRange } from './intervals.ts';
import { PairCursor } from './packed-pairs.ts';
import { readScore } from './score.ts';
import type { SortedSet } from './sorted-set.ts';
import type { Selection } from './span.ts';

/** `undefined`: all, by score. */
export type WalkedBounds = Exclude<Selection, { readonly by: 'index' }> | undefined;

/** The member is a view that is good during the visit. @returns false to stop. */
export type VisitWalked = (member: Uint8Array, score: number) => boolean;

/**
 * Visits elements until `visit` returns false or the budget is spent.
 * @param place to begin at, inclusive; `undefined`: the first in the direction.
 * @returns the place to go on from; `undefined` at the end.
 */
export function walk(
  view: ReadView,
  set: SortedSet,
  bounds: WalkedBounds,
  isReversed: boolean,
  place: Uint8Array | undefined,
  visit: VisitWalked,
): Uint8Array | undefined {
  if (set.packed !== undefined) return walkPacked(set.packed, bounds, isReversed, place, visit);
  const isByMember = bounds?.by === 'member';
  const range = rangeOf(set.id, bounds);
  if (range === undefined) return undefined;
  const from = place && elementKey(set.id, isByMember ? tags.member : tags.score, place);
  const rest = from === undefined ? range : restOf(range, from, isReversed);
  if (rest === undefined) return undefined;
  const next = view.scan(rest, isReversed, (shown) => {
    const member = isByMember ? memberOfMemberKey(shown) : memberOfScoreKey(shown);
    view.budget.spendBytes(member.length);
    const score = isByMember ? readScore(shown.value, 0) : scoreOfKey(shown);
    return visit(member, score) && !view.budget.isSpent;
  });
  return next && subOf(next);
}

/** The place of the element that so many stand before, in the direction; `undefined`: there is none. */
export function placeOfRank(
  view: View,
  set: SortedSet,
  rank: number,
  isReversed: boolean,
): Uint8Array | undefined {
  const index = isReversed ? set.count - 1 - rank : rank;
  if (index < 0 || index >= set.count) return undefined;
  if (set.packed === undefined) {
    const key = view.select(elementsWithTag(set.id, tags.score), index);
    return key && subOf(key);
  }
  const pairs = new PairCursor(set.packed);
  for (let at = 0; at <= index; at++) pairs.next();
  return placeOf(pairs, false);
}

function rangeOf(id: number, bounds: WalkedBounds): EngineRange | undefined {
  if (bounds === undefined) return elementsWithTag(id, tags.score);
  return bounds.by === 'score' ? scoreRange(id, bounds.scores) : memberRange(id, bounds.members);
}

/** What is left of a range; a place comes from outside, and may lie beyond it. */
function restOf({ start, end }: EngineRange, from: Uint8Array, isReversed: boolean): EngineRange | undefined {
  if (isReversed) {
    const after = keyAfter(from);
    const restEnd = end !== undefined && Buffer.compare(end, after) < 0 ? end : after;
    return Buffer.compare(start, restEnd) < 0 ? { start, end: restEnd } : undefined;
  }
  const restStart = Buffer.compare(start, from) > 0 ? start : from;
  return end === undefined || Buffer.compare(restStart, end) < 0 ? { start: restStart, end } : undefined;
}

function walkPacked(
  packed: Uint8Array,
  bounds: WalkedBounds,
  isReversed: boolean,
  place: Uint8Array | undefined,
  visit: VisitWalked,
): Uint8Array | undefined {
  const isByMember = bounds?.by === 'member';
  const found: { readonly place: Uint8Array; readonly member: Uint8Array; readonly score: number }[] = [];
  for (const pairs = new PairCursor(packed); pairs.next();) {
    const { member, score } = pairs;
    if (bounds?.by === 'score' && !hasScore(bounds.scores, score)) continue;
    if (bounds?.by === 'member' && !hasMember(bounds.members, member)) continue;
    found.push({ place: placeOf(pairs, isByMember), member, score });
  }
  if (isByMember) found.sort((a, b) => Buffer.compare(a.place, b.place));
  if (isReversed) found.reverse();
  const sign = isReversed ? -1 : 1;
  let isStopped = false;
  for (const each of found) {
    if (place !== undefined && sign * Buffer.compare(each.place, place) < 0) continue;
    if (isStopped) return each.place;
    isStopped = !visit(each.member, each.score);
  }
  return undefined;
}

function placeOf({ member, score }: PairCursor, isByMember: boolean): Uint8Array {
  return isByMember ? member : scoreKey(ANY_ID, score, member).subarray(ELEMENT_HEAD_BYTES);
}

/** Of a key of which only what lies behind the id is wanted. */
const ANY_ID = 1;

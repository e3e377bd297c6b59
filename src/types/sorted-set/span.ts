/**
 * A part of a sorted set in order, which is gone through in pieces: by index, by score or by member, forwards or backwards. Its length
 * is known from the beginning, by counting; the pieces need no newest state.
 */
import type { EngineRange } from '../../engine/engine.ts';
import type { PlacedChange } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { keyAfter } from '../../store/views/keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { allByScore, memberOfMemberKey, memberOfScoreKey, scoreOfKey } from './element-keys.ts';
import {
  hasMember,
  hasScore,
  type MemberInterval,
  memberRange,
  type ScoreInterval,
  scoreRange,
} from './intervals.ts';
import { PairCursor } from './packed-pairs.ts';
import { readScore } from './score.ts';
import type { SortedSet } from './sorted-set.ts';

/** What part it is. Indexes are inclusive; negative ones count from the end. */
export type Selection =
  | { readonly by: 'index'; readonly start: number; readonly stop: number }
  | { readonly by: 'score'; readonly scores: ScoreInterval; readonly limit?: Limit }
  | { readonly by: 'member'; readonly members: MemberInterval; readonly limit?: Limit };

/** Of those that are selected, in the direction of the reading. */
export interface Limit {
  /** How many are passed over; negative: all are. */
  readonly offset: number;
  /** Negative: all the rest. */
  readonly count: number;
}

/** A member is a view that is good during the visit. */
export type VisitScored = (member: Uint8Array, score: number) => void;

interface Scored {
  readonly member: Uint8Array;
  readonly score: number;
}

const NO_LIMIT: Limit = { offset: 0, count: -1 };

export class Span {
  /** How many elements it has. */
  readonly count: number;
  readonly #isReversed: boolean;
  readonly #isByMember: boolean;
  /** Of a packed set: all of them. */
  readonly #elements: readonly Scored[];
  /** Of a spread one: what is left to go through; `undefined`: nothing. */
  #range: EngineRange | undefined;
  #left: number;

  private constructor(
    count: number,
    isReversed: boolean,
    isByMember: boolean,
    source: readonly Scored[] | EngineRange,
  ) {
    this.count = this.#left = count;
    this.#isReversed = isReversed;
    this.#isByMember = isByMember;
    const isRange = 'start' in source;
    this.#elements = isRange ? [] : source;
    this.#range = isRange && count > 0 ? source : undefined;
  }

  static of(view: View, set: SortedSet, selection: Selection, isReversed: boolean): Span {
    return set.packed === undefined
      ? Span.#ofSpread(view, set, selection, isReversed)
      : Span.#ofPacked(set.packed, selection, isReversed);
  }

  /** All elements, by score. */
  static all(set: SortedSet): Span {
    if (set.packed === undefined) return new Span(set.count, false, false, allByScore(set.id));
    return Span.#ofPacked(set.packed, { by: 'index', start: 0, stop: -1 }, false);
  }

  /** Visits as many elements as are left, `countMax` at most. @returns whether there are more. */
  step(view: ReadView, countMax: number, visit: VisitScored): boolean {
    if (this.#left === 0) return false;
    const range = this.#range;
    if (range === undefined) {
      for (const { member, score } of this.#elements) visit(member, score);
      this.#left = 0;
      return false;
    }
    const { budget } = view;
    if (budget.isSpent) throw budgetSpent(budget);
    let pieceLeft = Math.min(countMax, this.#left);
    const next = view.scan(range, this.#isReversed, (shown) => {
      budget.spendBytes(this.#show(shown, visit));
      this.#left--;
      return --pieceLeft > 0 && !budget.isSpent;
    });
    if (this.#left === 0) return false;
    assert(next !== undefined, 'a sorted set has as many elements as its metadata counts');
    this.#range = this.#isReversed
      ? { start: range.start, end: keyAfter(next) }
      : { start: next, end: range.end };
    return true;
  }

  /** @returns how many bytes it has shown. */
  #show(shown: PlacedChange, visit: VisitScored): number {
    const member = this.#isByMember ? memberOfMemberKey(shown) : memberOfScoreKey(shown);
    visit(member, this.#isByMember ? readScore(shown.value, 0) : scoreOfKey(shown));
    return member.length;
  }

  static #ofSpread(view: View, set: SortedSet, selection: Selection, isReversed: boolean): Span {
    const isByMember = selection.by === 'member';
    if (selection.by === 'index') {
      const { first, count } = placesOf(selection, set.count);
      return Span.#from(view, allByScore(set.id), set.count, first, count, isReversed, isByMember);
    }
    const range =
      selection.by === 'score'
        ? scoreRange(set.id, selection.scores)
        : memberRange(set.id, selection.members);
    if (range === undefined) return new Span(0, isReversed, isByMember, []);
    const total = view.count(range);
    const { first, count } = limited(selection.limit, total);
    return Span.#from(view, range, total, first, count, isReversed, isByMember);
  }

  /** @param first how many of the `total` elements of the range are passed over, in the direction of the reading. */
  static #from(
    view: View,
    range: EngineRange,
    total: number,
    first: number,
    count: number,
    isReversed: boolean,
    isByMember: boolean,
  ): Span {
    if (count === 0 || first === 0) return new Span(count, isReversed, isByMember, range);
    const key = view.select(range, isReversed ? total - 1 - first : first);
    assert(key !== undefined, 'a range has as many keys as were counted');
    const rest = isReversed ? { start: range.start, end: keyAfter(key) } : { start: key, end: range.end };
    return new Span(count, isReversed, isByMember, rest);
  }

  static #ofPacked(packed: Uint8Array, selection: Selection, isReversed: boolean): Span {
    let found: Scored[] = [];
    for (const pairs = new PairCursor(packed); pairs.next();) {
      const { member, score } = pairs;
      if (selection.by === 'score' && !hasScore(selection.scores, score)) continue;
      if (selection.by === 'member' && !hasMember(selection.members, member)) continue;
      found.push({ member, score });
    }
    if (selection.by === 'member') found.sort((a, b) => Buffer.compare(a.member, b.member));
    if (isReversed) found.reverse();
    const { first, count } =
      selection.by === 'index' ? placesOf(selection, found.length) : limited(selection.limit, found.length);
    found = found.slice(first, first + count);
    return new Span(found.length, isReversed, selection.by === 'member', found);
  }
}

interface Places {
  readonly first: number;
  readonly count: number;
}

function placesOf({ start, stop }: { readonly start: number; readonly stop: number }, total: number): Places {
  const first = Math.max(0, start < 0 ? start + total : start);
  const last = Math.min(total - 1, stop < 0 ? stop + total : stop);
  return { first, count: Math.max(0, last - first + 1) };
}

function limited({ offset, count } = NO_LIMIT, total: number): Places {
  if (offset < 0 || offset >= total) return { first: 0, count: 0 };
  return { first: offset, count: count < 0 ? total - offset : Math.min(count, total - offset) };
}

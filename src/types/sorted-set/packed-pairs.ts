/**
 * The elements of a packed sorted set: a row of items, two for each element, in the order of score, then of member.
 *
 *     02 'a' 'b'  08 3ff0000000000000 ...     "ab" with the score 1 (plain, as `score.ts` has it)
 *
 * The score -0 becomes 0, as in the short sets of Redis.
 */
import { assert } from '../../errors.ts';
import { ITEMS_START, PACKED_BYTES_MAX } from '../collections/metadata.ts';
import { sizeOfItem, spliceItems, writeItem } from '../collections/packed-items.ts';
import { readScore, SCORE_BYTES, writeScore } from './score.ts';

/** Between the end of a member and that of its element: the length of the score, and the score. */
const SCORE_ITEM_BYTES = 1 + SCORE_BYTES;

// Two bytes have the length of any member of a packed value.
assert(PACKED_BYTES_MAX < 2 ** 14, 'the length of a packed member has at most two bytes');

/** Goes through a packed value, element by element. */
export class PairCursor {
  /** Where the element begins, ... */
  start = ITEMS_START;
  /** ... and ends (exclusive). */
  end = ITEMS_START;
  #memberStart = 0;
  #memberEnd = 0;
  readonly #value: Uint8Array;

  constructor(value: Uint8Array) {
    this.#value = value;
  }

  next(): boolean {
    const value = this.#value;
    const start = this.end;
    this.start = start;
    if (start >= value.length) return false;
    let length = value[start] ?? 0;
    let memberStart = start + 1;
    if (length >= 0x80) length = (length & 0x7f) | ((value[memberStart++] ?? 0) << 7);
    this.#memberStart = memberStart;
    this.#memberEnd = memberStart + length;
    this.end = this.#memberEnd + SCORE_ITEM_BYTES;
    assert(this.end <= value.length, 'an element ends within its value');
    return true;
  }

  get score(): number {
    return readScore(this.#value, this.#memberEnd + 1);
  }

  /** A view of the value. */
  get member(): Uint8Array {
    return this.#value.subarray(this.#memberStart, this.#memberEnd);
  }

  isMember(member: Uint8Array): boolean {
    if (this.#memberEnd - this.#memberStart !== member.length) return false;
    for (let index = 0; index < member.length; index++) {
      if (this.#value[this.#memberStart + index] !== member[index]) return false;
    }
    return true;
  }

  /** Whether the element stands before another one. */
  isBefore(score: number, member: Uint8Array): boolean {
    const own = this.score;
    if (own !== score) return own < score;
    return Buffer.compare(this.member, member) < 0;
  }
}

/** How many elements a packed value has. */
export function countPairs(value: Uint8Array): number {
  let count = 0;
  for (const pairs = new PairCursor(value); pairs.next();) count++;
  return count;
}

export function sizeOfPair(member: Uint8Array): number {
  return sizeOfItem(member) + SCORE_ITEM_BYTES;
}

/**
 * A packed value with a member at the place of its score, in place of the element that lies from `cutStart` to `cutEnd` (exclusive):
 * that of the same member; none, if they are equal.
 */
export function placePair(
  value: Uint8Array,
  cutStart: number,
  cutEnd: number,
  member: Uint8Array,
  score: number,
): Uint8Array {
  const pairs = new PairCursor(value);
  while (pairs.next() && (pairs.start === cutStart || pairs.isBefore(score, member)));
  const place = pairs.start;
  const placed = Buffer.allocUnsafe(value.length - (cutEnd - cutStart) + sizeOfPair(member));
  // One of the two parts before and behind the cut has the place in it.
  let at = 0;
  if (place <= cutStart) {
    at = copy(value, 0, place, placed, at);
    at = writePair(placed, at, member, score);
    at = copy(value, place, cutStart, placed, at);
    at = copy(value, cutEnd, value.length, placed, at);
  } else {
    at = copy(value, 0, cutStart, placed, at);
    at = copy(value, cutEnd, place, placed, at);
    at = writePair(placed, at, member, score);
    at = copy(value, place, value.length, placed, at);
  }
  assert(at === placed.length, 'a packed value is as long as its elements');
  return placed;
}

function writePair(target: Uint8Array, offset: number, member: Uint8Array, score: number): number {
  const at = writeItem(target, offset, member);
  target[at] = SCORE_BYTES;
  writeScore(target, at + 1, score === 0 ? 0 : score);
  return at + SCORE_ITEM_BYTES;
}

/** @returns where it ends in the target. */
function copy(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  if (end > start) target.set(source.subarray(start, end), at);
  return at + end - start;
}

/** A packed value without what lies from `start` to `end` (exclusive). */
export function cutPairs(value: Uint8Array, start: number, end: number): Uint8Array {
  return spliceItems(value, start, end, []);
}

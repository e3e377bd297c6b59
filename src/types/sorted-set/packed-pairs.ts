/**
 * The elements of a packed sorted set: a row of items, two for each element, in the order of score, then of member.
 *
 *     02 'a' 'b'  08 3ff0000000000000 ...     "ab" with the score 1 (plain, as `score.ts` has it)
 *
 * The score -0 becomes 0, as in the short sets of Redis.
 */
import { ITEMS_START } from '../collections/metadata.ts';
import { ItemCursor, sizeOfItem, spliceItems } from '../collections/packed-items.ts';
import { readScore, SCORE_BYTES, scoreBytes } from './score.ts';

/** Goes through a packed value, element by element. */
export class PairCursor {
  /** Where the element begins, ... */
  start = ITEMS_START;
  /** ... and ends (exclusive). */
  end = ITEMS_START;
  score = 0;
  #memberStart = 0;
  #memberEnd = 0;
  readonly #value: Uint8Array;
  readonly #items: ItemCursor;

  constructor(value: Uint8Array) {
    this.#value = value;
    this.#items = new ItemCursor(value, ITEMS_START);
  }

  next(): boolean {
    const items = this.#items;
    this.start = this.end;
    if (!items.next()) return false;
    this.#memberStart = items.start;
    this.#memberEnd = items.end;
    items.next();
    this.score = readScore(this.#value, items.start);
    this.end = items.end;
    return true;
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
    if (this.score !== score) return this.score < score;
    return Buffer.compare(this.member, member) < 0;
  }
}

/** How many elements a packed value has. */
export function countPairs(value: Uint8Array): number {
  let count = 0;
  for (const items = new ItemCursor(value, ITEMS_START); items.next();) count++;
  return count / 2;
}

export function sizeOfPair(member: Uint8Array): number {
  return sizeOfItem(member) + 1 + SCORE_BYTES;
}

/** A packed value with one element more, which it does not have yet. */
export function insertPair(value: Uint8Array, member: Uint8Array, score: number): Uint8Array {
  const cursor = new PairCursor(value);
  while (cursor.next() && cursor.isBefore(score, member));
  return spliceItems(value, cursor.start, cursor.start, [member, scoreBytes(score === 0 ? 0 : score)]);
}

/** A packed value without what lies from `start` to `end` (exclusive). */
export function cutPairs(value: Uint8Array, start: number, end: number): Uint8Array {
  return spliceItems(value, start, end, []);
}

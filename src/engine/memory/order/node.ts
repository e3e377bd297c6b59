/**
 * A node of an ordered index: a block in slabs of the index, with room for 64 entries. In a leaf an entry is a key, in
 * an inner node a child.
 *
 * | words     | what                                                                                              |
 * | --------- | ------------------------------------------------------------------------------------------------- |
 * | 0         | head of the block (`layout.ts`)                                                                   |
 * | 1         | how many entries (8 bits), the level (0: a leaf)                                                  |
 * | 2         | `SKIP`: how many first bytes all keys that can come here are known to share                       |
 * | 3, 4      | of a leaf: which entries are live in the newest state, a bit for each                             |
 * | 6 ...     | the block of the key; of a child that of its smallest key, but none for the first child           |
 * | 70, 134.. | heads: the 8 bytes of that key behind the shared ones, as two numbers ordered as the bytes are    |
 * | 198 ...   | of an inner node: its children, how many live keys each holds, and the highest revision of a      |
 * |           | deletion (low and high words) that made a key of it dead                                          |
 */
import { NODE, NONE, UNIT_BITS, UNIT_MASK, spanHead, wide } from '../layout.ts';
import type { Slabs } from '../slabs.ts';

export const ENTRIES_MAX = 64;

const STATE = 1;
export const SKIP = 2;
const LIVE_BITS = 3;
export const KEYS = 6;
export const HIGHS = KEYS + ENTRIES_MAX;
export const LOWS = HIGHS + ENTRIES_MAX;
const LEAF_WORDS = LOWS + ENTRIES_MAX;
export const CHILDREN = LEAF_WORDS;
const LIVES = CHILDREN + ENTRIES_MAX;
const DEAD_LOWS = LIVES + ENTRIES_MAX;
const DEAD_HIGHS = DEAD_LOWS + ENTRIES_MAX;
const INNER_WORDS = DEAD_HIGHS + ENTRIES_MAX;

const COUNT_MASK = 0xff;
const LEVEL_SHIFT = 8;

/** The entries of the node at a word. */
export function countAt(words: Int32Array, at: number): number {
  return words[at + STATE]! & COUNT_MASK;
}

/** A view of one node after the other. */
export class Node {
  readonly #slabs: Slabs;
  reference = NONE;
  words: Int32Array = new Int32Array(0);
  at = 0;

  constructor(slabs: Slabs) {
    this.#slabs = slabs;
  }

  open(reference: number): this {
    this.reference = reference;
    this.words = this.#slabs.words[reference >>> UNIT_BITS]!;
    this.at = (reference & UNIT_MASK) << 1;
    return this;
  }

  /** Makes a node without entries. */
  make(level: number): this {
    const wordCount = level === 0 ? LEAF_WORDS : INNER_WORDS;
    this.open(this.#slabs.allocate(wordCount >>> 1));
    this.words[this.at] = spanHead(NODE, wordCount >>> 1);
    this.words[this.at + STATE] = level << LEVEL_SHIFT;
    return this;
  }

  free(): void {
    this.#slabs.free(this.reference, this.#end >>> 1);
  }

  get count(): number {
    return countAt(this.words, this.at);
  }

  set count(count: number) {
    const at = this.at + STATE;
    this.words[at] = (this.words[at]! & ~COUNT_MASK) | count;
  }

  get level(): number {
    return this.words[this.at + STATE]! >>> LEVEL_SHIFT;
  }

  get skip(): number {
    return this.words[this.at + SKIP]!;
  }

  set skip(skip: number) {
    this.words[this.at + SKIP] = skip;
  }

  key(place: number): number {
    return this.words[this.at + KEYS + place]!;
  }

  setKey(place: number, reference: number): void {
    this.words[this.at + KEYS + place] = reference;
  }

  setHead(place: number, high: number, low: number): void {
    this.words[this.at + HIGHS + place] = high;
    this.words[this.at + LOWS + place] = low;
  }

  child(place: number): number {
    return this.words[this.at + CHILDREN + place]!;
  }

  setChild(place: number, child: number): void {
    this.words[this.at + CHILDREN + place] = child;
  }

  /** Whether two neighbours have the same head, which then decides nothing between them. */
  hasEqualHeads(): boolean {
    const { words, at } = this;
    const last = at + this.count - 1;
    for (let entry = at + this.firstKeyPlace; entry < last; entry++) {
      if (
        words[entry + HIGHS] === words[entry + HIGHS + 1] &&
        words[entry + LOWS] === words[entry + LOWS + 1]
      )
        return true;
    }
    return false;
  }

  /** The first child has no key. */
  get firstKeyPlace(): number {
    return this.level === 0 ? 0 : 1;
  }

  isLive(place: number): boolean {
    return (this.words[this.at + LIVE_BITS + (place >>> 5)]! & (1 << (place & 31))) !== 0;
  }

  setLive(place: number, isLive: boolean): void {
    const at = this.at + LIVE_BITS + (place >>> 5);
    const bit = 1 << (place & 31);
    this.words[at] = isLive ? this.words[at]! | bit : this.words[at]! & ~bit;
  }

  /** Writes the keys of some entries of a leaf, or those that are live, to the beginning of `keys`. @returns how many. */
  readKeys(from: number, to: number, isLiveOnly: boolean, keys: Int32Array): number {
    const { words } = this;
    const start = this.at + KEYS;
    let count = 0;
    for (let place = from; place < to; place++) {
      keys[count] = words[start + place]!;
      count += isLiveOnly ? (words[this.at + LIVE_BITS + (place >>> 5)]! >>> (place & 31)) & 1 : 1;
    }
    return count;
  }

  /** How many live keys a child holds. */
  live(place: number): number {
    return this.words[this.at + LIVES + place]!;
  }

  addLive(place: number, difference: number): void {
    this.words[this.at + LIVES + place]! += difference;
  }

  /** How many live keys there are in the entries before a place. */
  liveBefore(place: number): number {
    if (this.level === 0) return bitsBefore(this.words, this.at + LIVE_BITS, place);
    const start = this.at + LIVES;
    let sum = 0;
    for (let at = start; at < start + place; at++) sum += this.words[at]!;
    return sum;
  }

  /** The highest revision of a deletion in a child. */
  dead(place: number): number {
    return wide(this.words[this.at + DEAD_LOWS + place]!, this.words[this.at + DEAD_HIGHS + place]!);
  }

  raiseDead(place: number, revision: number): void {
    if (this.dead(place) >= revision) return;
    this.words[this.at + DEAD_LOWS + place] = revision;
    this.words[this.at + DEAD_HIGHS + place] = (revision / 0x1_0000_0000) | 0;
  }

  /** Whether no key of a child exists at a revision. */
  isDead(place: number, revision: number): boolean {
    return this.live(place) === 0 && this.dead(place) <= revision;
  }

  /** Makes room for an entry, in which nothing is. */
  insertEntry(place: number): void {
    const { words, at, count } = this;
    const end = at + this.#end;
    for (let column = at + KEYS; column < end; column += ENTRIES_MAX) {
      for (let to = column + count; to > column + place; to--) words[to] = words[to - 1]!;
      words[column + place] = 0;
    }
    if (this.level === 0) insertBit(words, at + LIVE_BITS, place);
    this.count = count + 1;
  }

  removeEntry(place: number): void {
    const { words, at, count } = this;
    const end = at + this.#end;
    for (let column = at + KEYS; column < end; column += ENTRIES_MAX) {
      for (let to = column + place; to < column + count - 1; to++) words[to] = words[to + 1]!;
    }
    if (this.level === 0) removeBit(words, at + LIVE_BITS, place);
    this.count = count - 1;
  }

  /** Puts the entries from a place on behind those of another node of the same level. */
  moveEntries(from: number, target: Node): void {
    const { words, at, count } = this;
    const start = target.count;
    for (let column = KEYS; column < this.#end; column += ENTRIES_MAX) {
      for (let place = from; place < count; place++)
        target.words[target.at + column + start + place - from] = words[at + column + place]!;
    }
    target.count = start + count - from;
    this.count = from;
    if (this.level > 0) return;
    for (let place = from; place < count; place++) {
      target.setLive(start + place - from, this.isLive(place));
      this.setLive(place, false);
    }
  }

  get #end(): number {
    return this.level === 0 ? LEAF_WORDS : INNER_WORDS;
  }
}

/** How many of 64 bits in two words stand before a place. */
export function bitsBefore(words: Int32Array, at: number, place: number): number {
  if (place < 32) return place === 0 ? 0 : bitCount(words[at]! << (32 - place));
  return bitCount(words[at]!) + (place === 32 ? 0 : bitCount(words[at + 1]! << (64 - place)));
}

/** Moves the bits from a place on up by one, and puts a 0 there. */
export function insertBit(words: Int32Array, at: number, place: number): void {
  const word = at + (place >>> 5);
  const below = (1 << (place & 31)) - 1;
  const before = words[word]!;
  if (place < 32) words[at + 1] = (words[at + 1]! << 1) | (before >>> 31);
  words[word] = (before & below) | ((before & ~below) << 1);
}

/** Moves the bits behind a place down onto it. */
export function removeBit(words: Int32Array, at: number, place: number): void {
  const word = at + (place >>> 5);
  const below = (1 << (place & 31)) - 1;
  const above = place < 32 ? words[at + 1]! << 31 : 0;
  words[word] = (words[word]! & below) | (((words[word]! >>> 1) | above) & ~below);
  if (place < 32) words[at + 1]! >>>= 1;
}

/** Counts the bits of a word: Warren, Hacker's Delight, 5-1. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

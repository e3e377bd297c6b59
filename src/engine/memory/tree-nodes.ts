/**
 * The memory of the nodes of ordered indexes. A node is named by a number; it has a fixed length in words, and room for 64
 * entries:
 *
 * | words     | what                                                                                                |
 * | --------- | --------------------------------------------------------------------------------------------------- |
 * | 0         | how many entries (8 bits), the level (0: a leaf), whether the node is in use                        |
 * | 1         | how many first bytes all keys that can come here share, of those that are known                     |
 * | 2, 3      | of a leaf: which entries are live in the newest state, a bit for each                               |
 * | 4 ...     | references: of keys; in an inner node of the borders before its children (none before the first)    |
 * | 68, 132.. | heads: the 8 bytes of the key behind the shared ones, as two numbers ordered as the bytes are       |
 * | 196 ...   | of an inner node: its children, how many live keys each holds, and the highest revision of a        |
 * |           | deletion (low and high words) that made a key of it dead                                            |
 */
import { assert } from '../../errors.ts';

export const ENTRIES_MAX = 64;

export const STATE = 0;
export const SKIP = 1;
export const LIVE_BITS = 2;
export const REFERENCES = 4;
export const HIGHS = REFERENCES + ENTRIES_MAX;
export const LOWS = HIGHS + ENTRIES_MAX;
export const CHILDREN = LOWS + ENTRIES_MAX;
export const LIVES = CHILDREN + ENTRIES_MAX;
export const DEAD_LOWS = LIVES + ENTRIES_MAX;
export const DEAD_HIGHS = DEAD_LOWS + ENTRIES_MAX;

export const LEAF_WORDS = LOWS + ENTRIES_MAX;
export const INNER_WORDS = DEAD_HIGHS + ENTRIES_MAX;

const COUNT_MASK = 0xff;
const LEVEL_SHIFT = 8;
const LEVEL_MASK = 0xff;
const IN_USE = 1 << 16;

const CHUNK_BITS = 7;
const CHUNK_NODES = 2 ** CHUNK_BITS;

export class TreeNodes {
  readonly nodeWords: number;
  readonly #chunks: Int32Array[] = [];
  readonly #free: number[] = [];
  #count = 0;

  constructor(nodeWords: number) {
    this.nodeWords = nodeWords;
  }

  get memoryBytes(): number {
    return this.#count * this.nodeWords * Int32Array.BYTES_PER_ELEMENT;
  }

  get usedCount(): number {
    return this.#count - this.#free.length;
  }

  words(node: number): Int32Array {
    return this.#chunks[node >>> CHUNK_BITS]!;
  }

  base(node: number): number {
    return (node & (CHUNK_NODES - 1)) * this.nodeWords;
  }

  /** A node without entries. */
  take(level: number): number {
    const node = this.#free.pop() ?? this.#count++;
    if (node >>> CHUNK_BITS === this.#chunks.length)
      this.#chunks.push(new Int32Array(CHUNK_NODES * this.nodeWords));
    const words = this.words(node);
    const base = this.base(node);
    words[base + STATE] = IN_USE | (level << LEVEL_SHIFT);
    words[base + SKIP] = 0;
    words[base + LIVE_BITS] = 0;
    words[base + LIVE_BITS + 1] = 0;
    return node;
  }

  giveBack(node: number): void {
    this.words(node)[this.base(node) + STATE] = 0;
    this.#free.push(node);
  }

  /**
   * When a quarter is free: a node of the last chunk that is to move elsewhere, so that the chunk can go; `undefined` when
   * there is nothing to do.
   */
  toMove(): number | undefined {
    while (
      this.#chunks.length > 1 &&
      this.#free.length >= CHUNK_NODES &&
      this.#free.length * 4 > this.#count
    ) {
      const first = (this.#chunks.length - 1) << CHUNK_BITS;
      for (let node = first; node < this.#count; node++) {
        if ((this.words(node)[this.base(node) + STATE]! & IN_USE) !== 0) return node;
      }
      this.#dropLastChunk(first);
    }
    return undefined;
  }

  /** Copies a node to another place, outside of the last chunk. @returns its number there. */
  move(node: number): number {
    const last = this.#chunks.length - 1;
    const index = this.#free.findLastIndex((free) => free >>> CHUNK_BITS !== last);
    const [to = -1] = this.#free.splice(index, 1);
    assert(index !== -1 && to !== -1, 'there is a free node before the last chunk');
    const from = this.base(node);
    this.words(to).set(this.words(node).subarray(from, from + this.nodeWords), this.base(to));
    this.giveBack(node);
    return to;
  }

  #dropLastChunk(first: number): void {
    (this.#chunks.pop()!.buffer as ArrayBuffer).transfer(0);
    const kept = this.#free.filter((node) => node < first);
    this.#free.length = 0;
    for (const node of kept) this.#free.push(node);
    this.#count = first;
  }
}

export function countAt(words: Int32Array, base: number): number {
  return words[base + STATE]! & COUNT_MASK;
}

export function setCount(words: Int32Array, base: number, count: number): void {
  words[base + STATE] = (words[base + STATE]! & ~COUNT_MASK) | count;
}

export function levelAt(words: Int32Array, base: number): number {
  return (words[base + STATE]! >>> LEVEL_SHIFT) & LEVEL_MASK;
}

/** The bits of 64 in two words that stand before a place, counted. */
export function liveBefore(words: Int32Array, base: number, place: number): number {
  const low = words[base + LIVE_BITS]!;
  if (place < 32) return place === 0 ? 0 : bitCount(low << (32 - place));
  const high = words[base + LIVE_BITS + 1]!;
  return bitCount(low) + (place === 32 ? 0 : bitCount(high << (64 - place)));
}

export function isLiveAt(words: Int32Array, base: number, place: number): boolean {
  return (words[base + LIVE_BITS + (place >>> 5)]! & (1 << (place & 31))) !== 0;
}

export function setLive(words: Int32Array, base: number, place: number, isLive: boolean): void {
  const at = base + LIVE_BITS + (place >>> 5);
  const bit = 1 << (place & 31);
  words[at] = isLive ? words[at]! | bit : words[at]! & ~bit;
}

/** Moves the bits from a place on up by one, or down onto it. */
export function shiftLive(words: Int32Array, base: number, place: number, isUp: boolean): void {
  const low = words[base + LIVE_BITS]!;
  const high = words[base + LIVE_BITS + 1]!;
  if (place >= 32) {
    const below = (1 << (place & 31)) - 1;
    const moved = isUp ? (high & ~below) << 1 : (high >>> 1) & ~below;
    words[base + LIVE_BITS + 1] = (high & below) | moved;
    return;
  }
  const below = (1 << place) - 1;
  if (isUp) {
    words[base + LIVE_BITS + 1] = (high << 1) | (low >>> 31);
    words[base + LIVE_BITS] = (low & below) | ((low & ~below) << 1);
  } else {
    words[base + LIVE_BITS] = (low & below) | (((low >>> 1) | (high << 31)) & ~below);
    words[base + LIVE_BITS + 1] = high >>> 1;
  }
}

/** Counts the bits of a word: Warren, Hacker's Delight, 5-1. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

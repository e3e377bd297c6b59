/**
 * The key that is being looked for, in a buffer of its own: as words, filled up with zeros, for hash and comparison;
 * with a deadline before it when it is looked for in the order of deadlines.
 */
import { KEY_BYTES_MAX } from '../engine.ts';
import type { HashSeed } from './key-hash.ts';
import { hashKey } from './key-hash.ts';

/** Below this a loop copies faster than `TypedArray.set` (measured: 24 ns a call). */
const LOOP_BYTES_MAX = 32;

export class Probe {
  readonly words = new Uint32Array((KEY_BYTES_MAX + 1) / 4 + 1);
  readonly bytes = new Uint8Array(this.words.buffer);
  readonly #seed0: number;
  readonly #seed1: number;
  /** The length of the key in bytes. */
  length = 0;
  hash = 0;
  /** The deadline before the key; 0 in the order of keys alone. */
  deadlineMs = 0;

  constructor(seed: HashSeed) {
    [this.#seed0, this.#seed1] = seed;
  }

  /** Takes over a key and hashes it. */
  set(key: Uint8Array): void {
    this.setUnhashed(key);
    this.hash = hashKey(this.words, this.length, this.#seed0, this.#seed1);
  }

  /** Takes over a key for a search in an order, which needs no hash. May be empty. */
  setUnhashed(key: Uint8Array): void {
    this.setPlaced(key, 0, key.length);
  }

  /** The same for a key that is a part of longer bytes. */
  setPlaced(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const { words } = this;
    this.length = length;
    if (length > LOOP_BYTES_MAX) {
      words[length >>> 2] = 0;
      this.bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end));
      return;
    }
    // Whole words at once: the hash reads them right away, and would wait for bytes that were written one by one.
    let word = 0;
    let index = start;
    for (; index + 4 <= end; index += 4) {
      words[word++] =
        source[index]! | (source[index + 1]! << 8) | (source[index + 2]! << 16) | (source[index + 3]! << 24);
    }
    let last = 0;
    for (let shift = 0; index < end; index++, shift += 8) last |= source[index]! << shift;
    words[word] = last;
  }

  /** Takes over a key that lies in a page. */
  setFrom(words: Uint32Array, wordOffset: number, byteCount: number): void {
    const wordCount = (byteCount + 3) >>> 2;
    this.length = byteCount;
    for (let index = 0; index < wordCount; index++) this.words[index] = words[wordOffset + index]!;
  }

  /** Cuts the key to its first bytes. */
  cut(byteCount: number): void {
    this.length = byteCount;
    this.bytes.fill(0, byteCount, (byteCount + 4) & ~3);
  }

  /** The hash of the key, for a check of what is stored. */
  computeHash(): number {
    return hashKey(this.words, this.length, this.#seed0, this.#seed1);
  }
}

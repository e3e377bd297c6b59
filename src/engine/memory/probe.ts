/**
 * The key that is being looked for, in a buffer of its own: as words, filled up with zeros, for hash and comparison. In the
 * index of deadlines the deadline stands before the key, as 8 bytes, big-endian.
 */
import { KEY_BYTES_MAX } from '../engine.ts';
import { hashKey, type HashSeed } from './key-hash.ts';
import { HEAD, KEY, KEY_BYTES_MASK, UNIT_BYTES, wordsOf } from './layout.ts';

/** Below this a loop copies faster than `TypedArray.set` (measured: 24 ns a call). */
const LOOP_BYTES_MAX = 32;
/** Zeros behind the longest key: a head may begin at its last byte. */
const REST_WORDS = 4;

export class Probe {
  readonly words = new Int32Array(wordsOf(UNIT_BYTES + KEY_BYTES_MAX) + REST_WORDS);
  readonly bytes = new Uint8Array(this.words.buffer);
  /** Of the key in bytes. */
  length = 0;
  /** The 8 bytes of the key behind those that `takeHead` skipped, as two numbers that are ordered as the bytes are. */
  headHigh = 0;
  headLow = 0;

  /** Takes over a key. May be empty. */
  set(key: Uint8Array): void {
    this.setPlaced(key, 0, key.length);
  }

  /** The same for a key that is a part of longer bytes. */
  setPlaced(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const { words } = this;
    this.length = length;
    if (length > LOOP_BYTES_MAX) {
      const last = length >>> 2;
      words[last] = 0;
      this.bytes.set(length === source.length ? source : source.subarray(start, end));
      this.#clearBehind(last + 1);
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
    this.#clearBehind(word + 1);
  }

  /** Takes over the key of a block. */
  setFrom(source: Int32Array, at: number): void {
    const length = source[at + HEAD]! & KEY_BYTES_MASK;
    const wordCount = wordsOf(length);
    const { words } = this;
    this.length = length;
    for (let index = 0; index < wordCount; index++) words[index] = source[at + KEY + index]!;
    this.#clearBehind(wordCount);
  }

  /** Takes over the key of a version, with a deadline before it. */
  setDeadline(deadlineMs: number, source: Int32Array, at: number): void {
    const keyBytes = source[at + HEAD]! & KEY_BYTES_MASK;
    const wordCount = wordsOf(keyBytes);
    const { words } = this;
    this.length = UNIT_BYTES + keyBytes;
    words[0] = swapped((deadlineMs / 0x1_0000_0000) | 0);
    words[1] = swapped(deadlineMs | 0);
    for (let index = 0; index < wordCount; index++) words[2 + index] = source[at + KEY + index]!;
    this.#clearBehind(2 + wordCount);
  }

  takeHead(skip: number): void {
    this.headHigh = headPart(this.bytes, skip);
    this.headLow = headPart(this.bytes, skip + 4);
  }

  /** The hash of the key. */
  hash(seed: HashSeed): number {
    return hashKey(this.words, this.length, seed[0], seed[1]);
  }

  /** Whether the key of a block is this one. */
  isKeyAt(source: Int32Array, at: number): boolean {
    const { length, words } = this;
    if ((source[at]! & KEY_BYTES_MASK) !== length) return false;
    const wordCount = wordsOf(length);
    for (let index = 0; index < wordCount; index++)
      if (words[index] !== source[at + KEY + index]) return false;
    return true;
  }

  /** Below 0 when this key comes before that of a block, 0 when it is the same, else above. */
  compareWith(source: Int32Array, at: number): number {
    const { length, words } = this;
    const otherLength = source[at]! & KEY_BYTES_MASK;
    const wordCount = wordsOf(Math.min(length, otherLength));
    for (let index = 0; index < wordCount; index++) {
      const a = words[index]!;
      const b = source[at + KEY + index]!;
      if (a !== b) return orderOfWords(a, b);
    }
    return length - otherLength;
  }

  #clearBehind(word: number): void {
    const { words } = this;
    words[word] = 0;
    words[word + 1] = 0;
    words[word + 2] = 0;
  }
}

/** The order of two different words by their first byte that differs, which is the lowest. */
export function orderOfWords(a: number, b: number): number {
  const difference = a ^ b;
  const shift = (31 - Math.clz32(difference & -difference)) & ~7;
  return ((a >>> shift) & 0xff) - ((b >>> shift) & 0xff);
}

/** Four bytes as a number that is ordered as they are. */
export function headPart(bytes: Uint8Array, start: number): number {
  return (
    ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) ^
    (1 << 31)
  );
}

/** A word with its bytes in the other order. */
function swapped(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

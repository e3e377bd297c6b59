/**
 * The key that is being looked for, in a buffer of its own: as words, filled up with zeros, for hash and comparison. In the
 * index of deadlines the deadline stands before the key, as 8 bytes, big-endian.
 *
 * What was found out about a short key stays known when the same one is set again: a write mostly comes right after a read
 * of its key (measured: 85 ns of 730 saved).
 */
import { KEY_BYTES_MAX } from '../engine.ts';
import { hashKey, type HashSeed } from './key-hash.ts';
import { HEAD, KEY, KEY_BYTES_MASK, NONE, UNIT_BYTES, wordsOf } from './layout.ts';

/** Below this a loop copies faster than `TypedArray.set` (measured: 24 ns a call). */
const LOOP_BYTES_MAX = 32;
/** Zeros behind the longest key: a head may begin at its end. */
const REST_WORDS = 3;

export class Probe {
  readonly words = new Int32Array(wordsOf(UNIT_BYTES + KEY_BYTES_MAX) + REST_WORDS);
  readonly bytes = new Uint8Array(this.words.buffer);
  readonly #view = new DataView(this.words.buffer);
  /** Of the key in bytes. */
  length = 0;
  /** The hash of the key; 0: not known. */
  #hash = 0;
  /** What the map found for the key (`NONE`: nothing), when it had changed so often; -1: it was not asked. */
  found = NONE;
  foundAt = -1;
  /** The 8 bytes of the key behind those that `takeHead` skipped, as two numbers that are ordered as the bytes are. */
  headHigh = 0;
  headLow = 0;

  /** Takes over a key. May be empty. */
  set(key: Uint8Array): void {
    this.setPlaced(key, 0, key.length);
  }

  /** Like `set`, of a key that is a part of longer bytes. */
  setPlaced(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const last = length >>> 2;
    if (length > LOOP_BYTES_MAX) {
      this.#end(length, last);
      this.bytes.set(length === source.length ? source : source.subarray(start, end));
      return;
    }
    // Whole words at once: the hash reads them right away, and would wait for bytes that were written one by one.
    const { words } = this;
    let index = start;
    let difference = length ^ this.length;
    for (let word = 0; word < last; word++, index += 4) {
      const next =
        source[index]! | (source[index + 1]! << 8) | (source[index + 2]! << 16) | (source[index + 3]! << 24);
      difference |= next ^ words[word]!;
      words[word] = next;
    }
    let rest = 0;
    for (let shift = 0; index < end; index++, shift += 8) rest |= source[index]! << shift;
    difference |= rest ^ words[last]!;
    if (difference === 0) return;
    this.#end(length, last);
    words[last] = rest;
  }

  /** Takes over the key of a block, to stand behind so many words that the caller writes. */
  setFrom(source: Int32Array, at: number, wordsBefore = 0): void {
    const length = source[at + HEAD]! & KEY_BYTES_MASK;
    const wordCount = wordsOf(length);
    const { words } = this;
    this.#end(wordsBefore * 4 + length, wordsBefore + wordCount);
    for (let index = 0; index < wordCount; index++) words[wordsBefore + index] = source[at + KEY + index]!;
  }

  /** Takes over the key of a version, with a deadline before it. */
  setDeadline(deadlineMs: number, source: Int32Array, at: number): void {
    this.setFrom(source, at, 2);
    this.#view.setUint32(0, deadlineMs / 0x1_0000_0000);
    this.#view.setUint32(4, deadlineMs);
  }

  /** Writes the key to its place in a block. */
  writeTo(target: Int32Array, at: number): void {
    const wordCount = wordsOf(this.length);
    for (let index = 0; index < wordCount; index++) target[at + KEY + index] = this.words[index]!;
  }

  takeHead(skip: number): void {
    this.headHigh = headPart(this.bytes, skip);
    this.headLow = headPart(this.bytes, skip + 4);
  }

  /** The hash of the key; always with the same seed. */
  hash(seed: HashSeed): number {
    this.#hash ||= hashKey(this.words, this.length, seed[0], seed[1]);
    return this.#hash;
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

  /** Sets the length of another key, and zeros from a word on, as far as a head reads that begins behind the key. */
  #end(length: number, word: number): void {
    const { words } = this;
    this.length = length;
    this.#hash = 0;
    this.foundAt = -1;
    words[word] = 0;
    words[word + 1] = 0;
    words[word + 2] = 0;
  }
}

/** The order of two different words by their first byte that differs, which is the lowest. */
function orderOfWords(a: number, b: number): number {
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

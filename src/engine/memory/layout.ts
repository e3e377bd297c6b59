/**
 * What lies in the memory of the engine.
 *
 * A slab is an `ArrayBuffer` full of blocks, without a gap. A block begins at a whole unit of 8 bytes and is named by a
 * reference of 32 bits: the number of its slab, then its unit within. Reference 0 is none. Numbers are little-endian words
 * of 32 bits:
 *
 * | word | what                                                                                                    |
 * | ---- | ------------------------------------------------------------------------------------------------------- |
 * | 0    | head: bytes of the key (17 bits), bytes of the value (12 bits), kind of the block (3 bits)              |
 * | 1    | low 32 bits of the revision                                                                             |
 * | 2    | its high 21 bits; how often the key was written (8 bits; 0: see the extras); flags (3 bits)             |
 * | 3    | where in the undo ring the version before stands; 0: it is not needed                                   |
 * | 4    | the revision less that of the key's creation; of a deletion in a layer 1: it hides what lies below      |
 * | 5    | the key, filled up with zeros to a whole word                                                           |
 * | ...  | the value, filled up to a whole word; of a long one its number and its length in bytes, a word each     |
 * | ...  | extras, if the flag says so: a word that says which, then two words for each                            |
 *
 * A put of `user/1` (6 bytes) = `abc` at revision 7, which creates the key: 0x00060006, 7, 0x00200000, 0, 0, "user", "/1",
 * "abc": 8 words, 4 units.
 *
 * A bare key has a head and a key at the same places, and zeros between: one of the index of deadlines (8 bytes of the
 * deadline, big-endian, then the key of the version), or of a walk. Nodes of ordered indexes and tables of the map lie in slabs of their own. Their heads,
 * and those of holes, have the length of the block in units in the low 29 bits.
 */
import { fixed } from '../../limits.ts';
import { assert } from '../../errors.ts';
import { KEY_BYTES_MAX } from '../engine.ts';

export const UNIT_BYTES = 8;
export const UNIT_BITS = 22;
export const UNIT_MASK = 2 ** UNIT_BITS - 1;
export const SLAB_BYTES_MAX = 2 ** UNIT_BITS * UNIT_BYTES;
export const SLAB_COUNT_MAX = 2 ** (32 - UNIT_BITS);

/** No reference, and no place in the undo ring. */
export const NONE = 0;

export const HEAD = 0;
export const REVISION_LOW = 1;
export const REVISION_HIGH = 2;
export const UNDO = 3;
export const CREATED_BEFORE = 4;
export const KEY = 5;

export const KEY_BYTES_MASK = 2 ** 17 - 1;
const VALUE_SHIFT = 17;
/** A longer value is a buffer of its own. */
export const SHORT_VALUE_BYTES_MAX = 2 ** 12 - 1;
const KIND_SHIFT = 29;
const SPAN_MASK = 2 ** KIND_SHIFT - 1;

/** What a version with a long value has in its place. */
export const LONG_VALUE_WORDS = 2;

/** Kinds of blocks. The first two are versions of keys. */
export const SHORT_VERSION = 0;
export const LONG_VERSION = 1;
/** A key and nothing else: that of a deadline in the engine. */
export const BARE_KEY = 2;
/** From here on the rest of the head is the length of the block in units. */
export const NODE = 3;
export const TABLE = 4;
export const HOLE = 5;

const REVISION_HIGH_MASK = 2 ** 21 - 1;
const COUNT_SHIFT = 21;
export const SHORT_COUNT_MAX = 2 ** 8 - 1;
export const IS_DELETED = 1 << 29;
export const HAS_EXTRAS = 1 << 30;

/** Which extras there are, in the order in which they stand. */
export const EXTRA_CREATE = 1;
export const EXTRA_MODIFY = 2;
export const EXTRA_COUNT = 4;
export const EXTRA_LEASE = 8;
export const EXTRA_TTL = 16;
export const EXTRA_DEADLINE = 32;
export const EXTRA_KIND = 64;
export const EXTRA_COLLECTION = 128;
/** The length of a value that lies compressed in its place, when it is whole. */
export const EXTRA_PLAIN_BYTES = 256;
/** All of them. */
export const EXTRAS_MASK = 2 * EXTRA_PLAIN_BYTES - 1;

export function headOf(kind: number, keyBytes: number, valueBytes: number): number {
  return (kind << KIND_SHIFT) | (valueBytes << VALUE_SHIFT) | keyBytes;
}

export function kindOf(head: number): number {
  return head >>> KIND_SHIFT;
}

/** Whether a head is that of a version of a key. */
export function isVersion(head: number): boolean {
  return kindOf(head) <= LONG_VERSION;
}

export function spanHead(kind: typeof NODE | typeof TABLE | typeof HOLE, units: number): number {
  return (kind << KIND_SHIFT) | units;
}

/** The words of a key of so many bytes. */
export function wordsOf(byteCount: number): number {
  return (byteCount + 3) >>> 2;
}

export function shortValueBytes(head: number): number {
  return (head >>> VALUE_SHIFT) & SHORT_VALUE_BYTES_MAX;
}

/** Where the value of a version begins, in words behind its head. */
export function valueWord(head: number): number {
  return KEY + wordsOf(head & KEY_BYTES_MASK);
}

/** Where the extras of a version would begin, in words behind its head. */
export function extrasWord(head: number): number {
  const valueWords = kindOf(head) === LONG_VERSION ? LONG_VALUE_WORDS : wordsOf(shortValueBytes(head));
  return valueWord(head) + valueWords;
}

export function secondWord(revision: number, count: number, flags: number): number {
  return (revision / 0x1_0000_0000) | 0 | (count << COUNT_SHIFT) | flags;
}

export function shortCount(word: number): number {
  return (word >>> COUNT_SHIFT) & SHORT_COUNT_MAX;
}

/** The length of a block or hole in units. */
export function unitsAt(words: Int32Array, at: number): number {
  const head = words[at]!;
  if (kindOf(head) >= NODE) return head & SPAN_MASK;
  let wordCount = extrasWord(head);
  if ((words[at + REVISION_HIGH]! & HAS_EXTRAS) !== 0) wordCount += extrasWords(words[at + wordCount]!);
  return (wordCount + 1) >>> 1;
}

/** The words of extras, the one that says which among them. */
export function extrasWords(which: number): number {
  let rest = which & EXTRAS_MASK;
  let wordCount = 1;
  for (; rest !== 0; rest &= rest - 1) wordCount += 2;
  return wordCount;
}

export function revisionAt(words: Int32Array, at: number): number {
  return wide(words[at + REVISION_LOW]!, words[at + REVISION_HIGH]! & REVISION_HIGH_MASK);
}

/** The number of two words. Up to 2^31 it comes as what V8 keeps without a heap object. */
export function wide(low: number, high: number): number {
  return high === 0 && low >= 0 ? low : high * 0x1_0000_0000 + (low >>> 0);
}

/** Writes a number of at most 53 bits into two words. @returns the word behind. */
export function writeWide(words: Int32Array, at: number, value: number): number {
  words[at] = value;
  words[at + 1] = (value / 0x1_0000_0000) | 0;
  return at + 2;
}

export function wideAt(words: Int32Array, at: number): number {
  return wide(words[at]!, words[at + 1]!);
}

assert(KEY_BYTES_MAX + UNIT_BYTES <= KEY_BYTES_MASK, 'the key of a deadline fits its bits');
assert(fixed.integerMax === 2 ** (21 + 32) - 1, 'revisions fit their 53 bits');
assert(VALUE_SHIFT === 17 && VALUE_SHIFT + 12 === KIND_SHIFT && KIND_SHIFT + 3 === 32, 'a head is one word');
assert(2 ** COUNT_SHIFT - 1 === REVISION_HIGH_MASK && COUNT_SHIFT + 8 === 29, 'the second word is full');
assert(new Uint8Array(Int32Array.of(1).buffer)[0] === 1, 'this processor is little-endian');

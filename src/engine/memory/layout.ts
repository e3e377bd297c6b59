/**
 * What lies in the shared memory of the memory engine, byte by byte. Everything is made of 32-bit words, little-endian;
 * what is wider is two words, the low one first.
 *
 * Memory comes in pages of 256 KiB (a longer version has a page of its own). A page belongs to one table; a table
 * numbers its pages from 1, so that 0 can say "none" everywhere.
 *
 * Key slot (two words per key, in a shard's slot pages). Its number, from 1, is the key's local id; with the number of
 * the shard above it, it is the key id, which stays the same for as long as the key exists:
 *
 *     +0  reference to the newest version; 0: the slot is free
 *     +1  hash of the key; in a free slot: the next free slot
 *
 *     key id:   | shard: 6 bits | local id: 26 bits |
 *
 * Hash segment (1024 words in a shard's index pages): open addressing, linear probing.
 *
 *     slot:     | tag: 6 bits of the hash | local id: 26 bits |     0: never used     63, 0: a key was taken out
 *
 * A key's hash: which bits choose what. Above 10 directory bits in use, the tag says nothing new, which costs only time.
 *
 *     | slot in the segment: 10 | tag: 6 | ... directory of the shard: up to 16 | shard: 6 |
 *      31                     22 21    16 21                                   6 5         0
 *
 * Version (in a shard's version pages, in units of 8 bytes). A reference is the page's number, then the unit in it:
 *
 *     reference: | page: 17 bits | unit: 15 bits |
 *
 *     +0  reference to the version before; 0: none is kept
 *     +1  | key length, or 63: it is longer than 62: 6 bits | local id: 26 bits |
 *     +2  revision, low word
 *     +3  | flags: 11 bits | revision, high part: 21 bits |
 *     +4  length of the value in bytes
 *     [1] length of the key, when it is longer than 62
 *     [2] create revision, [2] modify revision, [2] version number, [2] lease, [2] time to live, [2] deadline, [1] kind:
 *         each only when its flag is set; unset they are: the revision, the revision, 1, and 0 for the others
 *     the key, filled up with zeros to a whole word
 *     the value, and what is left of the last unit
 *
 * Each version carries the key, so that a lookup by hash goes through index and slot (small, often in the processor's
 * cache) to one place in the large memory, not two.
 *
 * The nodes of the ordered index are described at the head of `key-tree.ts`.
 */
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { KEY_BYTES_MAX } from '../engine.ts';

export const PAGE_BYTES = 256 * 1024;
export const PAGE_WORDS = PAGE_BYTES / 4;

/** A place in a table of pages: 15 bits for the unit of 8 bytes, the page's number above. */
export const UNIT_BYTES = 8;
export const UNIT_WORDS = UNIT_BYTES / 4;
export const PAGE_UNITS = PAGE_BYTES / UNIT_BYTES;
export const UNIT_BITS = 15;
export const UNIT_MASK = PAGE_UNITS - 1;
/** One more than the highest number of a page in a table of versions. */
export const PAGE_COUNT_MAX = 2 ** (32 - UNIT_BITS);
/** A version of more units than this lies in a page of its own: half a page, so that little is left over at an end. */
export const SHARED_PAGE_VERSION_UNITS_MAX = PAGE_UNITS / 2;

export const SHARD_BITS = 6;
export const SHARD_COUNT_MAX = 2 ** SHARD_BITS;
export const LOCAL_ID_BITS = 32 - SHARD_BITS;
export const LOCAL_ID_MASK = 2 ** LOCAL_ID_BITS - 1;

/** Key slots. */
export const SLOT_NEWEST = 0;
export const SLOT_HASH = 1;
export const SLOT_WORDS = 2;
export const SLOT_BITS = 15;
export const PAGE_SLOTS = PAGE_WORDS / SLOT_WORDS;
export const SLOT_MASK = PAGE_SLOTS - 1;

/** Hash segments. */
export const SEGMENT_WORD_BITS = 10;
export const SEGMENT_WORDS = 1024;
export const SEGMENT_MASK = SEGMENT_WORDS - 1;
export const SEGMENT_BITS = 6;
export const PAGE_SEGMENTS = PAGE_WORDS / SEGMENT_WORDS;
export const SEGMENT_SHIFT = 22;
export const TAG_SHIFT = 16;
export const TAG_MASK = 63;
export const DIRECTORY_BITS_MAX = 16;
export const SLOT_EMPTY = 0;
export const SLOT_REMOVED = (TAG_MASK << LOCAL_ID_BITS) >>> 0;

/** Versions. */
export const VERSION_PREVIOUS = 0;
export const VERSION_KEY = 1;
export const VERSION_REVISION = 2;
export const VERSION_FLAGS = 3;
export const VERSION_VALUE_BYTES = 4;
export const VERSION_WORDS = 5;
export const LONG_KEY = 63;
export const REVISION_HIGH_MASK = 2 ** 21 - 1;

export const HAS_CREATE = 1 << 21;
export const HAS_MODIFY = 1 << 22;
export const HAS_VERSION = 1 << 23;
export const HAS_LEASE = 1 << 24;
export const HAS_TTL = 1 << 25;
export const HAS_DEADLINE = 1 << 26;
export const HAS_KIND = 1 << 27;
export const IS_DELETED = 1 << 28;
/** The version is not reachable any more; its place is to be given back with its page. */
export const IS_DROPPED = 1 << 29;
/** Not a version at all, but a key that an ordered index keeps as a border between two of its nodes. */
export const IS_BORDER = 1 << 30;

const OPTIONAL_SHIFT = 21;
const OPTIONAL_MASK = 127;

/** The words that the optional fields take, by the seven flags that say which there are. */
const optionalWords = Uint8Array.from({ length: OPTIONAL_MASK + 1 }, (_, flags) => {
  let words = 0;
  for (let bit = 0; bit < 6; bit++) if ((flags & (1 << bit)) !== 0) words += 2;
  return words + (flags >>> 6);
});

/** How many words lie between the first word of a version and its key. */
export function keyWordOffset(keyWord: number, flagsWord: number): number {
  const longKeyWords = keyWord >>> LOCAL_ID_BITS === LONG_KEY ? 1 : 0;
  return VERSION_WORDS + longKeyWords + optionalWords[(flagsWord >>> OPTIONAL_SHIFT) & OPTIONAL_MASK]!;
}

/** How many words lie between the first word of a version that has a deadline and the deadline. */
export function deadlineWordOffset(keyWord: number, flagsWord: number): number {
  return keyWordOffset(keyWord, flagsWord) - 2 - ((flagsWord & HAS_KIND) === 0 ? 0 : 1);
}

/** The length of a version's key in bytes. */
export function keyByteCount(words: Uint32Array, offset: number): number {
  const short = words[offset + VERSION_KEY]! >>> LOCAL_ID_BITS;
  return short === LONG_KEY ? words[offset + VERSION_WORDS]! : short;
}

/** The revision of a version. */
export function revisionAt(words: Uint32Array, offset: number): number {
  return wide(words[offset + VERSION_REVISION]!, words[offset + VERSION_FLAGS]! & REVISION_HIGH_MASK);
}

/** The number of two words. Up to 2^31 it comes as what V8 keeps without a heap object. */
export function wide(low: number, high: number): number {
  return high === 0 && low < 0x8000_0000 ? low | 0 : high * 0x1_0000_0000 + low;
}

/** The whole size of a version in units. */
export function versionUnits(words: Uint32Array, offset: number): number {
  const wordCount =
    keyWordOffset(words[offset + VERSION_KEY]!, words[offset + VERSION_FLAGS]!) +
    ((keyByteCount(words, offset) + 3) >>> 2);
  return Math.ceil((wordCount + Math.ceil(words[offset + VERSION_VALUE_BYTES]! / 4)) / UNIT_WORDS);
}

assert(
  PAGE_UNITS === 2 ** UNIT_BITS && PAGE_SLOTS === 2 ** SLOT_BITS,
  'a page has a power of two of units and slots',
);
assert(UNIT_WORDS * UNIT_BYTES === 16 && PAGE_WORDS * 4 === PAGE_BYTES, 'a unit is two words');
assert(SEGMENT_WORDS * 2 ** SEGMENT_BITS === PAGE_WORDS, 'segments fill a page');
assert(SEGMENT_WORDS === 2 ** SEGMENT_WORD_BITS, 'the words of a segment are counted by bits');
assert(SEGMENT_WORDS === 2 ** (32 - SEGMENT_SHIFT), 'the bits of the hash above the tag are the slot');
assert(
  TAG_SHIFT + SHARD_BITS === SEGMENT_SHIFT && TAG_MASK >>> SHARD_BITS === 0,
  'a tag is as wide as a shard',
);
assert(SHARD_BITS + DIRECTORY_BITS_MAX === SEGMENT_SHIFT, 'the directory never uses the bits of the slot');
assert(2 ** DIRECTORY_BITS_MAX === PAGE_WORDS, 'a directory is one page');
assert(fixed.integerMax === 2 ** (21 + 32) - 1, 'revisions fit their 53 bits');
assert(
  KEY_BYTES_MAX + 64 < (SHARED_PAGE_VERSION_UNITS_MAX / 2) * UNIT_BYTES * 2,
  'a border fits a shared page',
);
assert(new Uint8Array(Uint32Array.of(1).buffer)[0] === 1, 'this processor is little-endian');

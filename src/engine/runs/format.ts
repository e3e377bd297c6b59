/**
 * How a run file lies on disk. Writer and readers share this file; docs/format.md shows it byte by byte.
 *
 * A run is immutable: records in key order, of each key one. It is a header, blocks without a gap, and a footer; then it ends. Numbers
 * are unsigned and little-endian.
 *
 * ```text
 * header               footer                          head of a block
 * 0   8  "KELPRUN1"    0   8  "KELPRUNE"               0   4  CRC-32 of the rest of the head and the payload
 * 8   4  format        8   8  offset of the directory  4   1  kind of block
 * 12  1  engine        16  4  bytes of it, with head   5   1  1: the payload is compressed
 * 13  1  form          20  4  CRC-32 of the CRC-32s    6   2  records in it
 * 14  2  zero                 of all blocks, in order  8   4  bytes of the payload as it is stored
 * 16  8  run number    24  8  records                  12  4  bytes of it before compression
 * 24  4  zero          32  8  deletions among them     16     payload
 * 28  4  CRC-32 of     40  8  lowest revision
 *        0 to 28       48  8  highest revision
 *                      56  8  bytes of the file
 *                      64  8  run number
 *                      72  4  zero
 *                      76  4  CRC-32 of 0 to 76
 * ```
 *
 * A directory may have more records than two bytes tell: the seven bits above the flag count them in 65,536s.
 *
 * The CRC of a block begins with a seed made of the run's number and the block's offset: a block of another place or file is as
 * wrong as a torn one.
 *
 * The payload of a block is its records one behind the other, then where each begins, 4 bytes each; but for filters, values and dense records.
 */
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';

export const FORMAT = 1;
export const HEADER_MAGIC = Buffer.from('KELPRUN1');
export const FOOTER_MAGIC = Buffer.from('KELPRUNE');
export const HEADER_BYTES = 32;
export const FOOTER_BYTES = 80;

/** Fields of the header. */
export const FORMAT_AT = 8;
export const ENGINE_AT = 12;
export const FORM_AT = 13;
export const NUMBER_AT = 16;
export const HEADER_CRC_AT = 28;
assert(HEADER_CRC_AT + 4 === HEADER_BYTES, 'the fields of a header fill it');

/** Fields of the footer. */
export const DIRECTORY_OFFSET_AT = 8;
export const DIRECTORY_BYTES_AT = 16;
export const TALLY_AT = 20;
export const RECORD_COUNT_AT = 24;
export const DELETED_COUNT_AT = 32;
export const MIN_REVISION_AT = 40;
export const MAX_REVISION_AT = 48;
export const FILE_BYTES_AT = 56;
export const FOOTER_NUMBER_AT = 64;
export const FOOTER_CRC_AT = 76;
assert(FOOTER_CRC_AT + 4 === FOOTER_BYTES, 'the fields of a footer fill it');

/** Fields of the head of a block. */
export const BLOCK_HEAD_BYTES = 16;
export const BLOCK_KIND_AT = 4;
export const BLOCK_FLAGS_AT = 5;
export const BLOCK_COUNT_AT = 6;
export const BLOCK_STORED_AT = 8;
export const BLOCK_PLAIN_AT = 12;
assert(BLOCK_PLAIN_AT + 4 === BLOCK_HEAD_BYTES, 'the fields of a block head fill it');
/** Of the flags, beside the high bits of the count of records. */
export const BLOCK_IS_COMPRESSED = 1;
export const BLOCK_COUNT_HIGH_SHIFT = 1;
/** A directory tells of no more blocks; with places by deadline they are of 16 KiB each, of all else some 64. */
export const BLOCK_COUNT_MAX = 2 ** 23 - 1;

/** Bytes for the place of a record at the end of a block. */
export const PLACE_BYTES = 4;

/**
 * - `data`: records of a sparse run, values among them.
 * - `value`: one long value of the next `data` block, alone.
 * - `record`: one record of a dense run, of which the value alone is compressed.
 * - `index`: for each of some `data` blocks a key above those before it and not above its first, its offset and its bytes.
 * - `filter`: a Bloom filter of the keys in the blocks of one `index` block.
 * - `hints`: records of a dense run without values, each with the offset and the bytes of its `record` block.
 * - `deadlines`: places by deadline: keys that begin with the deadline, 8 bytes, the highest first.
 * - `leases`: the keys that have a lease, in key order, each with its lease.
 * - `directory`: the blocks of the last five kinds, each with its first key: the last block.
 */
export const blockKind = {
  data: 1,
  value: 2,
  record: 3,
  index: 4,
  filter: 5,
  hints: 6,
  deadlines: 7,
  leases: 8,
  directory: 9,
} as const;

export type BlockKind = (typeof blockKind)[keyof typeof blockKind];

/** How records lie: in blocks of some 4 KiB with a sparse index, or each in a block of its own with hints. */
export const runForm = { sparse: 1, dense: 2 } as const;

export type RunForm = keyof typeof runForm;

/** The engines that keep runs. */
export const engineKind = { lsm: 1, bitcask: 2 } as const;

export type RunEngine = keyof typeof engineKind;

/** What a record has besides its key: flags, a varint. A field that is not flagged is 0, or the revision where that is said. */
export const recordFlag = {
  deleted: 1,
  /** Missing: the revision. */
  modRevision: 2,
  /** Missing: the revision. */
  createRevision: 4,
  /** Missing: 1. */
  version: 8,
  expireTimeMs: 16,
  ttlMs: 32,
  /** The value does not follow, but the offset and the bytes of the block that has it. */
  apart: 64,
  leaseId: 128,
  kind: 256,
  collectionId: 512,
} as const;

/** A block of data is closed when it has so many bytes, ... */
export const DATA_BLOCK_BYTES = 4096;
/** ... or its values apart have. */
export const APART_BYTES_MAX = 256 * 1024;
/** Values from this length on lie in a block of their own, so that what is beside them is read without them. */
export const APART_VALUE_BYTES_MIN = 16 * 1024;
/** A longer value is not compressed: that would hold up everything else. */
export const COMPRESSED_BYTES_MAX = 1024 * 1024;
/** A block of index, hints or leases is closed at this length. */
export const SIDE_BLOCK_BYTES = 64 * 1024;
/** Fewer bytes for what is searched by single reads. */
export const DEADLINE_BLOCK_BYTES = 16 * 1024;
/** A filter is for so many keys at most. */
export const FILTER_KEYS_MAX = 32_768;
/** A piece of places that is sorted at once takes so much memory. */
export const PIECE_BYTES = 8 * 1024 * 1024;
/** Metadata of a record at most: lengths, flags, eight numbers, and where its value lies. */
export const META_BYTES_MAX = 128;

/** What the CRC of a block begins with. */
export function blockSeed(runNumber: number, offset: number): number {
  const high = Math.floor(offset / 2 ** 32);
  return (Math.imul(runNumber, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b) ^ offset) >>> 0;
}

/** The longest block that is read: one of the longest value of the log's longest frame. A head that claims more is torn. */
export const BLOCK_BYTES_MAX = fixed.frameBytesMax + 1024 * 1024;

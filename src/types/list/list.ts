/**
 * A list, read from its metadata: where its elements lie, and what writes them.
 *
 * Packed, all elements are a row of items in the metadata (`collections/packed-items.ts`). Spread, they are
 *
 *     head row, chunks, tail row
 *
 * in this order: two short rows in the metadata, into which pushes go and from which pops come, and between them chunks of up to
 * `ROW_BYTES_MAX` bytes with keys of their own.
 *
 *     01 count first:u64 headCount headBytes headRow tailCount tailRow      metadata; counts and lengths are varints
 *     FA id c ordinal:u64 → row                                             a chunk
 *
 * Each element has an ordinal, one more than the element before it, and a chunk's key is the ordinal of its first element. Pushes
 * and pops at either end change no other element's ordinal, so an index is found by one seek: the element at `index` has the ordinal
 * `first + index`, and lies in the last chunk whose key is not above it. No chunk or summary counts elements, and it holds at old
 * revisions as it does now, which ranks (that count chunks, and the newest state alone) would not. The price is that an
 * element that comes or goes in the middle moves those between it and the nearer end on from chunk to chunk (`refill.ts`).
 *
 * Example: "a", "b" in the head row, one chunk of "c", "d", "e", and "f" in the tail row, `first` 100:
 *
 *     01 06 100 02 04 (01 a 01 b) 01 (01 f)
 *     FA id c 102 → 01 c 01 d 01 e
 *
 * Invariants: `headCount`, the counts of all chunks and `tailCount` add up to `count`; the chunks lie side by side from
 * `chunksStart` to `chunksEnd`; none is empty; a row has at most `ROW_BYTES_MAX` bytes unless it is a chunk of one element.
 */
import type { Version } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { sizeOfVarint32, writeInt64 } from '../../wire/varint.ts';
import {
  isPacked,
  ITEMS_START,
  PACKED,
  PACKED_BYTES_MAX,
  PACKED_ELEMENTS_MAX,
  putMetadata,
  readCollection,
  readCount,
  spreadMetadata,
} from '../collections/metadata.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { putRow } from './chunks.ts';
import { countItems, ROW_BYTES_MAX } from './rows.ts';

/** The end of a list at which something is pushed or popped. */
export type End = 'head' | 'tail';

/** The ordinal of a list's first element when it is spread: as far from the least as from the greatest. */
const FIRST_ORDINAL = 2 ** 52;

const FIRST_BYTES = 8;
const TWO_32 = 2 ** 32;

export class List {
  /** The version that it was read from; `undefined`: there was none. */
  before: Version | undefined;
  /** Of the chunks; 0: it is packed, and all elements are in the head row. */
  id = 0;
  /** The ordinal of the first element. */
  first = 0;
  count = 0;
  headRow = NO_BYTES;
  headCount = 0;
  tailRow = NO_BYTES;
  tailCount = 0;

  /** The list at a key; `undefined`: there is none. Throws `wrongType`. */
  static read(view: ReadView, key: Uint8Array): List | undefined {
    const version = readCollection(view, key, kinds.list);
    return version === undefined ? undefined : new List(version);
  }

  constructor(before?: Version) {
    this.before = before;
    if (before === undefined) return;
    const { value } = before;
    if (isPacked(before)) {
      this.headRow = value.subarray(ITEMS_START);
      this.headCount = this.count = countItems(this.headRow);
      return;
    }
    assert(before.collectionId !== 0, 'a spread list has an id');
    this.id = before.collectionId;
    const { count, restStart } = readCount(before);
    this.count = count;
    let at = restStart;
    let first = 0;
    for (const end = at + FIRST_BYTES; at < end; at++) first = first * 256 + (value[at] ?? 0);
    this.first = first;
    this.headCount = shortNumber(value, at);
    at += sizeOfVarint32(this.headCount);
    const headBytes = shortNumber(value, at);
    at += sizeOfVarint32(headBytes);
    this.headRow = value.subarray(at, at + headBytes);
    at += headBytes;
    this.tailCount = shortNumber(value, at);
    at += sizeOfVarint32(this.tailCount);
    this.tailRow = value.subarray(at);
  }

  /** The ordinal of the first element that lies in a chunk. */
  get chunksStart(): number {
    return this.first + this.headCount;
  }

  /** The ordinal behind the last one. */
  get chunksEnd(): number {
    return this.first + this.count - this.tailCount;
  }

  /** The index of the tail row's first element. */
  get tailStart(): number {
    return this.count - this.tailCount;
  }

  /** Writes the metadata, or deletes the list when it has no element. */
  write(view: View, key: Uint8Array): void {
    if (this.count === 0) {
      view.delete(key);
      return;
    }
    if (this.id === 0) {
      if (this.headRow.length < PACKED_BYTES_MAX && this.count <= PACKED_ELEMENTS_MAX) {
        const value = Buffer.allocUnsafe(ITEMS_START + this.headRow.length);
        value[0] = PACKED;
        value.set(this.headRow, ITEMS_START);
        putMetadata(view, key, kinds.list, value, this.before, 0);
        return;
      }
      this.spread(view);
    }
    if (this.headRow.length > ROW_BYTES_MAX) this.sealHead(view);
    if (this.tailRow.length > ROW_BYTES_MAX) this.sealTail(view);
    const { headRow, tailRow, headCount, tailCount } = this;
    const { value, restStart } = spreadMetadata(
      this.count,
      FIRST_BYTES +
        sizeOfVarint32(headCount) +
        sizeOfVarint32(headRow.length) +
        headRow.length +
        sizeOfVarint32(tailCount) +
        tailRow.length,
    );
    let at = writePlaces(value, restStart, this.first, headCount, headRow.length);
    value.set(headRow, at);
    at = writeInt64(value, at + headRow.length, tailCount);
    value.set(tailRow, at);
    putMetadata(view, key, kinds.list, value, this.before, this.id);
  }

  /** It has no element any more, and no chunk: none names those that there are, so that they are swept. */
  clear(): void {
    this.id = 0;
    this.count = 0;
    this.headRow = this.tailRow = NO_BYTES;
    this.headCount = this.tailCount = 0;
  }

  /** What was packed becomes spread, all of it in chunks. */
  spread(view: View): void {
    this.id = view.newCollectionId();
    this.first = FIRST_ORDINAL;
    this.sealHead(view);
  }

  /** The head row becomes the first chunk, or several. */
  sealHead(view: View): void {
    putRow(view, this.id, this.first, this.headRow);
    this.headRow = NO_BYTES;
    this.headCount = 0;
  }

  /** The tail row becomes the last chunk, or several. */
  sealTail(view: View): void {
    putRow(view, this.id, this.chunksEnd, this.tailRow);
    this.tailRow = NO_BYTES;
    this.tailCount = 0;
  }
}

/** Writes what stands between the count of a spread list and its head row. @returns where that row begins. */
export function writePlaces(
  buffer: Buffer,
  offset: number,
  first: number,
  headCount: number,
  headBytes: number,
): number {
  let high = Math.floor(first / TWO_32);
  let low = first >>> 0;
  for (let at = offset + 3; at >= offset; at--, high >>>= 8) buffer[at] = high;
  for (let at = offset + 7; at >= offset + 4; at--, low >>>= 8) buffer[at] = low;
  return writeInt64(buffer, writeInt64(buffer, offset + FIRST_BYTES, headCount), headBytes);
}

export const SHORT_NUMBER_BYTES_MAX = 2;

/** A varint of at most so many bytes. */
function shortNumber(bytes: Uint8Array, at: number): number {
  const low = bytes[at] ?? 0;
  return low < 0x80 ? low : (low & 0x7f) + (bytes[at + 1] ?? 0) * 0x80;
}

/**
 * A stream: entries of fields and values, in the order of their ids, and groups of consumers that share them.
 *
 *     key → metadata, kind 5
 *     01 count lastId:16 maxDeletedId:16 firstId:16 added:u64 nextGroup:u32     metadata; `count` is a varint
 *     FA id e entryId:16 → field value field value ...                          an entry, as items (`collections/packed-items.ts`)
 *     FA id g, n, p, o                                                          groups (`groups.ts`, `pending.ts`)
 *
 * It is spread from the beginning: an entry is written once and read by id, and a stream of a few entries is a rare thing. Unlike
 * other collections it may be empty: it stays, with the ids that it has given, until its key is deleted.
 *
 * `lastId` is the highest id that was ever given, `maxDeletedId` the highest one that XDEL has taken out, `added` how many entries
 * there ever were, `firstId` the id of the first entry that there is (0-0: none). With `firstId` a reading from the beginning passes
 * over what was trimmed, on old states too.
 *
 * Invariants: `count` is the number of keys with the tag `e`, of which `firstId` is the lowest and none is above `lastId`.
 */
import type { Version } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { kinds } from '../../store/collections/kinds.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import {
  putMetadata,
  readCollection,
  readCount,
  spreadMetadata,
  writeSpreadCount,
} from '../collections/metadata.ts';
import { readUint32, readUint53, writeUint32, writeUint53 } from './numbers.ts';
import { copyId, ID_BYTES, ID_ZERO } from './stream-id.ts';

const MAX_DELETED_AT = ID_BYTES;
const FIRST_AT = 2 * ID_BYTES;
const ADDED_AT = 3 * ID_BYTES;
const NEXT_GROUP_AT = ADDED_AT + 8;
const REST_BYTES = NEXT_GROUP_AT + 4;
/** The form, and a varint. */
const BEFORE_REST_BYTES_MAX = 1 + 8;
export const METADATA_BYTES_MAX = BEFORE_REST_BYTES_MAX + REST_BYTES;

export class Stream {
  /** The version that it was read from; `undefined`: there was none. */
  readonly before: Version | undefined;
  /** Of its elements. */
  id = 0;
  count = 0;
  lastId = ID_ZERO;
  maxDeletedId = ID_ZERO;
  firstId = ID_ZERO;
  added = 0;
  /** The number of the next group. */
  nextGroup = 0;

  /** The stream at a key; `undefined`: there is none. Throws `wrongType`. */
  static read(view: ReadView, key: Uint8Array): Stream | undefined {
    const version = readCollection(view, key, kinds.stream);
    return version === undefined ? undefined : Stream.of(version);
  }

  /** The stream of a version, which is one. */
  static of(version: Version): Stream {
    return new Stream(version);
  }

  /** An empty one, which is there once it is written. */
  static create(view: View): Stream {
    const stream = new Stream(undefined);
    stream.id = view.newCollectionId();
    return stream;
  }

  private constructor(before: Version | undefined) {
    this.before = before;
    if (before === undefined) return;
    assert(before.collectionId !== 0, 'a stream has an id');
    this.id = before.collectionId;
    const { value } = before;
    const { count, restStart } = readCount(before);
    this.count = count;
    this.lastId = value.subarray(restStart, restStart + ID_BYTES);
    this.maxDeletedId = value.subarray(restStart + MAX_DELETED_AT, restStart + MAX_DELETED_AT + ID_BYTES);
    this.firstId = value.subarray(restStart + FIRST_AT, restStart + FIRST_AT + ID_BYTES);
    this.added = readUint53(value, restStart + ADDED_AT);
    this.nextGroup = readUint32(value, restStart + NEXT_GROUP_AT);
  }

  write(view: View, key: Uint8Array): void {
    putMetadata(view, key, kinds.stream, this.metadata(), this.before, this.id);
  }

  /** The value of its key, in memory of its own. */
  metadata(): Uint8Array {
    const { value, restStart } = spreadMetadata(this.count, REST_BYTES);
    this.#writeRest(value, restStart);
    return value;
  }

  /** The same in memory of the caller's, of `METADATA_BYTES_MAX`. @returns where it ends. */
  writeMetadata(value: Buffer): number {
    const restStart = writeSpreadCount(value, this.count);
    this.#writeRest(value, restStart);
    return restStart + REST_BYTES;
  }

  #writeRest(value: Uint8Array, restStart: number): void {
    copyId(value, restStart, this.lastId);
    copyId(value, restStart + MAX_DELETED_AT, this.maxDeletedId);
    copyId(value, restStart + FIRST_AT, this.firstId);
    writeUint53(value, restStart + ADDED_AT, this.added);
    writeUint32(value, restStart + NEXT_GROUP_AT, this.nextGroup);
  }
}

/** 0: there is no stream. Throws `wrongType`. */
export function lengthOf(view: ReadView, key: Uint8Array): number {
  return Stream.read(view, key)?.count ?? 0;
}

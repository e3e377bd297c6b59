/**
 * Writes the records of calls that change elements of a collection (`ElementCalls`) into the log's buffer, one after the other: the
 * Protobuf bytes of a `Record` with the effects on elements and then the put of the metadata (`log.proto`), byte for byte those that
 * the generated codec writes, from front to back.
 */
import { DeleteReason } from '../../../gen/kelp/v1/watch_pb.ts';
import { assert } from '../../errors.ts';
import { writeRecordPrefix } from '../../wal/frames/records.ts';
import { sizeOfInt64, sizeOfVarint32, writeInt64 } from '../../wire/varint.ts';
import type { ElementCalls, ElementChanges } from '../collections/element-calls.ts';
import { DELETE, EFFECT, INT64_BYTES_MAX, LENGTH_BYTES_MAX, PUT, RECORD } from './record-tags.ts';

/** What a record has at most beside keys and values: the fields of its own, and those of four effects. */
const FRAMING_BYTES_MAX =
  LENGTH_BYTES_MAX + 4 * (1 + INT64_BYTES_MAX) + 4 * (4 * (1 + LENGTH_BYTES_MAX) + 4 * (1 + INT64_BYTES_MAX));
/** The most bytes of metadata. */
const METADATA_BYTES_MAX = 1 + INT64_BYTES_MAX;
const DELETE_REASON_BYTES = 2;

export class ElementRecords {
  /** Of the changes of the record that is written. */
  readonly #bodyBytes: number[] = [];
  #timeMs = 0;
  #leaseClockMs = 0;
  #timesBytes = 0;
  #kindBytes = 0;

  static bytesMax({ length, key, bytesMax }: ElementCalls): number {
    return bytesMax + length * (key.length + METADATA_BYTES_MAX + FRAMING_BYTES_MAX);
  }

  /** @param leaseClockMs 0: none. */
  begin(calls: ElementCalls, timeMs: number, leaseClockMs: number): void {
    this.#timeMs = timeMs;
    this.#leaseClockMs = leaseClockMs;
    this.#timesBytes = sizeOfField(timeMs) + sizeOfField(leaseClockMs);
    this.#kindBytes = sizeOfField(calls.kind) + sizeOfField(calls.collectionId);
  }

  /**
   * @param createRevisions of the changes, and of the metadata behind them; so with `versions`.
   * @returns where the record ends.
   */
  write(
    calls: ElementCalls,
    changes: ElementChanges,
    revision: number,
    createRevisions: readonly number[],
    versions: readonly number[],
    buffer: Buffer,
    offset: number,
  ): number {
    const { count, keys, values, deletes, metadata } = changes;
    const sizes = this.#bodyBytes;
    let recordBytes = 1 + sizeOfInt64(revision) + this.#timesBytes;
    for (let index = 0; index <= count; index++) {
      const isMetadata = index === count;
      const keyBytes = sizeOfBytes((isMetadata ? calls.key : keys[index]!).length);
      let size: number;
      if (!isMetadata && deletes[index]!) size = keyBytes + DELETE_REASON_BYTES;
      else {
        const valueBytes = (isMetadata ? metadata : values[index]!).length;
        size = keyBytes + 2 + sizeOfInt64(createRevisions[index]!) + sizeOfInt64(versions[index]!);
        if (valueBytes > 0) size += sizeOfBytes(valueBytes);
        if (isMetadata) size += this.#kindBytes;
      }
      sizes[index] = size;
      recordBytes += sizeOfBytes(sizeOfBytes(size));
    }
    let at = writeRecordPrefix(buffer, offset, recordBytes);
    const end = at + recordBytes;
    at = writeField(buffer, at, RECORD.revision, revision);
    at = writeField(buffer, at, RECORD.timeMs, this.#timeMs);
    at = writeField(buffer, at, RECORD.leaseClockMs, this.#leaseClockMs);
    for (let index = 0; index <= count; index++) {
      const isMetadata = index === count;
      const isDelete = !isMetadata && deletes[index]!;
      const size = sizes[index]!;
      at = writeField(buffer, at, RECORD.effect, sizeOfBytes(size));
      at = writeField(buffer, at, isDelete ? EFFECT.delete : EFFECT.put, size);
      at = writeBytes(buffer, at, PUT.key, isMetadata ? calls.key : keys[index]!);
      if (isDelete) {
        at = writeField(buffer, at, DELETE.reason, DeleteReason.REQUESTED);
        continue;
      }
      const value = isMetadata ? metadata : values[index]!;
      if (value.length > 0) at = writeBytes(buffer, at, PUT.value, value);
      at = writeField(buffer, at, PUT.createRevision, createRevisions[index]!);
      at = writeField(buffer, at, PUT.version, versions[index]!);
      if (!isMetadata) continue;
      at = writeField(buffer, at, PUT.kind, calls.kind);
      at = writeField(buffer, at, PUT.collectionId, calls.collectionId);
    }
    assert(at === end, 'a log record has the size that it says');
    return at;
  }
}

/** Of a number with its tag, which is left out when it is 0. */
function sizeOfField(value: number): number {
  return value === 0 ? 0 : 1 + sizeOfInt64(value);
}

/** Of so many bytes with their length and tag. */
function sizeOfBytes(byteCount: number): number {
  return 1 + sizeOfVarint32(byteCount) + byteCount;
}

function writeField(buffer: Buffer, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  buffer[at] = tag;
  return writeInt64(buffer, at + 1, value);
}

/** A longer value is copied faster by `set`. */
const LOOP_BYTES_MAX = 48;

function writeBytes(buffer: Buffer, at: number, tag: number, bytes: Uint8Array): number {
  const { length } = bytes;
  buffer[at] = tag;
  const start = writeInt64(buffer, at + 1, length);
  if (length > LOOP_BYTES_MAX) buffer.set(bytes, start);
  else for (let index = 0; index < length; index++) buffer[start + index] = bytes[index]!;
  return start + length;
}

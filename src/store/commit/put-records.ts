/**
 * Writes the records of a row of puts (`PutRow`) into the log's buffer: the Protobuf bytes of a `Record` with one `PutEffect`
 * (`log.proto`), from front to back. The generated codec writes any record, and takes three times as long: it asks for all sizes first and looks at
 * each field that could be set.
 */
import type { PutRow } from '../../engine/put-row.ts';
import { assert } from '../../errors.ts';
import { writeRecordPrefix } from '../../wal/frames/records.ts';
import { sizeOfInt64, sizeOfVarint32, writeInt64 } from '../../wire/varint.ts';
import { EFFECT, INT64_BYTES_MAX, LENGTH_BYTES_MAX, PUT, RECORD } from './record-tags.ts';

/** What a record has at most beside the key and the value, with its length in the batch. */
const FRAMING_BYTES_MAX = 7 * (1 + INT64_BYTES_MAX) + 5 * (1 + LENGTH_BYTES_MAX);

export class PutRecords {
  /** What is the same in all records of a row: time and lease clock. */
  readonly #times = Buffer.alloc(2 * (1 + INT64_BYTES_MAX));
  /** As well: kind and collection. */
  readonly #ends = Buffer.alloc(2 * (1 + INT64_BYTES_MAX));

  /** How many bytes the records of a row have at most. */
  static bytesMax({ length, keys, values }: PutRow): number {
    let bytes = length * FRAMING_BYTES_MAX;
    for (let index = 0; index < length; index++)
      bytes += (keys[index]?.length ?? 0) + (values[index]?.length ?? 0);
    return bytes;
  }

  /**
   * @param count how many of the row.
   * @param leaseClockMs 0: none.
   * @returns where they end.
   */
  write(
    row: PutRow,
    count: number,
    timeMs: number,
    leaseClockMs: number,
    buffer: Buffer,
    offset: number,
  ): number {
    const { keys, values, createRevisions, versions, firstRevision } = row;
    const times = this.#times;
    const timesBytes = writePair(times, RECORD.timeMs, timeMs, RECORD.leaseClockMs, leaseClockMs);
    const ends = this.#ends;
    const endBytes = writePair(ends, PUT.kind, row.kind, PUT.collectionId, row.collectionId);
    let at = offset;
    for (let index = 0; index < count; index++) {
      const key = keys[index]!;
      const value = values[index]!;
      const createRevision = createRevisions[index]!;
      const version = versions[index]!;
      const revision = firstRevision + index;
      const keyBytes = key.length;
      const valueBytes = value.length;
      let putBytes =
        3 +
        sizeOfVarint32(keyBytes) +
        keyBytes +
        sizeOfInt64(createRevision) +
        sizeOfInt64(version) +
        endBytes;
      if (valueBytes > 0) putBytes += 1 + sizeOfVarint32(valueBytes) + valueBytes;
      const effectBytes = 1 + sizeOfVarint32(putBytes) + putBytes;
      const recordBytes = 2 + sizeOfInt64(revision) + timesBytes + sizeOfVarint32(effectBytes) + effectBytes;
      at = writeRecordPrefix(buffer, at, recordBytes);
      const end = at + recordBytes;
      buffer[at] = RECORD.revision;
      at = writeInt64(buffer, at + 1, revision);
      for (let byte = 0; byte < timesBytes; byte++) buffer[at + byte] = times[byte]!;
      at += timesBytes;
      buffer[at] = RECORD.effect;
      at = writeInt64(buffer, at + 1, effectBytes);
      buffer[at] = EFFECT.put;
      at = writeInt64(buffer, at + 1, putBytes);
      buffer[at] = PUT.key;
      at = writeInt64(buffer, at + 1, keyBytes);
      for (let byte = 0; byte < keyBytes; byte++) buffer[at + byte] = key[byte]!;
      at += keyBytes;
      if (valueBytes > 0) {
        buffer[at] = PUT.value;
        at = writeInt64(buffer, at + 1, valueBytes);
        buffer.set(value, at);
        at += valueBytes;
      }
      buffer[at] = PUT.createRevision;
      at = writeInt64(buffer, at + 1, createRevision);
      buffer[at] = PUT.version;
      at = writeInt64(buffer, at + 1, version);
      for (let byte = 0; byte < endBytes; byte++) buffer[at + byte] = ends[byte]!;
      at += endBytes;
      assert(at === end, 'a log record has the size that it says');
    }
    return at;
  }
}

/** Writes two numbers, each that is not 0 behind its tag. @returns how many bytes. */
function writePair(
  buffer: Buffer,
  firstTag: number,
  first: number,
  secondTag: number,
  second: number,
): number {
  let at = 0;
  if (first !== 0) {
    buffer[at] = firstTag;
    at = writeInt64(buffer, at + 1, first);
  }
  if (second !== 0) {
    buffer[at] = secondTag;
    at = writeInt64(buffer, at + 1, second);
  }
  return at;
}

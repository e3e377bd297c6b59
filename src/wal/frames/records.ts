/**
 * A batch seen from outside: `repeated Record records = 1`, that is, for each record a tag, its length and its bytes.
 * What is in a record is the store's business.
 */
import { assert } from '../../errors.ts';

/** Called with the place of one record; the bytes are valid during the call only. */
export type OnRecord = (buffer: Buffer, start: number, end: number) => void;

/** @returns false to stop before this record; else the walk goes on. */
export type WalkRecord = (buffer: Buffer, start: number, end: number) => unknown;

/** What `walkRecords` returns for bytes that are no batch. */
export const NO_BATCH = -1;

/** Field 1, length-delimited. */
const RECORD_TAG = 0x0a;
/** A length is below 2^28 (a frame is), so that it takes at most four bytes. */
const LENGTH_BYTES_MAX = 4;
export const RECORD_BYTES_MAX = 2 ** (7 * LENGTH_BYTES_MAX) - 1;
export const RECORD_PREFIX_BYTES_MAX = 1 + LENGTH_BYTES_MAX;

/** The bytes before a record of this length: tag and length. */
export function recordPrefixBytes(byteLength: number): number {
  if (byteLength < 0x80) return 2;
  if (byteLength < 0x4000) return 3;
  if (byteLength < 0x20_0000) return 4;
  return 5;
}

/** @returns where the record begins. */
export function writeRecordPrefix(buffer: Buffer, offset: number, byteLength: number): number {
  assert(byteLength >= 0 && byteLength <= RECORD_BYTES_MAX, 'a record has a length that its prefix can hold');
  buffer[offset++] = RECORD_TAG;
  let rest = byteLength;
  while (rest >= 0x80) {
    buffer[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[offset++] = rest;
  return offset;
}

/** Calls `onRecord` for each record of a batch. @returns false when the bytes are no batch. */
export function visitRecords(buffer: Buffer, start: number, end: number, onRecord: OnRecord): boolean {
  const walk: WalkRecord = (ofBuffer, recordStart, recordEnd) => {
    onRecord(ofBuffer, recordStart, recordEnd);
  };
  return walkRecords(buffer, start, end, walk) !== NO_BATCH;
}

/**
 * Goes through the records of a batch from the one at `start` on.
 * @returns where the record begins at which `onRecord` stopped the walk, `end` behind the last, or `NO_BATCH`.
 */
export function walkRecords(buffer: Buffer, start: number, end: number, onRecord: WalkRecord): number {
  let offset = start;
  while (offset < end) {
    const recordOffset = offset;
    if (buffer[offset++] !== RECORD_TAG) return NO_BATCH;
    let byteLength = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = offset < end && shift < 7 * LENGTH_BYTES_MAX ? buffer[offset++] : undefined;
      if (byte === undefined) return NO_BATCH;
      byteLength |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (byteLength > end - offset) return NO_BATCH;
    if (onRecord(buffer, offset, offset + byteLength) === false) return recordOffset;
    offset += byteLength;
  }
  return end;
}

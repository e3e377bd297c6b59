/**
 * A batch seen from outside: `repeated Record records = 1`, that is, for each record a tag, its length and its bytes.
 * What is in a record is the store's business.
 */
import { assert } from '../errors.ts';

/** Called with the place of one record; the bytes are valid during the call only. */
export type OnRecord = (buffer: Buffer, start: number, end: number) => void;

/** Field 1, length-delimited. */
const RECORD_TAG = 0x0a;
/** A length is below 2^28 (a frame is), so that it takes at most four bytes. */
const LENGTH_BYTES_MAX = 4;
export const RECORD_BYTES_MAX = 2 ** (7 * LENGTH_BYTES_MAX) - 1;

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
  let offset = start;
  while (offset < end) {
    if (buffer[offset++] !== RECORD_TAG) return false;
    let byteLength = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = offset < end && shift < 7 * LENGTH_BYTES_MAX ? buffer[offset++] : undefined;
      if (byte === undefined) return false;
      byteLength |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (byteLength > end - offset) return false;
    onRecord(buffer, offset, offset + byteLength);
    offset += byteLength;
  }
  return true;
}

/** The batch of the log that is being filled: the memory that records are encoded into, and that becomes a frame. */
import { assert } from '../../errors.ts';
import { FRAME_ALIGNMENT_BYTES, FRAME_HEADER_BYTES } from '../../wire/frame.ts';
import { recordPrefixBytes, writeRecordPrefix } from './records.ts';

const CAPACITY_BYTES_MIN = 64 * 1024;
/** A buffer of which a batch uses less than this part is made smaller, by half. */
const SHRINK_BELOW = 1 / 8;

/**
 * The records that the next flush makes durable together, in a buffer with room for the frame's header before them
 * and its padding behind, so that the frame is written from where the records were encoded.
 *
 * A record is reserved, written by the caller, then committed; one that is reserved and not committed never was.
 */
export class Batch {
  buffer: Buffer = Buffer.allocUnsafe(CAPACITY_BYTES_MIN);
  /** The sequence number of the last record, and the highest revision up to it. */
  sequence = 0;
  revision = 0;
  #end = FRAME_HEADER_BYTES;
  #reservedEnd = 0;

  get isEmpty(): boolean {
    return this.#end === FRAME_HEADER_BYTES;
  }

  get payloadBytes(): number {
    return this.#end - FRAME_HEADER_BYTES;
  }

  /** The payload with one more record. */
  payloadBytesWith(byteLength: number): number {
    return this.payloadBytes + recordPrefixBytes(byteLength) + byteLength;
  }

  /** @returns where the record is to be written. `buffer` may be another one afterwards. */
  reserve(byteLength: number): number {
    const end = this.#end + recordPrefixBytes(byteLength) + byteLength;
    if (end + FRAME_ALIGNMENT_BYTES > this.buffer.length) this.#grow(end + FRAME_ALIGNMENT_BYTES);
    this.#reservedEnd = end;
    return writeRecordPrefix(this.buffer, this.#end, byteLength);
  }

  /** Makes room for a row of records, which the caller writes with their prefixes. @returns where they begin. */
  reserveRow(bytesMax: number): number {
    const end = this.#end + bytesMax;
    if (end + FRAME_ALIGNMENT_BYTES > this.buffer.length) this.#grow(end + FRAME_ALIGNMENT_BYTES);
    this.#reservedEnd = end;
    return this.#end;
  }

  /** @param end of the row that was reserved and written. */
  commitRow(sequence: number, revision: number, end: number): void {
    assert(
      end > this.#end && end <= this.#reservedEnd,
      'a row of records has no more bytes than were reserved',
    );
    this.#reservedEnd = end;
    this.commit(sequence, revision);
  }

  commit(sequence: number, revision: number): void {
    assert(this.#reservedEnd > this.#end, 'a record is reserved before it is committed');
    this.#end = this.#reservedEnd;
    this.sequence = sequence;
    this.revision = revision;
  }

  /** Makes it empty, to be used again. */
  clear(): void {
    const { length } = this.buffer;
    if (length > CAPACITY_BYTES_MIN && this.#end < length * SHRINK_BELOW) {
      this.buffer = Buffer.allocUnsafe(length / 2);
    }
    this.#end = FRAME_HEADER_BYTES;
    this.#reservedEnd = 0;
  }

  #grow(bytesMin: number): void {
    let capacity = this.buffer.length;
    while (capacity < bytesMin) capacity *= 2;
    const grown = Buffer.allocUnsafe(capacity);
    this.buffer.copy(grown, 0, 0, this.#end);
    this.buffer = grown;
  }
}

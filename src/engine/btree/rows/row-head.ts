/**
 * The head of a row: the metadata of a version, and the checksums of it.
 *
 *     0   u32       CRC-32 of the rest of the head and of the key behind it
 *     4   u32       CRC-32 of the value
 *     8   varints   bytes of the key, bytes of the value, revision, createRevision, modRevision, version, kind,
 *                   collectionId, leaseId, ttlMs, expireTimeMs
 *
 * A row is read as its head, its key and, when it is wanted, its value, one behind the other. Numbers have their lowest byte first.
 * So a read that wants no value verifies all that it reads.
 */
import { crc32 } from '../../../wire/crc32.ts';
import { copyBytes, type Memory } from '../../../wire/memory.ts';
import type { WholeBuffer } from '../../../wire/memory.ts';
import { writeInt64 } from '../../../wire/varint.ts';
import type { PlacedChange } from '../../version.ts';

const VALUE_CHECKSUM_AT = 4;
const NUMBERS_AT = 8;
const NUMBERS = 11;
/** Of a number up to 2^53 - 1. */
const NUMBER_BYTES_MAX = 8;

export const HEAD_BYTES_MAX = NUMBERS_AT + NUMBERS * NUMBER_BYTES_MAX;

/** Of varints: seven bits each, of which the last of eight bytes may use four. */
const LAST_BYTE_MAX = 0x0f;

/**
 * Writes head, key and value of a change one behind the other.
 * @returns where the key begins.
 */
export function writeRow(target: WholeBuffer, start: number, change: PlacedChange): number {
  const { buffer, memory } = target;
  const keyBytes = change.keyEnd - change.keyStart;
  const valueBytes = change.valueEnd - change.valueStart;
  let at = start + NUMBERS_AT;
  at = writeInt64(buffer, at, keyBytes);
  at = writeInt64(buffer, at, valueBytes);
  at = writeInt64(buffer, at, change.revision);
  at = writeInt64(buffer, at, change.createRevision);
  at = writeInt64(buffer, at, change.modRevision);
  at = writeInt64(buffer, at, change.version);
  at = writeInt64(buffer, at, change.kind);
  at = writeInt64(buffer, at, change.collectionId);
  at = writeInt64(buffer, at, change.leaseId);
  at = writeInt64(buffer, at, change.ttlMs);
  at = writeInt64(buffer, at, change.expireTimeMs);
  const keyStart = at;
  const keyEnd = keyStart + keyBytes;
  copyBytes(memory, keyStart, change.keyMemory, change.keyStart, keyBytes);
  copyBytes(memory, keyEnd, change.valueMemory, change.valueStart, valueBytes);
  buffer.writeUInt32LE(crc32(buffer.subarray(keyEnd, keyEnd + valueBytes)), start + VALUE_CHECKSUM_AT);
  buffer.writeUInt32LE(crc32(buffer.subarray(start + VALUE_CHECKSUM_AT, keyEnd)), start);
  return keyStart;
}

/** Reads rows out of memory, one after the other. What does not fit its checksum is refused, and nothing is to be shown of it. */
export class RowReader {
  /** Behind the head and the key that were read last, or behind the value. */
  end = 0;
  /** Of the value that belongs to the head that was read last. */
  valueBytes = 0;
  #valueChecksum = 0;
  #at = 0;

  /**
   * Reads a head and its key into a change, which tells of the value how long it is, and no more.
   * @returns false when they do not lie whole between `start` and `end`.
   */
  readHead(memory: Memory, start: number, end: number, placed: PlacedChange): boolean {
    const { bytes } = memory;
    if (start + NUMBERS_AT > end) return false;
    this.#at = start + NUMBERS_AT;
    const keyBytes = this.#number(bytes, end);
    this.valueBytes = this.#number(bytes, end);
    const revision = this.#number(bytes, end);
    const createRevision = this.#number(bytes, end);
    const modRevision = this.#number(bytes, end);
    const version = this.#number(bytes, end);
    const kind = this.#number(bytes, end);
    const collectionId = this.#number(bytes, end);
    const leaseId = this.#number(bytes, end);
    const ttlMs = this.#number(bytes, end);
    const expireTimeMs = this.#number(bytes, end);
    const keyStart = this.#at;
    const keyEnd = keyStart + keyBytes;
    // What was read beyond the end is not finite.
    if (!(keyEnd <= end)) return false;
    const summed = new Uint8Array(
      bytes.buffer,
      start + VALUE_CHECKSUM_AT,
      keyEnd - start - VALUE_CHECKSUM_AT,
    );
    if (crc32(summed) !== uint32(bytes, start)) return false;
    this.#valueChecksum = uint32(bytes, start + VALUE_CHECKSUM_AT);
    placed.clear(memory);
    placed.keyStart = keyStart;
    placed.keyEnd = keyEnd;
    placed.valueStart = keyEnd;
    placed.valueEnd = keyEnd + this.valueBytes;
    placed.revision = revision;
    placed.createRevision = createRevision;
    placed.modRevision = modRevision;
    placed.version = version;
    placed.kind = kind;
    placed.collectionId = collectionId;
    placed.leaseId = leaseId;
    placed.ttlMs = ttlMs;
    placed.expireTimeMs = expireTimeMs;
    this.end = keyEnd;
    return true;
  }

  /** Gives the change that was read last its value, which lies behind the key. @returns false when it does not. */
  readValue(end: number, placed: PlacedChange): boolean {
    const start = this.end;
    if (start + this.valueBytes > end) return false;
    if (!this.#isValue(placed.keyMemory, start)) return false;
    this.end = start + this.valueBytes;
    return true;
  }

  /** The same of a value that is the whole of another memory. */
  placeValue(memory: Memory, placed: PlacedChange): boolean {
    if (memory.bytes.length !== this.valueBytes || !this.#isValue(memory, 0)) return false;
    placed.valueMemory = memory;
    placed.valueStart = 0;
    placed.valueEnd = this.valueBytes;
    return true;
  }

  #isValue(memory: Memory, start: number): boolean {
    return crc32(new Uint8Array(memory.bytes.buffer, start, this.valueBytes)) === this.#valueChecksum;
  }

  /** @returns NaN for what is no number, or does not end before `end`. */
  #number(bytes: Uint8Array, end: number): number {
    let at = this.#at;
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= NUMBER_BYTES_MAX && at < end; count++) {
      const byte = bytes[at++]!;
      if (byte < 0x80) {
        this.#at = at;
        return count === NUMBER_BYTES_MAX && byte > LAST_BYTE_MAX ? Number.NaN : value + byte * scale;
      }
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    return Number.NaN;
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

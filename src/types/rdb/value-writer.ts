/** Puts a value of Redis together, piece by piece, as `format.ts` has it. */
import { CRC64_BYTES, writeCrc64 } from './crc64.ts';
import { lengths, RDB_VERSION, VERSION_BYTES } from './format.ts';

const FIRST_BYTES = 256;
const MEDIUM_END = 2 ** 14;

export class ValueWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  byte(value: number): void {
    const at = this.#advance(1);
    this.#buffer[at] = value;
  }

  bytes(bytes: Uint8Array): void {
    const start = this.#advance(bytes.length);
    this.#buffer.set(bytes, start);
  }

  double(value: number): void {
    const start = this.#advance(8);
    this.#buffer.writeDoubleLE(value, start);
  }

  uint64(value: bigint): void {
    const start = this.#advance(8);
    this.#buffer.writeBigUInt64LE(value, start);
  }

  /** @param value below 2^32; of a bigint, 2^64. */
  length(value: number | bigint): void {
    if (typeof value === 'bigint') {
      if (value < MEDIUM_END) return this.length(Number(value));
      this.byte(lengths.longest);
      const start = this.#advance(8);
      this.#buffer.writeBigUInt64BE(value, start);
    } else if (value < lengths.medium) {
      this.byte(value);
    } else if (value < MEDIUM_END) {
      this.byte(lengths.medium | (value >>> 8));
      this.byte(value & 0xff);
    } else {
      this.byte(lengths.long);
      const start = this.#advance(4);
      this.#buffer.writeUInt32BE(value, start);
    }
  }

  /** As it is: neither as a number nor compressed. */
  string(bytes: Uint8Array): void {
    this.length(bytes.length);
    this.bytes(bytes);
  }

  /** @returns all of it, with version and checksum. */
  finish(): Uint8Array {
    this.byte(RDB_VERSION & 0xff);
    this.byte(RDB_VERSION >>> 8);
    const end = this.#advance(CRC64_BYTES);
    writeCrc64(this.#buffer, end, this.#buffer.subarray(0, end));
    return this.#buffer.subarray(0, this.#length);
  }

  /** @returns where so many bytes may be written. */
  #advance(byteCount: number): number {
    const start = this.#length;
    this.#length += byteCount;
    if (this.#length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, start);
      this.#buffer = grown;
    }
    return start;
  }
}

const FOOTER_BYTES = VERSION_BYTES + CRC64_BYTES;

/** The value in what DUMP has given; `undefined`: it was made by a later version, or is damaged. */
export function valueOfPayload(payload: Uint8Array): Uint8Array | undefined {
  const end = payload.length - FOOTER_BYTES;
  if (end < 0) return undefined;
  const version = (payload[end] ?? 0) | ((payload[end + 1] ?? 0) << 8);
  if (version > RDB_VERSION) return undefined;
  const checksum = new Uint8Array(CRC64_BYTES);
  const checked = payload.subarray(0, end + VERSION_BYTES);
  writeCrc64(checksum, 0, checked);
  if (Buffer.compare(checksum, payload.subarray(checked.length)) !== 0) return undefined;
  return payload.subarray(0, end);
}

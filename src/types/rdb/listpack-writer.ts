/** Puts listpacks together, element by element, as `packed.ts` has them. */
import { LISTPACK_END, LISTPACK_HEAD_BYTES, LISTPACK_MANY, listpackLengthBytes } from './packed.ts';

const FIRST_BYTES = 1024;
const HEAD_BYTES_MAX = 9;
const SHORT_TEXT_END = 64;
const MEDIUM_TEXT_END = 4096;

/** How many bytes an element takes. */
export function sizeOfText({ length }: Uint8Array): number {
  const bytes = textHeadBytes(length) + length;
  return bytes + listpackLengthBytes(bytes);
}

function textHeadBytes(length: number): number {
  if (length < SHORT_TEXT_END) return 1;
  return length < MEDIUM_TEXT_END ? 2 : 5;
}

export class ListpackWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #at = LISTPACK_HEAD_BYTES;
  #count = 0;

  /** How many bytes the elements take so far. */
  get elementBytes(): number {
    return this.#at - LISTPACK_HEAD_BYTES;
  }

  /** @param element is copied. */
  text(element: Uint8Array): void {
    const { length } = element;
    const start = this.#begin(length);
    const buffer = this.#buffer;
    let at = start;
    if (length < SHORT_TEXT_END) {
      buffer[at++] = 0x80 | length;
    } else if (length < MEDIUM_TEXT_END) {
      buffer[at++] = 0xe0 | (length >>> 8);
      buffer[at++] = length & 0xff;
    } else {
      buffer[at++] = 0xf0;
      at = buffer.writeUInt32LE(length, at);
    }
    buffer.set(element, at);
    this.#end(start, at + length);
  }

  /** @param value of 64 bits, signed. */
  integer(value: number | bigint): void {
    const start = this.#begin(0);
    const buffer = this.#buffer;
    const small = Number(value);
    let at = start;
    if (small >= 0 && small < 0x80) {
      buffer[at++] = small;
    } else if (small >= -0x1000 && small < 0x1000) {
      buffer[at++] = 0xc0 | ((small >> 8) & 0x1f);
      buffer[at++] = small & 0xff;
    } else if (fits(small, 2)) {
      buffer[at++] = 0xf1;
      at = buffer.writeIntLE(small, at, 2);
    } else if (fits(small, 3)) {
      buffer[at++] = 0xf2;
      at = buffer.writeIntLE(small, at, 3);
    } else if (fits(small, 4)) {
      buffer[at++] = 0xf3;
      at = buffer.writeIntLE(small, at, 4);
    } else {
      buffer[at++] = 0xf4;
      at = buffer.writeBigInt64LE(BigInt(value), at);
    }
    this.#end(start, at);
  }

  /** @returns the listpack, in memory of its own; the next one begins. */
  take(): Uint8Array {
    const buffer = this.#buffer;
    buffer[this.#at++] = LISTPACK_END;
    buffer.writeUInt32LE(this.#at, 0);
    buffer.writeUInt16LE(Math.min(this.#count, LISTPACK_MANY), 4);
    const listpack = Uint8Array.from(buffer.subarray(0, this.#at));
    this.#at = LISTPACK_HEAD_BYTES;
    this.#count = 0;
    return listpack;
  }

  /** Makes room for an element of so many bytes beside its head, and for the end. @returns where it begins. */
  #begin(byteCount: number): number {
    const wanted =
      this.#at + HEAD_BYTES_MAX + byteCount + listpackLengthBytes(byteCount + HEAD_BYTES_MAX) + 1;
    if (wanted > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, this.#at);
      this.#buffer = grown;
    }
    this.#count++;
    return this.#at;
  }

  /** Writes the length of an element backwards: seven bits each, the highest first; all but the first have a mark. */
  #end(start: number, end: number): void {
    const entryBytes = end - start;
    const lengthBytes = listpackLengthBytes(entryBytes);
    let at = end;
    for (let left = lengthBytes - 1; left >= 0; left--)
      this.#buffer[at++] = ((entryBytes >>> (7 * left)) & 0x7f) | (left === lengthBytes - 1 ? 0 : 0x80);
    this.#at = at;
  }
}

function fits(value: number, byteCount: number): boolean {
  const end = 2 ** (8 * byteCount - 1);
  return value >= -end && value < end;
}

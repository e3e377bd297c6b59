/**
 * Varints as Protobuf defines them: seven bits a byte, the lowest first, the high bit on all bytes but the last.
 * https://protobuf.dev/programming-guides/encoding/#varints
 *
 * Messages are written backwards, from their last byte to their first: when the length of a nested message is to be
 * written, its bytes are there already, so that no length is ever computed for its own sake. `prependX(buffer, end,
 * value)` writes a value so that it ends before `end`, and returns where it starts.
 *
 * `sizeOfX` checks that the value is one of the field's type and breaks when it is not; `prependX` trusts it. All
 * code that writes asks for the size first, so nothing is written from a message that does not hold.
 */

import { assert } from '../errors.ts';

const TWO_28 = 2 ** 28;
const TWO_32 = 2 ** 32;
const LOW_28_BITS = TWO_28 - 1;

/** The bytes that a negative number takes: Protobuf extends its sign to 64 bits. */
const NEGATIVE_BYTES = 10;

/** The bytes of a whole number from 0 to 2^32 - 1, unchecked. */
export function sizeOfVarint32(value: number): number {
  // ceil(bits / 7) without a division: right for 1 to 32 bits, and 0 has 1.
  return ((32 - Math.clz32(value | 1)) * 9 + 64) >>> 6;
}

/** The bytes of something that has its length before it. */
export function sizeWithLength(length: number): number {
  return sizeOfVarint32(length) + length;
}

export function sizeOfUint32(value: number): number {
  if (value >>> 0 !== value) refuse(value, 'uint32');
  return sizeOfVarint32(value);
}

/** Also for enums. */
export function sizeOfInt32(value: number): number {
  if ((value | 0) !== value) refuse(value, 'int32');
  return value < 0 ? NEGATIVE_BYTES : sizeOfVarint32(value);
}

/** From -(2^53 - 1) to 2^53 - 1. */
export function sizeOfInt64(value: number): number {
  if (value >>> 0 === value) return sizeOfVarint32(value);
  if (!Number.isSafeInteger(value)) refuse(value, 'int64 of at most 53 bits');
  if (value < 0) return NEGATIVE_BYTES;
  return 4 + sizeOfVarint32(Math.floor(value / TWO_28));
}

/** From 0 to 2^53 - 1. */
export function sizeOfUint64(value: number): number {
  if (value < 0) refuse(value, 'uint64 of at most 53 bits');
  return sizeOfInt64(value);
}

/** The whole range of a signed 64-bit integer. */
export function sizeOfBigInt64(value: bigint): number {
  if (BigInt.asIntN(64, value) !== value) refuse(value, 'int64');
  if (value < 0n) return NEGATIVE_BYTES;
  if (value <= 0xffff_ffffn) return sizeOfVarint32(Number(value));
  let bytes = 5;
  for (let rest = value >> 35n; rest !== 0n; rest >>= 7n) bytes++;
  return bytes;
}

/** Writes a whole number from 0 to 2^53 - 1 from `offset` on; returns where it ends. */
export function writeInt64(buffer: Buffer, offset: number, value: number): number {
  if (value < 0x80) {
    buffer[offset] = value;
    return offset + 1;
  }
  if (value < 0x4000) {
    buffer[offset] = value | 0x80;
    buffer[offset + 1] = value >>> 7;
    return offset + 2;
  }
  if (value < 0x20_0000) {
    buffer[offset] = value | 0x80;
    buffer[offset + 1] = (value >>> 7) | 0x80;
    buffer[offset + 2] = value >>> 14;
    return offset + 3;
  }
  if (value < TWO_28) {
    buffer[offset] = value | 0x80;
    buffer[offset + 1] = (value >>> 7) | 0x80;
    buffer[offset + 2] = (value >>> 14) | 0x80;
    buffer[offset + 3] = value >>> 21;
    return offset + 4;
  }
  return writeInt64(buffer, prependLowBits(buffer, offset + 4, value) + 4, Math.floor(value / TWO_28));
}

/** Writes a whole number from 0 to 2^32 - 1. */
export function prependVarint32(buffer: Buffer, end: number, value: number): number {
  if (value < 0x80) {
    buffer[end - 1] = value;
    return end - 1;
  }
  if (value < 0x4000) {
    buffer[end - 1] = value >>> 7;
    buffer[end - 2] = value | 0x80;
    return end - 2;
  }
  if (value < 0x20_0000) {
    buffer[end - 1] = value >>> 14;
    buffer[end - 2] = (value >>> 7) | 0x80;
    buffer[end - 3] = value | 0x80;
    return end - 3;
  }
  if (value < 0x1000_0000) {
    buffer[end - 1] = value >>> 21;
    buffer[end - 2] = (value >>> 14) | 0x80;
    buffer[end - 3] = (value >>> 7) | 0x80;
    buffer[end - 4] = value | 0x80;
    return end - 4;
  }
  buffer[end - 1] = value >>> 28;
  return prependLowBits(buffer, end - 1, value);
}

/** Also for enums. */
export function prependInt32(buffer: Buffer, end: number, value: number): number {
  return value < 0
    ? prependWords(buffer, end, value >>> 0, 0xffff_ffff)
    : prependVarint32(buffer, end, value);
}

/** Also for uint64, since both are whole numbers of at most 53 bits. */
export function prependInt64(buffer: Buffer, end: number, value: number): number {
  if (value >>> 0 === value) return prependVarint32(buffer, end, value);
  if (value < 0) return prependWords(buffer, end, value >>> 0, Math.floor(value / TWO_32) >>> 0);
  return prependLowBits(buffer, prependVarint32(buffer, end, Math.floor(value / TWO_28)), value);
}

export function prependBigInt64(buffer: Buffer, end: number, value: bigint): number {
  return prependWords(
    buffer,
    end,
    Number(BigInt.asUintN(32, value)),
    Number(BigInt.asUintN(32, value >> 32n)),
  );
}

/** Writes 64 bits that come as two words. */
function prependWords(buffer: Buffer, end: number, low: number, high: number): number {
  if (high === 0) return prependVarint32(buffer, end, low);
  // Bits 28 to 55, and before them bits 56 to 63 when there are any.
  const middle = ((high << 4) | (low >>> 28)) & LOW_28_BITS;
  const top = high >>> 24;
  const start =
    top === 0
      ? prependVarint32(buffer, end, middle)
      : prependLowBits(buffer, prependVarint32(buffer, end, top), middle);
  return prependLowBits(buffer, start, low);
}

/** Writes the lowest 28 bits of a number as 4 bytes that are not the last of their varint. */
function prependLowBits(buffer: Buffer, end: number, value: number): number {
  buffer[end - 4] = value | 0x80;
  buffer[end - 3] = (value >>> 7) | 0x80;
  buffer[end - 2] = (value >>> 14) | 0x80;
  buffer[end - 1] = (value >>> 21) | 0x80;
  return end - 4;
}

function refuse(value: number | bigint, type: string): never {
  assert(false, `${value} is no ${type}`);
}

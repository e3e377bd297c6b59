/**
 * The bytes of a HyperLogLog, which are those of Redis, so that a value moves between both:
 *
 *     'H' 'Y' 'L' 'L'   encoding   00 00 00   cardinality: u64, little-endian   registers
 *
 * The highest bit of the cardinality says that it is out of date. There are 16,384 registers of 0 to 51. Dense (encoding 0): 6 bits
 * each, from the lowest bit of each byte on, 12,288 bytes. Sparse (encoding 1): runs of equal registers, one behind the other:
 *
 *     00xxxxxx            x + 1 registers are 0
 *     01xxxxxx yyyyyyyy   xy + 1 registers are 0
 *     1vvvvvxx            x + 1 registers are v + 1
 */
export const REGISTERS = 16_384;
export const HEADER_BYTES = 16;
export const DENSE = 0;
export const SPARSE = 1;
const REGISTER_BITS = 6;
const REGISTER_MAX = 0x3f;
const DENSE_BYTES = HEADER_BYTES + (REGISTERS * REGISTER_BITS) / 8;
const ENCODING = 4;
const CARDINALITY = 8;
const CARDINALITY_END = 16;
const STALE = 0x80;

const MAGIC = Uint8Array.of(0x48, 0x59, 0x4c, 0x4c);

/** One without elements: a single run of zeros. */
export function emptyHyperLogLog(): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2);
  bytes.set(MAGIC);
  bytes[ENCODING] = SPARSE;
  bytes[HEADER_BYTES] = 0x7f;
  bytes[HEADER_BYTES + 1] = 0xff;
  return bytes;
}

/** Whether a string may be one, by its head. */
export function isHyperLogLog(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  for (const [at, byte] of MAGIC.entries()) if (bytes[at] !== byte) return false;
  return isDense(bytes) ? bytes.length === DENSE_BYTES : bytes[ENCODING] === SPARSE;
}

export function isDense(bytes: Uint8Array): boolean {
  return bytes[ENCODING] === DENSE;
}

/** The cardinality that was counted last; `undefined`: it is out of date. */
export function cachedCardinality(bytes: Uint8Array): bigint | undefined {
  if (((bytes[CARDINALITY_END - 1] ?? 0) & STALE) !== 0) return undefined;
  let cardinality = 0n;
  for (let at = CARDINALITY_END - 1; at >= CARDINALITY; at--)
    cardinality = (cardinality << 8n) | BigInt(bytes[at] ?? 0);
  return cardinality;
}

export function cacheCardinality(bytes: Uint8Array, cardinality: bigint): void {
  let rest = cardinality;
  for (let at = CARDINALITY; at < CARDINALITY_END; at++) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

export function forgetCardinality(bytes: Uint8Array): void {
  bytes[CARDINALITY_END - 1] = (bytes[CARDINALITY_END - 1] ?? 0) | STALE;
}

/** Of a dense one. */
export function denseRegister(bytes: Uint8Array, index: number): number {
  const bit = index * REGISTER_BITS;
  const at = HEADER_BYTES + (bit >> 3);
  return (((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)) >> (bit & 7)) & REGISTER_MAX;
}

/** Of a dense one. */
export function setDenseRegister(bytes: Uint8Array, index: number, value: number): void {
  const bit = index * REGISTER_BITS;
  const at = HEADER_BYTES + (bit >> 3);
  const shift = bit & 7;
  const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const changed = (word & ~(REGISTER_MAX << shift)) | (value << shift);
  bytes[at] = changed;
  // The last register ends with the last byte.
  if (at + 1 < bytes.length) bytes[at + 1] = changed >> 8;
}

/** Bytes of `dense` registers with the head of another one, all of them 0. */
export function emptyDense(head: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(DENSE_BYTES);
  bytes.set(head.subarray(0, HEADER_BYTES));
  bytes[ENCODING] = DENSE;
  return bytes;
}

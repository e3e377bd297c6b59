/**
 * Signed 64-bit integers as decimal text, the way Redis keeps and reads them: no plus, no zeros at the front, no spaces, `0` and
 * never `-0`.
 *
 * Counters are read and written as bytes, without texts in between, as long as they are safe integers.
 */
const MINUS = 0x2d;
const ZERO = 0x30;
/** Any number of so many digits is a safe integer, and so is the sum of two. */
const SAFE_DIGITS = 15;
const TEXT_BYTES_MAX = 20;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A number as long as it has at most 15 digits, else a bigint; `undefined`: the bytes are no such text. */
export function parseIntegerText(bytes: Uint8Array): number | bigint | undefined {
  const { length } = bytes;
  const isNegative = bytes[0] === MINUS;
  const start = isNegative ? 1 : 0;
  if (length === start || length > TEXT_BYTES_MAX) return undefined;
  if (bytes[start] === ZERO) return length === 1 ? 0 : undefined;
  let magnitude = 0;
  for (let at = start; at < length; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    magnitude = magnitude * 10 + digit;
  }
  if (length - start <= SAFE_DIGITS) return isNegative ? -magnitude : magnitude;
  const value = BigInt(Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1'));
  return value < INT64_MIN || value > INT64_MAX ? undefined : value;
}

/** The sum, as a number where that is exact; `undefined`: it leaves the range of 64 bits. */
export function addIntegers(a: number | bigint, b: number | bigint): number | bigint | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const sum = BigInt(a) + BigInt(b);
  return sum < INT64_MIN || sum > INT64_MAX ? undefined : sum;
}

/** @param value a safe integer, or a bigint of 64 bits. */
export function integerText(value: number | bigint): Uint8Array {
  if (typeof value === 'bigint') return Buffer.from(value.toString(), 'latin1');
  const isNegative = value < 0;
  let rest = isNegative ? -value : value;
  let length = isNegative ? 2 : 1;
  for (let bound = 10; bound <= rest; bound *= 10) length++;
  const text = Buffer.allocUnsafe(length);
  while (length > (isNegative ? 1 : 0)) {
    const next = Math.floor(rest / 10);
    text[--length] = ZERO + rest - next * 10;
    rest = next;
  }
  if (isNegative) text[0] = MINUS;
  return text;
}

/** Doubles as C's integers: a fraction is cut off, and what does not fit is what the processor makes of it. */

const INT64_MIN = -(2n ** 63n);
const INT64_LIMIT = 2 ** 63;

/** What does not fit, NaN too, is the lowest one. */
export function toInt64(value: number): bigint {
  if (!(value >= -INT64_LIMIT && value < INT64_LIMIT)) return INT64_MIN;
  return BigInt(Math.trunc(value));
}

/** What is negative wraps around, what is too large is 0. */
export function toUint64(value: number): bigint {
  if (!(value >= INT64_LIMIT)) return BigInt.asUintN(64, toInt64(value));
  return BigInt.asUintN(64, toInt64(value - INT64_LIMIT) + (1n << 63n));
}

export function isInt32(value: number): boolean {
  return value === (value | 0);
}

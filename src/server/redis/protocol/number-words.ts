/**
 * Numbers in the words of a command, read as Redis reads them: `string2ll` takes an integer in the one form that it prints
 * (no sign but `-`, no zero before, no `-0`), `string2d` what C's `strtod` takes, to the last byte.
 */
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
/** So many digits are always below 2^53. */
const SAFE_DIGITS = 15;
const INT64_DIGITS = 19;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** @returns `undefined` for what is no integer of 64 bits; a number where that holds it exactly. */
export function readInteger(bytes: Buffer, start: number, end: number): number | bigint | undefined {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > INT64_DIGITS) return undefined;
  if (bytes[first] === ZERO) return digits === 1 && !isNegative ? 0 : undefined;
  let value = 0;
  for (let index = first; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (byte < ZERO || byte > NINE) return undefined;
    value = value * 10 + (byte - ZERO);
  }
  if (digits <= SAFE_DIGITS) return isNegative ? -value : value;
  const exact = BigInt(bytes.toString('latin1', start, end));
  return exact < INT64_MIN || exact > INT64_MAX ? undefined : exact;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
/** Longer ones are not taken: an attempt at a number costs with its length. Redis takes them up to its own buffer's. */
const TEXT_BYTES_MAX = 4096;

/** What nearly all scores are: a few digits and nothing else. @returns -1 for all others. */
function readDigits(bytes: Buffer, start: number, end: number): number {
  if (end - start > SAFE_DIGITS) return -1;
  let value = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (byte < ZERO || byte > NINE) return -1;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}

/** @returns `undefined` for what is no double, NaN, or beyond what a double holds. */
export function readDouble(bytes: Buffer, start: number, end: number): number | undefined {
  if (end === start || end - start > TEXT_BYTES_MAX) return undefined;
  const digits = readDigits(bytes, start, end);
  if (digits >= 0) return digits;
  const text = bytes.toString('latin1', start, end);
  if (DECIMAL.test(text)) return inRange(Number(text), /[1-9]/.test(text.replace(/e.*$/i, '')));
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal === null) return undefined;
  const [, sign, whole = '', part = '', power = '0'] = hexadecimal;
  if (whole.length + part.length === 0) return undefined;
  const mantissa = BigInt(`0x${whole}${part}`);
  const value = scaled(mantissa, Number(power) - 4 * part.length);
  return inRange(sign === '-' ? -value : value, mantissa !== 0n);
}

function inRange(value: number, isAboveZero: boolean): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  return value === 0 && isAboveZero ? undefined : value;
}

const MANTISSA_BITS = 53;
const EXPONENT_MIN = -1074;

/** mantissa * 2^exponent, rounded to the nearest double, a tie to the even one. */
function scaled(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  if (bits + exponent > 1024) return Infinity;
  if (bits + exponent < EXPONENT_MIN) return 0;
  const dropped = Math.max(bits - MANTISSA_BITS, EXPONENT_MIN - exponent, 0);
  let kept = mantissa >> BigInt(dropped);
  if (dropped > 0) {
    const rest = mantissa - (kept << BigInt(dropped));
    const half = 1n << BigInt(dropped - 1);
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept++;
  }
  const power = exponent + dropped;
  // In two steps: 2^-1074 alone is a double, 2^1024 is none.
  const firstStep = Math.trunc(power / 2);
  return Number(kept) * 2 ** firstStep * 2 ** (power - firstStep);
}

/** What C calls a space. */
const SPACES = /^[\t-\r ]+/;

/**
 * A bound of scores, which Redis reads with `strtod` alone: spaces may stand before it, what is too large is infinite, what is too
 * small 0, and so is nothing at all.
 * @returns `undefined` for what is no number to its last byte, and for NaN.
 */
export function readLooseDouble(word: Uint8Array, start: number): number | undefined {
  if (start === word.length) return 0;
  if (word.length - start > TEXT_BYTES_MAX) return undefined;
  const bytes = Buffer.from(word.buffer, word.byteOffset, word.length);
  const text = bytes.toString('latin1', start).replace(SPACES, '');
  const value = readDouble(bytes, bytes.length - text.length, bytes.length);
  return value === undefined && DECIMAL.test(text) ? Number(text) : value;
}

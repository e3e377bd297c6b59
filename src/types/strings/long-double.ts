/**
 * The numbers of INCRBYFLOAT and HINCRBYFLOAT, which Redis reads, adds and prints as the 80-bit long doubles of x86: exact
 * here, with whole numbers of any size.
 *
 *     value = mantissa · 2^exponent      mantissa: 0, or of at most 64 bits with its sign; exponent at least -16445
 *
 * A text is read as `strtold` reads it (decimal, hexadecimal, `inf`), to the nearest long double; a sum is rounded the same way,
 * ties to even; what is printed is `%.17Lf` without zeros at the end.
 */
export interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
  /** 1 or -1: infinity, with its sign; 0: the number is finite. */
  readonly infinity: -1 | 0 | 1;
}

const MANTISSA_BITS = 64;
const EXPONENT_MIN = -16445;
/** Of a mantissa of 64 bits. */
const EXPONENT_MAX = 16320;
/** Redis' own: longer texts are no numbers. */
const TEXT_BYTES_MAX = 5 * 1024 - 1;
const FRACTION_DIGITS = 17;
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);
/** Beyond these powers of ten every number of a text is too great, or 0, whatever its digits are. */
const DECIMAL_EXPONENT_MAX = 4940;
const DECIMAL_EXPONENT_MIN = -4970;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;

export const LONG_DOUBLE_ZERO: LongDouble = { mantissa: 0n, exponent: 0, infinity: 0 };

/** `undefined`: the bytes are no number, or one that is too great or too small. */
export function parseLongDouble(bytes: Uint8Array): LongDouble | undefined {
  if (bytes.length === 0 || bytes.length > TEXT_BYTES_MAX) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) {
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimal;
    return parseDecimal(sign, whole, fraction, exponent);
  }
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal !== null) {
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = hexadecimal;
    return parseHexadecimal(sign, whole, fraction, exponent);
  }
  const infinity = INFINITY.exec(text);
  if (infinity === null) return undefined;
  return { mantissa: 0n, exponent: 0, infinity: infinity[1] === '-' ? -1 : 1 };
}

/** The sum, rounded; infinite when it is too great, `undefined` when it is not a number. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  if (a.infinity !== 0) return b.infinity === -a.infinity ? undefined : a;
  if (b.infinity !== 0) return b;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  return rounded(sum, 1n, exponent);
}

/** Of a finite number. */
export function formatLongDouble({ mantissa, exponent }: LongDouble): string {
  const isNegative = mantissa < 0n;
  const scaled = (isNegative ? -mantissa : mantissa) * FRACTION_SCALE;
  const digits =
    exponent >= 0 ? scaled << BigInt(exponent) : nearestQuotient(scaled, 1n << BigInt(-exponent));
  if (digits === 0n) return '0';
  const text = digits.toString().padStart(FRACTION_DIGITS + 1, '0');
  const whole = text.slice(0, -FRACTION_DIGITS);
  const fraction = text.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  return `${isNegative ? '-' : ''}${whole}${fraction === '' ? '' : '.'}${fraction}`;
}

function parseDecimal(
  sign: string,
  whole: string,
  fraction: string,
  exponentText: string,
): LongDouble | undefined {
  if (whole === '' && fraction === '') return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return LONG_DOUBLE_ZERO;
  const exponent = Number(exponentText) - fraction.length;
  const magnitude = exponent + digits.length;
  if (magnitude > DECIMAL_EXPONENT_MAX || magnitude < DECIMAL_EXPONENT_MIN) return undefined;
  const value = BigInt(digits) * (sign === '-' ? -1n : 1n);
  return exponent >= 0
    ? inRange(rounded(value * 10n ** BigInt(exponent), 1n, 0))
    : inRange(rounded(value, 10n ** BigInt(-exponent), 0));
}

function parseHexadecimal(
  sign: string,
  whole: string,
  fraction: string,
  exponentText: string,
): LongDouble | undefined {
  if (whole === '' && fraction === '') return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return LONG_DOUBLE_ZERO;
  const exponent = Number(exponentText) - 4 * fraction.length;
  const magnitude = exponent + 4 * digits.length;
  if (magnitude > EXPONENT_MAX + 2 * MANTISSA_BITS || magnitude < EXPONENT_MIN - 2 * MANTISSA_BITS)
    return undefined;
  return inRange(rounded(BigInt(`0x${digits}`) * (sign === '-' ? -1n : 1n), 1n, exponent));
}

/** What `strtold` calls out of range: a text that is no 0 and no infinity must not become one. */
function inRange(value: LongDouble): LongDouble | undefined {
  return value.infinity !== 0 || value.mantissa === 0n ? undefined : value;
}

/** The long double that is nearest to `numerator / denominator · 2^exponent`. */
function rounded(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
  if (numerator === 0n) return LONG_DOUBLE_ZERO;
  const isNegative = numerator < 0n;
  const magnitude = isNegative ? -numerator : numerator;
  // The quotient has as many bits as the mantissa or one more; below the least exponent it has fewer.
  const quotientBits = bitLength(magnitude) - bitLength(denominator) + 1;
  let shift = Math.max(quotientBits - MANTISSA_BITS, EXPONENT_MIN - exponent);
  let mantissa = shifted(magnitude, denominator, shift);
  // One bit too few was kept when the quotient was below its estimate.
  if (bitLength(mantissa) < MANTISSA_BITS && shift > EXPONENT_MIN - exponent) {
    shift--;
    mantissa = shifted(magnitude, denominator, shift);
  }
  // Rounding up may have carried into a bit more, which is a power of two then.
  if (bitLength(mantissa) > MANTISSA_BITS) {
    mantissa >>= 1n;
    shift++;
  }
  if (exponent + shift > EXPONENT_MAX) return { mantissa: 0n, exponent: 0, infinity: isNegative ? -1 : 1 };
  return { mantissa: isNegative ? -mantissa : mantissa, exponent: exponent + shift, infinity: 0 };
}

/** The whole number that is nearest to `magnitude / denominator / 2^shift`. */
function shifted(magnitude: bigint, denominator: bigint, shift: number): bigint {
  return shift >= 0
    ? nearestQuotient(magnitude, denominator << BigInt(shift))
    : nearestQuotient(magnitude << BigInt(-shift), denominator);
}

/** Of two whole numbers that are not negative; halves go to the even one. */
function nearestQuotient(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend - quotient * divisor) * 2n;
  if (twice < divisor || (twice === divisor && (quotient & 1n) === 0n)) return quotient;
  return quotient + 1n;
}

function bitLength(value: bigint): number {
  const hexadecimal = value.toString(16);
  return hexadecimal.length * 4 - Math.clz32(Number.parseInt(hexadecimal.charAt(0), 16)) + 28;
}

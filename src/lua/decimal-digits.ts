/**
 * Decimal digits of doubles as C prints them: of the exact value, halves rounded to even. JavaScript's own `toExponential` and `toFixed`
 * round halves up, and `toFixed` ends at 1e21.
 */

/** `d.ddd × 10^exponent`, the digits without a point. */
interface Digits {
  readonly digits: string;
  readonly exponent: number;
}

/** Decimals with so many digits each belong to a double of their own (C's `DBL_DIG`), from the least normal double on. */
const DISTINCT_DIGITS = 15;
const NORMAL_MIN = 2 ** -1022;

/** So many significant digits. @param value finite, at or above 0. @param count 1 at least. */
export function significantDigits(value: number, count: number): Digits {
  if (value === 0) return { digits: '0'.repeat(count), exponent: 0 };
  if (count <= DISTINCT_DIGITS && value >= NORMAL_MIN) {
    const shortest = fromExponential(value.toExponential());
    if (shortest.digits.length <= count)
      return { digits: shortest.digits.padEnd(count, '0'), exponent: shortest.exponent };
    // A value that lies half-way has one digit more, and shows it.
    const isHalf = shortest.digits.length === count + 1 && shortest.digits.endsWith('5');
    if (!isHalf) return fromExponential(value.toExponential(count - 1));
  }
  return exactDigits(value, count);
}

/** All digits with `fraction` ones behind the point, one at least before it. @param value finite, at or above 0. */
export function fixedDigits(value: number, fraction: number): string {
  return scaled(value, fraction)
    .toString()
    .padStart(fraction + 1, '0');
}

/** A finite value as C's `%.{precision}g` prints it: `1e+15`, `0.1`, `-0`. */
export function toGeneral(value: number, precision: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + general(Math.abs(value), precision, false);
}

/** @param keepsZeros the digits that were asked for all stand there, with the point. */
export function general(value: number, precision: number, keepsZeros: boolean): string {
  const count = Math.max(precision, 1);
  const { digits, exponent } = significantDigits(value, count);
  if (exponent < -4 || exponent >= count) {
    const fraction = keepsZeros ? digits.slice(1) : withoutZeros(digits.slice(1));
    return withPoint(digits.slice(0, 1), fraction, keepsZeros) + exponentText(exponent);
  }
  const whole = exponent < 0 ? '0' : digits.slice(0, exponent + 1);
  const fraction = exponent < 0 ? '0'.repeat(-exponent - 1) + digits : digits.slice(exponent + 1);
  return withPoint(whole, keepsZeros ? fraction : withoutZeros(fraction), keepsZeros);
}

export function withPoint(whole: string, fraction: string, keepsPoint: boolean): string {
  return fraction === '' && !keepsPoint ? whole : `${whole}.${fraction}`;
}

/** `e+05`: two digits at least. */
export function exponentText(exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return exponent < 0 ? `e-${digits}` : `e+${digits}`;
}

function withoutZeros(fraction: string): string {
  let end = fraction.length;
  while (end > 0 && fraction.charAt(end - 1) === '0') end--;
  return fraction.slice(0, end);
}

/** @param text as `Number.toExponential` writes it. */
function fromExponential(text: string): Digits {
  const e = text.indexOf('e');
  return { digits: text.charAt(0) + text.slice(2, e), exponent: Number(text.slice(e + 1)) };
}

function exactDigits(value: number, count: number): Digits {
  // The shortest digits may have been rounded up to a power of ten, and rounding here may do it, too.
  let { exponent } = fromExponential(value.toExponential());
  for (;;) {
    const digits = scaled(value, count - 1 - exponent).toString();
    if (digits.length === count) return { digits, exponent };
    exponent += digits.length > count ? 1 : -1;
  }
}

const double = new DataView(new ArrayBuffer(8));
const FRACTION_BITS = 52;
const EXPONENT_BIAS = 1075;

/** `value × 10^power` as the nearest whole number. */
function scaled(value: number, power: number): bigint {
  double.setFloat64(0, value);
  const bits = double.getBigUint64(0);
  const fraction = BigInt.asUintN(FRACTION_BITS, bits);
  const stored = Number(bits >> BigInt(FRACTION_BITS));
  const mantissa = stored === 0 ? fraction : fraction | (1n << BigInt(FRACTION_BITS));
  const exponent = (stored === 0 ? 1 : stored) - EXPONENT_BIAS;
  const numerator = mantissa * 10n ** BigInt(Math.max(power, 0)) * 2n ** BigInt(Math.max(exponent, 0));
  const denominator = 10n ** BigInt(Math.max(-power, 0)) * 2n ** BigInt(Math.max(-exponent, 0));
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const isUp = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return isUp ? quotient + 1n : quotient;
}

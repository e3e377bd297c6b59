/**
 * Doubles as C prints them with `%.17g`, which is how Redis tells a score: the shortest form of 17 significant digits, without
 * zeros at the end, with an exponent where that is below -4 or above 16.
 */
const DIGITS = 17;
/** Enough to see whether a number lies in the middle between two of 17 digits. */
const DIGITS_OF_TIES = 100;

export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return '-inf';
  if (Number.isInteger(value) && Math.abs(value) < 1e17)
    return Object.is(value, -0) ? '-0' : wholeText(value);
  const sign = value < 0 ? '-' : '';
  const { digits, exponent } = significant(Math.abs(value));
  const shown = digits.replace(/0+$/, '');
  if (exponent < -4 || exponent >= DIGITS) {
    const rest = shown.length > 1 ? `.${shown.slice(1)}` : '';
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${shown.charAt(0)}${rest}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${shown}`;
  if (shown.length <= exponent + 1) return sign + shown.padEnd(exponent + 1, '0');
  return `${sign}${shown.slice(0, exponent + 1)}.${shown.slice(exponent + 1)}`;
}

/** As C prints a number with `%.6f`, or with another count of digits behind the point. */
export function fixedText(value: number, digits: number): string {
  if (!Number.isFinite(value)) return doubleText(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  // From here on a number has no fraction, and JavaScript writes an exponent.
  if (size >= 1e21) return `${sign}${BigInt(size)}.${'0'.repeat(digits)}`;
  const rounded = size.toFixed(digits);
  const isTie = Number.isInteger(size * 2 ** (digits + 1)) && !Number.isInteger(size * 2 ** digits);
  if (!isTie) return sign + rounded;
  // C rounds a number in the middle to the even digit, JavaScript up.
  const below = size.toFixed(digits + 1).slice(0, -1);
  return sign + (Number(below.at(-1)) % 2 === 0 ? below : rounded);
}

const COORDINATE_DIGITS = 17;

/** As Redis prints a coordinate: with 17 digits behind the point, without zeros at the end, and never with an exponent. */
export function coordinateText(value: number): string {
  return fixedText(value, COORDINATE_DIGITS).replace(/\.?0+$/, '');
}

/** Above 2^53 a number of JavaScript as text has zeros where C has the digits. */
function wholeText(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}

interface Significant {
  readonly digits: string;
  readonly exponent: number;
}

function significant(value: number): Significant {
  const rounded = split(value.toExponential(DIGITS - 1));
  const exact = split(value.toExponential(DIGITS_OF_TIES));
  // C rounds a number in the middle to the even digit, JavaScript away from zero.
  if (!/^50*$/.test(exact.digits.slice(DIGITS))) return rounded;
  const below = exact.digits.slice(0, DIGITS);
  return Number(below.at(-1)) % 2 === 0 ? { digits: below, exponent: exact.exponent } : rounded;
}

function split(text: string): Significant {
  const at = text.indexOf('e');
  return { digits: text.slice(0, at).replace('.', ''), exponent: Number(text.slice(at + 1)) };
}

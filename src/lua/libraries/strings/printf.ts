/** What `string.format` prints for one item, as C's `printf` with the format's flags, width and precision does. */
import { exponentText, fixedDigits, general, significantDigits, withPoint } from '../../decimal-digits.ts';
import { toInt64, toUint64 } from '../integers.ts';

/** One item of a format: `%-08.3f`. */
export interface FormatItem {
  /** Some of `-+ #0`. */
  readonly flags: string;
  readonly width: number;
  /** Nothing if the format has no point. */
  readonly precision: number | undefined;
  /** The letter it ends with; empty at the end of the format. */
  readonly conversion: string;
}

/** Ended at its first zero byte, as C's strings are. */
export function printText(item: FormatItem, text: string): string {
  const end = text.indexOf('\0');
  const whole = end < 0 ? text : text.slice(0, end);
  return toWidth(item, whole.slice(0, item.precision));
}

/** `%c`: a zero byte ends what is printed. */
export function printCharacter(item: FormatItem, code: number): string {
  const text = toWidth(item, String.fromCharCode(code & 0xff));
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** `%d` and `%i`: as a signed integer of 64 bits; the lowest one for what is none. */
export function printSigned(item: FormatItem, value: number): string {
  const integer = toInt64(value);
  const sign = integer < 0n ? '-' : signOfPositive(item);
  return printInteger(item, sign, String(integer < 0n ? -integer : integer));
}

/** `%u`, `%o`, `%x`, `%X`: as an unsigned integer of 64 bits. */
export function printUnsigned(item: FormatItem, value: number): string {
  const integer = toUint64(value);
  const isAlternative = item.flags.includes('#');
  switch (item.conversion) {
    case 'o': {
      const digits = integer.toString(8);
      const isShort = isAlternative && integer !== 0n && digits.length >= (item.precision ?? 0);
      const isNothing = isAlternative && integer === 0n && item.precision === 0;
      return isNothing ? toWidth(item, '0') : printInteger(item, '', isShort ? `0${digits}` : digits);
    }
    case 'x':
      return printInteger(item, isAlternative && integer !== 0n ? '0x' : '', integer.toString(16));
    case 'X':
      return printInteger(
        item,
        isAlternative && integer !== 0n ? '0X' : '',
        integer.toString(16).toUpperCase(),
      );
    default:
      return printInteger(item, '', integer.toString());
  }
}

/** `%e`, `%E`, `%f`, `%g`, `%G`. */
export function printDouble(item: FormatItem, value: number): string {
  // C prints the sign of what is no number, and that of 0/0 is negative; JavaScript hides the sign.
  const isNegative = value < 0 || Object.is(value, -0) || Number.isNaN(value);
  const sign = isNegative ? '-' : signOfPositive(item);
  const isUpper = item.conversion === 'E' || item.conversion === 'G';
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'nan' : 'inf';
    return toWidth(item, sign + (isUpper ? text.toUpperCase() : text));
  }
  const digits = doubleText(item, Math.abs(value));
  return withZeros(item, sign, isUpper ? digits.toUpperCase() : digits);
}

function doubleText(item: FormatItem, value: number): string {
  const precision = item.precision ?? 6;
  const isAlternative = item.flags.includes('#');
  switch (item.conversion.toLowerCase()) {
    case 'e': {
      const { digits, exponent } = significantDigits(value, precision + 1);
      return withPoint(digits.charAt(0), digits.slice(1), isAlternative) + exponentText(exponent);
    }
    case 'f': {
      const digits = fixedDigits(value, precision);
      const point = digits.length - precision;
      return withPoint(digits.slice(0, point), digits.slice(point), isAlternative);
    }
    default:
      return general(value, precision, isAlternative);
  }
}

function printInteger(item: FormatItem, prefix: string, digits: string): string {
  if (item.precision === undefined) return withZeros(item, prefix, digits);
  const isNothing = item.precision === 0 && digits === '0';
  return toWidth(item, prefix + (isNothing ? '' : digits.padStart(item.precision, '0')));
}

function signOfPositive(item: FormatItem): string {
  if (item.flags.includes('+')) return '+';
  return item.flags.includes(' ') ? ' ' : '';
}

function withZeros(item: FormatItem, prefix: string, digits: string): string {
  if (!item.flags.includes('0') || item.flags.includes('-')) return toWidth(item, prefix + digits);
  return prefix + digits.padStart(item.width - prefix.length, '0');
}

function toWidth(item: FormatItem, text: string): string {
  return item.flags.includes('-') ? text.padEnd(item.width) : text.padStart(item.width);
}

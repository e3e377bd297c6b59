/** Values as text and numbers, as Lua 5.1 converts them in C: here alone. */
import { toGeneral } from './decimal-digits.ts';
import { LuaTable, type LuaValue } from './value.ts';

export type LuaTypeName = 'nil' | 'boolean' | 'number' | 'string' | 'table' | 'function' | 'userdata';

export function typeName(value: LuaValue): LuaTypeName {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'boolean':
    case 'number':
    case 'string':
    case 'function':
      return typeof value as LuaTypeName;
    default:
      return value instanceof LuaTable ? 'table' : 'userdata';
  }
}

export function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** Of what C prints as `%.14g` these many digits count. */
const DIGITS = 14;

/** A number as Redis' Lua prints it: C's `%.14g`, so 3 is `3` and 10^15 is `1e+15`. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && value < 1e14 && value > -1e14)
    return value === 0 && Object.is(value, -0) ? '-0' : String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '-nan' : value > 0 ? 'inf' : '-inf';
  return toGeneral(value, DIGITS);
}

/** The text of a string or a number; undefined of others, which have none where Lua converts by itself. */
export function textOf(value: LuaValue): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? numberText(value) : undefined;
}

/** The number of a number, or of a string that is written as one; undefined of others. */
export function numberOf(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseNumber(value) : undefined;
}

const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?$/;
const WORD = /^([+-]?)(inf|infinity|nan(?:\([0-9a-zA-Z_]*\))?)$/i;

/** As C's `strtod` reads it, which knows hexadecimal numbers, `inf` and `nan`; spaces may stand around it. It ends at a zero byte. */
export function parseNumber(text: string): number | undefined {
  const zero = text.indexOf('\0');
  const line = withoutSpaces(zero < 0 ? text : text.slice(0, zero));
  if (DECIMAL.test(line)) return Number(line);
  const hexadecimal = HEXADECIMAL.exec(line);
  if (hexadecimal !== null) {
    const [, sign, whole = '', fraction = '', power = '0'] = hexadecimal;
    if (whole === '' && fraction === '') return undefined;
    const value = hexadecimalDigits(whole + fraction) * 2 ** (Number(power) - 4 * fraction.length);
    return sign === '-' ? -value : value;
  }
  const word = WORD.exec(line);
  if (word === null) return undefined;
  if (/^n/i.test(word[2] ?? '')) return Number.NaN;
  return word[1] === '-' ? -Infinity : Infinity;
}

function hexadecimalDigits(digits: string): number {
  return digits === '' ? 0 : Number(`0x${digits}`);
}

const HEXADECIMAL_DIGIT = '0123456789abcdefghijklmnopqrstuvwxyz';

/** An integer in a base of 2 to 36, as C's `strtoul` reads it: a negative one wraps around at 2^64. */
export function parseInteger(text: string, base: number): number | undefined {
  const line = withoutSpaces(text.split('\0', 1)[0] ?? '');
  const isNegative = line.startsWith('-');
  let digits = line.replace(/^[+-]/, '').toLowerCase();
  if (base === 16) digits = digits.replace(/^0x(?=[0-9a-f])/, '');
  if (digits === '') return undefined;
  let value = 0n;
  for (const character of digits) {
    const digit = HEXADECIMAL_DIGIT.indexOf(character);
    if (digit < 0 || digit >= base) return undefined;
    if (value < 2n ** 64n) value = value * BigInt(base) + BigInt(digit);
  }
  if (value >= 2n ** 64n) return Number(2n ** 64n - 1n);
  return Number(isNegative ? BigInt.asUintN(64, -value) : value);
}

/** In linear time, unlike a pattern that looks for spaces before the end from each of them. */
function withoutSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** What C takes for the whole of a string: as far as the first NUL. Messages are made of such in Lua. */
export function cString(value: string): string {
  const end = value.indexOf('\0');
  return end === -1 ? value : value.slice(0, end);
}

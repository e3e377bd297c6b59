/** `string.format`. */
import type { LuaBudget } from '../../budget.ts';
import { type Arguments, argumentError, libraryError, numberArgument, stringArgument } from '../arguments.ts';
import { PIECE_BYTES } from '../piece-bytes.ts';
import {
  type FormatItem,
  printCharacter,
  printDouble,
  printSigned,
  printText,
  printUnsigned,
} from './printf.ts';

const NAME = 'format';
/** From this length on a string without a precision is printed whole, zero bytes and all. */
const WHOLE_TEXT_MIN = 100;

/** What printing one item takes. */
const ITEM_STEPS = 10;

/** @returns the text, which is paid for. */
export function format(args: Arguments, budget: LuaBudget): string {
  const text = stringArgument(args, 1, NAME);
  budget.spendLook(text.length);
  budget.spendBytes(text.length);
  let result = '';
  let number = 1;
  for (let at = 0; at < text.length;) {
    const percent = text.indexOf('%', at);
    if (percent < 0) return result + text.slice(at);
    result += text.slice(at, percent);
    if (text.charAt(percent + 1) === '%') {
      budget.spendSteps(1);
      budget.spendBytes(2 * PIECE_BYTES);
      result += '%';
      at = percent + 2;
      continue;
    }
    number++;
    if (number > args.length) throw argumentError(number, NAME, 'no value');
    const { item, end } = readItem(text, percent + 1);
    budget.spendSteps(ITEM_STEPS);
    const printed = printItem(item, args, number, budget);
    budget.spendBytes(PIECE_BYTES + printed.length);
    result += printed;
    at = end;
  }
  return result;
}

const ITEM = /([-+ #0]*)(\d{0,2})(?:(\.)(\d{0,2}))?/y;
const FLAGS_MAX = 5;

function readItem(text: string, from: number): { readonly item: FormatItem; readonly end: number } {
  ITEM.lastIndex = from;
  const [matched = '', flags = '', width = '', point, precision] = ITEM.exec(text) ?? [];
  if (flags.length > FLAGS_MAX) throw libraryError('invalid format (repeated flags)');
  const end = from + matched.length;
  const conversion = text.charAt(end);
  if (/\d/.test(conversion)) throw libraryError('invalid format (width or precision too long)');
  return {
    item: {
      flags,
      width: Number(width),
      precision: point === undefined ? undefined : Number(precision),
      conversion,
    },
    end: end + 1,
  };
}

function printItem(item: FormatItem, args: Arguments, number: number, budget: LuaBudget): string {
  switch (item.conversion) {
    case 'c':
      return printCharacter(item, toInt32(numberArgument(budget, args, number, NAME)));
    case 'd':
    case 'i':
      return printSigned(item, numberArgument(budget, args, number, NAME));
    case 'u':
    case 'o':
    case 'x':
    case 'X':
      return printUnsigned(item, numberArgument(budget, args, number, NAME));
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return printDouble(item, numberArgument(budget, args, number, NAME));
    case 'q':
      return quoted(stringArgument(args, number, NAME), budget);
    case 's': {
      const text = stringArgument(args, number, NAME);
      budget.spendLook(text.length);
      return item.precision === undefined && text.length >= WHOLE_TEXT_MIN ? text : printText(item, text);
    }
    default:
      throw libraryError(`invalid option '%${item.conversion === '\0' ? '' : item.conversion}' to 'format'`);
  }
}

/** As C converts a double to an `int`: what does not fit is the lowest one. */
function toInt32(value: number): number {
  const whole = Math.trunc(value);
  return whole === (whole | 0) ? whole : 0;
}

/** So many characters are quoted before that is paid for. */
const QUOTED_AT_ONCE = 256;

/** As a string that Lua reads back. */
function quoted(text: string, budget: LuaBudget): string {
  let result = '"';
  for (let at = 0; at < text.length; at += QUOTED_AT_ONCE) {
    const part = text.slice(at, at + QUOTED_AT_ONCE);
    budget.spendSteps(part.length >> 3);
    budget.spendBytes(part.length);
    result += part.replaceAll(/["\\\n\r\0]/g, (character) => {
      if (character === '\r') return '\\r';
      return character === '\0' ? '\\000' : `\\${character}`;
    });
  }
  return `${result}"`;
}

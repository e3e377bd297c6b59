/** `string.format`. */
import { type Arguments, argumentError, libraryError, numberArgument, stringArgument } from '../arguments.ts';
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

export function format(args: Arguments): string {
  const text = stringArgument(args, 1, NAME);
  let result = '';
  let number = 1;
  for (let at = 0; at < text.length;) {
    const percent = text.indexOf('%', at);
    if (percent < 0) return result + text.slice(at);
    result += text.slice(at, percent);
    if (text.charAt(percent + 1) === '%') {
      result += '%';
      at = percent + 2;
      continue;
    }
    number++;
    if (number > args.length) throw argumentError(number, NAME, 'no value');
    const { item, end } = readItem(text, percent + 1);
    result += printItem(item, args, number);
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

function printItem(item: FormatItem, args: Arguments, number: number): string {
  switch (item.conversion) {
    case 'c':
      return printCharacter(item, toInt32(numberArgument(args, number, NAME)));
    case 'd':
    case 'i':
      return printSigned(item, numberArgument(args, number, NAME));
    case 'u':
    case 'o':
    case 'x':
    case 'X':
      return printUnsigned(item, numberArgument(args, number, NAME));
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return printDouble(item, numberArgument(args, number, NAME));
    case 'q':
      return quoted(stringArgument(args, number, NAME));
    case 's': {
      const text = stringArgument(args, number, NAME);
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

/** As a string that Lua reads back. */
function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\\n\r\0]/g, (character) => {
    if (character === '\r') return '\\r';
    return character === '\0' ? '\\000' : `\\${character}`;
  });
  return `"${escaped}"`;
}

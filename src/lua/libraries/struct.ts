/**
 * The library `struct`, as in Redis 7.0: values to and from the bytes of C's structures. A format has one option after the other:
 *
 * - `>` and `<`: the highest or the lowest byte first, from here on; lowest first at the beginning.
 * - `!n`: values are aligned to their size, but at most to `n` (8); not at all at the beginning.
 * - `x`: a zero byte. ` ` is ignored.
 * - `b` `h` `l` and `B` `H` `L` `T`: signed and unsigned integers of 1, 2, 8 and 8 bytes; `i{n}` and `I{n}`: of `n` bytes (4).
 * - `f` and `d`: floating point of 4 and 8 bytes.
 * - `c{n}`: `n` characters (1); `c0`: all of the string, or as many as the number before says.
 * - `s`: characters up to a zero byte.
 */
import type { LuaBudget } from '../budget.ts';
import type { LuaMachine } from '../machine.ts';
import { numberOf } from '../conversions.ts';
import type { LuaTable, LuaValue } from '../value.ts';
import { argumentError, libraryError, numberArgument, optionalInteger, stringArgument } from './arguments.ts';
import { toInt64, toUint64 } from './integers.ts';
import { libraryTable } from './library-table.ts';
import { doubleBytes, floatBytes, readDouble, readFloat, reversed } from './number-bytes.ts';
import { PIECE_BYTES } from './piece-bytes.ts';
import { STACK_MAX } from './stack.ts';

const INT_MAX = 2 ** 31 - 1;
const INTEGER_BYTES_MAX = 32;
const ALIGNMENT_DEFAULT = 8;
const INTEGERS = 'bBhHlLTiI';

export function openStruct(machine: LuaMachine): LuaTable {
  const { budget } = machine;

  return libraryTable(machine, {
    pack(...given) {
      // A first missing argument is nil for C, which puts one behind the others.
      const args = [...given, undefined];
      const format = new Format(stringArgument(args, 1, 'pack'), 'pack', budget);
      let bytes = '';
      let number = 2;
      while (format.next(bytes.length)) {
        budget.spendSteps(1);
        let added = '\0'.repeat(format.padding);
        if (format.isInteger) {
          added += integerBytes(numberArgument(budget, args, number++, 'pack'), format);
        } else if (format.option === 'x') {
          added += '\0';
        } else if (format.option === 'f') {
          added += format.inOrder(floatBytes(numberArgument(budget, args, number++, 'pack')));
        } else if (format.option === 'd') {
          added += format.inOrder(doubleBytes(numberArgument(budget, args, number++, 'pack')));
        } else if (format.option === 'c' || format.option === 's') {
          const text = stringArgument(args, number++, 'pack');
          // The message counts the argument behind it.
          if (text.length < format.size) throw argumentError(number, 'pack', 'string too short');
          added += format.size === 0 ? text : text.slice(0, format.size);
          if (format.option === 's') added += '\0';
        } else format.control();
        budget.spendBytes(PIECE_BYTES + added.length);
        bytes += added;
      }
      return bytes;
    },

    unpack(...args) {
      const format = new Format(stringArgument(args, 1, 'unpack'), 'unpack', budget);
      const data = stringArgument(args, 2, 'unpack');
      const first = optionalInteger(budget, args, 3, 'unpack', 1);
      if (first === 0) throw argumentError(3, 'unpack', 'offset must be 1 or greater');
      const values: LuaValue[] = [];
      let at = first - 1;
      while (format.next(at)) {
        budget.spendSteps(1);
        at += format.padding;
        let { size } = format;
        checkRoom(data, at, size);
        if (values.length + 2 >= STACK_MAX) throw libraryError('stack overflow (too many results)');
        if (format.isInteger) values.push(integerOf(data.slice(at, at + size), format));
        else if (format.option === 'f') values.push(readFloat(format.inOrder(data.slice(at, at + 4)), 0));
        else if (format.option === 'd') values.push(readDouble(format.inOrder(data.slice(at, at + 8)), 0));
        else if (format.option === 'c') {
          if (size === 0) {
            size = sizeBefore(values);
            checkRoom(data, at, size);
          }
          budget.spendBytes(size);
          values.push(data.slice(at, at + size));
        } else if (format.option === 's') {
          const end = data.indexOf('\0', at);
          budget.spendLook((end < 0 ? data.length : end) - at);
          if (end < 0) throw libraryError('unfinished string in data');
          size = end - at + 1;
          budget.spendBytes(size);
          values.push(data.slice(at, end));
        } else if (format.option !== 'x') format.control();
        at += size;
      }
      return [...values, at + 1];
    },

    size(...args) {
      const format = new Format(stringArgument(args, 1, 'size'), 'size', budget);
      let size = 0;
      while (format.next(size)) {
        budget.spendSteps(1);
        if (format.option === 's') throw argumentError(1, 'size', "option 's' has no fixed size");
        if (format.option === 'c' && format.size === 0)
          throw argumentError(1, 'size', "option 'c0' has no fixed size");
        if (!/[A-Za-z0-9]/.test(format.option)) format.control();
        size += format.padding + format.size;
      }
      return size;
    },
  });
}

/** Reads a format option by option. */
class Format {
  readonly #text: string;
  readonly #function: string;
  readonly #budget: LuaBudget;
  #at = 0;
  #alignment = 1;
  #isBigEndian = false;
  option = '';
  /** Of the option's value, 0 where it has none of its own; the bytes in front that align it. */
  size = 0;
  padding = 0;

  constructor(text: string, name: string, budget: LuaBudget) {
    budget.spendLook(text.length);
    this.#budget = budget;
    const end = text.indexOf('\0');
    this.#text = end < 0 ? text : text.slice(0, end);
    this.#function = name;
  }

  get isInteger(): boolean {
    return INTEGERS.includes(this.option);
  }

  /** Goes to the next option. @param length the bytes in front of it. */
  next(length: number): boolean {
    this.option = this.#text.charAt(this.#at++);
    if (this.option === '') return false;
    this.size = this.#sizeOf(this.option);
    this.padding = this.#paddingAt(length);
    return true;
  }

  /** Takes an option that is not a value. */
  control(): void {
    switch (this.option) {
      case ' ':
        return;
      case '>':
        this.#isBigEndian = true;
        return;
      case '<':
        this.#isBigEndian = false;
        return;
      case '!': {
        const alignment = this.#number(ALIGNMENT_DEFAULT);
        if (alignment <= 0 || (alignment & (alignment - 1)) !== 0)
          throw libraryError(`alignment ${alignment} is not a power of 2`);
        this.#alignment = alignment;
        return;
      }
      default:
        throw argumentError(1, this.#function, `invalid format option '${this.option}'`);
    }
  }

  /** Bytes with the highest first in the order of the format, and back. */
  inOrder(bytes: string): string {
    return this.#isBigEndian ? bytes : reversed(bytes);
  }

  #sizeOf(option: string): number {
    switch (option) {
      case 'b':
      case 'B':
      case 'x':
        return 1;
      case 'h':
      case 'H':
        return 2;
      case 'f':
        return 4;
      case 'l':
      case 'L':
      case 'T':
      case 'd':
        return 8;
      case 'c':
        return this.#number(1);
      case 'i':
      case 'I': {
        const size = this.#number(4);
        if (size > INTEGER_BYTES_MAX)
          throw libraryError(`integral size ${size} is larger than limit of ${INTEGER_BYTES_MAX}`);
        return size;
      }
      default:
        return 0;
    }
  }

  #number(otherwise: number): number {
    const begun = this.#at;
    let number = 0;
    while (/[0-9]/.test(this.#text.charAt(this.#at))) {
      this.#budget.spendSteps(1);
      number = number * 10 + Number(this.#text.charAt(this.#at++));
      if (number > INT_MAX) throw libraryError('integral size overflow');
    }
    return this.#at === begun ? otherwise : number;
  }

  /** As C counts it, for sizes that are no power of 2, too. */
  #paddingAt(length: number): number {
    if (this.size === 0 || this.option === 'c') return 0;
    const size = Math.min(this.size, this.#alignment);
    return (size - (length & (size - 1))) & (size - 1);
  }
}

/** @param at what is negative is huge for C. */
function checkRoom(data: string, at: number, size: number): void {
  if (size > data.length || at < 0 || at > data.length - size)
    throw argumentError(2, 'unpack', 'data string too short');
}

/** `c0` takes the number before as its size. */
function sizeBefore(values: LuaValue[]): number {
  const size = numberOf(values.at(-1));
  if (size === undefined) throw libraryError("format 'c0' needs a previous size");
  values.pop();
  // C keeps it in an unsigned integer of 64 bits.
  return Number(toUint64(size));
}

/** Of more than 8 bytes those above are zero. */
function integerBytes(value: number, format: Format): string {
  let left = value < 0 ? BigInt.asUintN(64, toInt64(value)) : toUint64(value);
  let bytes = '';
  for (let index = 0; index < format.size; index++) {
    bytes = String.fromCharCode(Number(left & 0xffn)) + bytes;
    left >>= 8n;
  }
  return format.inOrder(bytes);
}

/** Of more than 8 bytes the lower 64 bits. The sign is that of the highest bit, whose place the processor counts modulo 64. */
function integerOf(bytes: string, format: Format): number {
  let value = 0n;
  for (const byte of format.inOrder(bytes))
    value = BigInt.asUintN(64, (value << 8n) | BigInt(byte.charCodeAt(0)));
  if (format.option !== format.option.toLowerCase()) return Number(value);
  const signBit = BigInt((format.size * 8 - 1) & 63);
  const mask = BigInt.asUintN(64, -1n << signBit);
  return Number(BigInt.asIntN(64, (value & mask) === 0n ? value : value | mask));
}

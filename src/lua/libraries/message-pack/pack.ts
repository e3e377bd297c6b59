/** `cmsgpack.pack`: values as MessagePack, each in its shortest form. */
import type { LuaBudget } from '../../budget.ts';
import { LuaTable, type LuaValue } from '../../value.ts';
import { isInt32 } from '../integers.ts';
import { PIECE_BYTES } from '../piece-bytes.ts';
import { bigEndian, doubleBytes, floatBytes } from '../number-bytes.ts';

/** Tables that lie deeper than so many others are nil. */
const NESTING_MAX = 16;
const INT64_LIMIT = 2 ** 63;

const NIL = '\xc0';
const FALSE = '\xc2';
const TRUE = '\xc3';

export class Packer {
  readonly #budget: LuaBudget;
  #bytes = '';

  constructor(budget: LuaBudget) {
    this.#budget = budget;
  }

  get bytes(): string {
    return this.#bytes;
  }

  add(value: LuaValue): void {
    this.#value(value, 0);
  }

  /** A table that stands in many places is written, and paid for, as often. */
  #put(bytes: string): void {
    this.#budget.spendBytes(PIECE_BYTES + bytes.length);
    this.#bytes += bytes;
  }

  #value(value: LuaValue, level: number): void {
    this.#budget.spendSteps(1);
    if (typeof value === 'string') this.#put(stringHead(value.length) + value);
    else if (typeof value === 'number') this.#put(numberBytes(value));
    else if (typeof value === 'boolean') this.#put(value ? TRUE : FALSE);
    else if (value instanceof LuaTable && level < NESTING_MAX) this.#table(value, level + 1);
    else this.#put(NIL);
  }

  #table(table: LuaTable, level: number): void {
    const { count, isArray } = describe(table);
    this.#budget.spendSteps(count);
    if (isArray) {
      this.#put(head(count, 0x90, 0xdc));
      for (let index = 1; index <= count; index++) this.#value(table.get(index), level);
      return;
    }
    this.#put(head(count, 0x80, 0xde));
    for (let at = table.nextPosition(0); at !== 0; at = table.nextPosition(at)) {
      this.#value(table.keyAt(at), level);
      this.#value(table.valueAt(at), level);
    }
  }
}

/** How many fields it has, and whether their keys are 1 to that; an empty table is an array. */
function describe(table: LuaTable): { readonly count: number; readonly isArray: boolean } {
  let count = 0;
  let highest = 0;
  let isArray = true;
  for (let at = table.nextPosition(0); at !== 0; at = table.nextPosition(at)) {
    const key = table.keyAt(at);
    count++;
    if (typeof key !== 'number' || key <= 0 || !isInt32(key)) isArray = false;
    else if (key > highest) highest = key;
  }
  return { count, isArray: isArray && highest === count };
}

/** Of an array or a map. @param short the first byte for up to 15 elements. @param long that for more, with 16 bits; 32 bits follow. */
function head(count: number, short: number, long: number): string {
  if (count <= 0xf) return bigEndian(short | count, 1);
  return count <= 0xffff
    ? bigEndian(long, 1) + bigEndian(count, 2)
    : bigEndian(long + 1, 1) + bigEndian(count, 4);
}

function stringHead(length: number): string {
  if (length < 32) return bigEndian(0xa0 | length, 1);
  if (length <= 0xff) return bigEndian(0xd9, 1) + bigEndian(length, 1);
  return length <= 0xffff
    ? bigEndian(0xda, 1) + bigEndian(length, 2)
    : bigEndian(0xdb, 1) + bigEndian(length, 4);
}

function numberBytes(value: number): string {
  if (value >= -INT64_LIMIT && value < INT64_LIMIT && Number.isInteger(value)) return integerBytes(value);
  return Math.fround(value) === value ? `\xca${floatBytes(value)}` : `\xcb${doubleBytes(value)}`;
}

function integerBytes(value: number): string {
  if (value >= 0) {
    if (value <= 0x7f) return bigEndian(value, 1);
    if (value <= 0xff) return `\xcc${bigEndian(value, 1)}`;
    if (value <= 0xffff) return `\xcd${bigEndian(value, 2)}`;
    return value <= 0xffff_ffff ? `\xce${bigEndian(value, 4)}` : `\xcf${bigEndian(value, 8)}`;
  }
  if (value >= -32) return bigEndian(value, 1);
  if (value >= -0x80) return `\xd0${bigEndian(value, 1)}`;
  if (value >= -0x8000) return `\xd1${bigEndian(value, 2)}`;
  return value >= -0x8000_0000 ? `\xd2${bigEndian(value, 4)}` : `\xd3${bigEndian(value, 8)}`;
}

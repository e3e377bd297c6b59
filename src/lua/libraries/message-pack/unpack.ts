/** `cmsgpack.unpack`: values of MessagePack one after the other. */
import { serverFixed } from '../../../limits.ts';
import type { LuaMachine } from '../../machine.ts';
import { LuaError, type LuaTable, type LuaValue } from '../../value.ts';
import { libraryError } from '../arguments.ts';
import { readDouble, readFloat, readSigned64, readUnsigned } from '../number-bytes.ts';

export const TOO_MANY_VALUES = 'too many return values at once; use unpack_one or unpack_limit instead.';

export class Unpacker {
  readonly #text: string;
  readonly #machine: LuaMachine;
  #at: number;
  #depth = 0;

  constructor(text: string, offset: number, machine: LuaMachine) {
    this.#text = text;
    this.#at = offset;
    this.#machine = machine;
  }

  /** Where the next value begins. */
  get offset(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  value(): LuaValue {
    this.#machine.budget.spendSteps(1);
    const head = this.#unsigned(1);
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head < 0x90) return this.#map(head & 0xf);
    if (head < 0xa0) return this.#array(head & 0xf);
    if (head < 0xc0) return this.#string(head & 0x1f);
    switch (head) {
      case 0xc0:
        return undefined;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return readFloat(this.#text, this.#take(4));
      case 0xcb:
        return readDouble(this.#text, this.#take(8));
      case 0xcc:
        return this.#unsigned(1);
      case 0xcd:
        return this.#unsigned(2);
      case 0xce:
        return this.#unsigned(4);
      // C's Lua of 64 bits keeps an unsigned number as a signed one.
      case 0xcf:
      case 0xd3:
        return Number(readSigned64(this.#text, this.#take(8)));
      case 0xd0:
        return (this.#unsigned(1) << 24) >> 24;
      case 0xd1:
        return (this.#unsigned(2) << 16) >> 16;
      case 0xd2:
        return this.#unsigned(4) | 0;
      case 0xd9:
        return this.#string(this.#unsigned(1));
      case 0xda:
        return this.#string(this.#unsigned(2));
      case 0xdb:
        return this.#string(this.#unsigned(4));
      case 0xdc:
        return this.#array(this.#unsigned(2));
      case 0xdd:
        return this.#array(this.#unsigned(4));
      case 0xde:
        return this.#map(this.#unsigned(2));
      case 0xdf:
        return this.#map(this.#unsigned(4));
      default:
        throw libraryError('Bad data format in input.');
    }
  }

  /** @returns where the next `count` bytes begin, and goes behind them. */
  #take(count: number): number {
    const begun = this.#at;
    if (count > this.#text.length - begun) throw libraryError('Missing bytes in input.');
    this.#at += count;
    return begun;
  }

  #unsigned(size: number): number {
    return readUnsigned(this.#text, this.#take(size), size);
  }

  #string(length: number): string {
    const begun = this.#take(length);
    this.#machine.budget.spendBytes(length);
    return this.#text.slice(begun, begun + length);
  }

  #array(count: number): LuaTable {
    this.#descend('in function mp_decode_to_lua_array');
    const table = this.#machine.newTable();
    for (let index = 1; index <= count; index++) table.set(index, this.value());
    this.#depth--;
    return table;
  }

  #map(count: number): LuaTable {
    this.#descend(TOO_MANY_VALUES);
    const table = this.#machine.newTable();
    for (let left = count; left > 0; left--) {
      const key = this.value();
      const value = this.value();
      // C's Lua gives these no place in the script.
      if (key === undefined) throw new LuaError('table index is nil', 0);
      if (Number.isNaN(key)) throw new LuaError('table index is NaN', 0);
      table.set(key, value);
    }
    this.#depth--;
    return table;
  }

  #descend(reason: string): void {
    if (++this.#depth > serverFixed.luaNestedValuesMax) throw libraryError(`stack overflow (${reason})`);
  }
}

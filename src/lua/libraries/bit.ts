/** The library `bit`: operations on 32 bits, as in LuaBitOp 1.0.2. Results are signed. */
import type { LuaBudget } from '../budget.ts';
import type { LuaMachine } from '../machine.ts';
import type { LuaTable } from '../value.ts';
import { type Arguments, numberArgument } from './arguments.ts';
import { libraryTable } from './library-table.ts';

export function openBit(machine: LuaMachine): LuaTable {
  const { budget } = machine;

  function fold(name: string, run: (a: number, b: number) => number) {
    return (...args: Arguments) => {
      let result = bits(budget, args, 1, name);
      for (let number = args.length; number > 1; number--)
        result = run(result, bits(budget, args, number, name));
      return result;
    };
  }

  /** The shift is by its lower five bits. */
  function shift(name: string, run: (a: number, by: number) => number) {
    return (...args: Arguments) => run(bits(budget, args, 1, name), bits(budget, args, 2, name) & 31) | 0;
  }

  return libraryTable(machine, {
    tobit: (...args) => bits(budget, args, 1, 'tobit'),
    bnot: (...args) => ~bits(budget, args, 1, 'bnot'),
    band: fold('band', (a, b) => a & b),
    bor: fold('bor', (a, b) => a | b),
    bxor: fold('bxor', (a, b) => a ^ b),
    lshift: shift('lshift', (a, by) => a << by),
    rshift: shift('rshift', (a, by) => a >>> by),
    arshift: shift('arshift', (a, by) => a >> by),
    rol: shift('rol', (a, by) => (a << by) | (a >>> (32 - by))),
    ror: shift('ror', (a, by) => (a << (32 - by)) | (a >>> by)),
    bswap(...args) {
      const a = bits(budget, args, 1, 'bswap');
      return (a >>> 24) | ((a >> 8) & 0xff00) | ((a & 0xff00) << 8) | (a << 24);
    },
    tohex(...args) {
      const a = bits(budget, args, 1, 'tohex');
      const count = args.length < 2 ? 8 : bits(budget, args, 2, 'tohex');
      const digits = (a >>> 0)
        .toString(16)
        .padStart(8, '0')
        .slice(-Math.min(Math.abs(count), 8));
      if (count === 0) return '';
      return count < 0 ? digits.toUpperCase() : digits;
    },
  });
}

/** 2^52 + 2^51: added to a double it rounds it to a whole number whose lower 32 bits are the lower half of the sum. */
const TO_WHOLE = 6_755_399_441_055_744;
const sum = new DataView(new ArrayBuffer(8));

function bits(budget: LuaBudget, args: Arguments, number: number, name: string): number {
  sum.setFloat64(0, numberArgument(budget, args, number, name) + TO_WHOLE);
  return sum.getInt32(4);
}

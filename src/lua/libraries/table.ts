/** The library `table`. It reads and writes tables without their metatables, as Lua 5.1 does. */
import type { LuaMachine } from '../machine.ts';
import { textOf, typeName } from '../conversions.ts';
import { first, type LuaTable, NONE } from '../value.ts';
import {
  functionArgument,
  intArgument,
  isMissing,
  libraryError,
  optionalInt,
  stringArgument,
  tableArgument,
} from './arguments.ts';
import { libraryTable } from './library-table.ts';
import { sortTable } from './sort.ts';

export function openTable(machine: LuaMachine): LuaTable {
  const { budget } = machine;

  return libraryTable(machine, {
    concat(...args) {
      const separator = isMissing(args, 2) ? '' : stringArgument(args, 2, 'concat');
      const table = tableArgument(args, 1, 'concat');
      const from = optionalInt(budget, args, 3, 'concat', 1);
      const last = optionalInt(budget, args, 4, 'concat', table.length);
      const pieces: string[] = [];
      for (let index = from; index <= last; index++) {
        budget.spendSteps(1);
        const value = table.get(index);
        const piece = textOf(value);
        if (piece === undefined)
          throw libraryError(`invalid value (${typeName(value)}) at index ${index} in table for 'concat'`);
        budget.spendBytes(piece.length + separator.length);
        pieces.push(piece);
      }
      return pieces.join(separator);
    },

    foreach(...args) {
      const table = tableArgument(args, 1, 'foreach');
      const run = functionArgument(args, 2, 'foreach');
      for (let entry = table.next(undefined); entry !== undefined; entry = table.next(entry[0])) {
        const result = first(machine.call(run, entry[0], entry[1]));
        if (result !== undefined) return result;
      }
      return NONE;
    },

    foreachi(...args) {
      const table = tableArgument(args, 1, 'foreachi');
      const { length } = table;
      const run = functionArgument(args, 2, 'foreachi');
      for (let index = 1; index <= length; index++) {
        const result = first(machine.call(run, index, table.get(index)));
        if (result !== undefined) return result;
      }
      return NONE;
    },

    getn: (...args) => tableArgument(args, 1, 'getn').length,

    insert(...args) {
      const table = tableArgument(args, 1, 'insert');
      const end = table.length + 1;
      if (args.length === 2) {
        table.set(end, args[1]);
        return NONE;
      }
      if (args.length !== 3) throw libraryError("wrong number of arguments to 'insert'");
      const position = intArgument(budget, args, 2, 'insert');
      // A position behind the end leaves a gap.
      for (let index = end; index > position; index--) {
        budget.spendSteps(1);
        table.set(index, table.get(index - 1));
      }
      table.set(position, args[2]);
      return NONE;
    },

    maxn(...args) {
      const table = tableArgument(args, 1, 'maxn');
      let highest = 0;
      for (let entry = table.next(undefined); entry !== undefined; entry = table.next(entry[0])) {
        budget.spendSteps(1);
        if (typeof entry[0] === 'number' && entry[0] > highest) highest = entry[0];
      }
      return highest;
    },

    remove(...args) {
      const table = tableArgument(args, 1, 'remove');
      const { length } = table;
      const position = optionalInt(budget, args, 2, 'remove', length);
      if (position < 1 || position > length) return NONE;
      const removed = table.get(position);
      for (let index = position; index < length; index++) {
        budget.spendSteps(1);
        table.set(index, table.get(index + 1));
      }
      table.set(length, undefined);
      return removed;
    },

    setn(...args) {
      tableArgument(args, 1, 'setn');
      throw libraryError("'setn' is obsolete");
    },

    sort(...args) {
      const table = tableArgument(args, 1, 'sort');
      const { length } = table;
      const isBefore = isMissing(args, 2) ? undefined : functionArgument(args, 2, 'sort');
      sortTable(machine, table, length, isBefore);
      return NONE;
    },
  });
}

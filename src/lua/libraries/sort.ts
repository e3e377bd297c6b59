/**
 * `table.sort`: quicksort with the middle of three as pivot (Sedgewick), with the comparisons and swaps in the order of Lua 5.1, so that
 * what is equal, and an order that contradicts itself, come out alike.
 */
import type { LuaMachine } from '../machine.ts';
import { isTrue } from '../conversions.ts';
import { first, LuaError, type LuaFunction, type LuaTable, type LuaValue } from '../value.ts';
import { libraryError } from './arguments.ts';

/** @param isBefore the script's order; `<` without it. */
export function sortTable(
  machine: LuaMachine,
  table: LuaTable,
  length: number,
  isBefore: LuaFunction | undefined,
): void {
  const { budget } = machine;

  function isLess(a: LuaValue, b: LuaValue): boolean {
    budget.spendSteps(1);
    if (isBefore === undefined) return isLessByItself(machine, a, b);
    return isTrue(first(machine.call(isBefore, a, b)));
  }

  function swap(i: number, j: number): void {
    const kept = table.get(i);
    table.set(i, table.get(j));
    table.set(j, kept);
  }

  /** Puts the pivot of a range of four elements or more where it belongs. @returns where that is. */
  function partition(low: number, high: number): number {
    const pivot = table.get(high - 1);
    let i = low;
    let j = high - 1;
    for (;;) {
      while (isLess(table.get(++i), pivot)) if (i > high) throw contradiction();
      while (isLess(pivot, table.get(--j))) if (j < low) throw contradiction();
      if (j < i) break;
      swap(i, j);
    }
    swap(high - 1, i);
    return i;
  }

  /** The smaller part is sorted by a call of its own, so the depth stays at the logarithm of the length. */
  function sortRange(from: number, to: number): void {
    let low = from;
    let high = to;
    while (low < high) {
      if (isLess(table.get(high), table.get(low))) swap(low, high);
      if (high - low === 1) return;
      const middle = Math.floor((low + high) / 2);
      if (isLess(table.get(middle), table.get(low))) swap(middle, low);
      else if (isLess(table.get(high), table.get(middle))) swap(middle, high);
      if (high - low === 2) return;
      swap(middle, high - 1);
      const place = partition(low, high);
      if (place - low < high - place) {
        sortRange(low, place - 1);
        low = place + 1;
      } else {
        sortRange(place + 1, high);
        high = place - 1;
      }
    }
  }

  sortRange(1, length);
}

/** What cannot be compared has no place in the script: it is not a function of Lua that compares. */
function isLessByItself(machine: LuaMachine, a: LuaValue, b: LuaValue): boolean {
  try {
    return machine.operations.isLess(a, b);
  } catch (error) {
    if (error instanceof LuaError && error.source === undefined) throw new LuaError(error.value, 0);
    throw error;
  }
}

function contradiction(): Error {
  return libraryError('invalid order function for sorting');
}

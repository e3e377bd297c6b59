/**
 * Arguments of library functions, checked and converted as Lua 5.1's auxiliary library does, with its error texts. Arguments are counted
 * from 1; a missing one is `no value` in messages, unlike nil.
 */
import type { LuaBudget } from '../budget.ts';
import { numberOf, textOf, typeName } from '../conversions.ts';
import { LuaError, type LuaFunction, LuaTable, type LuaValue } from '../value.ts';

export type Arguments = readonly LuaValue[];

/** What a library function ends with, at the place of the script that called it. */
export function libraryError(text: string): LuaError {
  return new LuaError(text);
}

export function argumentError(number: number, name: string, text: string): LuaError {
  return libraryError(`bad argument #${number} to '${name}' (${text})`);
}

function typeError(args: Arguments, number: number, name: string, expected: string): LuaError {
  const got = number > args.length ? 'no value' : typeName(args[number - 1]);
  return argumentError(number, name, `${expected} expected, got ${got}`);
}

/** Numbers become strings. */
export function stringArgument(args: Arguments, number: number, name: string): string {
  const text = textOf(args[number - 1]);
  if (text === undefined) throw typeError(args, number, name, 'string');
  return text;
}

/** Strings that are numerals become numbers; for long ones the budget pays. */
export function numberArgument(budget: LuaBudget, args: Arguments, number: number, name: string): number {
  const given = args[number - 1];
  if (typeof given === 'number') return given;
  if (typeof given === 'string') budget.spendLook(given.length);
  const value = numberOf(given);
  if (value === undefined) throw typeError(args, number, name, 'number');
  return value;
}

const INT64_LIMIT = 2 ** 63;

/** An integer of 64 bits: a fraction is cut off; what is too large or no number is the lowest one, as the processor makes it. */
export function integerArgument(budget: LuaBudget, args: Arguments, number: number, name: string): number {
  const value = Math.trunc(numberArgument(budget, args, number, name));
  return value >= -INT64_LIMIT && value < INT64_LIMIT ? value : -INT64_LIMIT;
}

/** The lower 32 bits of such an integer, signed. */
export function intArgument(budget: LuaBudget, args: Arguments, number: number, name: string): number {
  return integerArgument(budget, args, number, name) | 0;
}

/** Whether an argument is missing or nil. */
export function isMissing(args: Arguments, number: number): boolean {
  return args[number - 1] === undefined;
}

export function optionalInt(
  budget: LuaBudget,
  args: Arguments,
  number: number,
  name: string,
  otherwise: number,
): number {
  return isMissing(args, number) ? otherwise : intArgument(budget, args, number, name);
}

export function optionalInteger(
  budget: LuaBudget,
  args: Arguments,
  number: number,
  name: string,
  otherwise: number,
): number {
  return isMissing(args, number) ? otherwise : integerArgument(budget, args, number, name);
}

export function tableArgument(args: Arguments, number: number, name: string): LuaTable {
  const value = args[number - 1];
  if (value instanceof LuaTable) return value;
  throw typeError(args, number, name, 'table');
}

export function functionArgument(args: Arguments, number: number, name: string): LuaFunction {
  const value = args[number - 1];
  if (typeof value === 'function') return value;
  throw typeError(args, number, name, 'function');
}

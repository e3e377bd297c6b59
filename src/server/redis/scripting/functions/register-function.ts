/** `redis.register_function`, by which the text of a library says what its functions are: with two arguments, or with a table. */
import { textOf } from '../../../../lua/conversions.ts';
import { LuaError, type LuaFunction, LuaTable, type LuaValue, NONE } from '../../../../lua/value.ts';
import type { LuaBudget } from '../../../../lua/budget.ts';
import { serverFixed } from '../../../../limits.ts';
import {
  type FunctionFlag,
  functionFlags,
  type StoredFunction,
} from '../../../../types/functions/libraries.ts';
import { ReplyError } from '../../replies/errors.ts';
import { errorTable } from '../lua-reply.ts';
import { libraryError } from '../redis-library.ts';
import { checkName } from './library-text.ts';

export interface RegisteredFunction extends StoredFunction {
  readonly callback: LuaFunction;
}

/** By their names in lower case. */
export type RegisteredFunctions = Map<string, RegisteredFunction>;

/** Of the words that a table has; `function_name` is the longest. */
const WORD_LENGTH_MAX = 16;
/** What a call of it takes, and each word of its table. */
const STEPS = 20;
const NAME = 'redis.register_function';

/** @param registering the functions of the library that is being loaded; `undefined`: none is. */
export function registerFunction(
  budget: LuaBudget,
  registering: () => RegisteredFunctions | undefined,
): LuaFunction {
  const failed = (text: string): LuaError => new LuaError(libraryError(budget, text));

  return (...args) => {
    budget.spendSteps(STEPS);
    const functions = registering();
    if (functions === undefined) throw failed(`${NAME} can only be called on FUNCTION LOAD command`);
    const one = registeredOf(args, budget, failed);
    checkNameOf(one.name, budget);
    const key = one.name.toLowerCase();
    // Redis takes a name in upper and lower case, and fails when it is to remove both.
    if (functions.has(key)) throw failed('Function already exists in the library');
    if (functions.size >= serverFixed.redisFunctionsMax)
      throw failed(`a library has ${serverFixed.redisFunctionsMax} functions at most (redisFunctionsMax)`);
    budget.spendBytes(one.name.length + (one.description ?? '').length);
    functions.set(key, one);
    return NONE;
  };
}

type Failed = (text: string) => LuaError;

function registeredOf(args: readonly LuaValue[], budget: LuaBudget, failed: Failed): RegisteredFunction {
  if (args.length < 1 || args.length > 2) throw failed(`wrong number of arguments to ${NAME}`);
  const [first, callback] = args;
  if (args.length === 1) {
    if (first instanceof LuaTable) return namedOf(first, budget, failed);
    throw failed(
      `calling ${NAME} with a single argument is only applicable to Lua table (representing named arguments).`,
    );
  }
  const name = textOf(first);
  if (name === undefined) throw failed(`first argument to ${NAME} must be a string`);
  if (typeof callback !== 'function') throw failed(`second argument to ${NAME} must be a function`);
  return { name, callback, flags: new Set(), description: undefined };
}

function namedOf(table: LuaTable, budget: LuaBudget, failed: Failed): RegisteredFunction {
  let name: string | undefined;
  let callback: LuaFunction | undefined;
  let description: string | undefined;
  let flags: ReadonlySet<FunctionFlag> = new Set();
  const stringOf = (value: LuaValue, key: string): string => {
    const text = textOf(value);
    if (text === undefined) throw failed(`${key} argument given to ${NAME} must be a string`);
    return text;
  };
  for (let next = table.next(undefined); next !== undefined; next = table.next(next[0])) {
    budget.spendSteps(STEPS);
    const [key, value] = next;
    const word = textOf(key);
    if (word === undefined) throw failed(`named argument key given to ${NAME} is not a string`);
    switch (word.length > WORD_LENGTH_MAX ? '' : word.toLowerCase()) {
      case 'function_name':
        name = stringOf(value, 'function_name');
        break;
      case 'description':
        description = stringOf(value, 'description');
        if (description.length > serverFixed.redisFunctionDescriptionBytesMax)
          throw failed(
            `a description has ${serverFixed.redisFunctionDescriptionBytesMax} bytes at most (redisFunctionDescriptionBytesMax)`,
          );
        break;
      case 'callback':
        if (typeof value !== 'function')
          throw failed(`callback argument given to ${NAME} must be a function`);
        callback = value;
        break;
      case 'flags':
        if (!(value instanceof LuaTable))
          throw failed(`flags argument to ${NAME} must be a table representing function flags`);
        flags = flagsOf(value, budget, failed);
        break;
      default:
        throw failed(`unknown argument given to ${NAME}`);
    }
  }
  if (name === undefined) throw failed(`${NAME} must get a function name argument`);
  if (callback === undefined) throw failed(`${NAME} must get a callback argument`);
  return { name, callback, description, flags };
}

function flagsOf(table: LuaTable, budget: LuaBudget, failed: Failed): ReadonlySet<FunctionFlag> {
  const flags = new Set<FunctionFlag>();
  for (let index = 1; index <= table.length; index++) {
    budget.spendSteps(1);
    const word = table.get(index);
    const flag = functionFlags.find((one) => one === word);
    if (flag === undefined) throw failed('unknown flag given');
    flags.add(flag);
  }
  return flags;
}

function checkNameOf(name: string, budget: LuaBudget): void {
  try {
    checkName(name);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    throw new LuaError(errorTable(budget, error.message, false));
  }
}

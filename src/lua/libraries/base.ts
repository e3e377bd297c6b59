/**
 * `openBase`: the functions of Lua 5.1's base library that Redis gives to scripts. Of what Redis has, `coroutine` is missing: a script is one
 * function of JavaScript, which cannot stop in the middle.
 */
import { serverFixed } from '../../limits.ts';
import { cString, isTrue, parseInteger, parseNumber, textOf, typeName } from '../conversions.ts';
import type { LuaMachine } from '../machine.ts';
import {
  allOf,
  first,
  LuaError,
  type LuaFunction,
  type LuaResult,
  LuaTable,
  type LuaValue,
} from '../value.ts';
import {
  type Arguments,
  argumentError,
  functionArgument,
  intArgument,
  optionalInt,
  stringArgument,
  tableArgument,
} from './arguments.ts';
import { STACK_MAX } from './stack.ts';

/** A handler of `xpcall` that fails is called for its own error, until there is no room for that. */
const FAILING_HANDLERS_MAX = 200;
/** What compiling takes, beside for each byte of the source. */
const COMPILING_STEPS = 2000;
const COMPILED_STEPS = 4;
const COMPILED_BYTES = 32;
/** What `tostring` takes. */
const TEXT_STEPS = 10;
/** What catching an error takes. */
const CAUGHT_STEPS = 50;

/** Sets the functions as globals; returns the table of globals. */
export function openBase(machine: LuaMachine): LuaTable {
  const { globals } = machine;
  const functions: Readonly<Record<string, LuaFunction>> = {
    ...checkingFunctions(machine),
    ...tableFunctions(machine),
    ...errorFunctions(machine),
    ...loadingFunctions(machine),
  };
  for (const [name, value] of Object.entries(functions)) globals.set(name, value);
  globals.set('_G', globals);
  globals.set('_VERSION', 'Lua 5.1');
  return globals;
}

function anyArgument(args: Arguments, number: number, name: string): LuaValue {
  if (number > args.length) throw argumentError(number, name, 'value expected');
  return args[number - 1];
}

/** What looks at values. */
function checkingFunctions(machine: LuaMachine): Record<string, LuaFunction> {
  const { budget, operations } = machine;
  return {
    type: (...args) => typeName(anyArgument(args, 1, 'type')),

    tostring: (...args) => {
      budget.spendSteps(TEXT_STEPS);
      const value = operations.tostring(anyArgument(args, 1, 'tostring'));
      if (typeof value === 'string') budget.spendBytes(value.length);
      return value;
    },

    tonumber: (...args) => {
      const base = optionalInt(budget, args, 2, 'tonumber', 10);
      if (base === 10) {
        const value = anyArgument(args, 1, 'tonumber');
        if (typeof value !== 'string') return typeof value === 'number' ? value : undefined;
        budget.spendLook(value.length);
        return parseNumber(value);
      }
      const text = stringArgument(args, 1, 'tonumber');
      if (base < 2 || base > 36) throw argumentError(2, 'tonumber', 'base out of range');
      budget.spendLook(64 * text.length);
      return parseInteger(text, base);
    },

    select: (...args) => {
      if (args[0] === '#') return args.length - 1;
      const place = intArgument(budget, args, 1, 'select');
      const start = place < 0 ? args.length + place : place;
      if (start < 1) throw argumentError(1, 'select', 'index out of range');
      budget.spendLook(8 * args.length);
      return args.slice(start);
    },

    unpack: (...args) => {
      const table = tableArgument(args, 1, 'unpack');
      const from = optionalInt(budget, args, 2, 'unpack', 1);
      const to = optionalInt(budget, args, 3, 'unpack', table.length);
      if (from > to) return [];
      const count = to - from + 1;
      if (count >= STACK_MAX - 2) throw new LuaError('too many results to unpack');
      budget.spendSteps(count);
      budget.spendBytes(8 * count);
      return Array.from({ length: count }, (_, index) => table.get(from + index));
    },

    rawequal: (...args) =>
      operations.isEqualRaw(anyArgument(args, 1, 'rawequal'), anyArgument(args, 2, 'rawequal')),
  };
}

function tableFunctions(machine: LuaMachine): Record<string, LuaFunction> {
  const { budget, operations } = machine;
  const next: LuaFunction = (...args) => tableArgument(args, 1, 'next').next(args[1]);
  const nextItem: LuaFunction = (...args) => {
    const index = intArgument(budget, args, 2, 'ipairs') + 1;
    const value = tableArgument(args, 1, 'ipairs').get(index);
    return value === undefined ? [] : [index, value];
  };
  operations.next = next;
  operations.nextItem = nextItem;
  return {
    next,
    pairs: (...args) => [next, tableArgument(args, 1, 'pairs'), undefined],
    ipairs: (...args) => [nextItem, tableArgument(args, 1, 'ipairs'), 0],

    rawget: (...args) => {
      const table = tableArgument(args, 1, 'rawget');
      return table.get(anyArgument(args, 2, 'rawget'));
    },

    rawset: (...args) => {
      const table = tableArgument(args, 1, 'rawset');
      table.set(anyArgument(args, 2, 'rawset'), anyArgument(args, 3, 'rawset'));
      return table;
    },

    getmetatable: (...args) => {
      const metatable = operations.metatableOf(anyArgument(args, 1, 'getmetatable'));
      return metatable?.get('__metatable') ?? metatable;
    },

    setmetatable: (...args) => {
      const table = tableArgument(args, 1, 'setmetatable');
      const metatable = args[1];
      if (args.length < 2 || !(metatable === undefined || metatable instanceof LuaTable))
        throw argumentError(2, 'setmetatable', 'nil or table expected');
      if (table.metatable?.get('__metatable') !== undefined)
        throw new LuaError('cannot change a protected metatable');
      if (table.isReadOnly) throw new LuaError('Attempt to modify a readonly table', 0);
      table.metatable = metatable;
      return table;
    },
  };
}

function errorFunctions(machine: LuaMachine): Record<string, LuaFunction> {
  const { budget } = machine;

  /** What a call gives, with `true` in front; or what `fail` gives for the value of its error. */
  const protect = (
    callee: LuaValue,
    args: readonly LuaValue[],
    fail: (value: LuaValue) => LuaResult,
  ): LuaResult => {
    const { depthLeft } = budget;
    try {
      return [true, ...allOf(machine.call(callee, ...args))];
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      budget.depthLeft = depthLeft;
      budget.spendSteps(CAUGHT_STEPS);
      return fail(error.value);
    }
  };

  return {
    error: (...args) => {
      const level = optionalInt(budget, args, 2, 'error', 1);
      const value = args[0];
      throw new LuaError(level > 0 ? (textOf(value) ?? value) : value, Math.max(level, 0));
    },

    assert: (...args) => {
      if (isTrue(anyArgument(args, 1, 'assert'))) return args;
      throw new LuaError(args[1] === undefined ? 'assertion failed!' : stringArgument(args, 2, 'assert'));
    },

    pcall: (...args) => {
      // As Redis answers.
      if (args.length === 0) return [false, 'attempt to call a boolean value'];
      return protect(args[0], args.slice(1), failed);
    },

    xpcall: (...args) => {
      anyArgument(args, 2, 'xpcall');
      const handler = args[1];
      return protect(args[0], [], (value) => [false, ...allOf(handled(value, handler, 0))]);
    },
  };

  /** As Redis' own `pcall` does it: of a table it gives the text in the field `err`; where there is none, the field itself, too. */
  function failed(value: LuaValue): LuaResult {
    if (!(value instanceof LuaTable)) return [false, value];
    const text = machine.operations.index(value, 'err', undefined);
    return textOf(text) === undefined ? [false, value, text] : [false, text];
  }

  function handled(value: LuaValue, handler: LuaValue, failures: number): LuaResult {
    if (typeof handler !== 'function' || failures > FAILING_HANDLERS_MAX) return 'error in error handling';
    const { depthLeft } = budget;
    try {
      return first(machine.call(handler, value));
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      budget.depthLeft = depthLeft;
      return handled(error.value, handler, failures + 1);
    }
  }
}

function loadingFunctions(machine: LuaMachine): Record<string, LuaFunction> {
  const { budget } = machine;

  const compile = (source: string, chunkName: string): LuaResult => {
    budget.spendSteps(COMPILING_STEPS + COMPILED_STEPS * source.length);
    budget.spendBytes(COMPILED_BYTES * source.length);
    try {
      return machine.compile(source, chunkName);
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      return [undefined, error.value];
    }
  };

  /** The memory that is in use, in KiB: of a script all that it took counts, since nothing is given back before its end. */
  const usedKiB = (): number => Math.max(0, (serverFixed.luaBytesMax - budget.bytesLeft) / 1024);

  return {
    loadstring: (...args) => {
      const source = stringArgument(args, 1, 'loadstring');
      return compile(source, args[1] === undefined ? source : stringArgument(args, 2, 'loadstring'));
    },

    load: (...args) => {
      const reader = functionArgument(args, 1, 'load');
      const chunkName = args[1] === undefined ? '=(load)' : stringArgument(args, 2, 'load');
      const pieces: string[] = [];
      for (;;) {
        const piece = first(machine.call(reader));
        if (piece === undefined || piece === '') return compile(pieces.join(''), chunkName);
        const text = textOf(piece);
        if (text === undefined) return [undefined, 'reader function must return a string'];
        budget.spendBytes(text.length);
        pieces.push(text);
      }
    },

    collectgarbage: (...args) => {
      const option = args[0] === undefined ? 'collect' : stringArgument(args, 1, 'collectgarbage');
      switch (option) {
        case 'count':
          return usedKiB();
        case 'step':
          return true;
        case 'collect':
        case 'stop':
        case 'restart':
          return 0;
        case 'setpause':
        case 'setstepmul':
          return 200;
        default:
          throw argumentError(1, 'collectgarbage', `invalid option '${cString(option)}'`);
      }
    },

    gcinfo: () => Math.floor(usedKiB()),
  };
}

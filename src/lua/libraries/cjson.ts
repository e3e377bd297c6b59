/** The library `cjson`, as lua-cjson 2.1.0 in Redis. */
import type { LuaBudget } from '../budget.ts';
import { cString } from '../conversions.ts';
import type { LuaMachine } from '../machine.ts';
import type { LuaTable } from '../value.ts';
import { type Arguments, argumentError, integerArgument, isMissing, stringArgument } from './arguments.ts';
import { decodeJson } from './json/decode.ts';
import { encodeJson } from './json/encode.ts';
import { JSON_NULL, JsonSettings } from './json/settings.ts';
import { libraryTable } from './library-table.ts';

const INT_MAX = 2 ** 31 - 1;
const SWITCH = ['off', 'on'] as const;
const SWITCH_OR_NULL = ['off', 'on', 'null'] as const;

export function openCjson(machine: LuaMachine): LuaTable {
  const { budget } = machine;
  const settings = new JsonSettings();

  const table = libraryTable(machine, {
    encode(...args) {
      if (args.length !== 1) throw argumentError(1, 'encode', 'expected 1 argument');
      return encodeJson(args[0], settings, budget);
    },

    decode(...args) {
      if (args.length !== 1) throw argumentError(1, 'decode', 'expected 1 argument');
      return decodeJson(stringArgument(args, 1, 'decode'), settings, machine);
    },

    encode_sparse_array(...args) {
      const name = 'encode_sparse_array';
      atMost(args, 3, name);
      settings.convertsSparse =
        option(args, 1, name, SWITCH, settings.convertsSparse ? 'on' : 'off') === 'on';
      settings.sparseRatio = integerOption(budget, args, 2, name, 0, INT_MAX, settings.sparseRatio);
      settings.sparseSafe = integerOption(budget, args, 3, name, 0, INT_MAX, settings.sparseSafe);
      return [settings.convertsSparse, settings.sparseRatio, settings.sparseSafe];
    },

    encode_max_depth(...args) {
      const name = 'encode_max_depth';
      atMost(args, 1, name);
      settings.encodeDepthMax = integerOption(budget, args, 1, name, 1, INT_MAX, settings.encodeDepthMax);
      return settings.encodeDepthMax;
    },

    decode_max_depth(...args) {
      const name = 'decode_max_depth';
      atMost(args, 1, name);
      settings.decodeDepthMax = integerOption(budget, args, 1, name, 1, INT_MAX, settings.decodeDepthMax);
      return settings.decodeDepthMax;
    },

    encode_number_precision(...args) {
      const name = 'encode_number_precision';
      atMost(args, 1, name);
      settings.numberPrecision = integerOption(budget, args, 1, name, 1, 14, settings.numberPrecision);
      return settings.numberPrecision;
    },

    encode_keep_buffer(...args) {
      const name = 'encode_keep_buffer';
      atMost(args, 1, name);
      settings.keepsBuffer = option(args, 1, name, SWITCH, settings.keepsBuffer ? 'on' : 'off') === 'on';
      return settings.keepsBuffer;
    },

    encode_invalid_numbers(...args) {
      const name = 'encode_invalid_numbers';
      atMost(args, 1, name);
      const chosen = option(args, 1, name, SWITCH_OR_NULL, settings.encodeInvalidNumbers);
      settings.encodeInvalidNumbers = chosen;
      return chosen === 'null' ? chosen : chosen === 'on';
    },

    decode_invalid_numbers(...args) {
      const name = 'decode_invalid_numbers';
      atMost(args, 1, name);
      settings.decodesInvalidNumbers =
        option(args, 1, name, SWITCH, settings.decodesInvalidNumbers ? 'on' : 'off') === 'on';
      return settings.decodesInvalidNumbers;
    },

    new: () => openCjson(machine),
  });
  table.set('null', JSON_NULL);
  table.set('_NAME', 'cjson');
  table.set('_VERSION', '2.1.0');
  return table;
}

function atMost(args: Arguments, count: number, name: string): void {
  if (args.length > count) throw argumentError(count + 1, name, 'found too many arguments');
}

/** A setting that is given by a word, or by a boolean for the first two of them; what it was without an argument. */
function option<Word extends string>(
  args: Arguments,
  number: number,
  name: string,
  words: readonly ['off' & Word, 'on' & Word, ...Word[]],
  otherwise: Word,
): Word {
  const value = args[number - 1];
  if (value === undefined) return otherwise;
  if (typeof value === 'boolean') return value ? words[1] : words[0];
  const given = stringArgument(args, number, name);
  const chosen = words.find((word) => word === given);
  if (chosen === undefined) throw argumentError(number, name, `invalid option '${cString(given)}'`);
  return chosen;
}

/** Messages name the first argument for any. */
function integerOption(
  budget: LuaBudget,
  args: Arguments,
  number: number,
  name: string,
  min: number,
  max: number,
  otherwise: number,
): number {
  if (isMissing(args, number)) return otherwise;
  const value = integerArgument(budget, args, number, name) | 0;
  if (value < min || value > max) throw argumentError(1, name, `expected integer between ${min} and ${max}`);
  return value;
}

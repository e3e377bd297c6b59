/** The library `cmsgpack`, as lua-cmsgpack 0.4.0 in Redis. */
import type { LuaMachine } from '../machine.ts';
import { type LuaTable, type LuaValue, NONE } from '../value.ts';
import {
  type Arguments,
  argumentError,
  integerArgument,
  libraryError,
  optionalInteger,
  stringArgument,
} from './arguments.ts';
import { libraryTable } from './library-table.ts';
import { Packer } from './message-pack/pack.ts';
import { TOO_MANY_VALUES, Unpacker } from './message-pack/unpack.ts';
import { STACK_MAX } from './stack.ts';

export function openCmsgpack(machine: LuaMachine): LuaTable {
  const { budget } = machine;

  /** All values with a limit of 0 and an offset of 0; otherwise the offset of what follows comes first, -1 at the end. */
  function unpack(args: Arguments, name: string, limit: number, offset: number): readonly LuaValue[] {
    const text = stringArgument(args, 1, name);
    if (offset < 0 || limit < 0)
      throw libraryError(
        `Invalid request to unpack with offset of ${offset | 0} and limit of ${text.length}.`,
      );
    if (offset > text.length)
      throw libraryError(`Start offset ${offset | 0} greater than input length ${text.length}.`);
    const isAll = limit === 0 && offset === 0;
    const unpacker = new Unpacker(text, offset, machine);
    const count = isAll ? Number.POSITIVE_INFINITY : limit;
    const values: LuaValue[] = [];
    while (!unpacker.isAtEnd && values.length < count) {
      if (values.length + 1 >= STACK_MAX) throw libraryError(`stack overflow (${TOO_MANY_VALUES})`);
      values.push(unpacker.value());
    }
    if (isAll) return values.length === 0 ? NONE : values;
    return [unpacker.isAtEnd ? -1 : unpacker.offset, ...values];
  }

  const table = libraryTable(machine, {
    pack(...args) {
      if (args.length === 0) throw argumentError(0, 'pack', 'MessagePack pack needs input.');
      const packer = new Packer(budget);
      for (const value of args) packer.add(value);
      return packer.bytes;
    },

    unpack: (...args) => unpack(args, 'unpack', 0, 0),

    unpack_one(...args) {
      const offset = optionalInteger(budget, args, 2, 'unpack_one', 0);
      return unpack(args, 'unpack_one', 1, offset);
    },

    unpack_limit(...args) {
      const limit = integerArgument(budget, args, 2, 'unpack_limit');
      const offset = optionalInteger(budget, args, 3, 'unpack_limit', 0);
      return unpack(args, 'unpack_limit', limit, offset);
    },
  });
  table.set('_NAME', 'cmsgpack');
  table.set('_VERSION', 'lua-cmsgpack 0.4.0');
  table.set('_COPYRIGHT', 'Copyright (C) 2012, Salvatore Sanfilippo');
  table.set('_DESCRIPTION', 'MessagePack C implementation for Lua');
  return table;
}

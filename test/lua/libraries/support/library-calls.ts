/** Calls of library functions, made here and in the Lua of Debian's redis-server: values, or the text of the error, are compared. */
import { LuaMachine } from '../../../../src/lua/machine.ts';
import { openBit } from '../../../../src/lua/libraries/bit.ts';
import { openCjson } from '../../../../src/lua/libraries/cjson.ts';
import { openCmsgpack } from '../../../../src/lua/libraries/cmsgpack.ts';
import { Lrand48 } from '../../../../src/lua/libraries/lrand48.ts';
import { openMath } from '../../../../src/lua/libraries/math.ts';
import { openString } from '../../../../src/lua/libraries/string.ts';
import { openStruct } from '../../../../src/lua/libraries/struct.ts';
import { openTable } from '../../../../src/lua/libraries/table.ts';
import { allOf, LuaError, type LuaTable, type LuaValue } from '../../../../src/lua/value.ts';
import type { RealRedis } from '../../../server/redis/support/real-redis.ts';
import { literal, show, SHOW } from './lua-text.ts';

export interface LibraryCall {
  /** `string.rep`. */
  readonly name: string;
  readonly args: readonly LuaValue[];
  /** The first argument is shown before the values: a table that the call may have changed. */
  readonly showsFirst?: boolean;
}

/** A machine with all libraries but the base library, and the functions of them by name. */
export class Libraries {
  readonly machine: LuaMachine = new LuaMachine();
  readonly #tableByName: Readonly<Record<string, LuaTable>>;

  constructor() {
    const { machine } = this;
    this.#tableByName = {
      bit: openBit(machine),
      cjson: openCjson(machine),
      cmsgpack: openCmsgpack(machine),
      math: openMath(machine, new Lrand48()),
      string: openString(machine),
      struct: openStruct(machine),
      table: openTable(machine),
    };
  }

  /** Sets the tables as globals, and `string` for the methods of strings. */
  setGlobals(): void {
    const { globals, stringMetatable } = this.machine;
    for (const [name, table] of Object.entries(this.#tableByName)) globals.set(name, table);
    stringMetatable.set('__index', globals.get('string'));
  }

  get(name: string): LuaValue {
    const [library = '', field = ''] = name.split('.');
    return this.#tableByName[library]?.get(field);
  }

  /** All its values. */
  call(name: string, ...args: readonly LuaValue[]): readonly LuaValue[] {
    this.machine.budget.begin();
    return allOf(this.machine.call(this.get(name), ...args));
  }

  /** A table with these elements. */
  list(...items: LuaValue[]): LuaTable {
    return this.machine.newTable(items);
  }

  /** A table with these fields. */
  fields(fields: Readonly<Record<string, LuaValue>>): LuaTable {
    const table = this.machine.newTable();
    for (const [key, value] of Object.entries(fields)) table.set(key, value);
    return table;
  }

  /** As the Lua functions `show` and `all` show it. */
  shown({ name, args, showsFirst = false }: LibraryCall): string {
    try {
      const values = this.call(name, ...args);
      return [...(showsFirst ? args.slice(0, 1) : []), ...values].map(show).join(' ');
    } catch (error) {
      if (error instanceof LuaError) return `error ${error.message}`;
      throw error;
    }
  }
}

/** What the real server's Lua shows, without the place of an error. */
export async function shownByRedis(redis: RealRedis, call: LibraryCall): Promise<string> {
  const script = `${SHOW} return all(pcall(function() ${scriptOf(call)} end))`;
  const reply = await redis.run('EVAL', Buffer.from(script, 'latin1'), 0);
  if (typeof reply !== 'string') throw new Error(`${scriptOf(call)}: ${JSON.stringify(reply)}`);
  return reply.replace(/^error user_script:\d+: /, 'error ');
}

export function scriptOf({ name, args, showsFirst = false }: LibraryCall): string {
  if (!showsFirst) return `return ${name}(${args.map(literal).join(',')})`;
  const others = args.slice(1).map((value) => `, ${literal(value)}`);
  return `local t = ${literal(args[0])} return (function(...) return t, ... end)(${name}(t${others.join('')}))`;
}

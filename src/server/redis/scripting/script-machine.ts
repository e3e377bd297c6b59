/**
 * `ScriptMachine`: the one machine that all scripts of a door run in, or all functions, with its globals protected as in Redis 7.0: a script
 * can't make one, and fails when it reads one that is not there. So no script leaves anything behind for the next, but what the libraries
 * keep by intent (settings of `cjson`); functions have the variables of their own library besides.
 */
import { openBase } from '../../../lua/libraries/base.ts';
import { openBit } from '../../../lua/libraries/bit.ts';
import { openCjson } from '../../../lua/libraries/cjson.ts';
import { openCmsgpack } from '../../../lua/libraries/cmsgpack.ts';
import type { Lrand48 } from '../../../lua/libraries/lrand48.ts';
import { openMath } from '../../../lua/libraries/math.ts';
import { openString } from '../../../lua/libraries/string.ts';
import { openStruct } from '../../../lua/libraries/struct.ts';
import { openTable } from '../../../lua/libraries/table.ts';
import type { LuaBudget } from '../../../lua/budget.ts';
import { LuaMachine } from '../../../lua/machine.ts';
import { cString, textOf } from '../../../lua/conversions.ts';
import { allOf, first, LuaError, type LuaFunction, LuaTable, type LuaValue } from '../../../lua/value.ts';

/** As error positions name it; they leave out the `@`. */
export type ChunkName = '@user_script' | '@user_function';

export interface ScriptMachineOptions {
  readonly chunkName: ChunkName;
  /** Of `math.random`. */
  readonly random: Lrand48;
  /** Makes the library `redis`. */
  readonly openRedis: (machine: LuaMachine) => LuaTable;
}

export class ScriptMachine {
  readonly #machine = new LuaMachine();

  readonly #chunkName: ChunkName;

  constructor({ chunkName, random, openRedis }: ScriptMachineOptions) {
    this.#chunkName = chunkName;
    const { globals, budget, stringMetatable } = this.#machine;
    budget.begin();
    openBase(this.#machine);
    const libraries: Readonly<Record<string, LuaTable>> = {
      string: openString(this.#machine),
      table: openTable(this.#machine),
      math: openMath(this.#machine, random),
      bit: openBit(this.#machine),
      cjson: openCjson(this.#machine),
      cmsgpack: openCmsgpack(this.#machine),
      struct: openStruct(this.#machine),
      redis: openRedis(this.#machine),
    };
    for (const [name, library] of Object.entries(libraries)) globals.set(name, library);
    stringMetatable.set('__index', globals.get('string'));
    globals.set('pcall', this.#pcall(globals.get('pcall')));
    globals.metatable = this.#refusing();
    protect(globals, new Set());
    protect(stringMetatable, new Set());
  }

  get budget(): LuaBudget {
    return this.#machine.budget;
  }

  /** Throws a `LuaError` for what is no Lua. */
  compile(source: string): LuaFunction {
    this.budget.begin();
    return this.#machine.compile(source, this.#chunkName);
  }

  /** Runs a script with what is left of the budget. @returns the first value that it returns. */
  run(script: LuaFunction, keys: LuaValue[], argv: LuaValue[]): LuaValue {
    this.#give(this.#machine.newTable(keys), this.#machine.newTable(argv));
    try {
      return first(this.#machine.run(script));
    } finally {
      // What a script was called with may be long.
      this.#give(undefined, undefined);
    }
  }

  /** Calls a function with what is left of the budget. @returns the first value that it returns. */
  call(callee: LuaFunction, keys: LuaValue[], argv: LuaValue[]): LuaValue {
    return first(this.#machine.run(callee, this.#machine.newTable(keys), this.#machine.newTable(argv)));
  }

  /** Runs a chunk with what is left of the budget, and with no globals but these. @param globals as `closedGlobals` gives them. */
  runWith(globals: LuaTable, chunk: LuaFunction): void {
    this.#machine.runWith(globals, chunk);
  }

  /** Globals of which the library `redis` is the only one, and which can't be changed. @param openRedis makes it. */
  closedGlobals(openRedis: (machine: LuaMachine) => LuaTable): LuaTable {
    const redis = openRedis(this.#machine);
    redis.metatable = this.#refusing();
    const globals = this.#machine.newTable();
    globals.set('redis', redis);
    globals.metatable = this.#refusing();
    protect(globals, new Set());
    return globals;
  }

  #give(keys: LuaValue, argv: LuaValue): void {
    const { globals } = this.#machine;
    globals.isReadOnly = false;
    globals.set('KEYS', keys);
    globals.set('ARGV', argv);
    globals.isReadOnly = true;
  }

  /** What is thrown that is no table, as text. */
  textOf(value: LuaValue): string {
    return this.#machine.operations.text(value);
  }

  /** As Redis has it: of an error that is a table, like those of `redis.call`, it gives the text. */
  #pcall(pcall: LuaValue): LuaFunction {
    return (...args) => {
      const results = allOf(this.#machine.call(pcall, ...args));
      const [isDone, error] = results;
      if (isDone !== false || !(error instanceof LuaTable)) return results;
      const text = error.get('err');
      return typeof text === 'string' ? [false, text] : results;
    };
  }

  #refusing(): LuaTable {
    const metatable = this.#machine.newTable();
    metatable.set('__index', (_: LuaValue, name: LuaValue) => {
      const text = textOf(name);
      if (text === undefined)
        throw new LuaError('Second argument to luaProtectedTableError must be a string or number');
      throw new LuaError(`Script attempted to access nonexistent global variable '${cString(text)}'`);
    });
    return metatable;
  }
}

/** Makes a table read-only, with all that can be reached from it. */
function protect(table: LuaTable, done: Set<LuaTable>): void {
  if (done.has(table)) return;
  done.add(table);
  for (let next = table.next(undefined); next !== undefined; next = table.next(next[0]))
    if (next[1] instanceof LuaTable) protect(next[1], done);
  if (table.metatable !== undefined) protect(table.metatable, done);
  table.isReadOnly = true;
}

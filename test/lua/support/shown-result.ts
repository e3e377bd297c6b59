/** What a piece of Lua gives, as one text that KelpDB's machine and Redis must agree on. */
import { cString } from '../../../src/lua/conversions.ts';
import { first, LuaError } from '../../../src/lua/value.ts';
import { openBase } from '../../../src/lua/libraries/base.ts';
import { LuaMachine } from '../../../src/lua/machine.ts';

/** On the first line, so that lines are those of the piece. */
const SHOW =
  'local function show(...) local s = "" for i = 1, select("#", ...) do local v = select(i, ...) local t = type(v) ' +
  'if t == "table" or t == "function" then s = s .. t else s = s .. t .. ":" .. tostring(v) end s = s .. "," end return s end ';

/** A script whose result tells all that a piece returns, or its error. */
export function showing(piece: string): string {
  return `${SHOW}return show(pcall(function() ${piece}\nend))`;
}

/** What a script returns; `error: ` and the text when it ends with one. Names that are no globals are an error, as in Redis. */
export function resultHere(
  script: string,
  limits?: { readonly steps: number; readonly bytes: number },
): string {
  const machine = protectedMachine();
  machine.budget.begin(limits);
  try {
    return machine.operations.text(first(machine.run(machine.compile(script, '@user_script'))));
  } catch (error) {
    if (error instanceof LuaError) return `error: ${machine.operations.text(error.value)}`;
    throw error;
  }
}

/** A machine with the base library, whose globals are protected as Redis protects them. */
export function protectedMachine(): LuaMachine {
  const machine = new LuaMachine();
  openBase(machine);
  machine.stringMetatable.set('__index', machine.newTable());
  const metatable = machine.newTable();
  metatable.set('__index', (_, name) => {
    throw new LuaError(
      `Script attempted to access nonexistent global variable '${cString(machine.operations.text(name))}'`,
    );
  });
  machine.globals.metatable = metatable;
  machine.globals.isReadOnly = true;
  return machine;
}

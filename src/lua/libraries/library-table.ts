/** How a library becomes a table of Lua. */
import type { LuaMachine } from '../machine.ts';
import type { LuaFunction, LuaTable } from '../value.ts';

export function libraryTable(
  machine: LuaMachine,
  functions: Readonly<Record<string, LuaFunction>>,
): LuaTable {
  const table = machine.newTable();
  for (const [name, run] of Object.entries(functions)) table.set(name, run);
  return table;
}

/** Values of Lua as text: as literals for a script, and as `SHOW`, a function of Lua, shows them. */
import { LuaLightUserdata, LuaTable, type LuaValue } from '../../../../src/lua/value.ts';

/** Tables may hold others, in lists and fields. */
export function literal(value: LuaValue): string {
  if (value === undefined) return 'nil';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `"${escaped(value)}"`;
  if (typeof value === 'number') return numberLiteral(value);
  if (value instanceof LuaLightUserdata) return 'cjson.null';
  if (!(value instanceof LuaTable)) throw new Error('a function has no literal');
  const fields: string[] = [];
  for (let at = value.nextPosition(0); at !== 0; at = value.nextPosition(at))
    fields.push(`[${literal(value.keyAt(at))}]=${literal(value.valueAt(at))}`);
  return `{${fields.join(',')}}`;
}

function numberLiteral(value: number): string {
  if (Number.isNaN(value)) return '(0/0)';
  if (value === Infinity) return '(1/0)';
  if (value === -Infinity) return '(-1/0)';
  return Object.is(value, -0) ? '(-1/(1/0))' : `(${value})`;
}

function escaped(text: string): string {
  let result = '';
  for (const character of text) {
    const isPlain = /[A-Za-z0-9 ]/.test(character);
    result += isPlain ? character : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`;
  }
  return result;
}

/** Fields of tables are ordered by how their keys are shown. */
export function show(value: LuaValue): string {
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (typeof value === 'number') return `n${numberText(value)}`;
  if (value instanceof LuaTable) {
    const fields: string[] = [];
    for (let at = value.nextPosition(0); at !== 0; at = value.nextPosition(at))
      fields.push(`${show(value.keyAt(at))}=${show(value.valueAt(at))}`);
    return `{${fields.sort(byBytes).join(',')}}`;
  }
  if (value === undefined) return 'nil';
  if (typeof value === 'boolean') return String(value);
  return value instanceof LuaLightUserdata ? 'userdata' : 'function';
}

function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** All digits that tell one double from another. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return bits.toString('hex');
}

/** The Lua functions `show`, which shows one value, and `all`, which shows several. */
export const SHOW = `
local function show(v)
  local kind = type(v)
  if kind == 'string' then return 's' .. #v .. ':' .. v end
  if kind == 'number' then
    if v ~= v then return 'nnan' elseif v == 1/0 then return 'ninf' elseif v == -1/0 then return 'n-inf' end
    return 'n' .. (struct.pack('>d', v):gsub('.', function(c) return string.format('%02x', c:byte()) end))
  end
  if kind == 'table' then
    local fields = {}
    for key, value in pairs(v) do fields[#fields + 1] = show(key) .. '=' .. show(value) end
    table.sort(fields)
    return '{' .. table.concat(fields, ',') .. '}'
  end
  if kind == 'nil' or kind == 'boolean' then return tostring(v) end
  return kind
end
local function all(ok, ...)
  if not ok then return 'error ' .. tostring((...)) end
  local shown = {}
  for index = 1, select('#', ...) do shown[index] = show((select(index, ...))) end
  return table.concat(shown, ' ')
end
`;

/** Scripts whose library functions call functions of the script, or are called as methods: the same as in Debian's redis-server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBase } from '../../../src/lua/libraries/base.ts';
import { first, LuaError } from '../../../src/lua/value.ts';
import { hasRealRedis } from '../../server/redis/support/real-redis.ts';
import { RealLua } from '../support/real-lua.ts';
import { Libraries } from './support/library-calls.ts';
import { show, SHOW } from './support/lua-text.ts';

const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  'strings have the library as methods': [
    'return ("abc"):upper(), ("x"):rep(3), ("a,b"):find(",", 1, true), #("abc"):reverse()',
    'local s = "key:42" return s:match("(%a+):(%d+)")',
    'return ("%d-%s"):format(3, "x"), ("abc"):byte(1, -1)',
    'return ("abc").len, ("abc").nothing',
  ],
  'gmatch goes over matches': [
    'local t = {} for w in ("one two  three"):gmatch("%a+") do t[#t + 1] = w end return t',
    'local t = {} for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do t[k] = v end return t',
    'local t = {} for at in ("abc"):gmatch("()") do t[#t + 1] = at end return t',
    'local t = {} for m in ("abc"):gmatch("x*") do t[#t + 1] = m end return #t',
    'local t = {} for m in ("aXbX"):gmatch("^a") do t[#t + 1] = m end return t',
    'local t = {} for m in string.gfind("a1b2", "%d") do t[#t + 1] = m end return t',
    'for m in ("abc"):gmatch("(a") do end',
  ],
  'gsub asks functions and tables': [
    'return ("hello"):gsub("l", function(c) return c:upper() end)',
    'return ("hello"):gsub("(h)(e)", function(a, b) return b .. a end)',
    'return ("hello"):gsub("l", function() end)',
    'return ("hello"):gsub("l", function() return false end)',
    'return ("hello"):gsub("l", function() return 7, 8 end)',
    'return ("hello"):gsub("l", function() return {} end)',
    'return ("hello"):gsub("()l", function(at) return at end)',
    'return ("$name is $age"):gsub("%$(%w+)", { name = "Ada", age = 36 })',
    'return ("a b"):gsub("%a", setmetatable({}, { __index = function(_, key) return key .. key end }))',
    'return ("abc"):gsub("%w", "%%%0%1")',
    'return ("abc"):gsub("b", function() error("no") end)',
    'local ok, e = pcall(string.gsub, "abc", "b", function() error({ code = 1 }) end) return ok, e.code',
    'local n = 0 ("abc"):gsub(".", function() n = n + 1 end, 2) return n',
  ],
  'sort takes an order': [
    'local t = { 3, 1, 2 } table.sort(t, function(a, b) return a > b end) return t',
    'local t = { "b", "B", "a", "10", "9" } table.sort(t) return t',
    'local t = {} for i = 1, 100 do t[i] = (i * 37) % 101 end table.sort(t) return t',
    'local t = {} for i = 1, 60 do t[i] = { key = i % 7, at = i } end table.sort(t, function(a, b) return a.key < b.key end) local s = {} for i, v in ipairs(t) do s[i] = v.at end return s',
    'table.sort({ 3, 1, 2, 5, 4, 6, 7, 8 }, function() return true end)',
    'table.sort({ 1, 2, 3, 4, 5 }, function(a, b) return a <= b end)',
    'table.sort({ 1, "x", 2 })',
    'table.sort({ {}, {} })',
    'table.sort({ 1, 2 }, function(a, b) return a.x < b.x end)',
    'local mt = { __lt = function(a, b) return a.n < b.n end } local t = {} for i = 1, 9 do t[i] = setmetatable({ n = (i * 5) % 9 }, mt) end table.sort(t) local s = {} for i, v in ipairs(t) do s[i] = v.n end return s',
    'local t = { 3, 2, 1 } table.sort(t, function(a, b) return nil end) return t',
  ],
  'foreach goes over a table': [
    'local s = 0 table.foreach({ 1, 2, x = 3 }, function(_, v) s = s + v end) return s',
    'return table.foreach({ 5, 6 }, function(k, v) if v == 6 then return k end end)',
    'local s = "" table.foreachi({ "a", "b", x = "c" }, function(i, v) s = s .. i .. v end) return s',
    'return table.foreachi({ 1, 2, 3 }, function(i, v) if v == 2 then return "found", 1 end end)',
  ],
  'tables are used as lists': [
    'local t = {} for i = 1, 5 do table.insert(t, i) end table.insert(t, 1, 0) return t, table.remove(t), table.remove(t, 1), #t',
    'local t = { 1, 2, 3 } table.insert(t, 7, "x") return t',
    'local t = setmetatable({}, { __index = function() return "m" end, __newindex = error }) table.insert(t, 1) return rawget(t, 1), table.concat(t)',
    'return table.concat({ 1, 2.5, "x" }, ", "), table.concat({}, ","), table.concat({ 1, 2, 3 }, "-", 2)',
    'return unpack({ 1, 2, 3 }), table.getn({ 1, 2 }), table.maxn({ [10] = 1, [2.5] = 1 })',
  ],
  'encodings take what scripts build': [
    'return cjson.encode({ 1, 2, { a = { true, false, cjson.null } } })',
    'local v = cjson.decode(\'{"id":7,"tags":["a","b"],"none":null}\') return v.id, v.tags, v.none == cjson.null, type(v.none)',
    'return tostring(cjson.null), cjson.null == nil, cjson.decode("[]"), cjson.encode({}), cjson.encode(cjson.decode("[]"))',
    'return cjson.encode({ function() end })',
    'return cjson.encode({ [{}] = 1 })',
    'return cmsgpack.unpack(cmsgpack.pack({ 1, "x", { y = 2 } }, nil, 3.5))',
    'return cmsgpack.pack(function() end, cjson.null)',
    'return struct.unpack(">I4c0", struct.pack(">I4c0", 3, "abcdef"))',
    'return bit.bxor(0xF0F0, 0xFF), bit.tohex(bit.bnot(0)), bit.rshift(2 ^ 31, 31)',
  ],
  'errors are caught and have their places': [
    'local ok, text = pcall(function() return ("x"):rep(nil, 1) end) return ok',
    'local a = 1\nlocal b = string.rep()',
    'return pcall(string.format, "%d", "x") == false',
    'return select(2, pcall(function()\n return cjson.decode("[1,") end))',
    'return select(2, pcall(function()\n\n return cmsgpack.unpack("\\145") end))',
    'return select(2, pcall(function() return table.concat({ {} }) end))',
    'return select(2, pcall(function() return math.random(0) end))',
  ],
};

describe.skipIf(!hasRealRedis)('scripts', () => {
  let real: RealLua;
  beforeAll(async () => {
    real = await RealLua.start();
  });
  afterAll(() => real.stop());

  it.each(Object.entries(SCRIPTS))('%s', async (_, pieces) => {
    for (const piece of pieces) {
      const script = `${SHOW.replaceAll(/\n\s*/g, ' ')} return all(pcall(function() ${piece} end))`;
      expect(resultHere(script), piece).toBe(show(await real.result(script)));
    }
  });
});

function resultHere(script: string): string {
  const libraries = new Libraries();
  const { machine } = libraries;
  openBase(machine);
  libraries.setGlobals();
  machine.budget.begin();
  try {
    return show(first(machine.run(machine.compile(script, '@user_script'))));
  } catch (error) {
    if (error instanceof LuaError) return `error: ${error.message}`;
    throw error;
  }
}

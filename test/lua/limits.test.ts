import { describe, expect, test } from 'vitest';
import { LuaLimitError } from '../../src/lua/budget.ts';
import { serverFixed } from '../../src/limits.ts';
import { protectedMachine, resultHere } from './support/shown-result.ts';

function limitOf(script: string, limits = { steps: 1_000_000, bytes: 1 << 24 }): string {
  try {
    return resultHere(script, limits);
  } catch (error) {
    if (error instanceof LuaLimitError) return error.limit;
    throw error;
  }
}

describe('what a script may use is bounded', () => {
  test.each([
    ['while true do end'],
    ['repeat until false'],
    ['for i = 1, 1/0 do end'],
    ['for i = 2, 1, 0 do end'],
    ['local function f() return 1 end while f() do end'],
    ['for k in next, {1}, nil do while k do end end'],
    ['local t = setmetatable({}, {__index = function(t, k) return 1 end}) local n = 0 while t[n] do end'],
    ['while true do pcall(error, "x") end'],
    [
      'local t = {} for i = 1, 7000 do t[i] = i end local function g() end local function f(...) while true do g(...) end end f(unpack(t))',
    ],
    ['pcall(function() while true do end end)'],
    ['while true do pcall(function() while true do end end) end'],
    ['while true do loadstring("return 1") end'],
    [
      'local t = {} for i = 1, 10000 do t["k" .. i] = i end for i = 1, 9999 do t["k" .. i] = nil end while next(t) do end',
    ],
    [
      'local s = "xxxxxxxx" for i = 1, 17 do s = s .. s end local a, b = s .. "", s .. "" while a .. "" ~= b .. "!" do end',
    ],
    [
      'local s = "xxxxxxxx" for i = 1, 17 do s = s .. s end local a, b = s .. "y", s .. "y" for i = 1, 1e9 do local x = a == b end',
    ],
    [
      'local s = "xxxxxxxx" for i = 1, 17 do s = s .. s end local a, b = s .. "y", s .. "z" for i = 1, 1e9 do local x = a < b end',
    ],
    [
      'local s = "xxxxxxxx" for i = 1, 17 do s = s .. s end local t = {[s .. "y"] = 1} local k = s .. "y" while t[k] do end',
    ],
    ['local s = " " for i = 1, 20 do s = s .. s end s = s .. "1" while true do local x = s + 1 end'],
    ['local s = "1" for i = 1, 20 do s = s .. s end s = s .. "x" while true do local x = tonumber(s) end'],
    [
      'local s = " " for i = 1, 20 do s = s .. s end s = "1" .. s .. "x" while true do local x = tonumber(s, 16) end',
    ],
  ])('a loop without an end: %s', (script) => {
    expect(['steps', 'bytes']).toContain(limitOf(script));
  });

  test.each([
    ['local s = "a" while true do s = s .. s end'],
    ['local s = "a" while true do s = s .. s .. s .. "b" end'],
    ['local t = {} local i = 0 while true do i = i + 1 t[i] = i end'],
    ['local t = {} local i = 0 while true do i = i + 1 t["k" .. i] = {} end'],
    ['local t while true do t = {t} end'],
    ['local t = {} while true do t[#t + 1] = tostring({}) end'],
    ['local function f(...) return f(1, ...) end return f()'],
    ['local t = {} while true do t[1] = function() end end'],
    ['local t = {} while true do local function f() end end'],
    ['local f while true do local a, b, c, d = 1, 2, 3, 4 f = function() return a, b, c, d end end'],
  ])('memory without an end: %s', (script) => {
    expect(limitOf(script, { steps: 100_000_000, bytes: 1 << 22 })).toMatch(
      /^(bytes|error: .*stack overflow)$/,
    );
  });

  test('functions, and the variables that they keep, are paid for as they are made', () => {
    const bytesOf = (script: string): number => {
      const machine = protectedMachine();
      const run = machine.compile(script, '@user_script');
      machine.budget.begin();
      const before = machine.budget.bytesLeft;
      machine.run(run);
      return before - machine.budget.bytesLeft;
    };
    const loop = (body: string): number => bytesOf(`local f for i = 1, 1000 do ${body} end`) / 1000;
    const functionBytes = loop('f = function() end');
    expect(functionBytes).toBeGreaterThanOrEqual(64);
    expect(loop('local function g() end')).toBe(functionBytes);
    // What a block keeps is kept as a whole, also what only functions keep that were never made, or that are declared later.
    const names = Array.from({ length: 40 }, (_, index) => `v${index}`);
    const kept = `local a = i f = function() return a end local ${names.join(', ')} local function g() return ${names.join(', ')} end`;
    expect(loop(`do ${kept} end`) - 2 * functionBytes).toBeGreaterThanOrEqual(41 * 16);
    expect(loop(`while true do ${kept} break end`) - 2 * functionBytes).toBeGreaterThanOrEqual(41 * 16);
    expect(loop('f = function() return i end') - functionBytes).toBeGreaterThanOrEqual(16);
    const parameters = names.join(', ');
    const call = `local function g(${parameters}) return function() return ${parameters} end end for i = 1, 1000 do g() end`;
    expect(bytesOf(call) / 1000 - functionBytes).toBeGreaterThanOrEqual(40 * 16);
    expect(loop('local a, b, c = i, i, i a = b + c')).toBe(0);
  });

  test('recursion without an end is an error of the script, from which it may go on', () => {
    const script = (call: string): string =>
      `local n = 0 local f f = function(...) n = n + 1 return ${call} end local ok, e = pcall(f) return tostring(ok) .. e .. tostring(n > 500)`;
    for (const call of ['1 + f()', 'f()', '(f(...))', 'f() .. "x"', '{f()}', 'select(2, pcall(f)) .. 1 + {}'])
      expect(resultHere(script(call))).toMatch(/^(?:false|true).*(?:stack overflow|attempt to|error)/);
    expect(resultHere(script('1 + f()'))).toBe('falseuser_script:1: stack overflowtrue');
  });

  test('recursion through metamethods and handlers ends, too', () => {
    const pieces = [
      'local t t = setmetatable({}, {__index = function(_, k) return t[k + 1] end}) return pcall(function() return t[1] end) and "" or "ended"',
      'local t t = setmetatable({}, {__add = function(a, b) return a + b end}) return pcall(function() return t + 1 end) and "" or "ended"',
      'local t t = setmetatable({}, {__tostring = function(a) return tostring(a) end}) return pcall(tostring, t) and "" or "ended"',
      'local t t = setmetatable({}, {__call = function(a) return a() end}) return pcall(t) and "" or "ended"',
      'local t = {} for i = 1, 99 do t = setmetatable({}, {__index = t}) end return t.x == nil and "ended"',
      'local t = setmetatable({}, {}) getmetatable(t).__index = t return pcall(function() return t.x end) and "" or "ended"',
      'local function f() return xpcall(f, f) end f() return "ended"',
    ];
    for (const piece of pieces) expect(resultHere(piece)).toBe('ended');
  });

  test('a large frame takes its part of the stack', () => {
    const locals = Array.from({ length: 190 }, (_, index) => `local v${index} = n + ${index}`).join(' ');
    const script = `local function f(n) ${locals} return v1 + v189 + f(n + 1) end local ok, e = pcall(f, 1) return e`;
    expect(resultHere(script)).toBe('user_script:1: stack overflow');
  });

  test('the budget is filled up for each run', () => {
    const machine = protectedMachine();
    const run = machine.compile('local n = 0 for i = 1, 900 do n = n + i end return n', '@user_script');
    for (let round = 0; round < 5; round++) {
      machine.budget.begin({ steps: 2000, bytes: 2000 });
      expect(machine.run(run)).toBe(405_450);
    }
    machine.budget.begin({ steps: 100, bytes: 2000 });
    expect(() => machine.run(run)).toThrow(LuaLimitError);
  });
});

describe('what a source may be is bounded', () => {
  const failure = (source: string): string => resultHere(source).replace(/^error: user_script:\d+: /, '');

  test('its nesting', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['{', '}'],
      ['do ', ' end'],
      ['f(', ')'],
      ['not ', ''],
      ['function() return ', ' end'],
    ] as const) {
      const source = `${open.startsWith('do') ? '' : 'return '}${open.repeat(300)}1${close.repeat(300)}`;
      expect(failure(source)).toMatch(/^(chunk has too many syntax levels|unexpected symbol)/);
    }
    expect(failure(`return ${'a.b'.repeat(10_000)}`)).toBe('chunk has too many syntax levels');
    expect(failure(`return ${'1 + '.repeat(10_000)}1`)).toBe('chunk has too many syntax levels');
    expect(failure(`return ${'"a" .. '.repeat(5000)}"b"`)).toBe('chunk has too many syntax levels');
    const chain = (depth: number): string => (depth === 0 ? '1' : `(${chain(depth - 1)})${'+1'.repeat(150)}`);
    expect(failure(`return ${chain(150)}`)).toBe('chunk has too many syntax levels');
  });

  test('compiling is paid for, its time by the source and its memory by what comes of it', () => {
    const machine = protectedMachine();
    const spent = (source: string): readonly [steps: number, bytes: number] => {
      machine.budget.begin();
      const { stepsLeft, bytesLeft } = machine.budget;
      machine.compile(source, '@user_script');
      return [stepsLeft - machine.budget.stepsLeft, bytesLeft - machine.budget.bytesLeft];
    };
    const calls = 'f()'.repeat(10_000);
    const [steps, bytes] = spent(calls);
    expect(steps).toBe(100 * calls.length);
    expect(bytes).toBeGreaterThan(5 * calls.length);
    expect(spent(`--${calls}`)[1]).toBeLessThan(1000);
    // The longest fits in one run, and not many of them.
    const longest = `--${'x'.repeat(serverFixed.luaSourceBytesMax - 2)}`;
    expect(spent(longest)[0]).toBeLessThan(serverFixed.luaStepsMax / 2);
    const full = { steps: serverFixed.luaStepsMax, bytes: serverFixed.luaBytesMax };
    const loading = 'local s = "-" for i = 1, 15 do s = s .. s end for i = 1, 9 do loadstring(s) end';
    expect(limitOf(loading, full)).toBe('steps');
  });

  test('its variables and its length', () => {
    const locals = (count: number): string =>
      Array.from({ length: count }, (_, index) => `local a${index}`).join(' ');
    expect(resultHere(`${locals(200)} return "ok"`)).toBe('ok');
    expect(failure(locals(201))).toBe('main function has more than 200 local variables');
    expect(failure(`local function f() ${locals(201)} end`)).toBe(
      'function at line 1 has more than 200 local variables',
    );
    const used = Array.from({ length: 61 }, (_, index) => `a${index}`).join(' + ');
    expect(failure(`${locals(61)} return function() return ${used} end`)).toBe(
      'function at line 1 has more than 60 upvalues',
    );
    const ones = (count: number): string => Array.from({ length: count }, () => '1').join(',');
    const tooComplex = (near: string): string => `function or expression too complex near '${near}'`;
    expect(resultHere(`return type(${ones(248)})`)).toBe('number');
    expect(failure(`return type(${ones(249)})`)).toBe(tooComplex('<eof>'));
    expect(failure(`return type(${ones(30_000)})`)).toBe(tooComplex('1'));
    expect(failure(`local s = '' return s:rep(${ones(247)})`)).toBe(tooComplex('<eof>'));
    expect(failure(`return ${ones(250)}`)).toBe(tooComplex('<eof>'));
    expect(failure(`for k in ${ones(247)} do end`)).toBe(tooComplex('do'));
    expect(resultHere(`return #{${ones(30_000)}}`)).toBe('30000');
    const parameters = Array.from({ length: 15_000 }, (_, index) => `a${index % 100}`).join(',');
    expect(failure(`return function(${parameters}) end`)).toContain('more than 200 local variables');
    expect(resultHere(`--${'x'.repeat(serverFixed.luaSourceBytesMax)}`)).toContain('a script has at most');
  });
});

import { describe, expect, test } from 'vitest';
import { LuaBudget } from '../../src/lua/budget.ts';
import { LuaError, LuaTable, type LuaValue } from '../../src/lua/value.ts';
import { SeededRandom } from '../support/random.ts';
import { protectedMachine } from './support/shown-result.ts';

const KEYS: readonly LuaValue[] = [
  ...Array.from({ length: 24 }, (_, index) => index - 2),
  ...Array.from({ length: 24 }, (_, index) => `k${index}`),
  0.5,
  1.5,
  1e300,
  -0,
  true,
  false,
  'constructor',
  '__proto__',
];

function entriesOf(table: LuaTable): Map<LuaValue, LuaValue> {
  const entries = new Map<LuaValue, LuaValue>();
  for (let entry = table.next(undefined); entry !== undefined; entry = table.next(entry[0])) {
    if (entries.has(entry[0])) throw new Error('It was given twice');
    entries.set(entry[0], entry[1]);
  }
  return entries;
}

/** n is a border: n is there, or 0, and n + 1 is not. */
function hasBorder(table: LuaTable): boolean {
  const { length } = table;
  return (length === 0 || table.get(length) !== undefined) && table.get(length + 1) === undefined;
}

describe('a table', () => {
  test('holds what a map holds, whatever comes and goes', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      const items = Array.from({ length: random.below(6) }, () =>
        random.chance(0.3) ? undefined : random.below(9),
      );
      const model = new Map<LuaValue, LuaValue>(
        items.flatMap((item, index): [LuaValue, LuaValue][] =>
          item === undefined ? [] : [[index + 1, item]],
        ),
      );
      const table = new LuaTable(new LuaBudget(), items);
      for (let step = 0; step < 300; step++) {
        const key = random.pick(KEYS);
        const value = random.chance(0.45) ? undefined : step;
        table.set(key, value);
        if (value === undefined) model.delete(key);
        else model.set(key, value);
        if (KEYS.some((each) => table.get(each) !== model.get(each)) || !hasBorder(table))
          throw new Error(`It differs at seed ${seed}, step ${step}`);
        if (step % 20 === 0) expect(entriesOf(table)).toEqual(model);
      }
      expect(entriesOf(table)).toEqual(model);
    }
  });

  test('is gone through while its fields are set to nil or to others', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      const table = new LuaTable(new LuaBudget());
      for (const key of KEYS) if (random.chance(0.6)) table.set(key, 1);
      const before = entriesOf(table);
      const seen: LuaValue[] = [];
      for (let entry = table.next(undefined); entry !== undefined; entry = table.next(entry[0])) {
        seen.push(entry[0]);
        table.set(entry[0], random.chance(0.7) ? undefined : 2);
      }
      expect(new Set(seen)).toEqual(new Set(before.keys()));
      expect(seen).toHaveLength(before.size);
    }
  });

  test('refuses keys that none can have, and everything when it is read-only', () => {
    const table = new LuaTable(new LuaBudget());
    expect(() => table.set(undefined, 1)).toThrow('table index is nil');
    expect(() => table.set(Number.NaN, 1)).toThrow('table index is NaN');
    expect(() => table.next('never')).toThrow("invalid key to 'next'");
    table.set('x', 1);
    table.isReadOnly = true;
    expect(() => table.set('x', 2)).toThrow('Attempt to modify a readonly table');
    expect(table.get('x')).toBe(1);
  });

  test('holds long strings of one length apart, and numbers of all kinds', () => {
    const long = Array.from(
      { length: 30 },
      (_, index) => 'x'.repeat(20_000) + String.fromCharCode(200 + index),
    );
    const numbers = [
      -0.5,
      -1,
      -(2 ** 31),
      2 ** 31,
      2 ** 32,
      2 ** 53,
      1e300,
      Infinity,
      0,
      1.5,
      1_700_000_000_123,
    ];
    const keys: readonly LuaValue[] = [...long, ...numbers, ...numbers.map(String), 'x'.repeat(16_383)];
    const budget = new LuaBudget();
    const table = new LuaTable(budget);
    keys.forEach((key, index) => table.set(key, index));
    expect(keys.map((key) => table.get(key))).toEqual(keys.map((_, index) => index));
    expect(table.get('x'.repeat(20_001))).toBeUndefined();
    expect(table.get(2.5)).toBeUndefined();
    expect(entriesOf(table)).toEqual(new Map(keys.map((key, index) => [key, index])));
    for (const key of keys.slice(5)) table.set(key, undefined);
    expect(entriesOf(table)).toEqual(new Map(keys.slice(0, 5).map((key, index) => [key, index])));
    // All of a long one is looked at.
    const { stepsLeft } = budget;
    table.get(long[0]);
    expect(stepsLeft - budget.stepsLeft).toBeGreaterThan(20_000 / 16);
  });

  test('is paid for by what it takes', () => {
    const bytesOf = (fill: (table: LuaTable) => void): number => {
      const budget = new LuaBudget();
      const before = budget.bytesLeft;
      fill(new LuaTable(budget));
      return before - budget.bytesLeft;
    };
    const fields = (count: number): number =>
      bytesOf((table) => {
        for (let index = 0; index < count; index++) table.set(`k${index}`, index);
      });
    const items = (count: number): number =>
      bytesOf((table) => {
        for (let index = 1; index <= count; index++) table.set(index, index);
      });
    // As measured with V8 14: the heap that was in use before and after many of them were made.
    for (const [paid, taken] of [
      [fields(0), 136],
      [fields(1), 248],
      [fields(2), 537],
      [fields(9), 1057],
      [fields(18), 1505],
      [fields(33), 2833],
      [fields(1100), 82_128],
      [items(1), 288],
      [items(18), 496],
      [items(100), 1272],
    ] as const) {
      expect(paid).toBeGreaterThanOrEqual(taken);
      expect(paid).toBeLessThan(2 * taken);
    }
  });

  test('a queue stays as large as what is in it', () => {
    const budget = new LuaBudget();
    const table = new LuaTable(budget);
    for (let index = 0; index < 100_000; index++) {
      table.set(`job ${index}`, index);
      table.set(`job ${index - 10}`, undefined);
    }
    const { stepsLeft } = budget;
    expect(entriesOf(table).size).toBe(10);
    expect(stepsLeft - budget.stepsLeft).toBeLessThan(100);
  });
});

describe('an error', () => {
  const failureOf = (script: string): LuaError => {
    const machine = protectedMachine();
    try {
      machine.run(machine.compile(script, '@user_script'));
    } catch (error) {
      if (error instanceof LuaError) return error;
    }
    throw new Error('The script did not fail');
  };

  test('knows the chunk and the line of the innermost function that it left, whatever its value', () => {
    for (const raise of ['error({})', 'error("x", 0)', 'local t t.x = 1', 'error("x", 2)']) {
      const { source, line } = failureOf(`local function f()\n ${raise}\nend\nf()`);
      expect({ source, line }).toEqual({ source: '@user_script', line: 2 });
    }
  });

  test('of a chunk that was loaded names that', () => {
    const error = failureOf('loadstring("\\n\\nerror(1)", "@inner")()');
    expect([error.value, error.source, error.line]).toEqual(['inner:3: 1', '@inner', 3]);
  });
});

/** Counts and ranks among the keys that exist, and keys that are forgotten. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { bytes, deletion, put } from './changes.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import {
  type EngineForm,
  expectStats,
  NEWEST,
  drain,
  engineMaker,
  scanKeys,
  asText,
  textOf,
} from './forms.ts';

export function testOrder(create: () => Engine, form: EngineForm): void {
  const engineWith = engineMaker(create);

  it('counts, ranks and selects what exists in the newest state', () => {
    const engine = engineWith(put('a', 1), put('b', 2), put('c', 3), put('d', 4), deletion('b', 5));
    const range = (start: string, end?: string) => ({
      start: bytes(start),
      end: end === undefined ? undefined : bytes(end),
    });
    expect(
      [range(''), range('b'), range('b', 'd'), range('x'), range('d', 'b')].map((each) => engine.count(each)),
    ).toEqual([3, 2, 1, 0, 0]);
    expect(['', 'a', 'b', 'c', 'cc', 'd', 'z'].map((key) => engine.rank(range(''), bytes(key)))).toEqual([
      0, 0, 1, 1, 2, 2, 3,
    ]);
    expect(['a', 'c', 'cc', 'z'].map((key) => engine.rank(range('b', 'd'), bytes(key)))).toEqual([
      0, 0, 1, 1,
    ]);
    expect([0, 1, 2, 3].map((index) => asText(engine.select(range(''), index)))).toEqual(['a', 'c', 'd', '']);
    expect([0, 1].map((index) => asText(engine.select(range('b', 'd'), index)))).toEqual(['c', '']);
    engine.apply(put('b', 6));
    expect(asText(engine.select(range(''), 1))).toBe('b');
  });

  it('finds the keys at many indexes together, whatever lies between', () => {
    const engine = engineWith();
    const isDeleted = (index: number): boolean => index % 7 === 3 || (index >= 1000 && index < 1500);
    const names = Array.from({ length: 3000 }, (_, index) => `k${10_000 + index}`);
    for (const [index, name] of names.entries()) engine.apply(put(name, index + 1));
    for (const [index, name] of names.entries())
      if (isDeleted(index)) engine.apply(deletion(name, names.length + 1 + index));
    const live = names.filter((_, index) => !isDeleted(index));
    for (const step of [1, 2, 97, 1000, live.length]) {
      const indexes = Float64Array.from({ length: Math.ceil(live.length / step) }, (_, at) => at * step);
      const found: string[] = [];
      expect(engine.selectAll(indexes, new WorkBudget(), (key) => found.push(asText(key)))).toBe(
        indexes.length,
      );
      expect(found).toEqual([...indexes].map((index) => live[index]));
    }
    const last = Float64Array.of(live.length - 1);
    engine.selectAll(last, new WorkBudget(), (key) => expect(asText(key)).toBe(live.at(-1)));
    expect(engine.selectAll(new Float64Array(0), new WorkBudget(), () => expect.unreachable())).toBe(0);
  });

  it('ranks many keys together, those that are not there among them', () => {
    const engine = engineWith();
    const isDeleted = (index: number): boolean => index % 7 === 3 || (index >= 1000 && index < 1500);
    const names = Array.from({ length: 3000 }, (_, index) => `k${10_000 + index}`);
    for (const [index, name] of names.entries()) engine.apply(put(name, index + 1));
    for (const [index, name] of names.entries())
      if (isDeleted(index)) engine.apply(deletion(name, names.length + 1 + index));
    const asked = ['', 'a', ...names.flatMap((name) => [name, `${name}x`]), 'z', 'zz'];
    for (const step of [1, 2, 97, 1000, asked.length]) {
      const keys = asked.filter((_, index) => index % step === 0);
      const ranks: number[] = [];
      expect(engine.rankAll(keys.map(bytes), new WorkBudget(), (rank) => ranks.push(rank))).toBe(keys.length);
      const live = names.filter((_, index) => !isDeleted(index));
      let before = 0;
      for (const [index, key] of keys.entries()) {
        for (; before < live.length && (live[before] ?? '') < key; before++);
        expect(ranks[index], key).toBe(before);
      }
    }
    expect(engine.rankAll([], new WorkBudget(), () => expect.unreachable())).toBe(0);
  });

  it('forgets keys without a trace, some at a time', () => {
    const engine = engineWith(
      ...['a', 'b', 'c', 'd'].map((key, index) => put(key, index + 1, 'v', { expireTimeMs: 9 })),
      put('b', 5, 'again'),
      deletion('c', 6),
    );
    const range = { start: bytes('b'), end: bytes('d') };
    expect(engine.forget(range, 1)).toBe(1);
    expect(engine.read(bytes('b'), NEWEST)).toBeUndefined();
    expect(engine.forget(range, 5)).toBe(1);
    expect(engine.forget(range, 5)).toBe(0);
    verifyIntegrity(engine);
    expect(scanKeys(engine, {}).map(([key]) => key)).toEqual(['a', 'd']);
    expect(engine.stats().keyCount).toBe(2);
    expect(engine.due(NEWEST, 9).map(asText)).toEqual(['a', 'd']);
    // A key of the same name begins anew.
    engine.apply(put('b', 7, 'new'));
    expect(textOf(engine.read(bytes('b'), 7))).toBe('new');
    expect(engine.read(bytes('b'), 6)).toBeUndefined();
    engine.compact(7);
    drain(engine);
    verifyIntegrity(engine);
    expectStats(engine, form, { keyCount: 3, versionCount: 3, dataBytes: 8 });
  });
}

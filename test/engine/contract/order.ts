/** Counts and ranks among the keys that exist, and keys that are forgotten. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { bytes, deletion, put } from './changes.ts';
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

/** Scans: their order, their pages, what they pay. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { bytes, deletion, put } from './changes.ts';
import { ALL_KEYS, type EngineForm, engineMaker, scanKeys, forward, asText } from './forms.ts';

export function testScans(create: () => Engine, form: EngineForm): void {
  const engineWith = engineMaker(create);

  it('scans a range in both directions, its end excluded', () => {
    const engine = engineWith(
      ...['a', 'b', 'c', 'd'].map((key, index) => put(key, index + 1)),
      deletion('c', 5),
    );
    const keys = (start: string, end: string | undefined, revision: number, reverse: boolean) =>
      scanKeys(engine, { start, end, revision, reverse }).map(([key]) => key);
    expect(keys('', undefined, 5, false)).toEqual(['a', 'b', 'd']);
    expect(keys('', undefined, 4, true)).toEqual(['d', 'c', 'b', 'a']);
    expect(keys('b', 'd', 4, false)).toEqual(['b', 'c']);
    expect(keys('b', 'd', 4, true)).toEqual(['c', 'b']);
    expect(keys('aa', 'bb', 4, false)).toEqual(['b']);
    expect(keys('aa', 'bb', 4, true)).toEqual(['b']);
    expect(keys('d', 'b', 4, false)).toEqual([]);
    expect(keys('d', 'b', 4, true)).toEqual([]);
    expect(keys('', undefined, 1, false)).toEqual(['a']);
  });

  it('says where a scan backwards goes on', () => {
    const engine = engineWith(put('a', 1), put('b', 2), put('c', 3));
    const nextOf = (start: string) => {
      const options = { reverse: true, budget: new WorkBudget(1) };
      return engine.scan({ start: bytes(start), end: undefined }, 3, options, () => true);
    };
    expect(asText(nextOf(''))).toBe('b');
    expect(asText(nextOf('b'))).toBe('b');
    expect(nextOf('c')).toBeUndefined();
  });

  if (form.paysForDeleted !== true) testPayments(create);
}

/** What scans pay, to the visit. */
function testPayments(create: () => Engine): void {
  const engineWith = engineMaker(create);

  it('says where a scan goes on after its visits are used up or the visitor stops', () => {
    const engine = engineWith(put('a', 1), put('b', 2), put('c', 3), deletion('b', 4));
    const scan = (visitsMax: number, start: string, stopAt?: string) => {
      const seen: string[] = [];
      const next = engine.scan({ start: bytes(start), end: bytes('d') }, 4, forward(visitsMax), ({ key }) => {
        seen.push(asText(key));
        return asText(key) !== stopAt;
      });
      return [seen.join(''), next && asText(next)];
    };
    // The deleted key between costs nothing.
    expect(scan(1, '')).toEqual(['a', 'c']);
    expect(scan(2, '')).toEqual(['ac', undefined]);
    expect(scan(1, 'b')).toEqual(['c', undefined]);
    expect(scan(9, '', 'c')).toEqual(['ac', undefined]);
    expect(scan(9, 'c')).toEqual(['c', undefined]);
    expect(scan(9, '', 'a')).toEqual(['a', 'c']);
    expect(scan(0, '')).toEqual(['', 'a']);
  });

  it('pays a visit for each key that it looks at, and leaves the rest of the budget to the next scan', () => {
    const engine = engineWith(put('a', 1), put('b', 2), put('c', 3), deletion('b', 4), put('d', 5));
    const budget = new WorkBudget(10);
    const read = (revision: number) => {
      const seen: string[] = [];
      engine.scan(ALL_KEYS, revision, { reverse: false, budget }, ({ key }) => seen.push(asText(key)) > 0);
      return [seen.join(''), budget.visitsLeft];
    };
    expect(read(5)).toEqual(['acd', 7]);
    // At an older revision a key is looked at that was not there yet, and what was deleted since.
    expect(read(3)).toEqual(['abc', 3]);
    expect(read(5)).toEqual(['acd', 0]);
    expect(read(5)).toEqual(['', 0]);
  });
}

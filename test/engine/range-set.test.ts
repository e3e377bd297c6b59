import { describe, expect, it } from 'vitest';
import { RangeSet } from '../../src/engine/range-set.ts';
import { SeededRandom } from '../support/random.ts';
import { keyOf, randomRange, rangeHas } from './random-ranges.ts';

describe('a set of ranges', () => {
  it.each([1, 2, 3, 4, 5])('has the keys of all that were added and not removed (seed %d)', (seed) => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 100; round++) {
      const ranges = new RangeSet();
      const expected = new Set<number>();
      for (let step = 0; step < 10; step++) {
        const range = randomRange(random);
        const isRemoved = random.chance(0.3);
        if (isRemoved) ranges.remove(range);
        else ranges.add(range);
        for (let number = 0; number < 70; number++) {
          if (!rangeHas(range, number)) continue;
          if (isRemoved) expected.delete(number);
          else expected.add(number);
        }
        for (let number = 0; number < 70; number++) {
          const holding = ranges.holding(keyOf(number));
          expect(holding !== undefined, `seed ${seed}, key ${number}`).toBe(expected.has(number));
          expect(holding === undefined || rangeHas(holding, number)).toBe(true);
          expect(ranges.has(keyOf(number))).toBe(expected.has(number));
        }
        const all = [...ranges];
        expect(ranges.isEmpty).toBe(all.length === 0);
        for (const [index, { end }] of all.slice(0, -1).entries()) {
          expect(Buffer.compare(end ?? keyOf(255), all[index + 1]?.start ?? keyOf(0))).toBeLessThanOrEqual(0);
        }
      }
    }
  });

  it('joins ranges that touch, and copies what it keeps', () => {
    const ranges = new RangeSet();
    const start = keyOf(1);
    ranges.add({ start, end: keyOf(3) });
    ranges.add({ start: keyOf(3), end: keyOf(5) });
    start[0] = 4;
    expect([...ranges]).toEqual([{ start: keyOf(1), end: keyOf(5) }]);
  });
});

import { describe, expect, it } from 'vitest';
import { ForgottenRanges } from '../../../src/engine/bitcask/forgotten-ranges.ts';
import { SeededRandom } from '../../support/random.ts';
import { keyOf, randomRange, rangeHas } from '../random-ranges.ts';

describe('forgotten ranges', () => {
  it.each([1, 2, 3, 4, 5])('have for each key the range that was added last (seed %d)', (seed) => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 50; round++) {
      const forgotten = new ForgottenRanges();
      const idByNumber = new Map<number, number>();
      for (let id = 1; id <= 8; id++) {
        const range = randomRange(random);
        forgotten.add({ ...range, id });
        for (let number = 0; number < 70; number++) if (rangeHas(range, number)) idByNumber.set(number, id);
      }
      for (let number = 0; number < 70; number++) {
        expect(forgotten.find(keyOf(number))?.id).toBe(idByNumber.get(number));
      }
      forgotten.keep(({ id }) => id > 4);
      for (let number = 0; number < 70; number++) {
        const id = idByNumber.get(number) ?? 0;
        expect(forgotten.find(keyOf(number))?.id).toBe(id > 4 ? id : undefined);
      }
    }
  });
});

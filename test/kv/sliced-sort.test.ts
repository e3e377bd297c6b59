/** A sort that leaves the event loop in between sorts as one in one piece does. */
import { describe, expect, it } from 'vitest';
import { sortInSlices } from '../../src/kv/reads/sliced-sort.ts';
import { fixed } from '../../src/limits.ts';
import { SeededRandom } from '../support/random.ts';

describe('texts that are sorted in slices', () => {
  const { sortedInTurnMax } = fixed;

  it.each([0, 1, sortedInTurnMax, sortedInTurnMax + 1, 3 * sortedInTurnMax, 5 * sortedInTurnMax + 7])(
    'are in their order: %i of them',
    async (count) => {
      const random = new SeededRandom(count + 1);
      const texts = Array.from({ length: count }, () => String(random.below(count * 2 + 1)));
      const given = [...texts];
      let pauses = 0;
      const sorted = await sortInSlices(texts, () => {
        pauses++;
        return Promise.resolve();
      });
      expect(sorted).toEqual(given.toSorted());
      expect(texts).toEqual(given);
      expect(pauses).toBeGreaterThanOrEqual(Math.ceil(count / sortedInTurnMax) - 1);
    },
  );
});

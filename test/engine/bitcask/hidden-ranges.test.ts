import { describe, expect, it } from 'vitest';
import { copyRange, HiddenRanges } from '../../../src/engine/bitcask/hidden-ranges.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import { SeededRandom } from '../../support/random.ts';

const key = (number: number): Uint8Array => Uint8Array.of(number);

function has(range: EngineRange, number: number): boolean {
  const isBehind = Buffer.compare(key(number), range.start) >= 0;
  return isBehind && (range.end === undefined || Buffer.compare(key(number), range.end) < 0);
}

describe('ranges that are gone', () => {
  it.each([1, 2, 3, 4, 5])('have the keys of all that were added and not cut out (seed %d)', (seed) => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 50; round++) {
      const hidden = new HiddenRanges<EngineRange & { readonly id: number }>();
      // By key: what was added last.
      const idByNumber = new Map<number, number>();
      for (let id = 1; id <= 8; id++) {
        const start = random.below(50);
        const end = random.chance(0.1) ? undefined : key(start + random.below(12));
        const range = { start: random.chance(0.1) ? new Uint8Array(0) : key(start), end };
        const isCut = random.chance(0.3);
        if (isCut) hidden.cut(range);
        else hidden.add({ ...copyRange(range), id });
        for (let number = 0; number < 70; number++) {
          if (!has(range, number)) continue;
          if (isCut) idByNumber.delete(number);
          else idByNumber.set(number, id);
        }
      }
      for (let number = 0; number < 70; number++) {
        expect(hidden.find(key(number))?.id).toBe(idByNumber.get(number));
      }
      hidden.keep(({ id }) => id > 4);
      for (let number = 0; number < 70; number++) {
        const id = idByNumber.get(number) ?? 0;
        expect(hidden.find(key(number))?.id).toBe(id > 4 ? id : undefined);
      }
    }
  });
});

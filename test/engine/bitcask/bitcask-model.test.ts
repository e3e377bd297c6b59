/** The base beside a model: flushes, merges, ranges that go, and reopenings, in random order. */
import { describe, expect, it } from 'vitest';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { expectState, flush, notesOf, randomStep, stateAfter, type State } from './base-model.ts';
import { openSmall, rangeOf } from './small-base.ts';

const SHAPE = { keyCount: 80, changeCount: 40, valueBytesMax: 3000, deletedShare: 0.3 };

describe('the base', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('answers as a model does, whatever is done (seed %d)', async (seed) => {
    const random = new SeededRandom(seed);
    const disk = new SimulatedDisk({ seed });
    let base: Base = await openSmall(disk);
    let state: State = new Map();
    let revision = 0;
    let mergedBytes = 0;
    for (let round = 0; round < 60; round++) {
      const dice = random.below(10);
      if (dice < 7) {
        revision += random.between(10, 20);
        const step = {
          ...randomStep(random, revision, SHAPE),
          forgotten: [] as ReturnType<typeof rangeOf>[],
        };
        if (random.chance(0.2)) step.forgotten.push(rangeOf(random));
        await flush(base, step);
        state = stateAfter(state, step);
      } else if (dice === 7) await base.compactStorage();
      else {
        mergedBytes += base.figures().mergedBytes;
        await base.close();
        base = await openSmall(disk);
      }
      expect(base.revision).toBe(revision);
      expect(Buffer.from(base.notes)).toEqual(revision === 0 ? Buffer.alloc(0) : notesOf(revision));
      if (round % 3 === 0) expectState(base, state, random);
    }
    expectState(base, state, random);
    expect(mergedBytes + base.figures().mergedBytes).toBeGreaterThan(0);
    await base.close();
  });
});

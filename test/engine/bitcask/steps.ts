/** A short life of a base, the same for each seed: flushes, ranges that are forgotten, merges, a reopening. */
import type { Disk } from '../../../src/disk/disk.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { SeededRandom } from '../../support/random.ts';
import { flush, randomStep, stateAfter, type State, type Step } from './base-model.ts';
import { openSmall, rangeOf } from './small-base.ts';

export const SHAPE = { keyCount: 25, changeCount: 14, valueBytesMax: 1500, deletedShare: 0.3 };
const STEPS = 5;
export const REVISIONS_PER_STEP = 20;

function stepsOf(seed: number): Step[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: STEPS }, (_, index) => ({
    ...randomStep(random, REVISIONS_PER_STEP * (index + 1), SHAPE),
    forgotten: random.chance(0.4) ? [rangeOf(random)] : [],
  }));
}

/** How far a life came. */
export class Life {
  /** What the base must hold at each revision that was begun. */
  readonly states = new Map<number, State>([[0, new Map()]]);
  /** The revision of the last flush that was acknowledged. */
  committed = 0;
  base: Base | undefined;

  /**
   * Lives until the end, or an error.
   * @param attempts how often each call is tried.
   */
  async live(disk: Disk, seed: number, attempts = 1): Promise<void> {
    const attempt = async <Result>(action: () => Promise<Result>): Promise<Result> => {
      for (let left = attempts - 1; left > 0; left--) {
        try {
          return await action();
        } catch {
          // It is tried again.
        }
      }
      return action();
    };
    let base = (this.base = await attempt(() => openSmall(disk)));
    for (const [index, step] of stepsOf(seed).entries()) {
      this.states.set(
        step.revision,
        stateAfter(this.states.get(this.committed) ?? new Map<never, never>(), step),
      );
      await attempt(() => flush(base, step));
      this.committed = step.revision;
      if (index % 3 === 1) await attempt(() => base.compactStorage());
      if (index !== 3) continue;
      this.base = undefined;
      await base.close();
      base = this.base = await attempt(() => openSmall(disk));
    }
    this.base = undefined;
    await base.close();
  }
}

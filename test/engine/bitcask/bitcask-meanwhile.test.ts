/** What is read while flushes and merges are at work, each of which pauses as often as it can. */
import { describe, expect, it } from 'vitest';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, PlacedChange } from '../../../src/engine/version.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { ALL, expectState, flush, randomStep, stateAfter, type State, type Step } from './base-model.ts';
import { openSmall, rangeOf } from './small-base.ts';

const SHAPE = { keyCount: 300, changeCount: 200, valueBytesMax: 300, deletedShare: 0.3 };

/** Each look at it finds that time has passed, so that each slice of work is short; what pauses is looked on at. */
class HurriedClock extends ManualClock {
  lookOn: () => void = () => undefined;

  override monotonicMs(): number {
    this.advance(1);
    return super.monotonicMs();
  }

  override yieldNow(callback: () => void): void {
    super.yieldNow(() => {
      this.lookOn();
      callback();
    });
  }
}

/** Holds that each key has the version of one state or of the other. */
function expectEither(base: Base, before: State, after: State): void {
  const placed = new PlacedChange();
  const found = new Map<string, string>();
  const cursor = base.cursor(ALL, false, true);
  while (cursor.next(placed))
    found.set(
      Buffer.from(placed.key).toString('latin1'),
      `${placed.revision} ${Buffer.from(placed.value).toString('hex')}`,
    );
  cursor.close();
  for (const key of new Set([...found.keys(), ...before.keys(), ...after.keys()])) {
    const allowed = [before, after].map((state) => {
      const change = state.get(key);
      return change && `${change.revision} ${Buffer.from(change.value).toString('hex')}`;
    });
    expect(allowed, key).toContain(found.get(key));
    const isThere = base.find(Buffer.from(key, 'latin1'), placed, true);
    expect(isThere, key).toBe(found.has(key));
    if (isThere)
      expect(`${placed.revision} ${Buffer.from(placed.value).toString('hex')}`).toBe(found.get(key));
  }
}

describe('while a flush and merges are at work', () => {
  it.each([1, 2, 3, 4])('each key is found in its old or its new state (seed %d)', async (seed) => {
    const random = new SeededRandom(seed);
    const disk = new SimulatedDisk({ seed });
    const clock = new HurriedClock();
    let base = await openSmall(disk, { clock });
    let state: State = new Map();
    let looks = 0;
    for (let revision = 20; revision <= 240; revision += 20) {
      const step: Step = {
        ...randomStep(random, revision, SHAPE),
        forgotten: random.chance(0.3) ? [rangeOf(random)] : [],
      };
      // What is hidden is gone at once.
      const before = stateAfter(state, { revision, changes: [], forgotten: step.forgotten });
      const after = stateAfter(state, step);
      for (const range of step.forgotten) base.hide(range);
      const merges: Promise<void>[] = [];
      clock.lookOn = () => {
        if (merges.length < 3 && random.chance(0.2)) merges.push(base.compactStorage());
        if (looks++ % 8 === 0) expectEither(base, before, after);
      };
      await flush(base, step);
      await Promise.all(merges);
      clock.lookOn = () => undefined;
      state = after;
      expect(base.revision).toBe(revision);
      expectState(base, state, random);
      if (!random.chance(0.2)) continue;
      await base.close();
      base = await openSmall(disk, { clock });
      expectState(base, state, random);
    }
    expect(looks).toBeGreaterThan(100);
    await base.close();
    base = await openSmall(disk, { clock });
    expectState(base, state, random);
    await base.close();
  });

  it('a merge is given up when the base is to be closed, and the flush that waits for it goes on', async () => {
    const random = new SeededRandom(1);
    const disk = new SimulatedDisk({ seed: 1 });
    const clock = new HurriedClock();
    const base = await openSmall(disk, { clock, runBytesMax: 10_000_000 });
    const step = (revision: number, keyCount: number): Step => ({
      revision,
      changes: Array.from({ length: keyCount }, (_, index) => {
        const key = Buffer.from(`k${String(index).padStart(5, '0')}`);
        return { ...deletionOf(key, revision), deleted: false, value: random.bytes(300), version: 1 };
      }),
      forgotten: [],
    });
    const [all, most] = [step(1, 4000), step(2, 3500)];
    await flush(base, all);
    await flush(base, most);
    let [pauses, pausesSince] = [0, -1];
    clock.lookOn = () => {
      if (pausesSince >= 0) pausesSince++;
      if (++pauses !== 20) return;
      base.stopMerging();
      pausesSince = 0;
    };
    const begun = await base.begin(3);
    expect(pausesSince).toBeGreaterThanOrEqual(0);
    expect(pausesSince).toBeLessThan(5);
    await begun.abort();
    await base.close();
    expect(pausesSince).toBeLessThan(5);
    expect(base.figures().mergedBytes).toBe(0);
    const again = await openSmall(disk);
    expectState(again, stateAfter(stateAfter(new Map(), all), most), random);
    await again.close();
  });

  it('a merge by hand is refused once the base is to be closed', async () => {
    const base = await openSmall(new SimulatedDisk({ seed: 1 }));
    const random = new SeededRandom(1);
    for (const revision of [20, 40])
      await flush(base, { ...randomStep(random, revision, SHAPE), forgotten: [] });
    await base.compactStorage();
    base.stopMerging();
    await expect(base.compactStorage()).rejects.toMatchObject({ code: 'closed' });
    await base.close();
  });
});

/** A call of the disk fails, and the process goes on. */
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { expectState, flush, randomStep, stateAfter, textOf, textOfState } from './base-model.ts';
import { openSmall } from './small-base.ts';
import { Life } from './steps.ts';

describe('a call of the disk that fails', () => {
  it.each([
    ['failed', 1],
    ['noSpace', 5],
  ] as const)(
    'with %s costs nothing that was committed, and what is tried again succeeds',
    async (code, step) => {
      for (let seed = 1; seed <= 2; seed++) {
        // Each second call, the even ones in another life.
        for (let at = seed; ; at += 2 * step) {
          const disk = new SimulatedDisk({ seed });
          disk.injectFault({ call: 'any', at, code });
          const life = new Life();
          const what = `seed ${seed}, call ${at}`;
          await life.live(disk, seed, 2).catch((error: unknown) => {
            throw new Error(what, { cause: error });
          });
          disk.clearFaults();
          const after = disk.losePower();
          const base = await openSmall(after);
          expect(base.revision, what).toBe(life.committed);
          expect(textOf(base), what).toBe(textOfState(life.states.get(life.committed)!));
          await base.close();
          if (!disk.dump().includes(` fails: ${code}`)) break;
        }
      }
    },
  );

  it('does not show in what is read meanwhile', async () => {
    for (let at = 1; at < 60; at++) {
      const disk = new SimulatedDisk({ seed: at });
      const life = new Life();
      disk.injectFault({ call: 'any', at: at * 3, isPermanent: true });
      await life.live(disk, 1).catch(() => undefined);
      disk.clearFaults();
      const { base } = life;
      if (base === undefined) continue;
      const shown = textOf(base);
      expect(base.revision, `call ${at * 3}`).toBe(life.committed);
      expect(shown, `call ${at * 3}`).toBe(textOfState(life.states.get(life.committed)!));
      await base.close();
    }
  });

  it('in a merge in the background is told, and the merge is made behind the next flush', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const clock = new ManualClock();
    const failures: Error[] = [];
    const base = await openSmall(disk, { clock, onMergeFailed: (error) => failures.push(error) });
    const random = new SeededRandom(1);
    const shape = { keyCount: 10, changeCount: 60, valueBytesMax: 300, deletedShare: 0 };
    await flush(base, randomStep(random, 20, shape));
    // The flush makes a run, notes and a manifest; what comes then is the run of the merge.
    disk.injectFault({ call: 'create', at: 4 });
    const step = randomStep(random, 40, shape);
    await flush(base, step);
    await clock.settled();
    expect(failures.map(({ message }) => message)).toEqual([expect.stringMatching(/create .*\.run: failed/)]);
    expect(base.figures().mergedBytes).toBe(0);
    const next = randomStep(random, 60, shape);
    await flush(base, next);
    await clock.settled();
    expect(failures.length).toBe(1);
    expect(base.figures().runs.length).toBeLessThan(3);
    expectState(base, stateAfter(stateAfter(new Map(), step), next), random);
    await base.close();
  });
});

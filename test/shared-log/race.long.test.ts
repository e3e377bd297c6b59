/** Races over simulated storages, one for each seed. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../support/random.ts';
import { rounds, timeLimitMs } from '../support/share.ts';
import { type RacePlan, race } from './race.ts';
import { simulatedWorld } from './simulated-world.ts';

function planOf(random: SeededRandom): RacePlan {
  return {
    nodeCount: random.between(2, 4),
    stepCount: random.between(10, 80),
    trouble: random.pick([0, 0.1, 0.3, 0.5]),
    timeoutMs: random.pick([50, 500, 5000]),
  };
}

const SEEDS = 10_000;

test(
  'whatever goes astray, what nodes were told is what lies in the log',
  { timeout: timeLimitMs(600_000) },
  async () => {
    for (let seed = 1; seed <= rounds(SEEDS); seed++) {
      const random = new SeededRandom(seed);
      const plan = planOf(random);
      const world = simulatedWorld(seed, random.pick([0, 0.01, 0.1]));
      try {
        expect(await race(world, random, plan), `seed ${seed}: ${JSON.stringify(plan)}`).toEqual([]);
      } finally {
        await world.close();
      }
    }
  },
);

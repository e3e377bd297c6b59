/** Simulated clusters, seed by seed: three nodes, their clients, and what befalls them. `simulation/run.ts` tells what must hold. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { isWhole, rounds, timeLimitMs } from '../support/share.ts';
import type { Seeds } from './simulation/seed-thread.ts';

const SEEDS = 10_000;
/** Of the sample that goes with each check one part of twelve: a seed takes as long as several of a smaller world. */
const COUNT = isWhole() ? rounds(SEEDS) : rounds(SEEDS / 12);
/** Another range of seeds is tried by another first one. */
const FIRST = Number(process.env['TEST_FIRST_SEED'] ?? 1);
/** Machines that were killed leave calls that never end, which hold what belonged to them: ten megabytes a world, until their thread ends. */
const SEEDS_PER_THREAD = 100;

async function ackedIn(seeds: Seeds): Promise<number> {
  const thread = new Worker(new URL('./simulation/seed-thread.ts', import.meta.url), { workerData: seeds });
  const [ackedCount] = (await once(thread, 'message')) as [number];
  await thread.terminate();
  return ackedCount;
}

test(
  'what was acknowledged survives, and each node shows what is true, while nodes crash, pause and are cut off',
  { timeout: timeLimitMs(7_200_000) },
  async () => {
    let ackedCount = 0;
    for (let first = FIRST; first < FIRST + COUNT; first += SEEDS_PER_THREAD) {
      const count = Math.min(SEEDS_PER_THREAD, FIRST + COUNT - first);
      ackedCount += await ackedIn({ first, count });
    }
    // With clients that are told of nothing all of it would be true.
    expect(ackedCount).toBeGreaterThan(COUNT);
  },
);

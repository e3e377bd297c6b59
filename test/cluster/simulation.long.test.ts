/** Simulated clusters, seed by seed: three nodes, their clients, and what befalls them. `simulation/run.ts` tells what must hold. */
import { expect, test } from 'vitest';
import { isWhole, rounds, timeLimitMs } from '../support/share.ts';
import { runSeed } from './simulation/run.ts';

const SEEDS = 10_000;
/** Of the sample that goes with each check one part of twelve: a seed takes as long as several of a smaller world. */
const COUNT = isWhole() ? rounds(SEEDS) : rounds(SEEDS / 12);
/** Another range of seeds is tried by another first one. */
const FIRST = Number(process.env['TEST_FIRST_SEED'] ?? 1);

test(
  'what was acknowledged survives, and each node shows what is true, while nodes crash, pause and are cut off',
  { timeout: timeLimitMs(7_200_000) },
  async () => {
    let ackedCount = 0;
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) ackedCount += (await runSeed({ seed })).ackedCount;
    // With clients that are told of nothing all of it would be true.
    expect(ackedCount).toBeGreaterThan(COUNT);
  },
);

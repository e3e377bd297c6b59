/** The simulation notices what it is there for: faults that are put in by hand are found within some seeds. */
import { describe, expect, it } from 'vitest';
import { NO_FAULTS } from './simulation/log-link.ts';
import { countsSilence, faults } from './simulation/faults.ts';
import type { RunOptions } from './simulation/run.ts';
import { runSeed } from './simulation/run.ts';

const SEEDS = 60;

/** @returns what the first seed says that finds something. */
async function findFault(options: Omit<RunOptions, 'seed'>, seeds = SEEDS): Promise<string | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await runSeed({ seed, ...options });
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

describe('the simulation finds that', { timeout: 120_000 }, () => {
  /** The mishaps that each of them needs befall the nodes of each seed. */
  const manyMishaps = { kinds: ['pause', 'cut', 'endProcess'] as const, mishapCount: 8 };

  it.each(Object.entries(faults))('%s', async (_, node) => {
    expect(await findFault({ node, plan: manyMishaps })).toBeDefined();
  });

  const plan = { kinds: ['stall'] as const, mishapCount: 4, faults: NO_FAULTS };

  it('a follower counts silence while the log is down', async () => {
    expect(await findFault({ plan, node: countsSilence })).toMatch(/the writer was well/);
  });

  it('no follower takes over while the log stands still now and then', async () => {
    expect(await findFault({ plan }, 12)).toBeUndefined();
  });
});

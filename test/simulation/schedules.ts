/**
 * The schedules that the tests run: 20,000 in all, of which `npm test` tries a sample. They are spread over several test
 * files so that the files share the processors. More of them, from other seeds: `npm run simulate -- --schedules 100000
 * --seed 1000000`.
 */
import { rounds, timeLimitMs } from '../support/share.ts';
import { type EngineName, engineNamed } from './engines.ts';
import { simulate } from './simulation.ts';

export interface Schedules {
  readonly engine: EngineName;
  /** Of the first; the others follow. No two test files have a seed in common. */
  readonly firstSeed: number;
  /** In the whole. */
  readonly count: number;
}

/** All of a file's schedules take about a minute; on a machine that is busy, longer. */
export const SCHEDULES_TIMEOUT_MS = timeLimitMs(900_000);

/** Runs them one after the other. Throws at the first that fails, with the command that shows it again. */
export async function runSchedules({ engine, firstSeed, count }: Schedules): Promise<void> {
  const simulated = engineNamed(engine);
  const endSeed = firstSeed + rounds(count);
  for (let seed = firstSeed; seed < endSeed; seed++) {
    const { failure } = await simulate(seed, { engine: simulated });
    if (failure === undefined) continue;
    const command = `npm run simulate -- --seed ${seed} --engine ${engine} --trace`;
    throw new Error(`seed ${seed} fails: ${failure.message}\nsee it again: ${command}`, { cause: failure });
  }
}

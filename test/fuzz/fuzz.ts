/**
 * Runs a test on many inputs, each made from a seed of its own. What fails tells its seed and the command that tries
 * that one input again. `FUZZ_RUNS` tries so many inputs instead of the few that CI has time for, `FUZZ_SEED=random`
 * others than it does.
 */
import { randomInt } from 'node:crypto';
import { type RunnerTestCase, test } from 'vitest';
import { SeededRandom } from '../support/random.ts';

/** Far more than an input takes. It is there for one that is never done with, and decides nothing else. */
const RUN_TIMEOUT_MS = 1000;
const TEST_TIMEOUT_MS_MIN = 60_000;

/**
 * @param runs the inputs of an ordinary run.
 * @param tryOne throws when the input that it makes by chance is not dealt with as it should be.
 * @param seed the first one unless `FUZZ_SEED` says another, or `random`: others each time.
 */
export function fuzz(
  name: string,
  runs: number,
  tryOne: (random: SeededRandom) => unknown,
  seed = '1',
): void {
  const { FUZZ_RUNS, FUZZ_SEED = seed } = process.env;
  const count = FUZZ_RUNS === undefined ? runs : Number(FUZZ_RUNS);
  const firstSeed = FUZZ_SEED === 'random' ? randomInt(2 ** 47) : Number(FUZZ_SEED);
  const timeout = Math.max(TEST_TIMEOUT_MS_MIN, count * RUN_TIMEOUT_MS);

  test(name, { timeout }, async ({ task }) => {
    for (let run = firstSeed; run < firstSeed + count; run++) {
      try {
        await tryOne(new SeededRandom(run));
      } catch (cause) {
        throw new Error(`seed ${run}: ${(cause as Error).message}\nagain: ${again(task, run)}`, { cause });
      }
    }
  });
}

/** The command of a shell that tries the one input of this seed in this one test. */
export function again(task: Pick<RunnerTestCase, 'file' | 'fullTestName'>, seed: number): string {
  const pattern = `^${task.fullTestName.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')}$`;
  const quoted = `'${pattern.replaceAll("'", String.raw`'\''`)}'`;
  return `FUZZ_SEED=${seed} FUZZ_RUNS=1 npx vitest run ${task.file.name} -t ${quoted}`;
}

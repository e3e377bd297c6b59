/**
 * Runs schedules of the simulated store: `npm run simulate -- --schedules 20000 --seed 1`.
 *
 * Each schedule has a seed of its own, from `--seed` on. One that fails is told with the command that runs it again and
 * shows what happened: `npm run simulate -- --seed S --trace`. `--engine` is what the store runs on: `memory` (default),
 * `heap`, or `mirror`, both of them side by side; `lsm` and `bitcask` on the simulated disk, and `plain`, which is the simplest that
 * keeps its state there; with `-mirror` each of these beside `heap`.
 */
import { parseArgs } from 'node:util';
import { engineNamed } from '../test/simulation/engines.ts';
import { simulate } from '../test/simulation/simulation.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'memory' },
    trace: { type: 'boolean', default: false },
    /** Goes on after a schedule that fails. */
    'keep-going': { type: 'boolean', default: false },
  },
});

const firstSeed = wholeNumber('seed', values.seed);
const count = wholeNumber('schedules', values.schedules);
const isTraced = values.trace;
const engine = engineNamed(values.engine);

const startMs = performance.now();
let steps = 0;
let failures = 0;
for (let seed = firstSeed; seed < firstSeed + count; seed++) {
  const result = await simulate(seed, { engine, isTraced });
  steps += result.stepCount;
  if (isTraced) console.log(result.trace.join('\n'));
  if (result.failure === undefined) continue;
  failures++;
  console.log(`seed ${seed} fails: ${result.failure.stack}`);
  if (result.failure.cause instanceof Error) console.log(`because of ${result.failure.cause.stack}`);
  console.log(`again: npm run simulate -- --seed ${seed} --engine ${values.engine} --trace\n`);
  if (!values['keep-going']) break;
}
const seconds = (performance.now() - startMs) / 1000;
console.log(
  `${count} schedules from seed ${firstSeed}, ${steps} steps, ${failures} failures, ${seconds.toFixed(1)} s, ${((seconds * 1000) / count).toFixed(2)} ms each`,
);
// Stores that were left in the middle, as by a crash, hold the process for what they waited for.
process.exit(failures === 0 ? 0 : 1);

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RangeError(`--${option} is a whole number, not ${text}`);
  return number;
}

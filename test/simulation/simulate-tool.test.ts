/** The command of the simulation ends behind its last schedule, although stores were left in the middle of what they did. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('../../tools/simulate.ts', import.meta.url));

/** One in which a checkpoint that is waited for is cut off by a crash. */
const SEED = 3;

it('ends', { timeout: 60_000 }, async () => {
  const argv = [TOOL, '--engine', 'lsm', '--seed', `${SEED}`];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  expect(stdout).toMatch(/^1 schedules from seed 3, \d+ steps, 0 failures/);
});

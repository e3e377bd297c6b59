/** That what a failed input prints does run that test, and no other. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { again } from './fuzz.ts';

/** Another process finds the tests of this file. */
const TIMEOUT_MS = 120_000;

/** The tests that a command would run, by their full names. */
async function namesOf(command: string): Promise<string[]> {
  const list = command.replace('npx vitest run', `'${process.execPath}' node_modules/vitest/vitest.mjs list`);
  expect(list).not.toBe(command);
  // Behind all else: what follows it is taken for the name of a file to write to.
  const { stdout } = await promisify(execFile)('sh', ['-c', `${list} --json`]);
  return (JSON.parse(stdout) as readonly { readonly name: string }[]).map(({ name }) => name);
}

describe('a group', () => {
  describe("within it, with what has a meaning to a shell (or in a pattern): a.b*, it's $1 [x] a|b", () => {
    test('is found by the command', { timeout: TIMEOUT_MS }, async ({ task }) => {
      expect(again(task, 7)).toMatch(
        /^FUZZ_SEED=7 FUZZ_RUNS=1 npx vitest run test\/fuzz\/again.test.ts -t '/,
      );
      expect(await namesOf(again(task, 7))).toEqual([task.fullTestName]);
    });

    test('is found by the command, and none that begins alike', { timeout: TIMEOUT_MS }, async ({ task }) => {
      expect(await namesOf(again(task, 7))).toEqual([task.fullTestName]);
    });
  });
});

test('a test outside of a group is found by the command', { timeout: TIMEOUT_MS }, async ({ task }) => {
  expect(await namesOf(again(task, 7))).toEqual([task.fullTestName]);
});

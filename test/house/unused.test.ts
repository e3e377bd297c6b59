import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('there is no unused file, export or dependency', { timeout: 120_000 }, () => {
  const { stdout, stderr, status } = spawnSync('knip', ['--no-progress', '--reporter', 'compact'], {
    encoding: 'utf8',
  });
  expect(`${stdout}${stderr}`.trim()).toBe('');
  expect(status).toBe(0);
});

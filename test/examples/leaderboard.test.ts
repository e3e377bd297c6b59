import { expect, test } from 'vitest';
import { runExample } from '../support/example-process.ts';
import { temporaryDirectory } from '../support/test-server.ts';

test('tells the best, and those of before', async () => {
  const dataDir = await temporaryDirectory();
  for (let run = 0; run < 2; run++) {
    expect(await runExample('leaderboard', { KELP_DATA_DIR: dataDir })).toEqual([
      'bob 400',
      'alice 310',
      'before: alice',
      'before: carol',
      "{ name: 'Bob', team: 'red' }",
    ]);
  }
});

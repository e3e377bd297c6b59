import { expect, test } from 'vitest';
import { runExample } from '../support/example-process.ts';
import { temporaryDirectory } from '../support/test-server.ts';

test('does the same in a new folder and in one that has been used', async () => {
  const dataDir = await temporaryDirectory();
  for (let run = 0; run < 2; run++) {
    expect(await runExample('embedded-store', { KELP_DATA_DIR: dataDir })).toEqual([
      '{"name":"ada"}',
      "[ 'users/ada', 'users/edsger' ]",
    ]);
  }
});

import { expect, test } from 'vitest';
import { runExample } from '../support/example-process.ts';
import { startTestServer } from '../support/test-server.ts';

test('no increment is lost, and no event counts twice, in a second run too', async () => {
  const { address } = await startTestServer();
  for (let run = 0; run < 2; run++) {
    expect(await runExample('counter', { KELP_ADDRESS: address })).toEqual([
      'visits: 200',
      'different numbers: 200',
      'orders: 5',
      'refused as seen before: 5',
    ]);
  }
});

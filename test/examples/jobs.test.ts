import { expect, test } from 'vitest';
import { runExample } from '../support/example-process.ts';
import { startTestServer } from '../support/test-server.ts';

test('each job is done by a worker, also the one that was left, and what always fails is told', async () => {
  const { address } = await startTestServer();
  expect(await runExample('jobs', { KELP_ADDRESS: address })).toEqual([
    'the first one leaves the mail to ada',
    'sent to: ada, attempt 2; edsger, attempt 1; grace, attempt 1',
    'given up: bounces',
  ]);
});

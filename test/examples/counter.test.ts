import { expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
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

test('a server whose access is closed takes the token of the environment', async () => {
  const { address } = await startTestServer();
  await using client = createClient({ address });
  await client.access.createRole('counter');
  await client.access.addGrant('counter', { permission: 'readwrite', all: true });
  await client.access.createUser('app', { roles: ['counter'] });
  const { secret } = await client.access.createToken('app', { user: 'app' });
  await client.access.createUser('root', { password: 'secret' });
  await expect(runExample('counter', { KELP_ADDRESS: address })).rejects.toThrow(
    /asks for a user and password/,
  );
  const lines = await runExample('counter', { KELP_ADDRESS: address, KELP_TOKEN: secret });
  expect(lines).toContain('visits: 200');
});

import { expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { runExample } from '../support/example-process.ts';
import { startTestServer } from '../support/test-server.ts';

test('holders take turns, each with a higher token, and a late one can not write', async () => {
  const { address } = await startTestServer();
  const lines = await runExample('lock', { KELP_ADDRESS: address });
  const turns = lines.slice(0, 6);
  const tokens: number[] = [];
  const names: string[] = [];
  for (let turn = 0; turn < 6; turn += 2) {
    const [, name = '', token] = /^(\w+) takes the lock with token (\d+)$/.exec(turns[turn] ?? '') ?? [];
    expect(turns[turn + 1]).toBe(`${name} gives it back`);
    names.push(name);
    tokens.push(Number(token));
  }
  expect(names.toSorted()).toEqual(['ada', 'edsger', 'grace']);
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
  expect(lines.slice(6)).toEqual(['the late one may write: false', 'the next one may write: true']);

  await using client = createClient({ address });
  expect((await client.get('deployed-by')).entry?.text()).toBe('next');
  expect((await client.count({ prefix: 'locks/deploy' })).count).toBe(0);
  expect((await client.admin.status()).leaseCount).toBe(0);
});

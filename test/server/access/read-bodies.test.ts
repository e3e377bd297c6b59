/** A body in JSON may be read in a later turn than its request came in. What is allowed by then is what counts. */
import { expect, test, vi } from 'vitest';
import { Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { jsonTurns } from '../../../src/server/json/turn-work.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, clientsOf } from './access-client.ts';

const keys = { keys: { case: 'prefix', value: Buffer.from('a') } } as const;

test.each([
  ['/v1/keys/a/increment', '{"delta":1}'],
  ['/set/a', '{"value":"1"}'],
  ['/v1/txn', '{"success":[{"put":{"key":"a","value":"1"}}]}'],
])('POST %s whose body is read after its rights were taken is refused, and counted', async (path, body) => {
  const { url } = await startTestServer();
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  const { access, kv } = clientsOf(url, basic('root', 'top'));
  await access.createRole({ name: 'of-a' });
  await access.addGrant({ role: 'of-a', grant: { permission: Permission.READWRITE, keys } });
  await access.createUser({ name: 'ann', password: 'word', roles: ['of-a'] });

  const reading = Promise.withResolvers<void>();
  const mayRead = Promise.withResolvers<void>();
  const run = jsonTurns.run.bind(jsonTurns);
  const held = vi.spyOn(jsonTurns, 'run').mockImplementationOnce(async (piece) => {
    reading.resolve();
    await mayRead.promise;
    return await run(piece);
  });
  const headers = { authorization: basic('ann', 'word'), 'content-type': 'application/json' };
  const reply = fetch(new URL(path, url), { method: 'POST', headers, body });
  await reading.promise;
  await access.takeRole({ user: 'ann', role: 'of-a' });
  mayRead.resolve();
  expect((await reply).status).toBe(403);
  held.mockRestore();
  expect((await kv.get({ key: 'a' })).entry).toBeUndefined();
  const metrics = await fetch(new URL('/metrics', url), {
    headers: { authorization: basic('root', 'top') },
  });
  expect(await metrics.text()).toContain('kelp_access_denied_total 1\n');
});

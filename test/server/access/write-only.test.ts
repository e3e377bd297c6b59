/** Who may write a key and not read it is not told what was there. */
import { expect, test } from 'vitest';
import { Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, clientsOf } from './access-client.ts';

test('a PUT of who may not read the key tells its revision alone, whether there was one or not', async () => {
  const { url } = await startTestServer();
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  const { access } = clientsOf(url, basic('root', 'top'));
  const keys = { keys: { case: 'prefix', value: Buffer.from('a') } } as const;
  await access.createRole({ name: 'writer' });
  await access.addGrant({ role: 'writer', grant: { permission: Permission.WRITE, keys } });
  await access.createUser({ name: 'ann', password: 'word', roles: ['writer'] });
  const put = async (authorization: string): Promise<unknown> => {
    const headers = { authorization };
    const reply = await fetch(new URL('/v1/keys/a', url), { method: 'PUT', headers, body: 'x' });
    return [reply.status, await reply.json()];
  };
  const revision = expect.any(Number) as number;
  expect(await put(basic('ann', 'word'))).toEqual([200, { revision }]);
  expect(await put(basic('ann', 'word'))).toEqual([200, { revision }]);
  const told = { revision, createRevision: expect.any(Number) as number, version: 3, created: false };
  expect(await put(basic('root', 'top'))).toEqual([200, told]);
});

/** A server that follows one whose access is closed, and one that speaks TLS. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { clientOf, failureOf, REFUSED, startReplica, valueAt } from './replicas.ts';

test('where access is closed a replica needs the token of an admin', async () => {
  const server = await startTestServer();
  const writer = clientOf(server);
  await writer.put('a', '1');
  const directory = await temporaryDirectory();
  const replica = await startReplica(server.address, { flags: { 'data-dir': directory } });
  expect(await valueAt(clientOf(replica), 'a')).toBe('1');
  await writer.access.createRole('follower');
  await writer.access.addGrant('follower', { permission: 'admin' });
  await writer.access.createUser('site', { roles: ['follower'] });
  const { secret } = await writer.access.createToken('site-token', { user: 'site' });
  await writer.access.createUser('root', { password: 'a long password of root' });
  await replica.log.message(REFUSED);
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, secret, { mode: 0o600 });
  // It is ready once it has asked the server for the newest.
  const admitted = await startReplica(server.address, {}, { tokenFile });
  expect(await failureOf(clientOf(admitted).get('a'))).toMatchObject({ code: 'unauthenticated' });
});

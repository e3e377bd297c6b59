/** A server that follows one whose access is closed, and one that speaks TLS. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { Authority } from '../../support/certificates.ts';
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

test('a replica follows over TLS, with a token, a server whose access is closed', async () => {
  const directory = await temporaryDirectory();
  const authority = new Authority();
  const { cert, key } = authority.server();
  const [caPath, certPath, keyPath, tokenFile] = ['ca', 'cert', 'key', 'token'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  await writeFile(caPath, authority.identity.cert);
  await writeFile(certPath, cert);
  await writeFile(keyPath, key);
  const server = await startTestServer({ flags: { 'tls-cert': certPath, 'tls-key': keyPath } });
  const tls = { ca: authority.identity.cert };
  const open = createClient({ address: server.url, tls });
  onTestFinished(() => open.close());
  await open.access.createRole('follower');
  await open.access.addGrant('follower', { permission: 'admin' });
  await open.access.createUser('site', { roles: ['follower'] });
  const { secret } = await open.access.createToken('site-token', { user: 'site' });
  const credentials = { user: 'root', password: 'a long password of root' };
  await open.access.createUser('root', { password: credentials.password });
  await writeFile(tokenFile, secret, { mode: 0o600 });
  const writer = createClient({ address: server.url, tls, credentials });
  onTestFinished(() => writer.close());
  const replica = await startReplica(server.url, {}, { caPath, tokenFile });
  const reader = createClient({ address: replica.address, credentials });
  onTestFinished(() => reader.close());
  for (let round = 0; round < 5; round++) {
    await writer.put('a', `${round}`);
    expect(await valueAt(reader, 'a')).toBe(`${round}`);
  }
  // Who is let in there is let in here.
  expect(await failureOf(clientOf(replica).get('a'))).toMatchObject({ code: 'unauthenticated' });

  // Another authority is not believed.
  const other = join(directory, 'other');
  await writeFile(other, new Authority().identity.cert);
  const doubting = await startReplica(server.url, { waitUntilReady: false }, { caPath: other, tokenFile });
  const { why } = await doubting.log.line(({ msg }) =>
    String(msg).startsWith('the server that is followed is not reached'),
  );
  expect(String(why)).toMatch(/certificate/);
});

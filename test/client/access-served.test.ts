/** Users, roles and tokens of a real server, by the client alone, and clients that show who they are. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClientOptions, Credentials, Grant } from '../../src/client/index.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { createClient } from '../../src/client/client.ts';
import { client as limits } from '../../src/limits.ts';
import { Authority } from '../support/certificates.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { failureOf } from './support/fake-server.ts';

const password = 'a word of root';

interface Closed {
  /** Of the user root. */
  readonly root: KelpClient;
  readonly as: (credentials: ClientOptions['credentials']) => KelpClient;
}

/** A server whose access is closed. */
async function startClosed(): Promise<Closed> {
  const { url } = await startTestServer();
  const as: Closed['as'] = (credentials) => {
    const client = createClient({ address: url, ...(credentials && { credentials }) });
    onTestFinished(() => client.close());
    return client;
  };
  const anyone = as(undefined);
  expect(await anyone.access.whoAmI()).toEqual({ user: '', roles: [], isClosed: false });
  await anyone.access.createUser('root', { password });
  expect(await failureOf(anyone.get('a'))).toMatchObject({ code: 'unauthenticated' });
  return { root: as({ user: 'root', password }), as };
}

const puts = (client: KelpClient, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, index) => client.put(`own/${index}`, '1')));

test('grants come back as they were given', async () => {
  const { root } = await startClosed();
  const grants: Grant[] = [
    { permission: 'read', key: 'a' },
    { permission: 'write', prefix: 'é/' },
    { permission: 'read', key: new Uint8Array([0xff, 0xfe]) },
    { permission: 'readwrite', start: 'k', end: 'm' },
    { permission: 'read', start: 'x' },
    { permission: 'admin' },
    { permission: 'write', all: true },
  ];
  await root.access.createRole('r');
  for (const grant of grants) await root.access.addGrant('r', grant);
  const [role] = await root.access.listRoles();
  expect(role).toEqual({ name: 'r', grants });
  for (const grant of role?.grants ?? []) await root.access.removeGrant('r', grant);
  expect(await root.access.listRoles()).toEqual([{ name: 'r', grants: [] }]);
  expect(await failureOf(root.access.removeGrant('r', { key: 'a' }))).toMatchObject({ code: 'nameNotFound' });
  expect(await failureOf(root.access.createRole('r'))).toMatchObject({ code: 'nameTaken' });
});

test('a user does what its role grants, by its password and by its token, and no more', async () => {
  const { root, as } = await startClosed();
  await root.access.createRole('own');
  await root.access.addGrant('own', { permission: 'readwrite', prefix: 'own/' });
  await root.access.createUser('ada', { password: 'a word: of ädä', roles: ['own'] });
  const { secret } = await root.access.createToken('t', { user: 'ada', ttlMs: 60_000 });
  for (const credentials of [{ user: 'ada', password: 'a word: of ädä' }, { token: secret }]) {
    const ada = as(credentials);
    expect(await ada.access.whoAmI()).toEqual({ user: 'ada', roles: ['own'], isClosed: true });
    await puts(ada, 1);
    await puts(ada, 2 * limits.pipelineCallsMin);
    expect(await ada.scan({ prefix: 'own/' }).toArray()).toHaveLength(2 * limits.pipelineCallsMin);
    const denied = { code: 'permissionDenied', mayHaveTakenEffect: false };
    expect(await failureOf(ada.put('other', '1'))).toMatchObject(denied);
    expect(await failureOf(ada.scan().toArray())).toMatchObject(denied);
    expect(await failureOf(ada.watch().next())).toMatchObject(denied);
    expect(await failureOf(ada.access.listUsers())).toMatchObject(denied);
    expect(await failureOf(ada.admin.backup().next())).toMatchObject(denied);
  }
  expect(await root.access.listUsers()).toMatchObject([
    { name: 'ada', roles: ['own'], hasPassword: true },
    { name: 'root', roles: [], hasPassword: true },
  ]);
  expect(await root.access.listTokens()).toMatchObject([{ name: 't', user: 'ada' }]);
});

test.each<[string, Credentials]>([
  ['another password', { user: 'root', password: 'another' }],
  ['another user', { user: 'nobody', password }],
  ['no token', { token: 'a'.repeat(43) }],
])('%s is refused', async (_, credentials) => {
  const { as } = await startClosed();
  const client = as(credentials);
  for (const call of [() => client.get('a'), () => client.put('a', '1'), () => client.watch().next()]) {
    expect(await failureOf(call())).toMatchObject({ code: 'unauthenticated', mayHaveTakenEffect: false });
  }
});

describe('tokens that are replaced', () => {
  /** A client of `ada` by a function, whose token is another one with each call of `replace`. */
  async function startReplaced(): Promise<{
    readonly ada: KelpClient;
    readonly replace: () => Promise<void>;
    readonly askedCount: () => number;
  }> {
    const { root, as } = await startClosed();
    await root.access.createRole('own');
    await root.access.addGrant('own', { permission: 'readwrite', prefix: 'own/' });
    await root.access.createUser('ada', { roles: ['own'] });
    let token = (await root.access.createToken('t0', { user: 'ada' })).secret;
    let count = 0;
    let askedCount = 0;
    const ada = as(async () => {
      askedCount++;
      await nextTurn();
      return { token };
    });
    const replace = async (): Promise<void> => {
      token = (await root.access.createToken(`t${++count}`, { user: 'ada' })).secret;
      await root.access.deleteToken(`t${count - 1}`);
    };
    return { ada, replace, askedCount: () => askedCount };
  }

  test('are replaced without a call that fails, alone and together', async () => {
    const { ada, replace, askedCount } = await startReplaced();
    for (let round = 1; round <= 4; round++) {
      for (const size of [1, limits.pipelineCallsMin, 500]) await puts(ada, size);
      await replace();
      await Promise.all([puts(ada, 500), ada.get('own/1'), ada.scan({ prefix: 'own/' }).toArray()]);
      expect(askedCount()).toBe(round + 1);
    }
  });

  test('let a watch go on without a gap or a word', async () => {
    const { ada, replace } = await startReplaced();
    const words: unknown[] = [];
    const watch = ada.watch({
      ranges: [{ prefix: 'own/' }],
      includeCurrent: true,
      onInterrupted: (error) => words.push(error),
    });
    expect((await watch.next()).value).toMatchObject({ kind: 'synced' });
    const seen: string[] = [];
    for (let round = 0; round < 4; round++) {
      await ada.put('own/a', String(round));
      for (;;) {
        const { value } = await watch.next();
        if (value?.kind !== 'events') continue;
        seen.push(...value.events.map(({ entry }: { entry?: { text(): string } }) => entry?.text() ?? ''));
        break;
      }
      await replace();
    }
    expect(seen).toEqual(['0', '1', '2', '3']);
    expect(words).toEqual([]);
    await watch.return();
  });

  test('keep a lease', async () => {
    const { ada, replace } = await startReplaced();
    const lease = await ada.leases.grant(60_000);
    await replace();
    await lease.renew();
    await ada.put('own/a', '1', { leaseId: lease.id });
    await replace();
    expect((await lease.revoke()).deletedCount).toBe(1);
  });
});

test('a watch ends when what it watches is not granted any more', async () => {
  const { root, as } = await startClosed();
  await root.access.createRole('own');
  await root.access.addGrant('own', { permission: 'read', prefix: 'own/' });
  await root.access.createUser('ada', { password: 'ada', roles: ['own'] });
  const watch = as({ user: 'ada', password: 'ada' }).watch({
    ranges: [{ prefix: 'own/' }],
    includeCurrent: true,
  });
  await watch.next();
  const ended = failureOf(watch.next());
  await root.access.takeRole('ada', 'own');
  expect(await ended).toMatchObject({ code: 'permissionDenied' });
});

test('a user changes its own password, and goes on with the new one', async () => {
  const { root, as } = await startClosed();
  await root.access.createUser('ada', { password: 'before' });
  let now = 'before';
  const ada = as(() => ({ user: 'ada', password: now }));
  await ada.access.setPassword('after');
  now = 'after';
  expect(await ada.access.whoAmI()).toMatchObject({ user: 'ada' });
  expect(await failureOf(as({ user: 'ada', password: 'before' }).access.whoAmI())).toMatchObject({
    code: 'unauthenticated',
  });
  await root.access.setPassword(null, { user: 'ada' });
  expect(await failureOf(ada.access.whoAmI())).toMatchObject({ code: 'unauthenticated' });
});

test('a client certificate is a user, and the certificate of now is shown when that user is gone', async () => {
  const [ofServers, ofClients] = [new Authority('of servers'), new Authority('of clients')];
  const { cert, key } = ofServers.server();
  const directory = await temporaryDirectory();
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, text);
    return path;
  };
  const { url } = await startTestServer({
    flags: {
      'tls-cert': await file('cert.pem', cert),
      'tls-key': await file('key.pem', key),
      'tls-client-ca': await file('ca.pem', ofClients.identity.cert),
    },
  });
  const ca = ofServers.identity.cert;
  const as = (options: Partial<ClientOptions>): KelpClient => {
    const client = createClient({ address: url, tls: { ca }, ...options });
    onTestFinished(() => client.close());
    return client;
  };
  await as({}).access.createUser('root', { password });
  const root = as({ credentials: { user: 'root', password } });
  await root.access.createRole('own');
  await root.access.addGrant('own', { permission: 'readwrite', prefix: 'own/' });
  await root.access.createUser('ada', { roles: ['own'] });
  let name = 'ada';
  const ada = as({ tls: () => ({ ca, ...ofClients.issue({ commonNames: [name] }) }) });
  expect(await ada.access.whoAmI()).toMatchObject({ user: 'ada' });
  const watch = ada.watch({ ranges: [{ prefix: 'own/' }], includeCurrent: true });
  await watch.next();
  name = 'bob';
  await root.access.createUser('bob', { roles: ['own'] });
  expect(await ada.access.whoAmI()).toMatchObject({ user: 'ada' });
  await root.access.deleteUser('ada');
  await puts(ada, 100);
  expect(await ada.access.whoAmI()).toMatchObject({ user: 'bob' });
  const revisions = new Set<number>();
  for await (const message of watch) {
    if (message.kind === 'events') revisions.add(message.revision);
    if (revisions.size === 100) break;
  }
  // What is given as such counts before the certificate.
  const both = as({
    tls: { ca, ...ofClients.issue({ commonNames: ['bob'] }) },
    credentials: { user: 'root', password },
  });
  expect(await both.access.whoAmI()).toMatchObject({ user: 'root' });
});

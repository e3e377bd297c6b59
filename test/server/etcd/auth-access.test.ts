/** Who may make which call of etcd's Auth, and what a token of Authenticate is good for. */
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Auth } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { fixed } from '../../../src/limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { basic, bearer, clientsOf } from '../access/access-client.ts';
import {
  type Need,
  type Principal,
  all,
  closeAccess,
  expectedOutcome,
  forAdmins,
  reads,
  writes,
} from '../access/principals.ts';
import { accessOutcome, failureOf } from './support/access-outcome.ts';
import { type EtcdClient, etcdClient } from './support/etcd-client.ts';
import { Watched } from './support/watched.ts';

type Call = (client: EtcdClient) => Promise<unknown>;

const self =
  (name: string): Need =>
  ({ user, isAdmin }) =>
    user === name || isAdmin;
const editors: Need = ({ user, isAdmin }) => user === 'edith' || isAdmin;
const forAll: Need = all(forAdmins, reads({ all: true }), writes({ all: true }));

/** Calls that are allowed say at most that there is no such name, so that nothing is changed for the next one. */
const rows: readonly (readonly [keyof typeof Auth.method, string, Call, Need | 'open'])[] = [
  ['authEnable', 'what is enabled', ({ auth }) => auth.authEnable({}), forAdmins],
  ['authStatus', 'it', ({ auth }) => auth.authStatus({}), forAdmins],
  ['userAdd', 'one that is there', ({ auth }) => auth.userAdd({ name: 'edith' }), forAdmins],
  ['userGet', 'edith', ({ auth }) => auth.userGet({ name: 'edith' }), self('edith')],
  ['userGet', 'root', ({ auth }) => auth.userGet({ name: 'root' }), self('root')],
  ['userGet', 'no user', ({ auth }) => auth.userGet({ name: 'missing' }), forAdmins],
  ['userGet', 'no name', ({ auth }) => auth.userGet({}), forAdmins],
  ['userList', 'all', ({ auth }) => auth.userList({}), forAdmins],
  ['userDelete', 'no user', ({ auth }) => auth.userDelete({ name: 'missing' }), forAdmins],
  ['userChangePassword', 'no user', ({ auth }) => auth.userChangePassword({ name: 'missing' }), forAdmins],
  ['userGrantRole', 'no user', ({ auth }) => auth.userGrantRole({ user: 'missing' }), forAdmins],
  ['userRevokeRole', 'no user', ({ auth }) => auth.userRevokeRole({ name: 'missing' }), forAdmins],
  ['roleAdd', 'no name', ({ auth }) => auth.roleAdd({}), forAdmins],
  ['roleGet', 'editor', ({ auth }) => auth.roleGet({ role: 'editor' }), editors],
  ['roleGet', 'no role', ({ auth }) => auth.roleGet({ role: 'missing' }), forAdmins],
  ['roleList', 'all', ({ auth }) => auth.roleList({}), forAdmins],
  ['roleDelete', 'no role', ({ auth }) => auth.roleDelete({ role: 'missing' }), forAdmins],
  ['roleGrantPermission', 'no role', ({ auth }) => auth.roleGrantPermission({ name: 'missing' }), forAdmins],
  [
    'roleRevokePermission',
    'no role',
    ({ auth }) => auth.roleRevokePermission({ role: 'missing' }),
    forAdmins,
  ],
  ['authenticate', 'a user', ({ auth }) => auth.authenticate({ name: 'norah', password: "norah's" }), 'open'],
  // The last one: it opens access.
  ['authDisable', 'it', ({ auth }) => auth.authDisable({}), forAll],
];

test('every method has a row', () => {
  expect(new Set(rows.map(([method]) => method))).toEqual(new Set(Object.keys(Auth.method)));
});

test('calls are allowed by the rights of their user', async () => {
  const server = await startTestServer();
  const { root, principals } = await closeAccess(server.url);
  for (const who of [...principals, root]) {
    // A password that is wrong makes the next one wait.
    if (who.user === '' && who.authorization?.startsWith('Basic') === true) continue;
    const client = etcdClient(server.url, headersOf(who));
    for (const [method, what, call, need] of rows) {
      if (method === 'authDisable' && need !== 'open' && need(who)) continue;
      expect(await accessOutcome(call(client)), `${who.name}: ${method} of ${what}`).toBe(
        expectedOutcome(who, need),
      );
    }
  }
  await etcdClient(server.url, headersOf(root)).auth.authDisable({});
  expect((await etcdClient(server.url).auth.authStatus({})).enabled).toBe(false);
});

function headersOf({ authorization }: Principal): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { authorization };
}

describe('a token of Authenticate', () => {
  async function started(storeOptions: { readonly clock?: ManualClock }): Promise<{
    readonly server: TestServer;
    readonly root: ReturnType<typeof clientsOf>;
    readonly tokenOf: (name: string, password: string) => Promise<string>;
  }> {
    const server = await startTestServer({ storeOptions });
    await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
    const root = clientsOf(server.url, basic('root', 'top'));
    await root.access.createUser({ name: 'alice', password: 'word' });
    const { auth } = etcdClient(server.url);
    const tokenOf = async (name: string, password: string): Promise<string> =>
      (await auth.authenticate({ name, password })).token;
    return { server, root, tokenOf };
  }

  const invalid = { code: Code.Unauthenticated, message: 'etcdserver: invalid auth token' };
  const failed = {
    code: Code.InvalidArgument,
    message: 'etcdserver: authentication failed, invalid user ID or password',
  };

  test('is over for new calls after its time, also on a connection that has shown it; a watch goes on', async () => {
    const clock = new ManualClock();
    const { server, tokenOf } = await started({ clock });
    const client = etcdClient(server.url, { token: await tokenOf('root', 'top') });
    const watched = new Watched(client);
    watched.create({ key: Buffer.from('a') });
    await watched.next();
    const key = Buffer.from('a');
    await client.kv.put({ key });
    clock.advance(fixed.sessionMs);
    expect(await failureOf(client.kv.put({ key }))).toEqual(invalid);
    const later = etcdClient(server.url, { token: await tokenOf('root', 'top') });
    await later.kv.put({ key });
    expect((await watched.next()).events).toHaveLength(1);
    expect((await watched.next()).events).toHaveLength(1);
    watched.stop();
  });

  test('ends with the password, and so does a watch', async () => {
    const { server, root, tokenOf } = await started({});
    await root.access.createRole({ name: 'root' });
    const client = etcdClient(server.url, { token: await tokenOf('root', 'top') });
    await client.auth.userChangePassword({ name: 'alice', password: 'other' });
    const watched = new Watched(client);
    watched.create({ key: Buffer.from('a') });
    await watched.next();
    await client.auth.userChangePassword({ name: 'root', password: 'other' });
    await expect(watched.next()).rejects.toThrow('invalid auth token');
    expect(await failureOf(client.kv.put({ key: Buffer.from('a') }))).toEqual(invalid);
  });

  test('is one for all calls by HTTP, with the rights of its user', async () => {
    const { server, tokenOf } = await started({});
    const token = bearer(await tokenOf('alice', 'word'));
    expect((await clientsOf(server.url, token).access.whoAmI({})).user).toBe('alice');
    const response = await fetch(`${server.url}/v1/keys/a`, { headers: { authorization: token } });
    expect(response.status).toBe(403);
  });

  test('is given for the right password alone, and what is refused is counted and told', async () => {
    const { server, tokenOf } = await started({});
    for (const [name, password] of [
      ['alice', 'wrong'],
      ['missing', 'word'],
      ['', ''],
    ] as const) {
      expect(await failureOf(tokenOf(name, password))).toEqual(failed);
    }
    const told = await server.log.line(
      ({ event, reason }) => event === 'login.refused' && reason === 'wrongPassword',
    );
    expect(told).toMatchObject({ kind: 'password', user: 'alice' });
    expect(JSON.stringify(server.log.lines)).not.toMatch(/"word"|wrong"[^,}]*password/);
  });

  test('comes by Connect, too', async () => {
    const { server } = await started({});
    const response = await fetch(`${server.url}/etcdserverpb.Auth/Authenticate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'alice', password: 'word' }),
    });
    expect(((await response.json()) as { token: string }).token).toMatch(/^YWxpY2U\./);
  });
});

describe('UserAdd', () => {
  async function failureOfAdd(request: Parameters<EtcdClient['auth']['userAdd']>[0]): Promise<unknown> {
    const { url } = await startTestServer();
    return failureOf(etcdClient(url).auth.userAdd(request));
  }

  test.each([
    ['a hash', { name: 'a', hashedPassword: 'aGFzaA==' }, 'hashedPassword is not taken'],
    ['root without a password', { name: 'root', options: { noPassword: true } }, 'root must have a password'],
    ['root with an empty one', { name: 'root' }, 'root must have a password'],
    ['a name that can not be printed', { name: 'a b' }, 'none of them a space'],
    ['a password that is too long', { name: 'a', password: 'x'.repeat(1025) }, 'at most 1024 bytes'],
    ['a password for a name with a colon', { name: 'a:b', password: 'x' }, 'has a colon'],
  ])('refuses %s', async (_, request, text) => {
    expect(await failureOfAdd(request)).toMatchObject({
      code: Code.InvalidArgument,
      message: expect.stringContaining(text) as string,
    });
  });
});

test('changes are told as those of other doors', async () => {
  const { url, log } = await startTestServer();
  const { auth } = etcdClient(url);
  await auth.userAdd({ name: 'root', password: 'top' });
  await auth.userGrantRole({ user: 'root', role: 'root' });
  await auth.roleAdd({ name: 'r' });
  await auth.roleGrantPermission({ name: 'r', perm: { key: Buffer.from('k') } });
  await auth.authEnable({});
  const told = log.lines.filter(({ event }) => event === 'access.changed');
  expect(told).toMatchObject([
    { method: 'Auth/UserAdd', name: 'root' },
    { method: 'Auth/UserGrantRole', name: 'root', role: 'root' },
    { method: 'Auth/RoleAdd', name: 'r' },
    { method: 'Auth/RoleGrantPermission', name: 'r', permission: 'read' },
    { method: 'Auth/AuthEnable', name: 'root' },
  ]);
  expect(JSON.stringify(told)).not.toContain('top');
});

test('a role root that another door made grants what it says, and no more', async () => {
  const { url } = await startTestServer();
  await clientsOf(url).access.createRole({ name: 'root' });
  const open = etcdClient(url).auth;
  await open.userAdd({ name: 'eve', password: 'word' });
  await open.userGrantRole({ user: 'eve', role: 'root' });
  await open.userAdd({ name: 'root', password: 'top' });
  await open.userGrantRole({ user: 'root', role: 'root' });
  await open.authEnable({});
  const { token } = await open.authenticate({ name: 'eve', password: 'word' });
  expect((await failureOf(etcdClient(url, { token }).kv.put({ key: Buffer.from('a') })))?.message).toBe(
    'etcdserver: permission denied',
  );
});

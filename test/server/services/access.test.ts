/** `kelp.v1.AccessService`, through every door. */
import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import {
  type GrantedKeys,
  GrantedKeysSchema,
  type GrantSchema,
  Permission,
} from '../../../gen/kelp/v1/access_pb.ts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { fixed } from '../../../src/limits.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, bearer, clientsOf, type Clients, doors, refusalOf } from '../access/access-client.ts';

type GrantInit = MessageInitShape<typeof GrantSchema>;

const text = (given: string): Uint8Array => new TextEncoder().encode(given);

function prefix(value: string): GrantedKeys {
  return create(GrantedKeysSchema, { keys: { case: 'prefix', value: text(value) } });
}

/** A server whose access is closed, and its root. */
async function closed(): Promise<{ readonly url: string; readonly root: Clients }> {
  const { url } = await startTestServer();
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  return { url, root: clientsOf(url, basic('root', 'top')) };
}

describe.each(doors)('over %s', (door) => {
  test('a user is made with a role, logs in, does what that grants, and is deleted', async () => {
    const { url } = await startTestServer();
    const anybody = clientsOf(url, undefined, door);
    expect(await anybody.access.whoAmI({})).toMatchObject({ user: '', roles: [], isClosed: false });
    await anybody.access.createUser({ name: 'root', password: 'top' });
    expect((await refusalOf(anybody.access.whoAmI({}))).code).toBe(Code.Unauthenticated);

    const root = clientsOf(url, basic('root', 'top'), door);
    expect(await root.access.whoAmI({})).toMatchObject({ user: 'root', isClosed: true });
    await root.access.createRole({ name: 'reader' });
    const grant: GrantInit = { permission: Permission.READ, keys: prefix('a/') };
    await root.access.addGrant({ role: 'reader', grant });
    await root.access.createUser({ name: 'ann', password: 'wörd', roles: ['reader', 'reader'] });
    await root.kv.put({ key: 'a/1', value: text('one') });

    const ann = clientsOf(url, basic('ann', 'wörd'), door);
    expect(await ann.access.whoAmI({})).toMatchObject({ user: 'ann', roles: ['reader'], isClosed: true });
    expect((await ann.kv.get({ key: 'a/1' })).entry?.value).toEqual(text('one'));
    expect((await refusalOf(ann.kv.get({ key: 'b' }))).code).toBe(Code.PermissionDenied);
    expect((await refusalOf(ann.access.listUsers({}))).code).toBe(Code.PermissionDenied);

    const { users } = await root.access.listUsers({});
    expect(users.map(({ name, roles, hasPassword }) => ({ name, roles, hasPassword }))).toEqual([
      { name: 'ann', roles: ['reader'], hasPassword: true },
      { name: 'root', roles: [], hasPassword: true },
    ]);
    expect(Number(users[0]?.createTime?.seconds)).toBeGreaterThan(1_700_000_000);
    const { roles } = await root.access.listRoles({});
    expect(roles).toMatchObject([{ name: 'reader', grants: [grant] }]);

    await root.access.takeRole({ user: 'ann', role: 'reader' });
    expect((await refusalOf(ann.kv.get({ key: 'a/1' }))).code).toBe(Code.PermissionDenied);
    await root.access.giveRole({ user: 'ann', role: 'reader' });
    await root.access.giveRole({ user: 'ann', role: 'reader' });
    await ann.kv.get({ key: 'a/1' });
    await root.access.removeGrant({ role: 'reader', keys: prefix('a/') });
    expect((await refusalOf(ann.kv.get({ key: 'a/1' }))).code).toBe(Code.PermissionDenied);
    await root.access.deleteRole({ name: 'reader' });
    expect((await ann.access.whoAmI({})).roles).toEqual([]);
    await root.access.deleteUser({ name: 'ann' });
    expect((await refusalOf(ann.access.whoAmI({}))).code).toBe(Code.Unauthenticated);
  });

  test('a token has the rights of its user, until it is deleted', async () => {
    const { url, root } = await closed();
    await root.access.createUser({ name: 'job' });
    const byRoot = clientsOf(url, basic('root', 'top'), door);
    const { secret } = await byRoot.access.createToken({ name: 'ci', user: 'job' });
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const job = clientsOf(url, bearer(secret), door);
    expect((await job.access.whoAmI({})).user).toBe('job');
    const { secret: own } = await byRoot.access.createToken({ name: 'own', ttl: { seconds: 3600n } });
    expect((await clientsOf(url, bearer(own), door).access.whoAmI({})).user).toBe('root');
    const { tokens } = await byRoot.access.listTokens({});
    expect(tokens.map(({ name, user }) => [name, user])).toEqual([
      ['ci', 'job'],
      ['own', 'root'],
    ]);
    expect(tokens.map(({ expireTime }) => expireTime === undefined)).toEqual([true, false]);
    await byRoot.access.deleteToken({ name: 'ci' });
    expect((await refusalOf(job.access.whoAmI({}))).code).toBe(Code.Unauthenticated);
  });
});

test('what is no name, password, grant or time is refused, and by its field', async () => {
  const { root } = await closed();
  const { access } = root;
  await access.createRole({ name: 'some' });
  const addGrant = (grant?: GrantInit): Promise<unknown> =>
    access.addGrant(grant === undefined ? { role: 'some' } : { role: 'some', grant });
  const granted = (keys: GrantInit['keys']): Promise<unknown> =>
    addGrant({ permission: Permission.READ, ...(keys && { keys }) });
  const tooManyRoles = Array.from({ length: 101 }, (_, index) => `role${index}`);
  const refusals: [Promise<unknown>, RegExp][] = [
    [access.createUser({ password: 'x' }), /^name is missing; a user has a name of 1 to 128 characters/],
    [access.createUser({ name: 'a b' }), /^name is no name of a user, which has 1 to 128/],
    [access.createUser({ name: 'x'.repeat(129) }), /^name is no name of a user/],
    [access.createUser({ name: 'x', roles: ['some', 'a:b'] }), /^roles\[1\] is no name of a role/],
    [access.createUser({ name: 'x', roles: tooManyRoles }), /^roles has more than 100 names/],
    [
      access.createUser({ name: 'x', password: 'é'.repeat(513) }),
      /^password is 1026 bytes long; at most 1024/,
    ],
    [access.setPassword({ name: 'root' }), /^password is missing; the user root must have one/],
    [access.setPassword({ password: 'x'.repeat(1025) }), /^password is 1025 bytes long/],
    [access.deleteUser({}), /^name is missing/],
    [access.deleteUser({ name: 'root' }), /root is not deleted while the server runs: stop it, and run kelp/],
    [access.giveRole({ role: 'some' }), /^user is missing/],
    [access.giveRole({ user: 'root' }), /^role is missing; a role has a name of/],
    [access.takeRole({ user: 'root', role: '\u{7f}' }), /^role is no name/],
    [access.createRole({ name: '' }), /^name is missing/],
    [access.deleteRole({ name: '\n' }), /^name is no name of a role/],
    [access.addGrant({ grant: {} }), /^role is missing/],
    [addGrant(), /^grant is missing; give a permission/],
    [addGrant({}), /^grant\.permission is missing; it is one of PERMISSION_READ,/],
    [addGrant({ permission: 9 as Permission }), /^grant\.permission is 9; it is one of/],
    [granted(undefined), /^grant\.keys is missing; give a key, a prefix or a range/],
    [granted({}), /^grant\.keys is missing; give a key/],
    [granted({ keys: { case: 'key', value: text('') } }), /^grant\.keys\.key is empty; .* empty prefix/],
    [granted({ keys: { case: 'key', value: text('k'.repeat(4097)) } }), /^grant\.keys\.key: .* 4097 bytes/],
    [granted({ keys: { case: 'prefix', value: text('k'.repeat(4097)) } }), /^grant\.keys\.prefix: .* 4097/],
    [
      granted({ keys: { case: 'range', value: { start: text('b'), end: text('b') } } }),
      /^grant\.keys\.range: the end of the range does not lie after its start/,
    ],
    [
      addGrant({ permission: Permission.ADMIN, keys: prefix('a') }),
      /^grant\.keys is set, but PERMISSION_ADMIN is for no keys; leave it out/,
    ],
    [access.removeGrant({ role: 'some', keys: {} }), /^keys is missing/],
    [access.createToken({}), /^name is missing; a token has a name/],
    [access.createToken({ name: 't', user: ' ' }), /^user is no name of a user/],
    [access.createToken({ name: 't', ttl: {} }), /^ttl is 0; it must be at least 1 ms, or left out/],
    [access.createToken({ name: 't', ttl: { seconds: -1n } }), /^ttl must not be negative/],
    [access.createToken({ name: 't', ttl: { seconds: 10n ** 10n } }), /^ttl is 10000000000 s; .* 100 years/],
    [access.deleteToken({ name: 'x y' }), /^name is no name of a token/],
    [access.listUsers({ limit: -1 }), /^limit is -1; it must not be negative/],
    [access.listRoles({ pageToken: 'a b' }), /^page_token is not one that this store gave out/],
  ];
  const errors = await Promise.all(refusals.map(([call]) => refusalOf(call)));
  for (const [index, error] of errors.entries()) {
    const [, message = /./] = refusals[index] ?? [];
    expect(error.rawMessage).toMatch(message);
    expect(error.code, error.rawMessage).toBe(Code.InvalidArgument);
  }
  expect((await access.listUsers({})).users).toHaveLength(1);
  expect((await access.listRoles({})).roles).toMatchObject([{ name: 'some', grants: [] }]);
});

test('a user without a name stands for nobody while access is open', async () => {
  const { access } = clientsOf((await startTestServer()).url);
  const refusals = [access.setPassword({ password: 'x' }), access.createToken({ name: 't' })].map(refusalOf);
  for (const { code, rawMessage } of await Promise.all(refusals)) {
    expect(rawMessage).toMatch(/^(name|user) is missing; it may be left out by a user that has logged in/);
    expect(code).toBe(Code.InvalidArgument);
  }
  expect((await refusalOf(access.createUser({ name: 'root' }))).rawMessage).toMatch(/^password is missing/);
});

test('what is there already, or is not there, has a code and a reason of its own', async () => {
  const { root } = await closed();
  const { access } = root;
  await access.createRole({ name: 'some' });
  await access.createToken({ name: 'some' });
  const taken = [
    access.createUser({ name: 'root', password: 'x' }),
    access.createRole({ name: 'some' }),
    access.createToken({ name: 'some' }),
  ].map(refusalOf);
  const missing = [
    access.createUser({ name: 'ann', roles: ['none'] }),
    access.deleteUser({ name: 'none' }),
    access.setPassword({ name: 'none', password: 'x' }),
    access.giveRole({ user: 'root', role: 'none' }),
    access.giveRole({ user: 'none', role: 'some' }),
    access.takeRole({ user: 'root', role: 'some' }),
    access.deleteRole({ name: 'none' }),
    access.addGrant({ role: 'none', grant: { permission: Permission.ADMIN } }),
    access.removeGrant({ role: 'some' }),
    access.removeGrant({ role: 'some', keys: prefix('') }),
    access.createToken({ name: 't', user: 'none' }),
    access.deleteToken({ name: 'none' }),
  ].map(refusalOf);
  const refusals = [
    [await Promise.all(taken), Code.AlreadyExists, ErrorReason.NAME_TAKEN],
    [await Promise.all(missing), Code.NotFound, ErrorReason.NAME_NOT_FOUND],
  ] as const;
  for (const [errors, code, reason] of refusals) {
    for (const error of errors) {
      expect(error.code, error.rawMessage).toBe(code);
      expect(error.findDetails(ErrorDetailSchema)).toMatchObject([{ reason }]);
    }
  }
});

test('a grant is of its keys, in whichever form they were given, and is listed in the shortest', async () => {
  const { root } = await closed();
  const { access } = root;
  await access.createRole({ name: 'some' });
  const range = (start: Uint8Array, end: Uint8Array): GrantInit['keys'] => ({
    keys: { case: 'range', value: { start, end } },
  });
  const key = (value: Uint8Array): GrantInit['keys'] => ({ keys: { case: 'key', value } });
  const begins = (value: Uint8Array): GrantInit['keys'] => ({ keys: { case: 'prefix', value } });
  const none = text('');
  for (const [given, listed] of [
    [range(text('a'), text('b')), begins(text('a'))],
    [range(text('a'), text('a\0')), key(text('a'))],
    [range(text('a'), text('ab')), range(text('a'), text('ab'))],
    [range(none, none), begins(none)],
    [range(text('a'), none), range(text('a'), none)],
    [range(none, text('b')), range(none, text('b'))],
    [range(Uint8Array.of(0xff), none), begins(Uint8Array.of(0xff))],
    [begins(Uint8Array.of(0xf7)), begins(Uint8Array.of(0xf7))],
    [begins(Uint8Array.of(0xf8)), begins(Uint8Array.of(0xf8))],
    [key(Uint8Array.of(0xfc, 1)), key(Uint8Array.of(0xfc, 1))],
    [key(new Uint8Array(4096).fill(0xff)), key(new Uint8Array(4096).fill(0xff))],
  ] as const) {
    await access.addGrant({ role: 'some', grant: { permission: Permission.READ, keys: given } });
    await access.addGrant({ role: 'some', grant: { permission: Permission.WRITE, keys: listed } });
    const { roles } = await access.listRoles({});
    expect(roles[0]?.grants).toHaveLength(1);
    expect(roles[0]?.grants[0]).toMatchObject({ permission: Permission.WRITE, keys: listed });
    await access.removeGrant({ role: 'some', keys: given });
  }
  await access.addGrant({ role: 'some', grant: { permission: Permission.ADMIN } });
  const { roles } = await access.listRoles({});
  expect(roles[0]?.grants).toMatchObject([{ permission: Permission.ADMIN }]);
  expect(roles[0]?.grants[0]?.keys).toBeUndefined();
  await access.removeGrant({ role: 'some' });
});

test('a user gives itself another password, and only one that is admin gives one to others', async () => {
  const { url, root } = await closed();
  await root.access.createRole({ name: 'operator' });
  await root.access.addGrant({ role: 'operator', grant: { permission: Permission.ADMIN } });
  await root.access.createUser({ name: 'ann', password: 'word' });
  await root.access.createUser({ name: 'olga', password: 'word', roles: ['operator'] });
  const ann = clientsOf(url, basic('ann', 'word'));
  await ann.access.setPassword({ password: 'next' });
  expect((await refusalOf(ann.access.whoAmI({}))).code).toBe(Code.Unauthenticated);
  const again = clientsOf(url, basic('ann', 'next'));
  await again.access.setPassword({ name: 'ann', password: 'third' });
  const third = clientsOf(url, basic('ann', 'third'));
  for (const name of ['root', 'olga', 'none']) {
    expect((await refusalOf(third.access.setPassword({ name, password: 'x' }))).code).toBe(
      Code.PermissionDenied,
    );
  }
  const olga = clientsOf(url, basic('olga', 'word'));
  await olga.access.setPassword({ name: 'ann', password: 'fourth' });
  await clientsOf(url, basic('ann', 'fourth')).access.whoAmI({});
  await olga.access.setPassword({ name: 'ann' });
  expect((await refusalOf(clientsOf(url, basic('ann', '')).access.whoAmI({}))).code).toBe(
    Code.Unauthenticated,
  );
});

test('who is admin may take that from itself, and root has all rights whatever its roles are', async () => {
  const { url, root } = await closed();
  await root.access.createRole({ name: 'operator' });
  await root.access.addGrant({ role: 'operator', grant: { permission: Permission.ADMIN } });
  await root.access.createUser({ name: 'olga', password: 'word', roles: ['operator'] });
  await root.access.giveRole({ user: 'root', role: 'operator' });
  const olga = clientsOf(url, basic('olga', 'word'));
  await olga.access.takeRole({ user: 'root', role: 'operator' });
  await olga.access.takeRole({ user: 'olga', role: 'operator' });
  expect((await refusalOf(olga.access.listRoles({}))).code).toBe(Code.PermissionDenied);
  expect((await root.access.listRoles({})).roles).toHaveLength(1);
  await root.access.giveRole({ user: 'olga', role: 'operator' });
  await olga.access.deleteUser({ name: 'olga' });
  expect((await refusalOf(olga.access.whoAmI({}))).code).toBe(Code.Unauthenticated);
  expect((await root.access.listUsers({})).users.map(({ name }) => name)).toEqual(['root']);
});

test('lists come in pages, each of which begins behind the last name of the one before', async () => {
  const { root } = await closed();
  const { access } = root;
  const names = Array.from({ length: 25 }, (_, index) => `r${String(index).padStart(2, '0')}`);
  await Promise.all(names.map((name) => access.createRole({ name })));
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await access.listRoles({ limit: 10, pageToken });
    seen.push(...page.roles.map(({ name }) => name));
    pageToken = page.nextPageToken;
    // What was the last of a page may be gone by the next one.
    if (pageToken !== '') await access.deleteRole({ name: pageToken });
  } while (pageToken !== '');
  expect(seen).toEqual(names);
  const whole = await access.listRoles({});
  expect(whole.roles).toHaveLength(23);
  expect(whole.nextPageToken).toBe('');
});

test('a page ends before it is longer than a reply may be, but has one at least', async () => {
  const { url } = await startTestServer({
    flags: { 'reply-bytes-max': '80KiB', 'value-bytes-max': '64KiB' },
  });
  const { access } = clientsOf(url);
  const long = (index: number, end: number): Uint8Array => {
    const key = new Uint8Array(4096).fill(0x61);
    key[0] = 0x41 + 2 * index + end;
    return key;
  };
  for (const name of ['a', 'b', 'c']) {
    await access.createRole({ name });
    for (let index = 0; index < 5; index++) {
      const range = { start: long(index, 0), end: long(index, 1) };
      const grant = { permission: Permission.READ, keys: { keys: { case: 'range', value: range } } } as const;
      await access.addGrant({ role: name, grant });
    }
    const range = { start: long(9, 0), end: long(9, 1) };
    const grant = { permission: Permission.READ, keys: { keys: { case: 'range', value: range } } } as const;
    const error = await refusalOf(access.addGrant({ role: name, grant }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toMatch(/^the role . would take \d+ bytes; at most 49152 are allowed/);
  }
  const first = await access.listRoles({});
  expect(first.roles.map(({ name }) => name)).toEqual(['a']);
  const second = await access.listRoles({ pageToken: first.nextPageToken });
  expect(second.roles.map(({ name }) => name)).toEqual(['b']);
  const third = await access.listRoles({ pageToken: second.nextPageToken });
  expect(third).toMatchObject({ roles: [{ name: 'c' }], nextPageToken: '' });
});

test('a user may have the most roles, with the longest names', async () => {
  const { url, root } = await closed();
  const names = Array.from({ length: fixed.accessListedMax }, (_, index) =>
    String(index).padEnd(fixed.accessNameCharactersMax, '語'),
  );
  for (const name of names) await root.access.createRole({ name });
  await root.access.createUser({ name: 'ann', password: 'word', roles: names });
  expect((await clientsOf(url, basic('ann', 'word')).access.whoAmI({})).roles).toEqual(names);
  await root.access.createRole({ name: 'more' });
  const error = await refusalOf(root.access.giveRole({ user: 'ann', role: 'more' }));
  expect(error.code).toBe(Code.ResourceExhausted);
});

/** Users, roles and tokens: what the client sends, and what it makes of the replies. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, type ServiceImpl } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { AccessService, Permission } from '../../gen/kelp/v1/access_pb.ts';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import type { Access } from '../../src/client/access.ts';
import type { Grant, GrantedKeys } from '../../src/client/index.ts';
import { clientOf, failureOf, kelpFailure } from './support/fake-server.ts';

function accessOf(service: Partial<ServiceImpl<typeof AccessService>>): Access {
  return clientOf((router) => void router.service(AccessService, service)).client.access;
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const notUtf8 = new Uint8Array([0xff, 0x61]);

/** Grants as a program writes them, with the keys that stand for them in a message. */
const grants: [Grant, unknown][] = [
  [
    { permission: 'read', key: 'a' },
    { case: 'key', value: bytes('a') },
  ],
  [
    { permission: 'write', prefix: 'é/' },
    { case: 'prefix', value: bytes('é/') },
  ],
  [
    { permission: 'readwrite', all: true },
    { case: 'prefix', value: bytes('') },
  ],
  [
    { permission: 'read', start: 'a', end: notUtf8 },
    { case: 'range', value: { start: bytes('a'), end: notUtf8 } },
  ],
  [
    { permission: 'read', start: 'a' },
    { case: 'range', value: { start: bytes('a'), end: bytes('') } },
  ],
  [
    { permission: 'read', end: 'b' },
    { case: 'range', value: { start: bytes(''), end: bytes('b') } },
  ],
];

describe('a grant', () => {
  test.each(grants)('%j is sent with its keys, and read as it was given', async (grant, keys) => {
    const kept: unknown[] = [];
    const access = accessOf({
      addGrant: (request) => {
        kept.push(request.grant);
        return {};
      },
      listRoles: () => ({ roles: [{ name: 'r', grants: kept as never }] }),
    });
    await access.addGrant('r', grant);
    expect(kept).toMatchObject([
      { permission: Permission[grant.permission.toUpperCase() as 'READ'], keys: { keys } },
    ]);
    expect(await access.listRoles()).toEqual([{ name: 'r', grants: [grant] }]);
  });

  test('that is admin is for no keys', async () => {
    const kept: unknown[] = [];
    const access = accessOf({
      addGrant: ({ grant }) => (kept.push([grant?.permission, grant?.keys]), {}),
      listRoles: () => ({ roles: [{ name: 'r', grants: [{ permission: Permission.ADMIN }] }] }),
    });
    await access.addGrant('r', { permission: 'admin' });
    expect(kept).toEqual([[Permission.ADMIN, undefined]]);
    expect(await access.listRoles()).toEqual([{ name: 'r', grants: [{ permission: 'admin' }] }]);
  });

  test('is taken away by its keys, with its permission or without', async () => {
    const targets: unknown[] = [];
    const access = accessOf({ removeGrant: ({ role, keys }) => (targets.push([role, keys?.keys]), {}) });
    const target: GrantedKeys = { prefix: 'a/' };
    await access.removeGrant('r', target);
    await access.removeGrant('r', { permission: 'read', ...target });
    await access.removeGrant('r', { permission: 'admin' });
    expect(targets).toEqual([
      ['r', { case: 'prefix', value: bytes('a/') }],
      ['r', { case: 'prefix', value: bytes('a/') }],
      ['r', undefined],
    ]);
  });

  test('over all keys as a range is one over all keys', async () => {
    const range = { case: 'range' as const, value: {} };
    const grantMessages = [{ permission: Permission.READ, keys: { keys: range } }];
    const access = accessOf({ listRoles: () => ({ roles: [{ name: 'r', grants: grantMessages }] }) });
    expect(await access.listRoles()).toEqual([{ name: 'r', grants: [{ permission: 'read', all: true }] }]);
  });

  test.each([
    { permission: 7 as Permission, keys: { keys: { case: 'prefix' as const, value: bytes('a') } } },
    { permission: Permission.READ },
    { permission: Permission.READ, keys: {} },
  ])('that this client can not tell is an error, not another grant: %j', async (grant) => {
    const access = accessOf({ listRoles: () => ({ roles: [{ name: 'r', grants: [grant] }] }) });
    expect(await failureOf(access.listRoles())).toMatchObject({ code: 'internal' });
  });
});

describe('requests', () => {
  test('of users and their roles', async () => {
    const seen: unknown[] = [];
    const note =
      (name: string) =>
      ({ $typeName, ...fields }: { readonly $typeName: string }): object => (
        seen.push([name, $typeName, fields]),
        {}
      );
    const access = accessOf({
      createUser: note('createUser'),
      deleteUser: note('deleteUser'),
      setPassword: note('setPassword'),
      giveRole: note('giveRole'),
      takeRole: note('takeRole'),
      createRole: note('createRole'),
      deleteRole: note('deleteRole'),
      deleteToken: note('deleteToken'),
    });
    await access.createUser('ada');
    await access.createUser('root', { password: 'a word', roles: ['r', 's'] });
    await access.deleteUser('ada');
    await access.setPassword('a word');
    await access.setPassword(null, { user: 'ada' });
    await access.giveRole('ada', 'r');
    await access.takeRole('ada', 'r');
    await access.createRole('r');
    await access.deleteRole('r');
    await access.deleteToken('t');
    expect(seen).toEqual([
      ['createUser', 'kelp.v1.CreateUserRequest', { name: 'ada', password: '', roles: [] }],
      ['createUser', 'kelp.v1.CreateUserRequest', { name: 'root', password: 'a word', roles: ['r', 's'] }],
      ['deleteUser', 'kelp.v1.DeleteUserRequest', { name: 'ada' }],
      ['setPassword', 'kelp.v1.SetPasswordRequest', { name: '', password: 'a word' }],
      ['setPassword', 'kelp.v1.SetPasswordRequest', { name: 'ada', password: '' }],
      ['giveRole', 'kelp.v1.GiveRoleRequest', { user: 'ada', role: 'r' }],
      ['takeRole', 'kelp.v1.TakeRoleRequest', { user: 'ada', role: 'r' }],
      ['createRole', 'kelp.v1.CreateRoleRequest', { name: 'r' }],
      ['deleteRole', 'kelp.v1.DeleteRoleRequest', { name: 'r' }],
      ['deleteToken', 'kelp.v1.DeleteTokenRequest', { name: 't' }],
    ]);
  });

  test('of a token', async () => {
    const seen: unknown[] = [];
    const access = accessOf({
      createToken: ({ name, user, ttl }) => (seen.push({ name, user, ttl }), { secret: 'told once' }),
    });
    expect(await access.createToken('t')).toEqual({ secret: 'told once' });
    await access.createToken('t', { user: 'ada', ttlMs: 1500 });
    expect(seen).toMatchObject([
      { name: 't', user: '', ttl: undefined },
      { name: 't', user: 'ada', ttl: { seconds: 1n, nanos: 500_000_000 } },
    ]);
  });
});

describe('replies', () => {
  test('tell who the caller is', async () => {
    const access = accessOf({ whoAmI: () => ({ user: 'ada', roles: ['r'], isClosed: true }) });
    expect(await access.whoAmI()).toEqual({ user: 'ada', roles: ['r'], isClosed: true });
  });

  test('list users and tokens', async () => {
    const createTime = timestampFromMs(1_700_000_000_123);
    const access = accessOf({
      listUsers: () => ({ users: [{ name: 'ada', roles: ['r'], hasPassword: true, createTime }] }),
      listTokens: () => ({
        tokens: [
          { name: 't', user: 'ada', createTime },
          { name: 'u', user: 'ada', createTime, expireTime: timestampFromMs(1_800_000_000_000) },
        ],
      }),
    });
    expect(await access.listUsers()).toEqual([
      { name: 'ada', roles: ['r'], hasPassword: true, createTimeMs: 1_700_000_000_123 },
    ]);
    expect(await access.listTokens()).toEqual([
      { name: 't', user: 'ada', createTimeMs: 1_700_000_000_123, expireTimeMs: 0 },
      { name: 'u', user: 'ada', createTimeMs: 1_700_000_000_123, expireTimeMs: 1_800_000_000_000 },
    ]);
  });
});

test('lists go on to their last page', async () => {
  const pages: Record<string, [string[], string]> = { '': [['a', 'b'], 'p'], p: [[], 'q'], q: [['c'], ''] };
  const page = ({ pageToken, limit }: { readonly pageToken: string; readonly limit: number }) => {
    expect(limit).toBe(0);
    const [names = [], nextPageToken = ''] = pages[pageToken] ?? [];
    return { items: names.map((name) => ({ name })), nextPageToken };
  };
  const access = accessOf({
    listUsers: (request) => ({ ...page(request), users: page(request).items }),
    listRoles: (request) => ({ ...page(request), roles: page(request).items }),
    listTokens: (request) => ({ ...page(request), tokens: page(request).items }),
  });
  for (const list of [access.listUsers(), access.listRoles(), access.listTokens()]) {
    expect((await list).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  }
});

test.each([
  [Code.NotFound, ErrorReason.NAME_NOT_FOUND, 'nameNotFound'],
  [Code.AlreadyExists, ErrorReason.NAME_TAKEN, 'nameTaken'],
  [Code.PermissionDenied, ErrorReason.PERMISSION_DENIED, 'permissionDenied'],
  [Code.Unauthenticated, ErrorReason.UNAUTHENTICATED, 'unauthenticated'],
] as const)(
  'what is refused (%s, %s) is told at once, has changed nothing',
  async (code, reason, expected) => {
    let tries = 0;
    const access = accessOf({
      createUser: () => {
        tries++;
        throw kelpFailure(code, reason);
      },
    });
    expect(await failureOf(access.createUser('ada'))).toMatchObject({
      code: expected,
      mayHaveTakenEffect: false,
    });
    expect(tries).toBe(1);
  },
);

test('a refusal never shows a password', async () => {
  const access = accessOf({}) as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  const shown = [
    failureOf(access['setPassword']?.(4711) ?? Promise.resolve()),
    failureOf(access['createUser']?.('ada', { password: 4711 }) ?? Promise.resolve()),
    failureOf(access['createUser']?.('ada', { password: ['4711'] }) ?? Promise.resolve()),
  ];
  for (const failure of await Promise.all(shown)) {
    expect(failure).toMatchObject({ code: 'invalidArgument' });
    expect(String(failure)).toMatch(/password is (of type number|an array); it must be text/);
    expect(String(failure)).not.toContain('4711');
  }
});

/** Calls of etcd's Auth beside a real etcd: the same replies, codes and texts. Changes of access take revisions here, so those are left out. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import * as rpc from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { AuthSideBySide } from './support/auth-side-by-side.ts';
import type { EtcdClient } from './support/etcd-client.ts';
import { hasRealEtcd } from './support/real-etcd.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

type Row = readonly [
  what: string,
  schema: DescMessage,
  call: (client: EtcdClient) => Promise<MessageShape<DescMessage>>,
];

function row<Output extends DescMessage>(
  what: string,
  schema: Output,
  call: (client: EtcdClient) => Promise<MessageShape<Output>>,
): Row {
  return [what, schema, call];
}

const addUser = (name: string, password = 'pw', options?: { readonly noPassword: boolean }): Row =>
  row(`add user ${name}`, rpc.AuthUserAddResponseSchema, ({ auth }) =>
    auth.userAdd({ name, password, ...(options !== undefined && { options }) }),
  );
const getUser = (name: string): Row =>
  row(`get user ${name}`, rpc.AuthUserGetResponseSchema, ({ auth }) => auth.userGet({ name }));
const users = row('list users', rpc.AuthUserListResponseSchema, ({ auth }) => auth.userList({}));
const deleteUser = (name: string): Row =>
  row(`delete user ${name}`, rpc.AuthUserDeleteResponseSchema, ({ auth }) => auth.userDelete({ name }));
const password = (name: string, word: string): Row =>
  row(`password of ${name}`, rpc.AuthUserChangePasswordResponseSchema, ({ auth }) =>
    auth.userChangePassword({ name, password: word }),
  );
const grantRole = (user: string, role: string): Row =>
  row(`grant role ${role} to ${user}`, rpc.AuthUserGrantRoleResponseSchema, ({ auth }) =>
    auth.userGrantRole({ user, role }),
  );
const revokeRole = (name: string, role: string): Row =>
  row(`revoke role ${role} of ${name}`, rpc.AuthUserRevokeRoleResponseSchema, ({ auth }) =>
    auth.userRevokeRole({ name, role }),
  );
const addRole = (name: string): Row =>
  row(`add role ${name}`, rpc.AuthRoleAddResponseSchema, ({ auth }) => auth.roleAdd({ name }));
const getRole = (role: string): Row =>
  row(`get role ${role}`, rpc.AuthRoleGetResponseSchema, ({ auth }) => auth.roleGet({ role }));
const roles = row('list roles', rpc.AuthRoleListResponseSchema, ({ auth }) => auth.roleList({}));
const deleteRole = (role: string): Row =>
  row(`delete role ${role}`, rpc.AuthRoleDeleteResponseSchema, ({ auth }) => auth.roleDelete({ role }));
const permit = (name: string, permType: 0 | 1 | 2, key: string, rangeEnd = ''): Row =>
  row(
    `permit ${name} ${permType} ${key} ${rangeEnd}`,
    rpc.AuthRoleGrantPermissionResponseSchema,
    ({ auth }) =>
      auth.roleGrantPermission({ name, perm: { permType, key: bytes(key), rangeEnd: bytes(rangeEnd) } }),
  );
const forbid = (role: string, key: string, rangeEnd = ''): Row =>
  row(`forbid ${role} ${key} ${rangeEnd}`, rpc.AuthRoleRevokePermissionResponseSchema, ({ auth }) =>
    auth.roleRevokePermission({ role, key: bytes(key), rangeEnd: bytes(rangeEnd) }),
  );
const enable = row('enable', rpc.AuthEnableResponseSchema, ({ auth }) => auth.authEnable({}));
const disable = row('disable', rpc.AuthDisableResponseSchema, ({ auth }) => auth.authDisable({}));
const logIn = (name: string, word = 'pw'): Row =>
  row(`log in as ${name}`, rpc.AuthenticateResponseSchema, ({ auth }) =>
    auth.authenticate({ name, password: word }),
  );
const put = (key: string): Row =>
  row(`put ${key}`, rpc.PutResponseSchema, ({ kv }) => kv.put({ key: bytes(key) }));
const get = (key: string, rangeEnd = ''): Row =>
  row(`get ${key} ${rangeEnd}`, rpc.RangeResponseSchema, ({ kv }) =>
    kv.range({ key: bytes(key), rangeEnd: bytes(rangeEnd), countOnly: true }),
  );

async function run(pair: AuthSideBySide, ...rows: readonly Row[]): Promise<void> {
  for (const [what, schema, call] of rows) await pair.same(what, schema, call);
}

describe.skipIf(!hasRealEtcd)('beside a real etcd', () => {
  test('users', async () => {
    const pair = await AuthSideBySide.start();
    await run(
      pair,
      users,
      addUser(''),
      addUser('b'),
      addUser('b'),
      addUser('a', ''),
      addUser('c', '', { noPassword: true }),
      users,
      getUser('b'),
      getUser('missing'),
      getUser(''),
      grantRole('b', 'r'),
      grantRole('missing', 'r'),
      addRole('r'),
      addRole('p'),
      grantRole('b', 'r'),
      grantRole('b', 'p'),
      grantRole('b', 'r'),
      grantRole('missing', 'r'),
      getUser('b'),
      revokeRole('b', 'r'),
      revokeRole('b', 'r'),
      revokeRole('missing', 'r'),
      revokeRole('b', 'none'),
      getUser('b'),
      password('b', 'other'),
      password('missing', 'other'),
      password('c', 'other'),
      password('', 'other'),
      deleteUser('b'),
      deleteUser('b'),
      deleteUser(''),
      users,
    );
  });

  test('roles and their permissions', async () => {
    const pair = await AuthSideBySide.start();
    await run(
      pair,
      addRole(''),
      addRole('r'),
      addRole('r'),
      getRole('r'),
      getRole('missing'),
      getRole(''),
      permit('r', 0, 'k'),
      permit('r', 1, 'b', 'c'),
      permit('r', 2, 'x', '\0'),
      permit('r', 1, 'k'),
      permit('missing', 1, 'k'),
      getRole('r'),
      forbid('r', 'k', 'l'),
      forbid('r', 'b', 'c'),
      forbid('r', 'b', 'c'),
      forbid('missing', 'b', 'c'),
      getRole('r'),
      permit('r', 2, '\0', '\0'),
      getRole('r'),
      addUser('u'),
      grantRole('u', 'r'),
      roles,
      deleteRole('r'),
      deleteRole('r'),
      roles,
      getUser('u'),
      row('permit nothing', rpc.AuthRoleGrantPermissionResponseSchema, ({ auth }) =>
        auth.roleGrantPermission({ name: 'r' }),
      ),
    );
  });

  test('access is closed by AuthEnable and opened by AuthDisable, and what root needs is looked at', async () => {
    const pair = await AuthSideBySide.start();
    await run(
      pair,
      logIn('root'),
      enable,
      disable,
      addUser('root'),
      put('a'),
      enable,
      grantRole('root', 'root'),
      getUser('root'),
      getRole('root'),
      addRole('root'),
      getRole('root'),
      permit('root', 0, 'k'),
      getRole('root'),
      forbid('root', 'k'),
      forbid('root', '\0', '\0'),
      roles,
      deleteUser('root'),
      enable,
      addUser('root'),
      grantRole('root', 'root'),
      logIn('root'),
      addUser('alice'),
      addRole('r'),
      permit('r', 0, 'a', 'b'),
      grantRole('alice', 'r'),
      enable,
      put('a'),
      users,
      logIn('root', 'wrong'),
      logIn('missing'),
      logIn(''),
    );
    await pair.logIn('root', 'pw');
    await run(
      pair,
      enable,
      put('a'),
      users,
      deleteUser('root'),
      revokeRole('root', 'root'),
      deleteRole('root'),
      addUser('bob'),
    );
    await pair.logIn('alice', 'pw');
    await run(
      pair,
      get('a'),
      get('a', 'b'),
      get('a', 'c'),
      get('\0', '\0'),
      put('a'),
      users,
      roles,
      getUser('alice'),
      getUser('bob'),
      getUser('missing'),
      getRole('r'),
      getRole('missing'),
      addUser('eve'),
      disable,
    );
    await pair.logIn('root', 'pw');
    await run(pair, permit('r', 2, 'a', 'c'), grantRole('bob', 'root'));
    await pair.logIn('alice', 'pw');
    await run(pair, get('a', 'c'), put('bb'), put('c'));
    await pair.logIn('bob', 'pw');
    await run(pair, users, put('z'), get('\0', '\0'));
    await run(pair, password('bob', 'new'), put('z'));
    await pair.logIn('bob', 'new');
    await run(pair, put('z'), disable);
    pair.logOut();
    await run(pair, disable, put('z'), users, logIn('root'), deleteRole('root'), getUser('root'), enable);
    await run(pair, deleteUser('root'), enable, users, addUser('root'), grantRole('root', 'root'), enable);
    await run(pair, put('z'), getUser('alice'), getRole('r'), roles);
    expect(pair.callCount).toBeGreaterThan(70);
  });
});

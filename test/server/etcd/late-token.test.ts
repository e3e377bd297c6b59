/** A password that is changed while `Authenticate` checks it: what was right when it was shown is no token of the new one. */
import { expect, test } from 'vitest';
import type { Access } from '../../../src/access/access.ts';
import type { Credentials } from '../../../src/access/login/authenticator.ts';
import type { Login } from '../../../src/access/login/login.ts';
import * as records from '../../../src/access/records/access-records.ts';
import { makeRoot } from '../../../src/access/root.ts';
import { tokenFor } from '../../../src/server/etcd/auth/authenticate.ts';
import { opened } from '../../access/opened.ts';

/** The token that alice is given for her old password, which is checked, and only then something changes. */
async function tokenAfter(change: (access: Access) => Promise<void>): Promise<string> {
  const { access } = await opened();
  await makeRoot(access, 'secret');
  const password = await access.logins.passwords.hash('word');
  await access.change((draft) => records.createUser(draft, 'alice', { password, roles: [], nowMs: 1 }));
  const logins = {
    show: async (credentials: Credentials): Promise<Login> => {
      const login = await access.logins.login(credentials);
      await change(access);
      return login;
    },
  };
  const call = {
    login: access.logins.anonymous,
    client: undefined,
    async logIn(login: Promise<Login>): Promise<void> {
      this.login = await login;
    },
  };
  return tokenFor(access, logins, { name: 'alice', password: 'word' }, call);
}

test.each<readonly [string, (access: Access) => Promise<void>]>([
  [
    'another password',
    async (access) => {
      const other = await access.logins.passwords.hash('other');
      await access.change((draft) => records.setPassword(draft, 'alice', other));
    },
  ],
  [
    'another user of the name',
    async (access) => {
      const password = await access.logins.passwords.hash('other');
      await access.change((draft) => records.deleteUser(draft, 'alice'));
      await access.change((draft) => records.createUser(draft, 'alice', { password, roles: [], nowMs: 1 }));
    },
  ],
  ['no password', (access) => access.change((draft) => records.setPassword(draft, 'alice', undefined))],
  ['no user', (access) => access.change((draft) => records.deleteUser(draft, 'alice'))],
])('%s: it is refused', async (_, change) => {
  await expect(tokenAfter(change)).rejects.toThrow('authentication failed, invalid user ID or password');
});

test('another user: the token is given', async () => {
  const make = (access: Access): Promise<void> =>
    access.change((draft) => records.createUser(draft, 'bob', { password: undefined, roles: [], nowMs: 1 }));
  expect(await tokenAfter(make)).toMatch(/^YWxpY2U\./);
});

/** While a change waits for its hash or its turn, access may change: what counts is what is allowed when it is made. */
import { expect, test } from 'vitest';
import type { AccessDraft } from '../../../src/access/records/access-draft.ts';
import type { Access } from '../../../src/access/access.ts';
import {
  createUser,
  deleteUser,
  giveRole,
  takeRole,
  createRole,
  addGrant,
} from '../../../src/access/records/access-records.ts';
import { ROOT } from '../../../src/access/records/open-hold.ts';
import type { PasswordHashShape } from '../../../gen/kelp/storage/v1/access_codec.ts';
import type { Call } from '../../../src/server/calls/call.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { accessMethods } from '../../../src/server/services/access.ts';
import { serverDefaults } from '../../../src/limits.ts';
import { opened } from '../../access/opened.ts';
import { NO_BYTES } from '../../../src/wire/bytes.ts';
import type { Login } from '../../../src/access/login/login.ts';

const denied = expect.objectContaining({ code: 'permissionDenied' }) as unknown;
const unauthenticated = expect.objectContaining({ code: 'unauthenticated' }) as unknown;

interface Race {
  readonly access: Access;
  readonly told: string[];
  /** Runs a method for a user; its hash is not made before `hashed` is called. */
  readonly run: (
    method: keyof ReturnType<typeof accessMethods>,
    userName: string,
    request: object,
  ) => Promise<unknown>;
  readonly hashed: () => void;
  readonly hashCount: () => number;
}

async function race(): Promise<Race> {
  const { access, store } = await opened();
  const password = await access.logins.passwords.hash('word');
  const admin = { start: NO_BYTES, end: NO_BYTES, mayRead: false, mayWrite: false, isAdmin: true };
  await access.change((draft) => {
    createRole(draft, 'operator');
    addGrant(draft, 'operator', admin);
    createUser(draft, ROOT, { password, roles: [], nowMs: 1 });
    createUser(draft, 'ann', { password, roles: [], nowMs: 1 });
    createUser(draft, 'olga', { password, roles: ['operator'], nowMs: 1 });
  });
  const logins = new Map<string, Login>();
  for (const userName of ['ann', 'olga']) {
    logins.set(userName, await access.logins.login({ kind: 'password', userName, password: 'word' }));
  }
  const made = Promise.withResolvers<void>();
  let hashCount = 0;
  access.logins.passwords.hash = async (): Promise<PasswordHashShape> => {
    hashCount++;
    await made.promise;
    return { ...password, hash: Buffer.alloc(32, 9) };
  };
  const told: string[] = [];
  const audit = {
    accessChanged: (_: unknown, method: string, { name }: { readonly name: string }) => {
      told.push(`${method} ${name}`);
    },
    adminCalled: () => undefined,
  };
  const methods = accessMethods(() => access, audit);
  const table = new CallTable(serverDefaults);
  return {
    access,
    told,
    async run(name, userName, request) {
      const call: Call = table.open({ cut: () => undefined }, false);
      call.login = logins.get(userName) ?? call.login;
      const method = methods[name];
      if (method.kind !== 'unary') throw new Error('it is no call with one reply');
      return method.run(store, { name: '', password: 'next', roles: [], ...request }, call);
    },
    hashed: () => made.resolve(),
    hashCount: () => hashCount,
  };
}

test('who loses the rights of an operator meanwhile makes no user and sets no password of another', async () => {
  const { access, told, run, hashed } = await race();
  const calls = [
    run('createUser', 'olga', { name: 'new' }),
    run('setPassword', 'olga', { name: 'ann' }),
    run('setPassword', 'olga', { name: ROOT }),
  ].map((call) => expect(call).rejects.toThrow(denied));
  const before = access.table.user(ROOT)?.password?.hash;
  await access.change((draft) => takeRole(draft, 'olga', 'operator'));
  hashed();
  await Promise.all(calls);
  expect(access.table.user('new')).toBeUndefined();
  expect(access.table.user(ROOT)?.password?.hash).toEqual(before);
  expect(told).toEqual([]);
});

test('who loses the rights of an operator while a change waits for its turn changes nothing', async () => {
  const { access, told, run } = await race();
  const change = access.change.bind(access);
  const turn = Promise.withResolvers<void>();
  access.change = async <Result>(make: (draft: AccessDraft) => Result): Promise<Result> => {
    await turn.promise;
    return await change(make);
  };
  const calls = [
    run('createRole', 'olga', { name: 'new' }),
    run('giveRole', 'olga', { user: 'ann', role: 'operator' }),
    run('takeRole', 'olga', { user: 'olga', role: 'operator' }),
    run('deleteUser', 'olga', { name: 'ann' }),
    run('deleteRole', 'olga', { name: 'operator' }),
    run('createToken', 'olga', { name: 'new', user: 'ann', ttl: undefined }),
    run('deleteToken', 'olga', { name: 'new' }),
  ].map((call) => expect(call).rejects.toThrow(denied));
  await change((draft) => takeRole(draft, 'olga', 'operator'));
  turn.resolve();
  await Promise.all(calls);
  expect(access.table.user('ann')?.roles).toEqual([]);
  expect(told).toEqual([]);
});

test('who is deleted meanwhile sets no password of itself, also if there is another user of the name then', async () => {
  const { access, run, hashed } = await race();
  const call = expect(run('setPassword', 'ann', {})).rejects.toThrow(unauthenticated);
  await access.change((draft) => {
    deleteUser(draft, 'ann');
    createUser(draft, 'ann', { password: undefined, roles: [], nowMs: 2 });
  });
  hashed();
  await call;
  expect(access.table.user('ann')?.password).toBeUndefined();
});

test('a name that is taken meanwhile is taken, and one that was taken before costs no hash', async () => {
  const { access, told, run, hashed, hashCount } = await race();
  await expect(run('createUser', 'olga', { name: 'ann' })).rejects.toMatchObject({ code: 'nameTaken' });
  await expect(run('setPassword', 'olga', { name: 'none' })).rejects.toMatchObject({ code: 'nameNotFound' });
  expect(hashCount()).toBe(0);
  const late = expect(run('createUser', 'olga', { name: 'new' })).rejects.toMatchObject({
    code: 'nameTaken',
  });
  await access.change((draft) => createUser(draft, 'new', { password: undefined, roles: [], nowMs: 2 }));
  hashed();
  await late;
  await access.change((draft) => giveRole(draft, 'new', 'operator'));
  expect(await run('setPassword', 'ann', {})).toEqual({});
  expect(told).toEqual(['SetPassword ann']);
});

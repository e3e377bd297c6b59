import { describe, expect, it } from 'vitest';
import type { GrantRecordShape } from '../../gen/kelp/storage/v1/access_codec.ts';
import type { Access } from '../../src/access/access.ts';
import * as checks from '../../src/access/checks.ts';
import * as records from '../../src/access/records/access-records.ts';
import { ROOT } from '../../src/access/records/open-hold.ts';
import type { Login } from '../../src/access/login/login.ts';
import { isStoreError } from '../../src/errors.ts';
import { toEngineRange } from '../../src/store/views/range.ts';
import type { KeyRange } from '../../src/api.ts';
import { opened } from './opened.ts';

const unauthenticated = expect.objectContaining({ code: 'unauthenticated' }) as unknown;
const denied = expect.objectContaining({ code: 'permissionDenied' }) as unknown;

function grant(range: KeyRange, use: 'read' | 'write' | 'readwrite'): GrantRecordShape {
  const { start, end = Uint8Array.of() } = toEngineRange(range);
  return { start, end, mayRead: use !== 'write', mayWrite: use !== 'read', isAdmin: false };
}

async function addUser(access: Access, name: string, password: string, ...roles: string[]): Promise<void> {
  const hash = await access.logins.passwords.hash(password);
  await access.change((draft) => {
    records.createUser(draft, name, { password: hash, roles, nowMs: 1 });
  });
}

async function addRole(access: Access, name: string, ...grants: GrantRecordShape[]): Promise<void> {
  await access.change((draft) => {
    records.createRole(draft, name);
    for (const each of grants) records.addGrant(draft, name, each);
  });
}

function loginOf(access: Access, userName: string, password: string): Promise<Login> {
  return Promise.resolve(access.logins.login({ kind: 'password', userName, password }));
}

describe('access', () => {
  it('is open until there is a root, then closed to who shows nothing', async () => {
    const { access } = await opened();
    const { anonymous } = access.logins;
    checks.checkKey(anonymous, 'write', 'a');
    checks.checkAdmin(anonymous);
    await addUser(access, ROOT, 'secret');
    expect(() => checks.checkKey(anonymous, 'read', 'a')).toThrow(unauthenticated);
    const root = await loginOf(access, ROOT, 'secret');
    checks.checkRange(root, 'write', {});
    checks.checkAdmin(root);
  });

  it('is what it was when the store is opened again, and no key of a client', async () => {
    const { access, store, reopen } = await opened();
    await addRole(access, 'reader', grant({ prefix: 'a/' }, 'read'));
    await addUser(access, ROOT, 'secret');
    await addUser(access, 'ann', 'word', 'reader');
    expect((await store.scan({})).entries).toEqual([]);
    expect((await store.status()).keyCount).toBe(0);
    expect(await store.deleteRange({ all: true })).toMatchObject({ deletedCount: 0 });

    const again = await reopen();
    const ann = await loginOf(again.access, 'ann', 'word');
    checks.checkKey(ann, 'read', 'a/1');
    expect(() => checks.checkKey(ann, 'write', 'a/1')).toThrow(denied);
    expect(() => checks.checkKey(again.access.logins.anonymous, 'read', 'a/1')).toThrow(unauthenticated);
  });

  it('lets a user do what its roles grant together, a range as a whole or not at all', async () => {
    const { access } = await opened();
    await addRole(access, 'first', grant({ start: 'a', end: 'm' }, 'readwrite'));
    await addRole(access, 'second', grant({ start: 'm', end: 'z' }, 'read'));
    await addUser(access, 'ann', 'word', 'first', 'second');
    const ann = await loginOf(access, 'ann', 'word');
    checks.checkRange(ann, 'read', { start: 'b', end: 'y' });
    checks.checkDeletedRange(ann, { start: 'a', end: 'm' });
    expect(() => checks.checkRange(ann, 'read', { start: 'b', end: 'za' })).toThrow(denied);
    expect(() => checks.checkRange(ann, 'read', {})).toThrow(denied);
    expect(() => checks.checkDeletedRange(ann, { start: 'a', end: 'n' })).toThrow(denied);
    expect(() => checks.checkDeletedRange(ann, { all: true })).toThrow(denied);
    expect(() => checks.checkAdmin(ann)).toThrow(denied);
  });

  it('asks for every operation of a transaction, of the branch that does not run too', async () => {
    const { access, store } = await opened();
    await addRole(access, 'some', grant({ prefix: 'rw/' }, 'readwrite'), grant({ prefix: 'w/' }, 'write'));
    await addUser(access, 'ann', 'word', 'some');
    const ann = await loginOf(access, 'ann', 'word');
    const put = (key: string, returnPrevious = false) =>
      ({ kind: 'put', key, value: '', returnPrevious }) as const;
    const exists = (key: string) =>
      ({ subject: { key }, relation: 'equal', operand: { kind: 'exists', value: true } }) as const;
    checks.checkTxn(ann, store, { compares: [exists('rw/1')], success: [put('rw/1'), put('w/1')] });
    for (const request of [
      { success: [put('w/1', true)] },
      { compares: [exists('w/1')] },
      { failure: [put('x')] },
      { success: [{ kind: 'get', key: 'w/1' } as const] },
      { success: [{ kind: 'increment', key: 'w/1', delta: 1 } as const] },
      { success: [{ kind: 'deleteRange', range: { prefix: 'w' } } as const] },
    ]) {
      expect(() => checks.checkTxn(ann, store, request)).toThrow(denied);
    }
  });

  it('lets a lease be used by its owner and by who has the right to all keys', async () => {
    const { access, store } = await opened();
    await addRole(access, 'some', grant({ prefix: 'a/' }, 'readwrite'));
    await addRole(access, 'reader', grant({}, 'read'));
    await addRole(access, 'writer', grant({}, 'write'));
    await addUser(access, ROOT, 'secret');
    for (const [name, role] of [
      ['ann', 'some'],
      ['bob', 'some'],
      ['eve', 'reader'],
      ['joe', 'writer'],
    ] as const)
      await addUser(access, name, 'word', role);
    await store.grantLease(60_000, 1, 'ann');
    await store.grantLease(60_000, 2);

    const mayUse = async (name: string, password = 'word'): Promise<string[]> => {
      const login = await loginOf(access, name, password);
      return [1, 2, 3].flatMap((leaseId) =>
        (['read', 'end', 'hold'] as const).flatMap((use) => {
          try {
            if (use === 'hold') checks.checkLease(login, store, leaseId);
            else checks.checkLeaseKeys(login, use === 'end' ? 'write' : 'read', store, leaseId);
            return [`${use} ${leaseId}`];
          } catch (error) {
            return isStoreError(error, 'leaseNotFound') ? [`none ${leaseId}`] : [];
          }
        }),
      );
    };
    const none = ['none 3', 'none 3', 'none 3'];
    expect(await mayUse('ann')).toEqual(['read 1', 'end 1', 'hold 1', 'hold 2', ...none]);
    expect(await mayUse('bob')).toEqual(['hold 2', ...none]);
    expect(await mayUse('eve')).toEqual(['read 1', 'read 2', 'hold 2', 'read 3', 'none 3', 'none 3']);
    expect(await mayUse('joe')).toEqual(['end 1', 'hold 1', 'end 2', 'hold 2', 'none 3', 'end 3', 'hold 3']);
    expect(await mayUse(ROOT, 'secret')).toHaveLength(9);
    expect(() => checks.checkLease(access.logins.anonymous, store, 2)).toThrow(unauthenticated);
    expect(() => checks.checkLeaseKeys(access.logins.anonymous, 'read', store, 2)).toThrow(unauthenticated);

    const bob = await loginOf(access, 'bob', 'word');
    const put = (leaseId: number) => ({ kind: 'put', key: 'a/1', value: '', leaseId }) as const;
    checks.checkTxn(bob, store, { success: [put(0), put(2)], failure: [put(2)] });
    expect(() => checks.checkTxn(bob, store, { success: [put(2), put(1)] })).toThrow(denied);
    expect(() => checks.checkTxn(bob, store, { failure: [put(1)] })).toThrow(denied);
  });

  it('changes what is allowed for who is logged in already', async () => {
    const { access } = await opened();
    await addRole(access, 'reader', grant({ prefix: 'a' }, 'read'));
    await addUser(access, 'ann', 'word', 'reader');
    const ann = await loginOf(access, 'ann', 'word');
    let told = 0;
    access.table.onChange(() => told++);
    checks.checkKey(ann, 'read', 'a');
    await access.change((draft) => records.addGrant(draft, 'reader', grant({ prefix: 'b' }, 'write')));
    checks.checkKey(ann, 'write', 'b');
    await access.change((draft) => records.removeGrant(draft, 'reader', grant({ prefix: 'a' }, 'read')));
    expect(() => checks.checkKey(ann, 'read', 'a')).toThrow(denied);
    await access.change((draft) => records.deleteRole(draft, 'reader'));
    expect(() => checks.checkKey(ann, 'write', 'b')).toThrow(denied);
    expect(access.table.user('ann')?.roles).toEqual([]);
    await access.change((draft) => records.deleteUser(draft, 'ann'));
    expect(() => checks.checkKey(ann, 'write', 'b')).toThrow(unauthenticated);
    expect(told).toBe(4);
  });

  it('puts the rights together again of those alone whose roles are others', async () => {
    const { access } = await opened();
    const { table } = access;
    for (const name of ['a', 'b']) {
      await addRole(access, `of-${name}`, grant({ prefix: name }, 'read'));
      await addUser(access, name, 'word', `of-${name}`);
    }
    const [a, b] = [table.rightsOf('a'), table.rightsOf('b')];
    await access.change((draft) => records.addGrant(draft, 'of-a', grant({ prefix: 'c' }, 'read')));
    expect(table.rightsOf('a')).not.toBe(a);
    expect(table.rightsOf('b')).toBe(b);
    await access.change((draft) => records.giveRole(draft, 'b', 'of-a'));
    expect(table.rightsOf('b')).not.toBe(b);
  });

  it('ends a login with its password, and no other change of the user does', async () => {
    const { access } = await opened();
    await addRole(access, 'all', grant({}, 'readwrite'));
    await addUser(access, 'ann', 'word');
    const ann = await loginOf(access, 'ann', 'word');
    await access.change((draft) => records.giveRole(draft, 'ann', 'all'));
    checks.checkKey(ann, 'read', 'a');
    const next = await access.logins.passwords.hash('next');
    await access.change((draft) => records.setPassword(draft, 'ann', next));
    expect(() => checks.checkKey(ann, 'read', 'a')).toThrow(unauthenticated);
    checks.checkKey(await loginOf(access, 'ann', 'next'), 'read', 'a');
  });

  it('takes a token by its secret until it is deleted or its time is over', async () => {
    const { access, clock } = await opened();
    const { createHash } = await import('node:crypto');
    await addRole(access, 'all', grant({}, 'readwrite'));
    await addUser(access, 'ann', '', 'all');
    const token = (secret: string, expireTimeMs: number) => ({
      hash: createHash('sha256').update(secret).digest(),
      user: 'ann',
      createTimeMs: 1,
      expireTimeMs,
    });
    await access.change((draft) => {
      records.createToken(draft, 'one', token('s1', 0));
      records.createToken(draft, 'two', token('s2', clock.nowMs() + 1000));
    });
    const login = (secret: string) => access.logins.login({ kind: 'token', secret }) as Login;
    const [one, two] = [login('s1'), login('s2')];
    checks.checkKey(one, 'read', 'a');
    checks.checkKey(two, 'read', 'a');
    expect(() => login('s3')).toThrow(unauthenticated);
    await clock.pass(1000);
    expect(() => checks.checkKey(two, 'read', 'a')).toThrow(unauthenticated);
    await access.change((draft) => records.deleteToken(draft, 'one'));
    expect(() => checks.checkKey(one, 'read', 'a')).toThrow(unauthenticated);
    expect(() => login('s1')).toThrow(unauthenticated);
  });

  it('knows a certificate by its first name that is a user, until it expires or the user is gone', async () => {
    const { access, clock } = await opened();
    const expireTimeMs = clock.nowMs() + 1000;
    const login = (...names: string[]): Login | Promise<Login> =>
      access.logins.login({ kind: 'certificate', names, expireTimeMs });
    expect(login('ann')).toBe(access.logins.anonymous);
    await addRole(access, 'reader', grant({}, 'read'));
    await addUser(access, ROOT, 'secret');
    await addUser(access, 'ann', 'word', 'reader');
    await addUser(access, 'bob', 'word');
    const ann = await login('host.example', 'ann', 'bob');
    const bob = await login('bob', 'ann');
    expect([ann.userName, bob.userName]).toEqual(['ann', 'bob']);
    checks.checkKey(ann, 'read', 'a');
    expect(() => checks.checkKey(bob, 'read', 'a')).toThrow(denied);
    for (const names of [[], ['host.example']]) expect(() => login(...names)).toThrow(unauthenticated);

    await access.change((draft) => records.deleteUser(draft, 'bob'));
    expect(() => checks.checkUser(bob)).toThrow(unauthenticated);
    await clock.pass(999);
    checks.checkKey(ann, 'read', 'a');
    await clock.pass(1);
    expect(() => checks.checkKey(ann, 'read', 'a')).toThrow(unauthenticated);
  });

  it('knows names and their kinds, and refuses what is none', async () => {
    const { access } = await opened();
    for (const name of ['', ' ', 'a b', 'a:b', 'a\n', 'x'.repeat(129), '\ud800']) {
      await expect(access.change((draft) => records.createRole(draft, name))).rejects.toThrow(
        expect.objectContaining({ code: 'invalidArgument' }),
      );
    }
    await addRole(access, 'ann');
    await addUser(access, 'ann', 'word', 'ann');
    const uri = 'spiffe://example/ann';
    await expect(addUser(access, uri, 'word')).rejects.toMatchObject({ code: 'invalidArgument' });
    await access.change((draft) =>
      records.createUser(draft, uri, { password: undefined, roles: [], nowMs: 1 }),
    );
    const password = await access.logins.passwords.hash('word');
    const given = access.change((draft) => records.setPassword(draft, uri, password));
    await expect(given).rejects.toMatchObject({ code: 'invalidArgument' });
    await expect(addUser(access, 'ann', 'word')).rejects.toMatchObject({ code: 'nameTaken' });
    await expect(addUser(access, 'bob', 'word', 'none')).rejects.toMatchObject({ code: 'nameNotFound' });
    expect(access.table.user('bob')).toBeUndefined();
  });
});

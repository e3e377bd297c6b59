/** Users of ACL where other changes come between: what was looked at before a hash was made has to be so when it is written. */
import { describe, expect, test } from 'vitest';
import { Access } from '../../../../src/access/access.ts';
import { createRole, createUser, setPassword } from '../../../../src/access/records/access-records.ts';
import { makeRoot } from '../../../../src/access/root.ts';
import { AclUsers, type UserChange } from '../../../../src/server/redis/acl/acl-users.ts';
import { commandFacts } from '../../../../src/server/redis/all-commands.ts';
import { noCommandPermission } from '../../../../src/server/redis/replies/errors.ts';
import { serverFixed } from '../../../../src/limits.ts';
import { noLogin } from '../../../../src/access/login/login.ts';
import type { TableRow } from '../../../../src/server/redis/commands/table.ts';
import { SeededRandom } from '../../../support/random.ts';
import { SeamHarness } from '../../../store/seam/seam-harness.ts';

const caller = { login: noLogin, client: undefined };
const allowed: UserChange = { caller, check: () => undefined };
const rows: readonly TableRow[] = commandFacts.map((facts) => ({ ...facts, session: () => undefined }));
const RULES = ['on', '>own', '~a*', '+@all', '-@admin'];

interface Opened {
  readonly access: Access;
  readonly users: AclUsers;
  /** What has been told to the log. */
  readonly told: string[];
  /** Runs before the next change is made. */
  between: (() => Promise<void>) | undefined;
}

async function opened(): Promise<Opened> {
  const seam = await SeamHarness.open();
  const { clock } = seam;
  const access = new Access({ store: seam.calls, clock, random: new SeededRandom(1), passwordCost: 2 });
  await makeRoot(access, 'top');
  const told: string[] = [];
  const audit = {
    accessChanged: (_: unknown, method: string, { name }: { readonly name: string }): void =>
      void told.push(`${method} ${name}`),
    adminCalled: (): void => undefined,
  };
  const { table, logins } = access;
  const raced = {
    table,
    logins,
    clock,
    change: async <Result>(run: Parameters<typeof access.change<Result>>[0]): Promise<Result> => {
      const { between } = all;
      all.between = undefined;
      await between?.();
      return access.change(run);
    },
  };
  const all: Opened = { access, users: new AclUsers(() => raced, audit), told, between: undefined };
  return all;
}

describe('between the look at a user and its change', () => {
  test('a password that is changed by another one stays, and the change is refused', async () => {
    const all = await opened();
    const { access, users, told } = all;
    await users.set('ann', RULES, rows, allowed);
    const other = await access.logins.passwords.hash('other');
    all.between = () => access.change((draft) => setPassword(draft, 'ann', other));
    await expect(users.set('ann', ['resetpass', '>third'], rows, allowed)).rejects.toThrow(
      /meanwhile; try again/,
    );
    expect(await access.logins.passwords.verify('other', access.table.user('ann')?.password)).toBe(true);
    expect(told).toEqual(['redis/acl|setuser ann']);
    await users.set('ann', ['resetpass', '>third'], rows, allowed);
    expect(await access.logins.passwords.verify('third', access.table.user('ann')?.password)).toBe(true);
  });

  test('rules are applied to what the user may do by then', async () => {
    const all = await opened();
    const { users } = all;
    await users.set('ann', RULES, rows, allowed);
    all.between = () => users.set('ann', ['resetkeys', '%R~b*'], rows, allowed);
    await users.set('ann', ['~c*'], rows, allowed);
    const words = users.words('ann');
    expect([...(words?.keys.values() ?? [])].map(({ mayRead, mayWrite }) => [mayRead, mayWrite])).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  test('a user that is deleted does not come back with what it had', async () => {
    const all = await opened();
    const { access, users } = all;
    await users.set('ann', RULES, rows, allowed);
    all.between = async () => void (await users.delete(['ann'], allowed));
    await expect(users.set('ann', ['~c*'], rows, allowed)).rejects.toThrow(/always on|meanwhile/);
    expect(access.table.user('ann')).toBeUndefined();
    expect(access.table.roleNames).toEqual([]);
  });

  test('who may not any more changes nothing', async () => {
    const { access, users, told } = await opened();
    const refused: UserChange = {
      caller,
      check: () => {
        throw noCommandPermission('acl|setuser');
      },
    };
    await expect(users.set('ann', RULES, rows, refused)).rejects.toThrow(/^NOPERM/);
    await expect(users.delete(['root'], refused)).rejects.toThrow(/^NOPERM/);
    expect(access.table.userNames).toEqual(['root']);
    expect(access.table.roleNames).toEqual([]);
    expect(told).toEqual([]);
  });
});

test('a user has so many patterns of keys at the most as a role has grants', async () => {
  const { access, users } = await opened();
  const patterns = (count: number): string[] => Array.from({ length: count }, (_, index) => `~k${index}:*`);
  await users.set('ann', [...RULES, ...patterns(99)], rows, allowed);
  expect(access.table.role('acl.ann')?.grants).toHaveLength(100);
  await expect(users.set('ann', ['~one:more*'], rows, allowed)).rejects.toThrow(/at most 100 patterns/);
  expect(access.table.role('acl.ann')?.grants).toHaveLength(100);
});

test('many users are deleted at once, with their roles and tokens', async () => {
  const { access, users } = await opened();
  const names = Array.from({ length: 1000 }, (_, index) => `u${index}`);
  await access.change((draft) => {
    for (const name of names) {
      createRole(draft, `acl.${name}`);
      createUser(draft, name, { password: undefined, roles: [`acl.${name}`], nowMs: 1 });
    }
  });
  await access.change((draft) => {
    createUser(draft, 'bob', { password: undefined, roles: ['acl.u7'], nowMs: 1 });
  });
  const deleted = names.slice(0, serverFixed.redisAclDeletedMax);
  expect(await users.delete(deleted, allowed)).toEqual(deleted);
  expect(users.names).toHaveLength(names.length - deleted.length + 2);
  expect(access.table.user('bob')?.roles).toEqual(['acl.u7']);
  expect(access.table.role('acl.u7')).toBeDefined();
  expect(access.table.role('acl.u8')).toBeUndefined();
});

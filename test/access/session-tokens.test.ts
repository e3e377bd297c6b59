/** Tokens that stand for a password: what makes them, and what ends them. */
import { describe, expect, test } from 'vitest';
import * as records from '../../src/access/records/access-records.ts';
import { endHold, holdOpen } from '../../src/access/records/open-hold.ts';
import { SessionTokens } from '../../src/access/login/session-tokens.ts';
import { makeRoot } from '../../src/access/root.ts';
import type { Login } from '../../src/access/login/login.ts';
import { fixed } from '../../src/limits.ts';
import { type Opened, opened } from './opened.ts';

const unauthenticated = expect.objectContaining({ code: 'unauthenticated' }) as unknown;

async function withAlice(): Promise<Opened & { readonly token: string }> {
  const there = await opened();
  await makeRoot(there.access, 'secret');
  const password = await there.access.logins.passwords.hash('word');
  await there.access.change((draft) => records.createUser(draft, 'alice', { password, roles: [], nowMs: 1 }));
  return { ...there, token: tokenOf(there, 'alice') };
}

function tokenOf({ access }: Opened, userName: string): string {
  const token = access.logins.sessionToken(userName);
  if (token === undefined) throw new Error('there is none');
  return token;
}

function show({ access }: Opened, secret: string): Login {
  return access.logins.login({ kind: 'token', secret }) as Login;
}

test('one lets its user in, and can be a value of a header', async () => {
  const there = await withAlice();
  const login = show(there, there.token);
  expect(login.userName).toBe('alice');
  expect(login.rights.isAdmin).toBe(false);
  expect(there.token).toMatch(/^[\w.-]+$/);
});

test('a name of any characters comes back', async () => {
  const there = await opened();
  await makeRoot(there.access, 'secret');
  const password = await there.access.logins.passwords.hash('word');
  await there.access.change((draft) =>
    records.createUser(draft, 'Ölaf.ü', { password, roles: [], nowMs: 1 }),
  );
  expect(show(there, tokenOf(there, 'Ölaf.ü')).userName).toBe('Ölaf.ü');
});

test('when its time is over it is not taken any more, and what was begun with it goes on', async () => {
  const there = await withAlice();
  const login = show(there, there.token);
  there.clock.advance(fixed.sessionMs - 1);
  show(there, there.token);
  there.clock.advance(1);
  expect(() => show(there, there.token)).toThrow(unauthenticated);
  expect(login.rights.isAdmin).toBe(false);
  expect(login.shownUntilMs).toBeLessThanOrEqual(there.clock.nowMs());
});

describe.each<readonly [string, (there: Opened) => Promise<void>]>([
  [
    'another password',
    async ({ access }) => {
      const other = await access.logins.passwords.hash('other');
      await access.change((draft) => records.setPassword(draft, 'alice', other));
    },
  ],
  [
    'the same password, set again',
    async ({ access }) => {
      const again = await access.logins.passwords.hash('word');
      await access.change((draft) => records.setPassword(draft, 'alice', again));
    },
  ],
  ['no password', ({ access }) => access.change((draft) => records.setPassword(draft, 'alice', undefined))],
  ['the end of its user', ({ access }) => access.change((draft) => records.deleteUser(draft, 'alice'))],
])('%s', (_, change) => {
  test('ends it, and what was begun with it', async () => {
    const there = await withAlice();
    const login = show(there, there.token);
    expect(login.userName).toBe('alice');
    await change(there);
    expect(() => show(there, there.token)).toThrow(unauthenticated);
    expect(() => login.rights).toThrow(unauthenticated);
  });
});

test('none is taken that this process has not signed', async () => {
  const there = await withAlice();
  const [user = '', until = '', signature = ''] = there.token.split('.');
  const root = Buffer.from('root').toString('base64url');
  const later = (Number.parseInt(until, 36) + 1).toString(36);
  const other = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  const missing = Buffer.from('missing').toString('base64url');
  const forged = [
    [root, until, signature],
    [user, later, signature],
    [user, until, other],
    [missing, until, signature],
    [user, until, ''],
    [user, until, `${signature}A`],
    [user, '', signature],
    [user, 'z'.repeat(11), signature],
  ];
  const hash = there.access.table.user('alice')?.password?.hash ?? Buffer.alloc(0);
  const ofAnother = new SessionTokens(Buffer.alloc(32)).make('alice', Number.parseInt(until, 36), hash);
  forged.push(ofAnother.split('.'));
  for (const parts of forged)
    expect(() => show(there, parts.join('.')), parts.join('.')).toThrow(unauthenticated);
  show(there, there.token);
});

test('while access is open it means nothing', async () => {
  const there = await withAlice();
  await there.access.change((draft) => holdOpen(draft, 1));
  there.clock.advance(fixed.sessionMs);
  expect(show(there, there.token)).toBe(there.access.logins.anonymous);
  expect(() => show(there, 'no-token')).toThrow(unauthenticated);
  await there.access.change(endHold);
  expect(() => show(there, there.token)).toThrow(unauthenticated);
});

/**
 * Those who ask in the table of access, and a rule of its own for what each may do: it is written from the manual, so that it shares no
 * code, and no mistake, with what is tested.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type GrantSchema, Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { basic, bearer, clientsOf } from './access-client.ts';

/** What a principal may do with keys: with those that begin with `a/`, or with all. */
type Reach = 'none' | 'a/' | 'all';

export interface Principal {
  readonly name: string;
  /** The header; left out: none. */
  readonly authorization?: string;
  /** Its user; '': nobody lets it in. */
  readonly user: string;
  readonly reads: Reach;
  readonly writes: Reach;
  readonly isAdmin: boolean;
}

/** Keys that a call is for. */
export type Target =
  | string
  | { readonly prefix: string }
  | { readonly start: string; readonly end: string }
  | { readonly all: true };

/** Whether one who is let in may do it. */
export type Need = (who: Principal) => boolean;

export const forUsers: Need = () => true;
export const forAdmins: Need = ({ isAdmin }) => isAdmin;
export const reads =
  (...targets: Target[]): Need =>
  (who) =>
    targets.every((target) => reaches(who.reads, target));
export const writes =
  (...targets: Target[]): Need =>
  (who) =>
    targets.every((target) => reaches(who.writes, target));
export const all =
  (...needs: Need[]): Need =>
  (who) =>
    needs.every((need) => need(who));
/** To renew a lease, to end it and to attach keys to it. */
export const ownsLease =
  (owner: string): Need =>
  ({ user, writes: reach }) =>
    user === owner || reach === 'all';
export const readsLease =
  (owner: string): Need =>
  ({ user, reads: reach }) =>
    user === owner || reach === 'all';

export type Outcome = 'allowed' | 'unauthenticated' | 'denied';

/** @param need `open`: it is for everybody. */
export function expectedOutcome(who: Principal, need: Need | 'open'): Outcome {
  if (need === 'open') return 'allowed';
  if (who.user === '') return 'unauthenticated';
  return need(who) ? 'allowed' : 'denied';
}

function reaches(reach: Reach, target: Target): boolean {
  if (reach !== 'a/') return reach === 'all';
  if (typeof target === 'string') return target.startsWith('a/');
  if ('prefix' in target) return target.prefix.startsWith('a/');
  return 'start' in target && target.start >= 'a/' && target.end <= 'a0';
}

const NONE = { user: '', reads: 'none', writes: 'none', isAdmin: false } as const;
const A_KEYS = { keys: { case: 'prefix', value: Buffer.from('a/') } } as const;
const ALL_KEYS = { keys: { case: 'prefix', value: Buffer.from('') } } as const;

type GrantInit = MessageInitShape<typeof GrantSchema>;

const grantsByRole: Readonly<Record<string, readonly GrantInit[]>> = {
  reader: [{ permission: Permission.READ, keys: A_KEYS }],
  writer: [{ permission: Permission.WRITE, keys: A_KEYS }],
  editor: [{ permission: Permission.READWRITE, keys: A_KEYS }],
  keeper: [{ permission: Permission.READWRITE, keys: ALL_KEYS }],
  operator: [{ permission: Permission.ADMIN }],
};

/** Closes the access of a server, whose access is open, and makes the users of the table. */
export async function closeAccess(url: string): Promise<{ root: Principal; principals: Principal[] }> {
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  const rootHeader = basic('root', 'top');
  const { access } = clientsOf(url, rootHeader);
  for (const [name, grants] of Object.entries(grantsByRole)) {
    await access.createRole({ name });
    for (const grant of grants) await access.addGrant({ role: name, grant });
  }
  const withRole = async (name: string, roles: string[]): Promise<Omit<Principal, 'reads' | 'writes'>> => {
    await access.createUser({ name, password: `${name}'s`, roles });
    return { name, user: name, authorization: basic(name, `${name}'s`), isAdmin: false };
  };
  const token = async (name: string, user: string, ttlMs?: number): Promise<string> => {
    const ttl = ttlMs === undefined ? {} : { ttl: { nanos: ttlMs * 1_000_000 } };
    return bearer((await access.createToken({ name, user, ...ttl })).secret);
  };
  const root: Principal = {
    name: 'root',
    user: 'root',
    authorization: rootHeader,
    reads: 'all',
    writes: 'all',
    isAdmin: true,
  };
  const editor = { ...(await withRole('edith', ['editor'])), reads: 'a/', writes: 'a/' } as const;
  await withRole('gone', ['keeper']);
  const goneHeader = await token('of-gone', 'gone');
  await access.deleteUser({ name: 'gone' });
  const revokedHeader = await token('revoked', 'root');
  await access.deleteToken({ name: 'revoked' });
  const expiredHeader = await token('expired', 'root', 1);
  const createdMs = Date.now();
  while (Date.now() <= createdMs + 1) await new Promise(setImmediate);
  const principals: Principal[] = [
    { ...NONE, name: 'nobody' },
    { ...NONE, name: 'a wrong password', authorization: basic('edith', 'wrong') },
    { ...NONE, name: 'a user that there is not', authorization: basic('missing', 'word') },
    { ...NONE, name: 'a deleted user', authorization: basic('gone', `gone's`) },
    { ...NONE, name: 'a wrong token', authorization: bearer('A'.repeat(43)) },
    { ...NONE, name: 'a revoked token', authorization: revokedHeader },
    { ...NONE, name: 'an expired token', authorization: expiredHeader },
    { ...NONE, name: 'the token of a deleted user', authorization: goneHeader },
    { ...NONE, name: 'another scheme', authorization: 'Digest username="root"' },
    { ...(await withRole('norah', [])), reads: 'none', writes: 'none' },
    { ...(await withRole('rita', ['reader'])), reads: 'a/', writes: 'none' },
    { ...(await withRole('walt', ['writer'])), reads: 'none', writes: 'a/' },
    { ...(await withRole('both', ['reader', 'writer'])), reads: 'a/', writes: 'a/' },
    editor,
    { ...editor, name: 'the token of edith', authorization: await token('of-edith', 'edith') },
    { ...(await withRole('karl', ['keeper'])), reads: 'all', writes: 'all' },
    { ...(await withRole('olga', ['operator'])), reads: 'none', writes: 'none', isAdmin: true },
    root,
    { ...root, name: 'the token of root', authorization: await token('of-root', 'root') },
  ];
  return { root, principals };
}

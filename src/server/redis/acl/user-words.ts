/**
 * What a user may do, in the words of Redis' ACL, and as the grants of roles. The words that say it:
 *
 *     +@all            all commands, with those for operators: a grant that is admin
 *     +@all -@admin    all others
 *     ~key, ~head*     to read and write a key, or the keys that begin so; %R~ and %W~ only the one or the other
 *     &*               all channels: there are no rights to single ones
 *
 * A user with rights to some keys is refused commands over all keys (KEYS, FLUSHALL), whatever its words say of commands. Grants
 * of ranges that other doors have made and that no pattern is for are told as %RW("a".."b"), which ACL SETUSER does not take.
 */
import type { GrantRecordShape } from '../../../../gen/kelp/storage/v1/access_codec.ts';
import { toEngineRange } from '../../../store/views/range.ts';
import { toUserKey, USER_KEYS, USER_KEYS_END } from '../../../store/views/regions.ts';
import type { AccessTable } from '../../../access/access-table.ts';
import { ROOT } from '../../../access/records/open-hold.ts';
import { grantShape } from '../../services/grants.ts';
import { quoted } from '../observed/told-words.ts';

export interface UserWords {
  /** No password is asked for: access is open. */
  readonly isOpen: boolean;
  readonly hasPassword: boolean;
  readonly isAdmin: boolean;
  /** What may be done with keys, by the range: each range once. */
  readonly keys: KeyGrants;
}

/** By `rangeId`. */
export type KeyGrants = ReadonlyMap<string, KeyGrant>;
/** A grant that is not admin. */
export type KeyGrant = GrantRecordShape;

/** Of one that has all rights. */
export const allKeyGrants: KeyGrants = byRange([keyGrant(USER_KEYS, true, true)]);

/** Of everybody, while access is open. */
export const openWords: UserWords = {
  isOpen: true,
  hasPassword: false,
  isAdmin: true,
  keys: allKeyGrants,
};

/** @returns `undefined`: there is no such user. */
export function wordsOf(table: Pick<AccessTable, 'user' | 'role'>, name: string): UserWords | undefined {
  const user = table.user(name);
  if (user === undefined) return undefined;
  const hasPassword = user.password !== undefined;
  if (name === ROOT) return { ...openWords, isOpen: false, hasPassword };
  const grants = user.roles.flatMap((role) => table.role(role)?.grants ?? []);
  return {
    isOpen: false,
    hasPassword,
    isAdmin: grants.some(({ isAdmin }) => isAdmin),
    keys: byRange(grants.filter(({ isAdmin }) => !isAdmin)),
  };
}

/** The rules of a user, in Redis' order, as Latin-1. */
export function rulesOf({ isOpen, hasPassword, isAdmin, keys }: UserWords): string[] {
  const password = isOpen ? ['nopass'] : hasPassword ? [`#${HIDDEN}`] : [];
  return ['on', ...password, ...[...keys.values()].map(keyRule), '&*', commandRules(isAdmin)];
}

/** Stands for a password, which is kept so that it can't be told. */
export const HIDDEN = '(hidden)';

export function commandRules(isAdmin: boolean): string {
  return isAdmin ? '+@all' : '+@all -@admin';
}

/** As Latin-1. */
export function keyRule(grant: KeyGrant): string {
  const { mayRead, mayWrite, start, end } = grant;
  const uses = `${mayRead ? 'R' : ''}${mayWrite ? 'W' : ''}`;
  const head = uses === 'RW' ? '~' : `%${uses}~`;
  const keys = grantShape(grant).keys?.keys;
  if (rangeId(grant) === rangeId(USER_KEYS)) return `${head}*`;
  if ((keys?.case === 'key' || keys?.case === 'prefix') && !hasSpace(keys.value))
    return `${head}${escaped(keys.value)}${keys.case === 'prefix' ? '*' : ''}`;
  const isToEnd = Buffer.compare(end, USER_KEYS_END) === 0;
  return `%${uses}(${bound(toUserKey(start))}..${isToEnd ? '' : bound(toUserKey(end))})`;
}

/** The grant of a key, or of all keys that begin so. Throws `invalidArgument` for what is no key. */
export function patternGrant(
  pattern: { readonly bytes: Uint8Array; readonly isPrefix: boolean },
  mayRead: boolean,
  mayWrite: boolean,
): KeyGrant {
  const { bytes, isPrefix } = pattern;
  if (bytes.length === 0) return keyGrant(USER_KEYS, mayRead, mayWrite);
  return keyGrant(toEngineRange(isPrefix ? { prefix: bytes } : { key: bytes }), mayRead, mayWrite);
}

/** Grants of the same range are one, which allows what any of them does. */
export function byRange(grants: readonly KeyGrant[]): Map<string, KeyGrant> {
  const grantsByRange = new Map<string, KeyGrant>();
  for (const grant of grants) addTo(grantsByRange, grant);
  return grantsByRange;
}

export function addTo(grantsByRange: Map<string, KeyGrant>, grant: KeyGrant): void {
  const id = rangeId(grant);
  const before = grantsByRange.get(id);
  grantsByRange.set(id, {
    ...grant,
    mayRead: grant.mayRead || before?.mayRead === true,
    mayWrite: grant.mayWrite || before?.mayWrite === true,
  });
}

export function rangeId({
  start,
  end = USER_KEYS_END,
}: {
  start: Uint8Array;
  end?: Uint8Array | undefined;
}): string {
  return `${Buffer.from(start).toString('hex')}-${Buffer.from(end).toString('hex')}`;
}

export const adminGrant: GrantRecordShape = {
  start: new Uint8Array(),
  end: new Uint8Array(),
  mayRead: false,
  mayWrite: false,
  isAdmin: true,
};

function keyGrant(
  { start, end = USER_KEYS_END }: { readonly start: Uint8Array; readonly end?: Uint8Array | undefined },
  mayRead: boolean,
  mayWrite: boolean,
): KeyGrant {
  return { start, end, mayRead, mayWrite, isAdmin: false };
}

/** What would end a rule where it stands among others. */
function hasSpace(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte <= 0x20 || byte === 0x7f);
}

function escaped(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[*?[\]\\]/g, '\\$&');
}

function bound(bytes: Uint8Array): string {
  return quoted(Buffer.from(bytes).toString('latin1')).replaceAll(' ', '\\x20');
}

/**
 * Permissions of etcd's API and grants, as they are kept: a range of the engine's keys, whatever the form in which it was given. Ranges
 * that have the same keys are the same permission, and the shortest form of each is shown:
 *
 *     key      range_end
 *     a                    the key a, also where it came as "a" to "a\0"
 *     a        b           from a on, up to b
 *     a        \0          from a on
 *     \0       \0          all keys, also where it came as "" to "\0": no key is before "\0"
 */
import type { PermissionShape } from '../../../../gen/etcd/api/authpb/auth_codec.ts';
import { Permission_Type } from '../../../../gen/etcd/api/authpb/auth_pb.ts';
import type { GrantRecordShape } from '../../../../gen/kelp/storage/v1/access_codec.ts';
import { keyAfter } from '../../../store/views/keys.ts';
import { USER_KEYS_END, toUserKey } from '../../../store/views/regions.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { etcdError } from '../errors.ts';
import { type KeyRangeShape, engineRangeOf } from '../kv/key-ranges.ts';

const TYPES: ReadonlySet<number> = new Set(Object.values(Permission_Type));
const FROM_KEY = Uint8Array.of(0);
/** The key that no other one is before. */
const FIRST_KEY = Uint8Array.of(0);

/** In memory of its own. Throws `permissionNotGiven`, and `invalidAuthManagement` for a range without keys. */
export function grantOf(permission: PermissionShape | undefined): GrantRecordShape {
  if (permission === undefined) throw etcdError('permissionNotGiven');
  const type = permission.permType;
  if (!TYPES.has(type)) throw etcdError('invalidAuthManagement');
  return {
    ...targetOf(permission),
    mayRead: type !== Permission_Type.WRITE,
    mayWrite: type !== Permission_Type.READ,
  };
}

/** What a permission on such keys is for, without what it lets do. Throws `invalidAuthManagement` for a range without keys. */
export function targetOf(range: KeyRangeShape): GrantRecordShape {
  const { start, end = USER_KEYS_END } = engineRangeOf(range);
  if (Buffer.compare(start, end) >= 0) throw etcdError('invalidAuthManagement');
  const isFromFirst = range.rangeEnd.length > 0 && isSame(start, FIRST_KEY);
  return { start: isFromFirst ? NO_BYTES : start, end, mayRead: false, mayWrite: false, isAdmin: false };
}

/** In the order of their keys. What is for operators is no permission on keys, and left out. */
export function permissionsOf(grants: readonly GrantRecordShape[]): PermissionShape[] {
  return grants
    .filter(({ isAdmin }) => !isAdmin)
    .map(permissionOf)
    .sort((a, b) => Buffer.compare(a.key, b.key) || Buffer.compare(a.rangeEnd, b.rangeEnd));
}

export const ALL_KEYS_GRANT: GrantRecordShape = {
  start: NO_BYTES,
  end: USER_KEYS_END,
  mayRead: true,
  mayWrite: true,
  isAdmin: false,
};

/** What the role `root` is kept as: it lets its users do everything. */
export const ALL_GRANTS: readonly GrantRecordShape[] = [
  ALL_KEYS_GRANT,
  { start: NO_BYTES, end: NO_BYTES, mayRead: false, mayWrite: false, isAdmin: true },
];

/** Whether a role is kept as that, with others beside them or not. */
export function haveAllGrants(grants: readonly GrantRecordShape[]): boolean {
  return grants.some(isForAllKeys) && grants.some(({ isAdmin }) => isAdmin);
}

function isForAllKeys(grant: GrantRecordShape): boolean {
  return grant.mayRead && grant.mayWrite && haveSameKeys(grant, ALL_KEYS_GRANT);
}

/** Whether both are for the same keys. */
export function haveSameKeys(a: GrantRecordShape, b: GrantRecordShape): boolean {
  return !a.isAdmin && !b.isAdmin && isSame(a.start, b.start) && isSame(a.end, b.end);
}

function permissionOf({ start, end, mayRead, mayWrite }: GrantRecordShape): PermissionShape {
  const permType = !mayWrite
    ? Permission_Type.READ
    : mayRead
      ? Permission_Type.READWRITE
      : Permission_Type.WRITE;
  const isOneKey = isSame(end, keyAfter(start));
  const key = start.length === 0 ? FIRST_KEY : toUserKey(start);
  const rangeEnd = isOneKey ? NO_BYTES : isSame(end, USER_KEYS_END) ? FROM_KEY : toUserKey(end);
  return { permType, key, rangeEnd };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

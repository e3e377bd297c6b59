/**
 * Grants, as requests and replies of `AccessService` have them and as they are kept: a range of the engine's keys, whatever the form
 * in which it was given. So a key, a prefix and a range that are the same keys are the same grant, and a list shows the shortest
 * form of each.
 */
import { type GrantShape, type GrantedKeysShape } from '../../../gen/kelp/v1/access_codec.ts';
import { Permission } from '../../../gen/kelp/v1/access_pb.ts';
import type { GrantRecordShape } from '../../../gen/kelp/storage/v1/access_codec.ts';
import { isStoreError, StoreError } from '../../errors.ts';
import type { KeyRange } from '../../api.ts';
import { keyAfter } from '../../store/views/keys.ts';
import { prefixEnd, toEngineRange } from '../../store/views/range.ts';
import { toUserKey, USER_KEYS, USER_KEYS_END } from '../../store/views/regions.ts';
import { NO_BYTES } from '../../wire/bytes.ts';

const ADMIN: GrantRecordShape = {
  start: NO_BYTES,
  end: NO_BYTES,
  mayRead: false,
  mayWrite: false,
  isAdmin: true,
};

/** The grant that a request is to add. */
export function grantRecord(field: string, grant: GrantShape | undefined): GrantRecordShape {
  if (grant === undefined) throw invalid(`${field} is missing; give a permission, and the keys it is for`);
  const { permission, keys } = grant;
  switch (permission as Permission) {
    case Permission.READ:
      return { ...keysRecord(`${field}.keys`, keys), mayRead: true };
    case Permission.WRITE:
      return { ...keysRecord(`${field}.keys`, keys), mayWrite: true };
    case Permission.READWRITE:
      return { ...keysRecord(`${field}.keys`, keys), mayRead: true, mayWrite: true };
    case Permission.ADMIN:
      if (keys === undefined) return ADMIN;
      throw invalid(`${field}.keys is set, but PERMISSION_ADMIN is for no keys; leave it out`);
    default:
      throw invalid(
        `${field}.permission is ${permission === 0 ? 'missing' : permission}; it is one of PERMISSION_READ, PERMISSION_WRITE, PERMISSION_READWRITE and PERMISSION_ADMIN`,
      );
  }
}

/** Of which keys a request is to remove the grant. */
export function grantTarget(field: string, keys: GrantedKeysShape | undefined): GrantRecordShape {
  return keys === undefined ? ADMIN : keysRecord(field, keys);
}

export function grantShape({ start, end, mayRead, mayWrite, isAdmin }: GrantRecordShape): GrantShape {
  if (isAdmin) return { permission: Permission.ADMIN, keys: undefined };
  const both = mayRead && mayWrite;
  const permission = both ? Permission.READWRITE : mayRead ? Permission.READ : Permission.WRITE;
  return { permission, keys: { keys: keysShape(start, end) } };
}

/** What a grant lets do, for the log. */
export function permissionWord({ mayRead, mayWrite, isAdmin }: GrantRecordShape): string {
  if (isAdmin) return 'admin';
  return `${mayRead ? 'read' : ''}${mayWrite ? 'write' : ''}`;
}

function keysRecord(field: string, granted: GrantedKeysShape | undefined): GrantRecordShape {
  const { start, end = USER_KEYS_END } = engineRange(field, granted);
  return { start, end, mayRead: false, mayWrite: false, isAdmin: false };
}

function engineRange(field: string, granted: GrantedKeysShape | undefined): ReturnType<typeof toEngineRange> {
  const choice = granted?.keys;
  switch (choice?.case) {
    case 'key':
      if (choice.value.length > 0) return ranged(`${field}.key`, { key: choice.value });
      throw invalid(`${field}.key is empty; a key has at least 1 byte, and an empty prefix is all keys`);
    case 'prefix':
      return choice.value.length > 0 ? ranged(`${field}.prefix`, { prefix: choice.value }) : USER_KEYS;
    case 'range':
      return ranged(`${field}.range`, choice.value);
    case undefined:
      throw invalid(`${field} is missing; give a key, a prefix or a range, and an empty prefix for all keys`);
  }
}

function ranged(field: string, range: KeyRange): ReturnType<typeof toEngineRange> {
  try {
    return toEngineRange(range);
  } catch (error) {
    if (isStoreError(error, 'invalidArgument')) throw invalid(`${field}: ${error.message}`);
    throw error;
  }
}

function keysShape(engineStart: Uint8Array, engineEnd: Uint8Array): GrantedKeysShape['keys'] {
  const start = toUserKey(engineStart);
  const end = isSame(engineEnd, USER_KEYS_END) ? NO_BYTES : toUserKey(engineEnd);
  if (isSame(end, keyAfter(start))) return { case: 'key', value: start };
  if (isSame(end, prefixEnd(start) ?? NO_BYTES)) return { case: 'prefix', value: start };
  return { case: 'range', value: { start, end } };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function invalid(message: string): StoreError {
  return new StoreError('invalidArgument', message);
}

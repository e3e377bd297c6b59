/** Grants, users and tokens between their plain form, which has been checked where it goes out, and that of the protocol. */
import {
  type GrantShape,
  type GrantedKeysShape,
  Permission as PermissionNumber,
  type RoleShape,
  type TokenShape,
  type UserShape,
} from '../../../gen/kelp/v1/access_codec.ts';
import type { Key } from '../../api.ts';
import { canonicalKey } from '../../arguments/key.ts';
import { copyOf } from '../../arguments/value.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { incompleteReply } from '../errors/error.ts';
import type { Grant, GrantedKeys, Permission, Role, Token, User } from './access-types.ts';
import { toMilliseconds } from './scalar.ts';

const numberByPermission: Readonly<Record<Permission, number>> = {
  read: PermissionNumber.READ,
  write: PermissionNumber.WRITE,
  readwrite: PermissionNumber.READWRITE,
  admin: PermissionNumber.ADMIN,
};
const permissionByNumber = new Map(
  Object.entries(numberByPermission).map(([name, number]) => [number, name as Permission]),
);

export function toGrantMessage(grant: Grant): GrantShape {
  return { permission: numberByPermission[grant.permission], keys: toGrantedKeysMessage(grant) };
}

/** @returns undefined for a grant that is for no keys. */
export function toGrantedKeysMessage(target: Grant | GrantedKeys): GrantedKeysShape | undefined {
  if ('permission' in target && target.permission === 'admin') return undefined;
  if ('all' in target) return { keys: { case: 'prefix', value: NO_BYTES } };
  const { key, prefix, start = '', end = '' } = target;
  if (key !== undefined) return { keys: { case: 'key', value: copyOf(key) } };
  if (prefix !== undefined) return { keys: { case: 'prefix', value: copyOf(prefix) } };
  return { keys: { case: 'range', value: { start: copyOf(start), end: copyOf(end) } } };
}

export function toRole({ name, grants }: RoleShape): Role {
  return { name, grants: grants.map(toGrant) };
}

export function toUser({ name, roles, hasPassword, createTime }: UserShape): User {
  return { name, roles, hasPassword, createTimeMs: toMilliseconds(createTime) };
}

export function toToken({ name, user, createTime, expireTime }: TokenShape): Token {
  return {
    name,
    user,
    createTimeMs: toMilliseconds(createTime),
    expireTimeMs: toMilliseconds(expireTime),
  };
}

function toGrant({ permission: number, keys }: GrantShape): Grant {
  const permission = permissionByNumber.get(number);
  if (permission === undefined) throw incompleteReply('a permission that is known here');
  return permission === 'admin' ? { permission } : { permission, ...toGrantedKeys(keys) };
}

function toGrantedKeys(message: GrantedKeysShape | undefined): GrantedKeys {
  const keys = message?.keys;
  switch (keys?.case) {
    case 'key':
      return { key: canonicalKey(keys.value) };
    case 'prefix':
      return keys.value.length === 0 ? { all: true } : { prefix: canonicalKey(keys.value) };
    case 'range': {
      const { start, end } = keys.value;
      if (start.length === 0 && end.length === 0) return { all: true };
      return { ...named('start', start), ...named('end', end) };
    }
    case undefined:
      throw incompleteReply('the keys of a grant');
  }
}

/** An end of a range that is open is left out. */
function named(name: 'start' | 'end', bytes: Uint8Array): { readonly start?: Key; readonly end?: Key } {
  return bytes.length === 0 ? {} : { [name]: canonicalKey(bytes) };
}

/** Users, roles, grants and tokens as lines for people, and as JSON for programs. */
import type { Grant, GrantedKeys, Role, Token, User, WhoAmI } from '../../../client/messages/access-types.ts';
import { type JsonObject, listedKeyJson, timeJson } from '../../../api-json.ts';
import type { KeyForm } from '../../command-line/key-form.ts';
import { displayKey, displayTimeLeft } from '../../terminal/display.ts';
import { formatFacts } from '../../terminal/table.ts';

/** The user with all rights. Once there is one, access is closed: calls need credentials. */
export const ROOT = 'root';

/** Names in a cell of a table. */
export function namesText(names: readonly string[]): string {
  return names.length === 0 ? '-' : names.map(displayKey).join(', ');
}

export function rolesText({ name, roles }: Pick<User, 'name' | 'roles'>): string {
  return name === ROOT ? '(may do everything)' : namesText(roles);
}

export function whoAmIText({ user, roles }: WhoAmI): string {
  if (user === '') return 'access is open: every client may do everything';
  return formatFacts({ user: displayKey(user), roles: rolesText({ name: user, roles }) }).trimEnd();
}

export function userJson({ name, roles, hasPassword, createTimeMs }: User): JsonObject {
  return { name, roles, hasPassword, createTime: timeJson(createTimeMs) };
}

export function roleJson({ name, grants }: Role): JsonObject {
  return { name, grants: grants.map(grantJson) };
}

/** Keys as in a list; an end that is open is left out. */
export function grantJson(grant: Grant): JsonObject {
  const { permission, ...keys } = grant;
  return {
    permission,
    ...Object.fromEntries(
      Object.entries(keys).map(([name, value]) => [name, value === true ? true : listedKeyJson(value)]),
    ),
  };
}

/** `read`, `prefix config/`: what it allows, and with which keys. */
export function grantCells(grant: Grant, form: KeyForm): string[] {
  return [grant.permission, grant.permission === 'admin' ? '-' : keysText(grant, form)];
}

export function keysText(keys: GrantedKeys, { show }: KeyForm): string {
  if ('all' in keys) return 'all keys';
  if ('key' in keys) return `key ${show(keys.key)}`;
  if ('prefix' in keys) return `prefix ${show(keys.prefix)}`;
  const { start, end } = keys;
  return `range ${start === undefined ? '-' : show(start)} ${end === undefined ? '-' : show(end)}`;
}

export function tokenJson({ name, user, createTimeMs, expireTimeMs }: Token): JsonObject {
  return {
    name,
    user,
    createTime: timeJson(createTimeMs),
    ...(expireTimeMs !== 0 && { expireTime: timeJson(expireTimeMs) }),
  };
}

export function expiryText({ expireTimeMs }: Token): string {
  if (expireTimeMs === 0) return 'never';
  return expireTimeMs <= Date.now() ? 'over' : `in ${displayTimeLeft(expireTimeMs)}`;
}

/** The time of day is seldom of interest, but stands in the JSON. */
export function dateText(timeMs: number): string {
  return timeJson(timeMs).slice(0, 10);
}

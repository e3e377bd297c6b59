/** The work of `role create`, `grant`, `revoke`, `show`, `list`, `delete`. */
import { KelpError } from '../../../client/errors/error.ts';
import type { Grant, GrantedKeys, Permission, Role } from '../../../client/messages/access-types.ts';
import type { KeyForm } from '../../command-line/key-form.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { Session } from '../../session/session.ts';
import { displayKey } from '../../terminal/display.ts';
import { Table } from '../../terminal/table.ts';
import { grantCells, grantJson, keysText, roleJson } from './text.ts';

/** As they were typed: exactly one of them, or none. */
export interface GrantedKeysFlags {
  readonly key?: string;
  readonly prefix?: string;
  /** Where it begins and ends; `-` leaves an end open. */
  readonly range?: readonly string[];
  readonly all?: boolean;
}

export interface RevokeFlags extends GrantedKeysFlags {
  readonly admin?: boolean;
}

export async function create({ client, output, isJson }: Session, name: string): Promise<void> {
  await client.access.createRole(name);
  if (isJson) return output.writeJson({ name });
  await output.writeLine(`made role ${name}`);
  output.note(`it grants nothing yet; kelp role grant ${name} read --prefix PREFIX`);
}

export async function grant(
  { client, output, isJson, keys: form }: Session,
  role: string,
  permission: Permission,
  flags: GrantedKeysFlags,
): Promise<void> {
  const granted = grantOf(permission, flags, form);
  await client.access.addGrant(role, granted);
  if (isJson) return output.writeJson({ role, grant: grantJson(granted) });
  await output.writeLine(`role ${role} grants ${granted.permission}${ofKeys(granted, form)}`);
}

export async function revoke(
  { client, output, isJson, keys: form }: Session,
  role: string,
  flags: RevokeFlags,
): Promise<void> {
  const keys = keysOf(flags, form);
  if (flags.admin !== true && keys === undefined) {
    throw new UsageError('say which grant it is: --key, --prefix, --range, --all or --admin');
  }
  const target: Grant | GrantedKeys = keys ?? { permission: 'admin' };
  await client.access.removeGrant(role, target);
  if (isJson) return output.writeJson({ role });
  const what = keys === undefined ? 'admin' : keysText(keys, form);
  await output.writeLine(`role ${role} grants ${what} no more`);
}

export async function show({ client, output, isJson, keys: form }: Session, name: string): Promise<void> {
  const role = (await client.access.listRoles()).find((each) => each.name === name);
  if (role === undefined) throw new KelpError('nameNotFound', `there is no role ${name}`, undefined);
  if (isJson) return output.writeJson(roleJson(role));
  if (role.grants.length === 0) return output.note(`role ${name} grants nothing`);
  const table = new Table([{ title: 'GRANTS' }, { title: 'KEYS' }]);
  await output.write(await table.format(role.grants.map((each) => grantCells(each, form))));
}

export async function list({ client, output, isJson, keys: form }: Session): Promise<void> {
  const roles = await client.access.listRoles();
  if (isJson) return output.write(roles.map((role) => `${JSON.stringify(roleJson(role))}\n`).join(''));
  if (roles.length === 0) return output.note('there are no roles; kelp role create NAME makes one');
  const table = new Table([{ title: 'ROLE' }, { title: 'GRANTS' }, { title: 'KEYS' }]);
  await output.write(await table.format(roles.flatMap((role) => rowsOf(role, form))));
}

export async function remove({ client, output, isJson }: Session, name: string): Promise<void> {
  await client.access.deleteRole(name);
  if (isJson) await output.writeJson({ name });
  else await output.writeLine(`deleted role ${name}`);
}

/** A line for each grant, the name in the first. */
function rowsOf({ name, grants }: Role, form: KeyForm): string[][] {
  if (grants.length === 0) return [[displayKey(name), 'nothing', '-']];
  return grants.map((each, index) => [index === 0 ? displayKey(name) : '', ...grantCells(each, form)]);
}

function ofKeys(granted: Grant, form: KeyForm): string {
  return granted.permission === 'admin' ? '' : ` of ${keysText(granted, form)}`;
}

function grantOf(permission: Permission, flags: GrantedKeysFlags, form: KeyForm): Grant {
  const keys = keysOf(flags, form);
  if (permission === 'admin') {
    if (keys === undefined) return { permission };
    throw new UsageError('admin is for no keys: leave out --key, --prefix, --range and --all');
  }
  if (keys === undefined) {
    throw new UsageError('say for which keys it is: --key, --prefix, --range or --all');
  }
  return { permission, ...keys };
}

/** An empty text would mean "all keys": a variable that is not set must not grant everything. */
function keysOf({ key, prefix, range, all }: GrantedKeysFlags, { read }: KeyForm): GrantedKeys | undefined {
  const meant = 'give --all if you mean all keys';
  if (key === '') throw new UsageError('--key is empty, and no key is');
  if (prefix === '') throw new UsageError(`--prefix is empty; ${meant}`);
  if (range?.includes('') === true)
    throw new UsageError('--range has an end that is empty; - leaves one open');
  if (all === true) return { all: true };
  if (key !== undefined) return { key: read(key) };
  if (prefix !== undefined) return { prefix: read(prefix) };
  if (range === undefined) return undefined;
  const [start, end, ...more] = range;
  if (start === undefined || end === undefined || more.length > 0) {
    throw new UsageError('--range takes two keys, START and END; let it be the last of the line');
  }
  if (start === '-' && end === '-') throw new UsageError(`--range is open at both ends; ${meant}`);
  return { ...(start !== '-' && { start: read(start) }), ...(end !== '-' && { end: read(end) }) };
}

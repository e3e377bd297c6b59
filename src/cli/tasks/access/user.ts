/** The work of `user add`, `password`, `give`, `take`, `show`, `list`, `delete`. */
import { KelpError } from '../../../client/errors/error.ts';
import type { Session } from '../../session/session.ts';
import { type NewPasswordFlags, newPassword } from '../../session/new-password.ts';
import { displayKey } from '../../terminal/display.ts';
import { Table, formatFacts } from '../../terminal/table.ts';
import { ROOT, dateText, namesText, rolesText, tokenJson, userJson } from './text.ts';

export interface AddUserFlags extends NewPasswordFlags {
  readonly role?: readonly string[];
}

export async function add(
  session: Session,
  name: string,
  { role: roles = [], ...flags }: AddUserFlags,
): Promise<void> {
  const { client, output, isJson } = session;
  const password = await newPassword(`password for ${name}`, flags, session);
  await client.access.createUser(name, { roles, ...(password !== undefined && { password }) });
  if (isJson) return output.writeJson({ name, roles, hasPassword: password !== undefined });
  await output.writeLine(`made user ${name}${roles.length === 0 ? '' : `, roles ${roles.join(', ')}`}`);
  if (name === ROOT) output.note('access is closed from now on: every call needs credentials');
  else if (roles.length === 0) output.note(`it may do nothing yet; kelp user give ${name} ROLE`);
}

/** @param name `undefined`: the one that is logged in. */
export async function setPassword(
  session: Session,
  name: string | undefined,
  flags: NewPasswordFlags,
): Promise<void> {
  const { client, output, isJson } = session;
  const whose = name ?? (await client.access.whoAmI()).user;
  if (whose === '') {
    throw new KelpError(
      'invalidArgument',
      'access is open, and there is no user logged in; name the one whose password it is',
      undefined,
    );
  }
  const password = await newPassword(`new password for ${whose}`, flags, session);
  await client.access.setPassword(password ?? null, name === undefined ? {} : { user: name });
  const hasPassword = password !== undefined;
  if (isJson) await output.writeJson({ name: whose, hasPassword });
  else await output.writeLine(`user ${whose} has ${hasPassword ? 'a new' : 'no'} password`);
}

export async function give({ client, output, isJson }: Session, user: string, role: string): Promise<void> {
  await client.access.giveRole(user, role);
  if (isJson) await output.writeJson({ user, role });
  else await output.writeLine(`user ${user} has role ${role}`);
}

export async function take({ client, output, isJson }: Session, user: string, role: string): Promise<void> {
  await client.access.takeRole(user, role);
  if (isJson) await output.writeJson({ user, role });
  else await output.writeLine(`user ${user} has role ${role} no more`);
}

export async function show({ client, output, isJson }: Session, name: string): Promise<void> {
  const [users, allTokens] = await Promise.all([client.access.listUsers(), client.access.listTokens()]);
  const user = users.find((each) => each.name === name);
  if (user === undefined) throw new KelpError('nameNotFound', `there is no user ${name}`, undefined);
  const tokens = allTokens.filter((token) => token.user === name);
  if (isJson) return output.writeJson({ ...userJson(user), tokens: tokens.map(tokenJson) });
  const facts = {
    user: name,
    roles: rolesText(user),
    password: user.hasPassword ? 'yes' : 'no',
    tokens: namesText(tokens.map((token) => token.name)),
    made: dateText(user.createTimeMs),
  };
  await output.write(formatFacts(facts));
}

export async function list({ client, output, isJson }: Session): Promise<void> {
  const users = await client.access.listUsers();
  if (isJson) return output.write(users.map((user) => `${JSON.stringify(userJson(user))}\n`).join(''));
  if (!users.some(({ name }) => name === ROOT)) {
    output.note(`there is no user ${ROOT}: access is open, and every client may do everything`);
  } else if (!(await client.access.whoAmI()).isClosed) {
    output.note(
      'access is held open (AuthDisable of the API of etcd): every client may do everything; etcdctl auth enable closes it',
    );
  }
  if (users.length === 0) return;
  const table = new Table([{ title: 'USER' }, { title: 'ROLES' }, { title: 'PASSWORD' }, { title: 'MADE' }]);
  const rows = users.map((user) => [
    displayKey(user.name),
    rolesText(user),
    user.hasPassword ? 'yes' : 'no',
    dateText(user.createTimeMs),
  ]);
  await output.write(await table.format(rows));
}

export async function remove({ client, output, isJson }: Session, name: string): Promise<void> {
  await client.access.deleteUser(name);
  if (isJson) await output.writeJson({ name });
  else await output.writeLine(`deleted user ${name} and its tokens`);
}

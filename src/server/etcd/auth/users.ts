/** What the calls on users change, and what they show. */
import type {
  AuthUserAddRequestShape,
  AuthUserChangePasswordRequestShape,
  AuthUserDeleteRequestShape,
  AuthUserGetRequestShape,
  AuthUserGrantRoleRequestShape,
  AuthUserRevokeRoleRequestShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { PasswordHashShape } from '../../../../gen/kelp/storage/v1/access_codec.ts';
import type { Access } from '../../../access/access.ts';
import type { AccessDraft } from '../../../access/records/access-draft.ts';
import { accessKind } from '../../../access/records/access-keys.ts';
import * as records from '../../../access/records/access-records.ts';
import { ROOT, hasRoot, holdOpen, isHeldOpen } from '../../../access/records/open-hold.ts';
import { StoreError } from '../../../errors.ts';
import { fixed } from '../../../limits.ts';
import type { Call } from '../../calls/call.ts';
import { etcdError } from '../errors.ts';
import type { AuthChange } from './change.ts';
import { ROOT_ROLE, checkNewName, sortedNames } from './names.ts';
import { ALL_GRANTS } from './permissions.ts';

/** Of the user root while access is open: that stays so until `AuthEnable`. */
export async function addUser(access: Access, request: AuthUserAddRequestShape): Promise<AuthChange> {
  const { name, options, hashedPassword } = request;
  if (name === '') throw etcdError('userEmpty');
  if (access.table.user(name) !== undefined) throw etcdError('userAlreadyExist');
  checkNewName(accessKind.user, name);
  const password = await hashOf(access, name, {
    password: options?.noPassword === true ? '' : request.password,
    hashedPassword,
  });
  return {
    names: { name },
    run(draft) {
      if (records.userIn(draft.view, name) !== undefined) throw etcdError('userAlreadyExist');
      const nowMs = access.clock.nowMs();
      records.createUser(draft, name, { password, roles: [], nowMs });
      // Until now there was no root, and so access was open.
      if (name === ROOT) holdOpen(draft, nowMs);
    },
  };
}

export async function changePassword(
  access: Access,
  { name, password, hashedPassword }: AuthUserChangePasswordRequestShape,
): Promise<AuthChange> {
  if (access.table.user(name) === undefined) throw etcdError('userNotFound');
  const hash = await hashOf(access, name, { password, hashedPassword });
  return {
    names: { name },
    run(draft) {
      checkUserIn(draft, name);
      records.setPassword(draft, name, hash);
    },
  };
}

export function deleteUser({ name }: AuthUserDeleteRequestShape): AuthChange {
  return {
    names: { name },
    run(draft) {
      if (name === ROOT && isClosed(draft)) throw etcdError('invalidAuthManagement');
      checkUserIn(draft, name);
      records.deleteUser(draft, name);
    },
  };
}

/** The role root is given before it is made, as etcd's clients do. To others than root it is nothing without a record: that is made. */
export function grantRole({ user, role }: AuthUserGrantRoleRequestShape): AuthChange {
  return {
    names: { name: user, role },
    run(draft) {
      checkUserIn(draft, user);
      const isThere = records.roleIn(draft.view, role) !== undefined;
      if (!isThere && role !== ROOT_ROLE) throw etcdError('roleNotFound');
      if (!isThere && user !== ROOT) records.createRole(draft, role, [...ALL_GRANTS]);
      records.giveNamedRole(draft, user, role);
    },
  };
}

export function revokeRole({ name, role }: AuthUserRevokeRoleRequestShape): AuthChange {
  return {
    names: { name, role },
    run(draft) {
      if (name === ROOT && role === ROOT_ROLE && isClosed(draft)) throw etcdError('invalidAuthManagement');
      if (!checkUserIn(draft, name).roles.includes(role)) throw etcdError('roleNotGranted');
      records.takeRole(draft, name, role);
    },
  };
}

/** Its roles. */
export function rolesOfUser({ table }: Access, { name }: AuthUserGetRequestShape, call: Call): string[] {
  const user = table.user(name);
  if (user === undefined) throw etcdError('userNotFound');
  return sortedNames(user.roles, call);
}

/** As the transaction finds it. */
export function isClosed({ view }: AccessDraft): boolean {
  return hasRoot(view) && !isHeldOpen(view);
}

function checkUserIn({ view }: AccessDraft, name: string): NonNullable<ReturnType<typeof records.userIn>> {
  const user = records.userIn(view, name);
  if (user === undefined) throw etcdError('userNotFound');
  return user;
}

interface NewPassword {
  readonly password: string;
  readonly hashedPassword: string;
}

/** @returns `undefined`: no password lets the user in, as an empty one does not. Throws `invalidArgument`. */
async function hashOf(
  { logins }: Access,
  userName: string,
  { password, hashedPassword }: NewPassword,
): Promise<PasswordHashShape | undefined> {
  if (hashedPassword !== '') {
    throw new StoreError(
      'invalidArgument',
      'hashedPassword is not taken: passwords are kept as hashes of another kind; send the password itself, over TLS',
    );
  }
  if (Buffer.byteLength(password) > fixed.passwordBytesMax)
    throw new StoreError('invalidArgument', `a password has at most ${fixed.passwordBytesMax} bytes`);
  if (password !== '') return logins.passwords.hash(password);
  if (userName !== ROOT) return undefined;
  throw new StoreError(
    'invalidArgument',
    'the user root must have a password, or no login as it would be possible',
  );
}

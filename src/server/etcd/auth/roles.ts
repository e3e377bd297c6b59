/** What the calls on roles change, and what they show. */
import type { PermissionShape } from '../../../../gen/etcd/api/authpb/auth_codec.ts';
import type {
  AuthRoleAddRequestShape,
  AuthRoleDeleteRequestShape,
  AuthRoleGetRequestShape,
  AuthRoleGrantPermissionRequestShape,
  AuthRoleRevokePermissionRequestShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { RoleRecordShape } from '../../../../gen/kelp/storage/v1/access_codec.ts';
import type { Access } from '../../../access/access.ts';
import type { AccessDraft } from '../../../access/records/access-draft.ts';
import { accessKind } from '../../../access/records/access-keys.ts';
import * as records from '../../../access/records/access-records.ts';
import type { Call } from '../../calls/call.ts';
import { permissionWord } from '../../services/grants.ts';
import { etcdError } from '../errors.ts';
import type { AuthChange } from './change.ts';
import { ROOT_ROLE, checkNewName } from './names.ts';
import {
  ALL_GRANTS,
  ALL_KEYS_GRANT,
  grantOf,
  haveAllGrants,
  haveSameKeys,
  permissionsOf,
  targetOf,
} from './permissions.ts';
import { isClosed } from './users.ts';

/** The role root lets its users do everything. */
export function addRole({ name }: AuthRoleAddRequestShape): AuthChange {
  if (name === '') throw etcdError('roleEmpty');
  return {
    names: { name },
    run(draft) {
      if (records.roleIn(draft.view, name) !== undefined) throw etcdError('roleAlreadyExist');
      checkNewName(accessKind.role, name);
      records.createRole(draft, name, name === ROOT_ROLE ? [...ALL_GRANTS] : []);
    },
  };
}

export function deleteRole({ role }: AuthRoleDeleteRequestShape): AuthChange {
  return {
    names: { name: role },
    run(draft) {
      if (role === ROOT_ROLE && isClosed(draft)) throw etcdError('invalidAuthManagement');
      checkRoleIn(draft, role);
      records.deleteRole(draft, role);
    },
  };
}

/** What the role root is kept as has all keys already: to grant them changes nothing, and to revoke them is not possible. */
export function grantPermission(
  { table }: Access,
  { name, perm }: AuthRoleGrantPermissionRequestShape,
): AuthChange {
  if (table.role(name) === undefined) throw etcdError('roleNotFound');
  const grant = grantOf(perm);
  return {
    names: { name, permission: permissionWord(grant) },
    run(draft) {
      const { grants } = checkRoleIn(draft, name);
      if (shownGrants(name, [...grants, grant]).includes(grant)) records.addGrant(draft, name, grant);
    },
  };
}

export function revokePermission(
  { table }: Access,
  { role, key, rangeEnd }: AuthRoleRevokePermissionRequestShape,
): AuthChange {
  if (table.role(role) === undefined) throw etcdError('roleNotFound');
  const target = targetOf({ key, rangeEnd });
  return {
    names: { name: role },
    run(draft) {
      const { grants } = checkRoleIn(draft, role);
      const isGranted = shownGrants(role, grants).some((each) => haveSameKeys(each, target));
      if (!isGranted) throw etcdError('permissionNotGranted');
      records.removeGrant(draft, role, target);
    },
  };
}

export function permissionsOfRole(
  { table }: Access,
  { role }: AuthRoleGetRequestShape,
  call: Call,
): PermissionShape[] {
  const record = table.role(role);
  if (record === undefined) throw etcdError('roleNotFound');
  const grants = shownGrants(role, record.grants);
  call.chargeReply(
    grants.reduce((bytes, { start, end }) => bytes + start.length + end.length + GRANT_BYTES, 0),
  );
  return permissionsOf(grants);
}

/** What a permission takes in a reply besides its keys. */
const GRANT_BYTES = 16;

/**
 * Of etcd's role root without the two grants that it is kept as. A role of that name that another door made may grant less: its grants are
 * all shown.
 */
function shownGrants(name: string, grants: RoleRecordShape['grants']): RoleRecordShape['grants'] {
  if (name !== ROOT_ROLE || !haveAllGrants(grants)) return grants;
  return grants.filter((grant) => !haveSameKeys(grant, ALL_KEYS_GRANT));
}

function checkRoleIn({ view }: AccessDraft, name: string): RoleRecordShape {
  const role = records.roleIn(view, name);
  if (role === undefined) throw etcdError('roleNotFound');
  return role;
}

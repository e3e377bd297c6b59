/**
 * `etcdserverpb.Auth`, on the users, roles and rights of all doors. What changes them is for operators, as in `kelp.v1.AccessService`;
 * each may see itself and its own roles, and ask for a token.
 */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import * as codec from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Auth } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { Access } from '../../access/access.ts';
import { checkAdmin, checkUser } from '../../access/checks.ts';
import type { Login } from '../../access/login/login.ts';
import type { AccessAudit } from '../access/audit.ts';
import type { Logins } from '../access/logins.ts';
import {
  type Codecs,
  type MethodsOf,
  type UnaryMethod,
  nameOf,
  unary,
  unaryWrite,
} from '../services/method.ts';
import { tokenFor } from './auth/authenticate.ts';
import type { AuthChange } from './auth/change.ts';
import { disable, disableNeeds, enable } from './auth/enabling.ts';
import { sortedNames } from './auth/names.ts';
import { addRole, deleteRole, grantPermission, permissionsOfRole, revokePermission } from './auth/roles.ts';
import { addUser, changePassword, deleteUser, grantRole, revokeRole, rolesOfUser } from './auth/users.ts';
import { headerOf } from './header.ts';
import { toEtcd } from './revisions.ts';

/**
 * @param access of the store, once that is open.
 * @param audit is told of each change.
 */
export function authMethods({
  access,
  audit,
  logins,
  mayOpenAccess,
}: {
  readonly access: () => Access;
  readonly audit: AccessAudit;
  readonly logins: Pick<Logins, 'show'>;
  readonly mayOpenAccess: () => boolean;
}): MethodsOf<typeof Auth> {
  const { method } = Auth;

  /** A method that changes something, and answers by a header alone. */
  function changing<Request>(
    desc: DescMethodUnary,
    read: Codecs<Request>['read'],
    plan: (request: Request) => AuthChange | Promise<AuthChange>,
    needs: (login: Login) => void = checkAdmin,
  ): UnaryMethod<Request, codec.AuthEnableResponseShape> {
    return unaryWrite(desc, headerReply(read), needs, async (store, request, call) => {
      const { names, run } = await plan(request);
      await access().change((draft) => {
        // A hash takes its time, and the change may have to wait for its turn.
        call.asked(nameOf(desc), () => needs(call.login));
        run(draft);
      });
      audit.accessChanged(call, nameOf(desc), names);
      return { header: headerOf(store, store.visibleRevision) };
    });
  }

  return {
    authEnable: changing(method.authEnable, codec.readAuthEnableRequest, enable),
    authDisable: changing(
      method.authDisable,
      codec.readAuthDisableRequest,
      () => disable(access(), mayOpenAccess()),
      disableNeeds,
    ),
    authStatus: unary(
      method.authStatus,
      {
        read: codec.readAuthStatusRequest,
        sizeOf: codec.sizeOfAuthStatusResponse,
        prepend: codec.prependAuthStatusResponse,
      },
      checkAdmin,
      (store) => {
        const revision = store.visibleRevision;
        const { isClosed } = access().table;
        return { header: headerOf(store, revision), enabled: isClosed, authRevision: toEtcd(revision) };
      },
    ),
    authenticate: unaryWrite(
      method.authenticate,
      {
        read: codec.readAuthenticateRequest,
        sizeOf: codec.sizeOfAuthenticateResponse,
        prepend: codec.prependAuthenticateResponse,
      },
      () => undefined,
      async (store, request, call) => {
        const token = await tokenFor(access(), logins, request, call);
        return { header: headerOf(store, store.visibleRevision), token };
      },
    ),
    userAdd: changing(method.userAdd, codec.readAuthUserAddRequest, (request) => addUser(access(), request)),
    userGet: unary(
      method.userGet,
      {
        read: codec.readAuthUserGetRequest,
        sizeOf: codec.sizeOfAuthUserGetResponse,
        prepend: codec.prependAuthUserGetResponse,
      },
      (login, { name }) => (login.userName === name ? checkUser(login) : checkAdmin(login)),
      (store, request, call) => {
        const roles = rolesOfUser(access(), request, call);
        return { header: headerOf(store, store.visibleRevision), roles };
      },
    ),
    userList: unary(
      method.userList,
      {
        read: codec.readAuthUserListRequest,
        sizeOf: codec.sizeOfAuthUserListResponse,
        prepend: codec.prependAuthUserListResponse,
      },
      checkAdmin,
      (store, _, call) => {
        const users = sortedNames(access().table.userNames, call);
        return { header: headerOf(store, store.visibleRevision), users };
      },
    ),
    userDelete: changing(method.userDelete, codec.readAuthUserDeleteRequest, deleteUser),
    userChangePassword: changing(
      method.userChangePassword,
      codec.readAuthUserChangePasswordRequest,
      (request) => changePassword(access(), request),
    ),
    userGrantRole: changing(method.userGrantRole, codec.readAuthUserGrantRoleRequest, grantRole),
    userRevokeRole: changing(method.userRevokeRole, codec.readAuthUserRevokeRoleRequest, revokeRole),
    roleAdd: changing(method.roleAdd, codec.readAuthRoleAddRequest, addRole),
    roleGet: unary(
      method.roleGet,
      {
        read: codec.readAuthRoleGetRequest,
        sizeOf: codec.sizeOfAuthRoleGetResponse,
        prepend: codec.prependAuthRoleGetResponse,
      },
      (login, { role }) => (hasRole(access(), login, role) ? checkUser(login) : checkAdmin(login)),
      (store, request, call) => {
        const perm = permissionsOfRole(access(), request, call);
        return { header: headerOf(store, store.visibleRevision), perm };
      },
    ),
    roleList: unary(
      method.roleList,
      {
        read: codec.readAuthRoleListRequest,
        sizeOf: codec.sizeOfAuthRoleListResponse,
        prepend: codec.prependAuthRoleListResponse,
      },
      checkAdmin,
      (store, _, call) => {
        const roles = sortedNames(access().table.roleNames, call);
        return { header: headerOf(store, store.visibleRevision), roles };
      },
    ),
    roleDelete: changing(method.roleDelete, codec.readAuthRoleDeleteRequest, deleteRole),
    roleGrantPermission: changing(
      method.roleGrantPermission,
      codec.readAuthRoleGrantPermissionRequest,
      (request) => grantPermission(access(), request),
    ),
    roleRevokePermission: changing(
      method.roleRevokePermission,
      codec.readAuthRoleRevokePermissionRequest,
      (request) => revokePermission(access(), request),
    ),
  };
}

function headerReply<Request>(read: Codecs<Request>['read']): Codecs<Request, codec.AuthEnableResponseShape> {
  return { read, sizeOf: codec.sizeOfAuthEnableResponse, prepend: codec.prependAuthEnableResponse };
}

function hasRole({ table }: Access, { userName }: Login, role: string): boolean {
  return table.user(userName)?.roles.includes(role) === true;
}

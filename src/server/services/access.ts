/**
 * `kelp.v1.AccessService` over the access of the store. A password becomes its hash before the transaction, which then finds
 * whether what was looked at before is still so.
 */
import { createHash } from 'node:crypto';
import type { DescMethodUnary } from '@bufbuild/protobuf';
import * as codec from '../../../gen/kelp/v1/access_codec.ts';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import type {
  PasswordHashShape,
  RoleRecordShape,
  TokenRecordShape,
  UserRecordShape,
} from '../../../gen/kelp/storage/v1/access_codec.ts';
import type { Access } from '../../access/access.ts';
import { checkAdmin, checkUser } from '../../access/checks.ts';
import type { Login } from '../../access/login/login.ts';
import {
  type AccessKind,
  accessKind,
  accessNameRule,
  isAccessName,
  wordOf,
} from '../../access/records/access-keys.ts';
import type { AccessDraft } from '../../access/records/access-draft.ts';
import * as records from '../../access/records/access-records.ts';
import { ROOT } from '../../access/records/open-hold.ts';
import { StoreError } from '../../errors.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { pageLimitOf } from '../../kv/reads/page-limit.ts';
import { fixed } from '../../limits.ts';
import type { Call } from '../calls/call.ts';
import type { AccessAudit, ChangedNames } from '../access/audit.ts';
import { grantRecord, grantShape, grantTarget, permissionWord } from './grants.ts';
import {
  type Codecs,
  type MethodsOf,
  type UnaryMethod,
  nameOf,
  unary,
  unaryAnywhere,
  unaryWrite,
} from './method.ts';
import { timestampShape } from './reply-entries.ts';
import { pageLimit, timeToLiveMs } from './request-fields.ts';

/**
 * @param access of the store, once that is open.
 * @param audit is told of each change.
 */
export function accessMethods(access: () => Access, audit: AccessAudit): MethodsOf<typeof AccessService> {
  const { method } = AccessService;

  /** A method that needs a role which is admin, and answers by a reply without fields. */
  function changing<Request>(
    desc: DescMethodUnary,
    read: Codecs<Request>['read'],
    plan: (request: Request, call: Call) => Plan | Promise<Plan>,
    needs: (login: Login, request: Request) => void = checkAdmin,
  ): UnaryMethod<Request, Empty> {
    return unaryWrite(desc, emptyReply(read), needs, async (_, request, call) => {
      const { names, run } = await plan(request, call);
      await access().change((draft) => {
        // A hash takes its time, and the change may have to wait for its turn.
        call.asked(nameOf(desc), () => needs(call.login, request));
        run(draft);
      });
      audit.accessChanged(call, desc.name, names);
      return EMPTY;
    });
  }

  return {
    whoAmI: unaryAnywhere(
      method.whoAmI,
      {
        read: codec.readWhoAmIRequest,
        sizeOf: codec.sizeOfWhoAmIResponse,
        prepend: codec.prependWhoAmIResponse,
      },
      checkUser,
      (_store, _request, call) => whoAmI(access(), call),
    ),
    createUser: changing(method.createUser, codec.readCreateUserRequest, (request) =>
      createUser(access(), request),
    ),
    deleteUser: changing(method.deleteUser, codec.readDeleteUserRequest, (request) => {
      const name = nameIn('name', accessKind.user, request.name);
      return { names: { name }, run: (draft) => records.deleteUser(draft, name) };
    }),
    setPassword: changing(
      method.setPassword,
      codec.readSetPasswordRequest,
      (request, call) => setPassword(access(), request, call),
      (login, { name }) => checkSelfOrAdmin(login, userNameIn(login, 'name', name)),
    ),
    giveRole: changing(method.giveRole, codec.readGiveRoleRequest, (request) => {
      const { user, role } = userAndRole(request);
      return { names: { name: user, role }, run: (draft) => records.giveRole(draft, user, role) };
    }),
    takeRole: changing(method.takeRole, codec.readTakeRoleRequest, (request) => {
      const { user, role } = userAndRole(request);
      return { names: { name: user, role }, run: (draft) => records.takeRole(draft, user, role) };
    }),
    listUsers: unary(
      method.listUsers,
      {
        read: codec.readListUsersRequest,
        sizeOf: codec.sizeOfListUsersResponse,
        prepend: codec.prependListUsersResponse,
      },
      checkAdmin,
      (store, request, call) => {
        const { items, nextPageToken } = listed(store, accessKind.user, request, call);
        return { users: items.map(userShape), nextPageToken };
      },
    ),
    createRole: changing(method.createRole, codec.readCreateRoleRequest, (request) => {
      const name = nameIn('name', accessKind.role, request.name);
      return { names: { name }, run: (draft) => records.createRole(draft, name) };
    }),
    deleteRole: changing(method.deleteRole, codec.readDeleteRoleRequest, (request) => {
      const name = nameIn('name', accessKind.role, request.name);
      return { names: { name }, run: (draft) => records.deleteRole(draft, name) };
    }),
    addGrant: changing(method.addGrant, codec.readAddGrantRequest, (request) => {
      const role = nameIn('role', accessKind.role, request.role);
      const grant = grantRecord('grant', request.grant);
      return {
        names: { name: role, permission: permissionWord(grant) },
        run: (draft) => records.addGrant(draft, role, grant),
      };
    }),
    removeGrant: changing(method.removeGrant, codec.readRemoveGrantRequest, (request) => {
      const role = nameIn('role', accessKind.role, request.role);
      const target = grantTarget('keys', request.keys);
      return { names: { name: role }, run: (draft) => records.removeGrant(draft, role, target) };
    }),
    listRoles: unary(
      method.listRoles,
      {
        read: codec.readListRolesRequest,
        sizeOf: codec.sizeOfListRolesResponse,
        prepend: codec.prependListRolesResponse,
      },
      checkAdmin,
      (store, request, call) => {
        const { items, nextPageToken } = listed(store, accessKind.role, request, call);
        return { roles: items.map(roleShape), nextPageToken };
      },
    ),
    createToken: unaryWrite(
      method.createToken,
      {
        read: codec.readCreateTokenRequest,
        sizeOf: codec.sizeOfCreateTokenResponse,
        prepend: codec.prependCreateTokenResponse,
      },
      checkAdmin,
      async (_, request, call) => {
        const { secret, names, run } = newToken(access(), request, call.login);
        await access().change((draft) => {
          call.asked(nameOf(method.createToken), () => checkAdmin(call.login));
          run(draft);
        });
        audit.accessChanged(call, method.createToken.name, names);
        return { secret };
      },
    ),
    deleteToken: changing(method.deleteToken, codec.readDeleteTokenRequest, (request) => {
      const name = nameIn('name', accessKind.token, request.name);
      return { names: { name }, run: (draft) => records.deleteToken(draft, name) };
    }),
    listTokens: unary(
      method.listTokens,
      {
        read: codec.readListTokensRequest,
        sizeOf: codec.sizeOfListTokensResponse,
        prepend: codec.prependListTokensResponse,
      },
      checkAdmin,
      (store, request, call) => {
        const { items, nextPageToken } = listed(store, accessKind.token, request, call);
        return { tokens: items.map(tokenShape), nextPageToken };
      },
    ),
  };
}

/** What a request is to change. */
interface Plan {
  /** For the log. */
  readonly names: ChangedNames;
  readonly run: (draft: AccessDraft) => void;
}

/** Who makes root wants access closed. */
const HELD_OPEN =
  ', and access is held open: etcdctl auth enable closes it, or a start with --root-password-file';

/** What an item of a list takes besides its record. */
const LISTED_BYTES = 64;
/** What goes into a token's secret. */
const SECRET_BYTES = 32;

/** A reply without fields, as all that change something have but for CreateToken. */
type Empty = codec.CreateUserResponseShape;
const EMPTY: Empty = codec.emptyCreateUserResponse();

function emptyReply<Request>(read: Codecs<Request>['read']): Codecs<Request, Empty> {
  return {
    read,
    sizeOf: codec.sizeOfCreateUserResponse,
    prepend: codec.prependCreateUserResponse,
  };
}

function whoAmI({ table }: Access, call: Call): codec.WhoAmIResponseShape {
  const { userName } = call.login;
  const roles = table.user(userName)?.roles ?? [];
  call.chargeReply(roles.reduce((bytes, role) => bytes + 3 * role.length, LISTED_BYTES));
  return { user: userName, roles, isClosed: table.isClosed };
}

async function createUser(access: Access, request: codec.CreateUserRequestShape): Promise<Plan> {
  const name = nameIn('name', accessKind.user, request.name);
  const { roles: roleNames } = request;
  const roles = roleNames.map((role, index) => nameIn(`roles[${index}]`, accessKind.role, role));
  if (new Set(roles).size > fixed.accessListedMax) {
    throw invalid(`roles has more than ${fixed.accessListedMax} names, which is the most a user may have`);
  }
  checkPassword(name, request.password);
  // What can't be is refused before it costs a hash.
  if (access.table.user(name) !== undefined) {
    const isHeldRoot = name === ROOT && access.table.isHeldOpen;
    throw new StoreError('nameTaken', `there is a user ${name} already${isHeldRoot ? HELD_OPEN : ''}`);
  }
  const password = await hashOf(access, request.password);
  return {
    names: { name, roles },
    run: (draft) => records.createUser(draft, name, { password, roles, nowMs: access.clock.nowMs() }),
  };
}

async function setPassword(
  access: Access,
  request: codec.SetPasswordRequestShape,
  { login }: Call,
): Promise<Plan> {
  const name = userNameIn(login, 'name', request.name);
  checkPassword(name, request.password);
  if (access.table.user(name) === undefined) throw new StoreError('nameNotFound', `there is no user ${name}`);
  const password = await hashOf(access, request.password);
  return { names: { name }, run: (draft) => records.setPassword(draft, name, password) };
}

function newToken(
  access: Access,
  request: codec.CreateTokenRequestShape,
  login: Login,
): Plan & codec.CreateTokenResponseShape {
  const name = nameIn('name', accessKind.token, request.name);
  const user = userNameIn(login, 'user', request.user);
  const ttlMs = timeToLiveMs('ttl', request.ttl);
  const secret = Buffer.from(access.random.bytes(SECRET_BYTES)).toString('base64url');
  const createTimeMs = access.clock.nowMs();
  const expireTimeMs = ttlMs === undefined ? 0 : createTimeMs + ttlMs;
  const hash = createHash('sha256').update(secret).digest();
  return {
    secret,
    names: { name, for: user },
    run: (draft) => records.createToken(draft, name, { hash, user, createTimeMs, expireTimeMs }),
  };
}

interface PageRequest {
  readonly limit: number;
  readonly pageToken: string;
}

/** The token of a page is the name of its last record. */
function listed<Kind extends AccessKind>(
  store: KvStore,
  kind: Kind,
  { limit, pageToken }: PageRequest,
  call: Call,
): { readonly items: records.RecordPage<Kind>['records']; readonly nextPageToken: string } {
  if (pageToken !== '' && !isAccessName(kind, pageToken)) {
    throw invalid('page_token is not one that this store gave out; begin without a token');
  }
  const page = store.readVisible((view) =>
    records.recordPage(view, kind, {
      after: pageToken,
      countMax: pageLimitOf({ limit: pageLimit(limit) }),
      bytesMax: call.replyBytes(fixed.pageBytesMax),
      charge: (bytes) => call.chargeReply(bytes + LISTED_BYTES),
    }),
  );
  const nextPageToken = page.isLast ? '' : (page.records.at(-1)?.[0] ?? '');
  return { items: page.records, nextPageToken };
}

function userShape([name, record]: readonly [string, UserRecordShape]): codec.UserShape {
  const { roles, password, createTimeMs } = record;
  return { name, roles, hasPassword: password !== undefined, createTime: timestampShape(createTimeMs) };
}

function roleShape([name, { grants }]: readonly [string, RoleRecordShape]): codec.RoleShape {
  return { name, grants: grants.map(grantShape) };
}

function tokenShape([name, record]: readonly [string, TokenRecordShape]): codec.TokenShape {
  const { user, createTimeMs, expireTimeMs } = record;
  const expireTime = expireTimeMs === 0 ? undefined : timestampShape(expireTimeMs);
  return { name, user, createTime: timestampShape(createTimeMs), expireTime };
}

/** Of what a user may do for itself. */
function checkSelfOrAdmin(login: Login, userName: string): void {
  if (login.userName === userName) checkUser(login);
  else checkAdmin(login);
}

function nameIn(field: string, kind: AccessKind, name: string): string {
  if (isAccessName(kind, name)) return name;
  throw invalid(
    name === ''
      ? `${field} is missing; a ${wordOf(kind)} has a name of ${accessNameRule(kind)}`
      : `${field} is no name of a ${wordOf(kind)}, which has ${accessNameRule(kind)}`,
  );
}

/** Empty stands for the caller. */
function userNameIn({ userName }: Login, field: string, name: string): string {
  if (name === '' && userName === '') {
    throw invalid(
      `${field} is missing; it may be left out by a user that has logged in, and stands for that then`,
    );
  }
  return nameIn(field, accessKind.user, name === '' ? userName : name);
}

function userAndRole(request: { readonly user: string; readonly role: string }): {
  readonly user: string;
  readonly role: string;
} {
  return {
    user: nameIn('user', accessKind.user, request.user),
    role: nameIn('role', accessKind.role, request.role),
  };
}

function checkPassword(userName: string, password: string): void {
  const { passwordBytesMax } = fixed;
  const bytes = Buffer.byteLength(password);
  if (bytes > passwordBytesMax) {
    throw invalid(`password is ${bytes} bytes long; at most ${passwordBytesMax} are allowed`);
  }
  if (bytes === 0 && userName === ROOT) {
    throw invalid('password is missing; the user root must have one, or no login as it would be possible');
  }
}

/** `undefined`: no password lets anybody in. */
async function hashOf({ logins }: Access, password: string): Promise<PasswordHashShape | undefined> {
  return password === '' ? undefined : logins.passwords.hash(password);
}

function invalid(message: string): StoreError {
  return new StoreError('invalidArgument', message);
}

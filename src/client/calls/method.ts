/**
 * The methods of the API that the client calls: where each is found, and how its messages are written and read. Messages
 * are the plain shapes of the generated codecs.
 */
import * as access from '../../../gen/kelp/v1/access_codec.ts';
import * as admin from '../../../gen/kelp/v1/admin_codec.ts';
import * as cluster from '../../../gen/kelp/v1/cluster_codec.ts';
import * as kv from '../../../gen/kelp/v1/kv_codec.ts';
import * as lease from '../../../gen/kelp/v1/lease_codec.ts';
import * as watch from '../../../gen/kelp/v1/watch_codec.ts';
import { grpcCode } from '../../grpc-code.ts';
import { WireError } from '../../wire/wire-error.ts';
import { CallFailure } from '../errors/call-failure.ts';

export interface Method<Request, Reply> {
  /** `/PACKAGE.SERVICE/METHOD`. */
  readonly path: string;
  /** How many bytes `prepend` writes. */
  readonly sizeOf: (request: Request) => number;
  /** Writes a request whose size was asked for, so that it ends before `end`. */
  readonly prepend: (request: Request, buffer: Buffer, end: number) => number;
  /** Reads a reply, whose bytes are views of the buffer. Throws a `WireError`. */
  readonly read: (buffer: Buffer, start: number, end: number) => Reply;
  /** How `KvService.Pipeline` carries it; `undefined`: not at all. */
  readonly piped: Piped<Request> | undefined;
}

/** A method that is an operation of a pipeline. */
export interface Piped<Request> {
  readonly kind: PipedKind;
  /** Whether it changes something, so that its answer waits for the log. */
  readonly isWrite: (request: Request) => boolean;
  /** Whether its reply may hold an entry with its value, which may be long. */
  readonly returnsEntry: (request: Request) => boolean;
}

type PipedKind = Exclude<kv.PipelineOperationShape['operation']['case'], undefined>;

/** Reads a reply. Throws a `CallFailure` when it is none. */
export function readReply<Reply>(
  method: Method<never, Reply>,
  buffer: Buffer,
  start: number,
  end: number,
): Reply {
  try {
    return method.read(buffer, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const message = `the reply to ${method.path} is a ${error.message}; is it a KelpDB server?`;
    throw new CallFailure(grpcCode.Internal, message);
  }
}

export function method<Request, Reply>(
  path: string,
  sizeOf: Method<Request, Reply>['sizeOf'],
  prepend: Method<Request, Reply>['prepend'],
  read: Method<Request, Reply>['read'],
  piped?: Piped<Request>,
): Method<Request, Reply> {
  return { path: `/kelp.v1.${path}`, sizeOf, prepend, read, piped };
}

/** Of a call that is always a write, or never. */
function piped(kind: PipedKind, isWrite: boolean): Piped<unknown> {
  return { kind, isWrite: () => isWrite, returnsEntry: () => false };
}

const returnsPrevious = ({ returnPrevious }: { readonly returnPrevious: boolean }): boolean => returnPrevious;

export const kvMethods = {
  get: method('KvService/Get', kv.sizeOfGetRequest, kv.prependGetRequest, kv.readGetResponse, {
    kind: 'get',
    isWrite: ({ refreshTtl }) => refreshTtl,
    returnsEntry: () => true,
  }),
  put: method('KvService/Put', kv.sizeOfPutRequest, kv.prependPutRequest, kv.readPutResponse, {
    kind: 'put',
    isWrite: () => true,
    returnsEntry: returnsPrevious,
  }),
  delete: method('KvService/Delete', kv.sizeOfDeleteRequest, kv.prependDeleteRequest, kv.readDeleteResponse, {
    kind: 'delete',
    isWrite: () => true,
    returnsEntry: returnsPrevious,
  }),
  deleteRange: method(
    'KvService/DeleteRange',
    kv.sizeOfDeleteRangeRequest,
    kv.prependDeleteRangeRequest,
    kv.readDeleteRangeResponse,
  ),
  exists: method(
    'KvService/Exists',
    kv.sizeOfExistsRequest,
    kv.prependExistsRequest,
    kv.readExistsResponse,
    piped('exists', false),
  ),
  scan: method('KvService/Scan', kv.sizeOfScanRequest, kv.prependScanRequest, kv.readScanResponse),
  scanStream: method(
    'KvService/ScanStream',
    kv.sizeOfScanStreamRequest,
    kv.prependScanStreamRequest,
    kv.readScanStreamResponse,
  ),
  keys: method('KvService/Keys', kv.sizeOfKeysRequest, kv.prependKeysRequest, kv.readKeysResponse),
  increment: method(
    'KvService/Increment',
    kv.sizeOfIncrementRequest,
    kv.prependIncrementRequest,
    kv.readIncrementResponse,
    piped('increment', true),
  ),
  touch: method(
    'KvService/Touch',
    kv.sizeOfTouchRequest,
    kv.prependTouchRequest,
    kv.readTouchResponse,
    piped('touch', true),
  ),
  txn: method('KvService/Txn', kv.sizeOfTxnRequest, kv.prependTxnRequest, kv.readTxnResponse),
};

export const leaseMethods = {
  grant: method(
    'LeaseService/Grant',
    lease.sizeOfGrantRequest,
    lease.prependGrantRequest,
    lease.readGrantResponse,
  ),
  renew: method(
    'LeaseService/Renew',
    lease.sizeOfRenewRequest,
    lease.prependRenewRequest,
    lease.readRenewResponse,
  ),
  revoke: method(
    'LeaseService/Revoke',
    lease.sizeOfRevokeRequest,
    lease.prependRevokeRequest,
    lease.readRevokeResponse,
  ),
  get: method(
    'LeaseService/Get',
    lease.sizeOfLeaseServiceGetRequest,
    lease.prependLeaseServiceGetRequest,
    lease.readLeaseServiceGetResponse,
  ),
  list: method(
    'LeaseService/List',
    lease.sizeOfListRequest,
    lease.prependListRequest,
    lease.readListResponse,
  ),
};

export const adminMethods = {
  status: method(
    'AdminService/Status',
    admin.sizeOfStatusRequest,
    admin.prependStatusRequest,
    admin.readStatusResponse,
  ),
  snapshot: method(
    'AdminService/Snapshot',
    admin.sizeOfSnapshotRequest,
    admin.prependSnapshotRequest,
    admin.readSnapshotResponse,
  ),
  backup: method(
    'AdminService/Backup',
    admin.sizeOfBackupRequest,
    admin.prependBackupRequest,
    admin.readBackupResponse,
  ),
  compact: method(
    'AdminService/Compact',
    admin.sizeOfCompactRequest,
    admin.prependCompactRequest,
    admin.readCompactResponse,
  ),
  compactStorage: method(
    'AdminService/CompactStorage',
    admin.sizeOfCompactStorageRequest,
    admin.prependCompactStorageRequest,
    admin.readCompactStorageResponse,
  ),
  activity: method(
    'AdminService/Activity',
    admin.sizeOfActivityRequest,
    admin.prependActivityRequest,
    admin.readActivityResponse,
  ),
};

export const clusterMethods = {
  members: method(
    'ClusterService/Members',
    cluster.sizeOfMembersRequest,
    cluster.prependMembersRequest,
    cluster.readMembersResponse,
  ),
  report: method(
    'ClusterService/Report',
    cluster.sizeOfReportRequest,
    cluster.prependReportRequest,
    cluster.readReportResponse,
  ),
  head: method(
    'ClusterService/Head',
    cluster.sizeOfHeadRequest,
    cluster.prependHeadRequest,
    cluster.readHeadResponse,
  ),
  follow: method(
    'ClusterService/Follow',
    cluster.sizeOfFollowRequest,
    cluster.prependFollowRequest,
    cluster.readFollowResponse,
  ),
  handover: method(
    'ClusterService/Handover',
    cluster.sizeOfHandoverRequest,
    cluster.prependHandoverRequest,
    cluster.readHandoverResponse,
  ),
};

export const accessMethods = {
  whoAmI: method(
    'AccessService/WhoAmI',
    access.sizeOfWhoAmIRequest,
    access.prependWhoAmIRequest,
    access.readWhoAmIResponse,
  ),
  createUser: method(
    'AccessService/CreateUser',
    access.sizeOfCreateUserRequest,
    access.prependCreateUserRequest,
    access.readCreateUserResponse,
  ),
  deleteUser: method(
    'AccessService/DeleteUser',
    access.sizeOfDeleteUserRequest,
    access.prependDeleteUserRequest,
    access.readDeleteUserResponse,
  ),
  setPassword: method(
    'AccessService/SetPassword',
    access.sizeOfSetPasswordRequest,
    access.prependSetPasswordRequest,
    access.readSetPasswordResponse,
  ),
  giveRole: method(
    'AccessService/GiveRole',
    access.sizeOfGiveRoleRequest,
    access.prependGiveRoleRequest,
    access.readGiveRoleResponse,
  ),
  takeRole: method(
    'AccessService/TakeRole',
    access.sizeOfTakeRoleRequest,
    access.prependTakeRoleRequest,
    access.readTakeRoleResponse,
  ),
  listUsers: method(
    'AccessService/ListUsers',
    access.sizeOfListUsersRequest,
    access.prependListUsersRequest,
    access.readListUsersResponse,
  ),
  createRole: method(
    'AccessService/CreateRole',
    access.sizeOfCreateRoleRequest,
    access.prependCreateRoleRequest,
    access.readCreateRoleResponse,
  ),
  deleteRole: method(
    'AccessService/DeleteRole',
    access.sizeOfDeleteRoleRequest,
    access.prependDeleteRoleRequest,
    access.readDeleteRoleResponse,
  ),
  addGrant: method(
    'AccessService/AddGrant',
    access.sizeOfAddGrantRequest,
    access.prependAddGrantRequest,
    access.readAddGrantResponse,
  ),
  removeGrant: method(
    'AccessService/RemoveGrant',
    access.sizeOfRemoveGrantRequest,
    access.prependRemoveGrantRequest,
    access.readRemoveGrantResponse,
  ),
  listRoles: method(
    'AccessService/ListRoles',
    access.sizeOfListRolesRequest,
    access.prependListRolesRequest,
    access.readListRolesResponse,
  ),
  createToken: method(
    'AccessService/CreateToken',
    access.sizeOfCreateTokenRequest,
    access.prependCreateTokenRequest,
    access.readCreateTokenResponse,
  ),
  deleteToken: method(
    'AccessService/DeleteToken',
    access.sizeOfDeleteTokenRequest,
    access.prependDeleteTokenRequest,
    access.readDeleteTokenResponse,
  ),
  listTokens: method(
    'AccessService/ListTokens',
    access.sizeOfListTokensRequest,
    access.prependListTokensRequest,
    access.readListTokensResponse,
  ),
};

export const watchMethod = method(
  'WatchService/Watch',
  watch.sizeOfWatchRequest,
  watch.prependWatchRequest,
  watch.readWatchResponse,
);

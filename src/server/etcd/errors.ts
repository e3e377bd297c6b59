/**
 * The errors of etcd's API, to the letter: its clients compare code and text. What the store says comes out as etcd's error where
 * etcd has one for it; all else keeps code and text of our own.
 */
import { MissingLogin } from '../../access/login/refused-login.ts';
import { ReadReplicaError, RetryLaterError, StoreError } from '../../errors.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import { CallError, StatusError } from '../calls/call-error.ts';

const codes = grpcCode;

const table = {
  emptyKey: [codes.InvalidArgument, 'key is not provided'],
  keyNotFound: [codes.InvalidArgument, 'key not found'],
  valueProvided: [codes.InvalidArgument, 'value is provided'],
  leaseProvided: [codes.InvalidArgument, 'lease is provided'],
  tooManyOps: [codes.InvalidArgument, 'too many operations in txn request'],
  duplicateKey: [codes.InvalidArgument, 'duplicate key given in txn request'],
  invalidSortOption: [codes.InvalidArgument, 'invalid sort option'],
  requestTooLarge: [codes.InvalidArgument, 'request is too large'],
  compacted: [codes.OutOfRange, 'mvcc: required revision has been compacted'],
  futureRevision: [codes.OutOfRange, 'mvcc: required revision is a future revision'],
  noSpace: [codes.ResourceExhausted, 'mvcc: database space exceeded'],
  tooManyRequests: [codes.ResourceExhausted, 'too many requests'],
  leaseNotFound: [codes.NotFound, 'requested lease not found'],
  leaseExists: [codes.FailedPrecondition, 'lease already exists'],
  leaseIdOutOfRange: [codes.InvalidArgument, 'lease ID must be 0, or 1 to 9007199254740991'],
  leaseTtlTooLarge: [codes.OutOfRange, 'too large lease TTL'],
  watchCanceled: [codes.Canceled, 'watch canceled'],
  memberNotFound: [codes.NotFound, 'member not found'],
  rootUserNotExist: [codes.FailedPrecondition, 'root user does not exist'],
  rootRoleNotExist: [codes.FailedPrecondition, 'root user does not have root role'],
  userAlreadyExist: [codes.FailedPrecondition, 'user name already exists'],
  userEmpty: [codes.InvalidArgument, 'user name is empty'],
  userNotFound: [codes.FailedPrecondition, 'user name not found'],
  roleAlreadyExist: [codes.FailedPrecondition, 'role name already exists'],
  roleNotFound: [codes.FailedPrecondition, 'role name not found'],
  roleEmpty: [codes.InvalidArgument, 'role name is empty'],
  authFailed: [codes.InvalidArgument, 'authentication failed, invalid user ID or password'],
  permissionNotGiven: [codes.InvalidArgument, 'permission not given'],
  permissionDenied: [codes.PermissionDenied, 'permission denied'],
  roleNotGranted: [codes.FailedPrecondition, 'role is not granted to the user'],
  permissionNotGranted: [codes.FailedPrecondition, 'permission is not granted to the role'],
  authNotEnabled: [codes.FailedPrecondition, 'authentication is not enabled'],
  invalidAuthToken: [codes.Unauthenticated, 'invalid auth token'],
  invalidAuthManagement: [codes.InvalidArgument, 'invalid auth management'],
  stopped: [codes.Unavailable, 'server stopped'],
  noLeader: [codes.Unavailable, 'no leader'],
  timeout: [codes.Unavailable, 'request timed out'],
  corrupt: [codes.DataLoss, 'corrupt cluster'],
} as const satisfies Readonly<Record<string, readonly [GrpcCode, string]>>;

export type EtcdErrorName = keyof typeof table;

export function etcdError(name: EtcdErrorName): StatusError {
  const [code, text] = table[name];
  return new StatusError(code, `etcdserver: ${text}`);
}

/** What a call to etcd's services fails with: an error of the store, or of the call, as etcd says it. */
export function toEtcdError(error: unknown): unknown {
  // etcd has no server of this kind. Its clients try again what is UNAVAILABLE, as `no leader` is, and this does not pass.
  if (error instanceof ReadReplicaError) return new StatusError(codes.FailedPrecondition, error.message);
  const name = nameOf(error);
  return name === undefined ? error : etcdError(name);
}

function nameOf(error: unknown): EtcdErrorName | undefined {
  if (error instanceof CallError) return error.code === 'stopping' ? 'stopped' : undefined;
  if (!(error instanceof StoreError)) return undefined;
  switch ((error as StoreError).code) {
    case 'revisionCompacted':
      return 'compacted';
    case 'revisionFuture':
      return 'futureRevision';
    case 'leaseNotFound':
      return 'leaseNotFound';
    case 'leaseExists':
      return 'leaseExists';
    case 'permissionDenied':
      return 'permissionDenied';
    // etcd's clients log in again when their token is not taken, which is of no use to those that have none.
    case 'unauthenticated':
      return error instanceof MissingLogin ? 'userEmpty' : 'invalidAuthToken';
    case 'limitReached':
      if (error instanceof RetryLaterError || error.room === 'log') return 'tooManyRequests';
      return error.room === 'memory' ? 'noSpace' : undefined;
    case 'closed':
      return 'stopped';
    case 'notWriter':
      return 'noLeader';
    case 'damaged':
      return 'corrupt';
    default:
      return undefined;
  }
}

/**
 * The one place where errors become codes of gRPC, each with a typed detail that programs act on. Each protocol writes it down
 * in its own form: `grpc/status.ts`, `connect/connect-error.ts`.
 */
import {
  type ErrorDetailShape,
  prependErrorDetail,
  sizeOfErrorDetail,
} from '../../../gen/kelp/v1/errors_codec.ts';
import type { OperationFailureShape } from '../../../gen/kelp/v1/kv_codec.ts';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { RetryLaterError, StoreError, type StoreErrorCode, isStoreError } from '../../errors.ts';
import { forwarding, serverFixed } from '../../limits.ts';
import { AnsweredError, BrokenWatchError, CallError, type CallErrorCode, StatusError } from './call-error.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';

/** How a call that failed ended. */
export interface Outcome {
  readonly code: GrpcCode;
  /** Fit for a header: well formed and not too long. */
  readonly message: string;
  /** A `kelp.v1.ErrorDetail`; `undefined`: the code says all. */
  readonly detail: Buffer | undefined;
  /** When the same call may succeed; `undefined`: that is not known. */
  readonly retryAfterMs: number | undefined;
}

const codes = grpcCode;

const outcomeByStoreCode: Readonly<Record<StoreErrorCode, readonly [GrpcCode, ErrorReason]>> = {
  invalidArgument: [codes.InvalidArgument, ErrorReason.INVALID_ARGUMENT],
  conditionFailed: [codes.FailedPrecondition, ErrorReason.CONDITION_FAILED],
  revisionCompacted: [codes.OutOfRange, ErrorReason.REVISION_COMPACTED],
  revisionFuture: [codes.OutOfRange, ErrorReason.REVISION_FUTURE],
  keyNotFound: [codes.NotFound, ErrorReason.KEY_NOT_FOUND],
  leaseNotFound: [codes.NotFound, ErrorReason.LEASE_NOT_FOUND],
  leaseExists: [codes.AlreadyExists, ErrorReason.LEASE_EXISTS],
  unauthenticated: [codes.Unauthenticated, ErrorReason.UNAUTHENTICATED],
  permissionDenied: [codes.PermissionDenied, ErrorReason.PERMISSION_DENIED],
  nameNotFound: [codes.NotFound, ErrorReason.NAME_NOT_FOUND],
  nameTaken: [codes.AlreadyExists, ErrorReason.NAME_TAKEN],
  notAnInteger: [codes.FailedPrecondition, ErrorReason.NOT_AN_INTEGER],
  integerOverflow: [codes.FailedPrecondition, ErrorReason.INTEGER_OVERFLOW],
  wrongType: [codes.FailedPrecondition, ErrorReason.WRONG_TYPE],
  notAFloat: [codes.FailedPrecondition, ErrorReason.NOT_A_FLOAT],
  notANumber: [codes.FailedPrecondition, ErrorReason.NOT_A_NUMBER],
  indexOutOfRange: [codes.OutOfRange, ErrorReason.INDEX_OUT_OF_RANGE],
  noTimeToLive: [codes.FailedPrecondition, ErrorReason.NO_TIME_TO_LIVE],
  limitReached: [codes.ResourceExhausted, ErrorReason.LIMIT_REACHED],
  slowWatcher: [codes.ResourceExhausted, ErrorReason.SLOW_WATCHER],
  otherStore: [codes.FailedPrecondition, ErrorReason.OTHER_STORE],
  historyDiffers: [codes.FailedPrecondition, ErrorReason.HISTORY_DIFFERS],
  partlyDeleted: [codes.Aborted, ErrorReason.PARTLY_DELETED],
  notWriter: [codes.Unavailable, ErrorReason.NOT_WRITER],
  closed: [codes.Unavailable, ErrorReason.SHUTTING_DOWN],
  storageFailed: [codes.Unavailable, ErrorReason.STORAGE_FAILED],
  readOnly: [codes.Unavailable, ErrorReason.READ_ONLY],
  snapshotFailed: [codes.Internal, ErrorReason.SNAPSHOT_FAILED],
  readFailed: [codes.Unavailable, ErrorReason.READ_FAILED],
  damaged: [codes.DataLoss, ErrorReason.DAMAGED],
  // A store that is locked is never served, so no call meets this.
  locked: [codes.Unavailable, ErrorReason.UNSPECIFIED],
};

/** Those without a reason need none: the code says all. */
const outcomeByCallCode: Readonly<Record<CallErrorCode, readonly [GrpcCode, ErrorReason | undefined]>> = {
  recovering: [codes.Unavailable, ErrorReason.RECOVERING],
  stopping: [codes.Unavailable, ErrorReason.SHUTTING_DOWN],
  deadlineExceeded: [codes.DeadlineExceeded, undefined],
  canceled: [codes.Canceled, undefined],
  notClustered: [codes.FailedPrecondition, ErrorReason.NOT_CLUSTERED],
  notHandedOver: [codes.FailedPrecondition, ErrorReason.NOT_HANDED_OVER],
  unimplemented: [codes.Unimplemented, undefined],
};

/** Whatever a service threw, as the client gets it. */
export function outcomeOf(error: unknown): Outcome {
  const { code, message, detail } = failureOf(error);
  return { code, message, detail: detail && bytesOf(detail), retryAfterMs: retryAfterMsOf(error) };
}

export function retryAfterMsOf(error: unknown): number | undefined {
  if (isStoreError(error, 'notWriter')) return forwarding.retryAfterMs;
  return error instanceof RetryLaterError || error instanceof AnsweredError ? error.retryAfterMs : undefined;
}

/** The same, its detail not yet as bytes. What was not foreseen is INTERNAL and tells nothing of its inside. */
export function failureOf(error: unknown): OperationFailureShape & { readonly code: GrpcCode } {
  if (error instanceof StoreError) {
    const [code, reason] = outcomeByStoreCode[(error as StoreError).code];
    return failure(code, error.message, { reason, info: infoOf(error) });
  }
  if (error instanceof CallError) {
    const [code, reason] = outcomeByCallCode[error.code];
    const { resumeRevision } = error;
    const info = resumeRevision === undefined ? NO_INFO : watchEnded(resumeRevision);
    return failure(code, error.message, reason === undefined ? undefined : { reason, info });
  }
  if (error instanceof AnsweredError) return failure(error.code, error.message, error.detail);
  if (error instanceof StatusError) return failure(error.code, error.message, undefined);
  return failure(codes.Internal, 'internal error; the log of the server has more', undefined);
}

/** Whether it was not foreseen: the log has to tell of it. What the store or a service foresaw is told where it happens. */
export function isUnforeseen(error: unknown): boolean {
  return !(
    error instanceof StoreError ||
    error instanceof CallError ||
    error instanceof StatusError ||
    error instanceof AnsweredError
  );
}

/** gRPC sends the text in a header: half a surrogate pair of a key in it can't be encoded, and a long one is refused. */
export function headerText(message: string): string {
  const text = message.toWellFormed();
  const max = serverFixed.errorMessageCharactersMax;
  return text.length <= max ? text : `${text.slice(0, max).toWellFormed()}...`;
}

function failure(
  code: GrpcCode,
  message: string,
  detail: ErrorDetailShape | undefined,
): ReturnType<typeof failureOf> {
  return { code, message: headerText(message), detail };
}

function bytesOf(detail: ErrorDetailShape): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOfErrorDetail(detail));
  prependErrorDetail(detail, bytes, bytes.length);
  return bytes;
}

type ErrorInfo = ErrorDetailShape['info'];

const NO_INFO: ErrorInfo = { case: undefined };

function infoOf(error: StoreError): ErrorInfo {
  if (error instanceof BrokenWatchError) return watchEnded(error.resumeRevision);
  const { details } = error;
  if (details === undefined) return NO_INFO;
  if ('currentModRevision' in details) return { case: 'conditionFailed', value: details };
  if ('resumeRevision' in details) return watchEnded(details.resumeRevision);
  if ('storeId' in details) return { case: 'otherStore', value: details };
  if ('sharedRevision' in details) return { case: 'historyDiffers', value: details };
  if ('writerAddress' in details) return { case: 'notWriter', value: details };
  if ('deletedCount' in details) return { case: 'partlyDeleted', value: details };
  return { case: 'revisionOutOfRange', value: details };
}

function watchEnded(resumeRevision: number): ErrorInfo {
  return { case: 'watchEnded', value: { resumeRevision } };
}

/** The one place where errors become gRPC codes, each with a typed detail that programs act on. */
import { Code, ConnectError } from '@connectrpc/connect';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { StoreError, type StoreErrorCode } from '../../errors.ts';
import { limitName, serverFixed } from '../../limits.ts';

const outcomeByCode: Readonly<Record<StoreErrorCode, readonly [Code, ErrorReason]>> = {
  invalidArgument: [Code.InvalidArgument, ErrorReason.INVALID_ARGUMENT],
  conditionFailed: [Code.FailedPrecondition, ErrorReason.CONDITION_FAILED],
  revisionCompacted: [Code.OutOfRange, ErrorReason.REVISION_COMPACTED],
  revisionFuture: [Code.OutOfRange, ErrorReason.REVISION_FUTURE],
  keyNotFound: [Code.NotFound, ErrorReason.KEY_NOT_FOUND],
  leaseNotFound: [Code.NotFound, ErrorReason.LEASE_NOT_FOUND],
  leaseExists: [Code.AlreadyExists, ErrorReason.LEASE_EXISTS],
  notAnInteger: [Code.FailedPrecondition, ErrorReason.NOT_AN_INTEGER],
  integerOverflow: [Code.FailedPrecondition, ErrorReason.INTEGER_OVERFLOW],
  noTimeToLive: [Code.FailedPrecondition, ErrorReason.NO_TIME_TO_LIVE],
  limitReached: [Code.ResourceExhausted, ErrorReason.LIMIT_REACHED],
  slowWatcher: [Code.ResourceExhausted, ErrorReason.SLOW_WATCHER],
  otherStore: [Code.FailedPrecondition, ErrorReason.OTHER_STORE],
  historyDiffers: [Code.FailedPrecondition, ErrorReason.HISTORY_DIFFERS],
  partlyDeleted: [Code.Aborted, ErrorReason.PARTLY_DELETED],
  closed: [Code.Unavailable, ErrorReason.SHUTTING_DOWN],
  storageFailed: [Code.Unavailable, ErrorReason.STORAGE_FAILED],
  readOnly: [Code.Unavailable, ErrorReason.READ_ONLY],
  snapshotFailed: [Code.Internal, ErrorReason.SNAPSHOT_FAILED],
  damaged: [Code.DataLoss, ErrorReason.DAMAGED],
  // A store that is locked is never served, so no call meets this.
  locked: [Code.Unavailable, ErrorReason.UNSPECIFIED],
};

/** Whatever a service threw, as the client gets it. What was not foreseen is INTERNAL and tells nothing of its inside. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return withHeaderText(error);
  if (error instanceof StoreError) {
    const [code, reason] = outcomeByCode[(error as StoreError).code];
    return connectError(code, reason, error.message, infoOf(error), error);
  }
  return new ConnectError(
    'internal error; the log of the server has more',
    Code.Internal,
    undefined,
    undefined,
    error,
  );
}

/** Whether it was not foreseen: the log has to tell of it. What the store or a service foresaw is told where it happens. */
export function isUnforeseen(error: unknown): boolean {
  return !(error instanceof ConnectError || error instanceof StoreError);
}

/** The server has not read its data yet. */
export function recoveringError(): ConnectError {
  return connectError(
    Code.Unavailable,
    ErrorReason.RECOVERING,
    'the server is recovering its data; try again',
  );
}

/** The server stops. A watch names the revision to go on from. */
export function shuttingDownError(resumeRevision?: number): ConnectError {
  const info = resumeRevision === undefined ? undefined : watchEnded(resumeRevision);
  return connectError(Code.Unavailable, ErrorReason.SHUTTING_DOWN, 'the server is stopping; try again', info);
}

/** The bytes of a request are no message of its type. */
export function malformedRequestError(typeName: string, what: string): ConnectError {
  return connectError(
    Code.InvalidArgument,
    ErrorReason.INVALID_ARGUMENT,
    `the request is no ${typeName}: ${what}`,
  );
}

/** The request message is longer than `bytesMax`, as sent or, then `state` says so, as decompressed. */
export function tooLongError(bytesMax: number, state = ''): ConnectError {
  // Services whose requests are small by nature have a limit that is fixed.
  const name = bytesMax === serverFixed.smallRequestBytesMax ? '' : ` (${limitName('requestBytesMax')})`;
  return limitReachedError(`the request message is longer than ${bytesMax} bytes${state}${name}`);
}

/** A limit of the server was reached; `message` names it. */
export function limitReachedError(message: string): ConnectError {
  return connectError(Code.ResourceExhausted, ErrorReason.LIMIT_REACHED, message);
}

type ErrorInfo = NonNullable<MessageInitShape<typeof ErrorDetailSchema>['info']>;

function connectError(
  code: Code,
  reason: ErrorReason,
  message: string,
  info: ErrorInfo = { case: undefined },
  cause?: unknown,
): ConnectError {
  const detail = { desc: ErrorDetailSchema, value: { reason, info } };
  return new ConnectError(headerText(message), code, undefined, [detail], cause);
}

function infoOf(error: StoreError): ErrorInfo | undefined {
  const { details } = error;
  if (details === undefined) return undefined;
  if ('currentModRevision' in details) {
    return { case: 'conditionFailed', value: { currentModRevision: BigInt(details.currentModRevision) } };
  }
  if ('resumeRevision' in details) return watchEnded(details.resumeRevision);
  if ('storeId' in details) {
    const { requestedStoreId, storeId } = details;
    return { case: 'otherStore', value: { requestedStoreId, storeId } };
  }
  if ('sharedRevision' in details) {
    const { requestedRevision, sharedRevision, newestRevision, ...incarnations } = details;
    return {
      case: 'historyDiffers',
      value: {
        ...incarnations,
        requestedRevision: BigInt(requestedRevision),
        sharedRevision: BigInt(sharedRevision),
        newestRevision: BigInt(newestRevision),
      },
    };
  }
  if ('deletedCount' in details) {
    return {
      case: 'partlyDeleted',
      value: {
        firstRevision: BigInt(details.firstRevision),
        revision: BigInt(details.revision),
        deletedCount: BigInt(details.deletedCount),
      },
    };
  }
  return {
    case: 'revisionOutOfRange',
    value: {
      requestedRevision: BigInt(details.requestedRevision),
      oldestRevision: BigInt(details.oldestRevision),
      newestRevision: BigInt(details.newestRevision),
    },
  };
}

function watchEnded(resumeRevision: number): ErrorInfo {
  return { case: 'watchEnded', value: { resumeRevision: BigInt(resumeRevision) } };
}

/** Connect's own errors quote what they can not read. */
function withHeaderText(error: ConnectError): ConnectError {
  const text = headerText(error.rawMessage);
  if (text === error.rawMessage) return error;
  const changed = new ConnectError(text, error.code, error.metadata, undefined, error.cause);
  changed.details = error.details;
  return changed;
}

/** gRPC sends the text in a header: half a surrogate pair of a key in it can't be encoded, and a long one is refused. */
function headerText(message: string): string {
  const text = message.toWellFormed();
  const max = serverFixed.errorMessageCharactersMax;
  return text.length <= max ? text : `${text.slice(0, max).toWellFormed()}...`;
}

/**
 * The one place that turns what the transport throws into a `KelpError`.
 *
 * A failure that the server explained carries a `kelp.v1.ErrorDetail`, and its reason decides. Any other comes from
 * the transport or from something between client and server, and is told by its gRPC code and by the system's error
 * in its causes.
 */
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import { grpcCode } from '../../grpc-code.ts';
import { CallFailure } from './call-failure.ts';
import {
  ConnectFailure,
  Misconfiguration,
  type MisconfigurationKind,
  causesOf,
  isCertificateCode,
  misconfigurationOf,
} from './connect-failure.ts';
import type { KelpErrorCode, KelpErrorOptions } from './error.ts';
import { KelpError, incompleteReply } from './error.ts';

export interface FailedCall {
  /** Whether it would have changed something; then an answer that never came leaves that open. */
  readonly isWrite: boolean;
  /** What the message says was to be reached. */
  readonly address: string;
}

export function toKelpError(reason: unknown, call: FailedCall): KelpError {
  if (reason instanceof KelpError) return reason;
  if (!(reason instanceof CallFailure)) {
    const message = reason instanceof Error ? reason.message : String(reason);
    return new KelpError('internal', message, undefined, { cause: reason, mayHaveTakenEffect: call.isWrite });
  }
  return explainedError(reason, call) ?? unexplainedError(reason, call);
}

type DetailedCode =
  | 'conditionFailed'
  | 'revisionCompacted'
  | 'revisionFuture'
  | 'otherStore'
  | 'historyDiffers'
  | 'partlyDeleted'
  | 'notWriter';
type SimpleCode = Exclude<KelpErrorCode, DetailedCode>;

const simpleCodeByReason = new Map<number, SimpleCode>([
  [ErrorReason.INVALID_ARGUMENT, 'invalidArgument'],
  [ErrorReason.KEY_NOT_FOUND, 'keyNotFound'],
  [ErrorReason.LEASE_NOT_FOUND, 'leaseNotFound'],
  [ErrorReason.LEASE_EXISTS, 'leaseExists'],
  [ErrorReason.UNAUTHENTICATED, 'unauthenticated'],
  [ErrorReason.PERMISSION_DENIED, 'permissionDenied'],
  [ErrorReason.NAME_NOT_FOUND, 'nameNotFound'],
  [ErrorReason.NAME_TAKEN, 'nameTaken'],
  [ErrorReason.NOT_AN_INTEGER, 'notAnInteger'],
  [ErrorReason.INTEGER_OVERFLOW, 'integerOverflow'],
  [ErrorReason.WRONG_TYPE, 'wrongType'],
  [ErrorReason.NOT_A_FLOAT, 'notAFloat'],
  [ErrorReason.NOT_A_NUMBER, 'notANumber'],
  [ErrorReason.INDEX_OUT_OF_RANGE, 'indexOutOfRange'],
  [ErrorReason.NO_TIME_TO_LIVE, 'noTimeToLive'],
  [ErrorReason.LIMIT_REACHED, 'limitReached'],
  [ErrorReason.SLOW_WATCHER, 'slowWatcher'],
  [ErrorReason.SHUTTING_DOWN, 'shuttingDown'],
  [ErrorReason.RECOVERING, 'recovering'],
  [ErrorReason.STORAGE_FAILED, 'storageFailed'],
  [ErrorReason.READ_ONLY, 'readOnly'],
  [ErrorReason.SNAPSHOT_FAILED, 'snapshotFailed'],
  [ErrorReason.READ_FAILED, 'readFailed'],
  [ErrorReason.DAMAGED, 'damaged'],
  [ErrorReason.NOT_CLUSTERED, 'notClustered'],
  [ErrorReason.NOT_HANDED_OVER, 'notHandedOver'],
]);

/** All other reasons are given before anything has changed. */
const reachedAfterWrite: ReadonlySet<KelpErrorCode> = new Set(['storageFailed', 'damaged']);

function explainedError(cause: CallFailure, call: FailedCall): KelpError | undefined {
  const { detail, message } = cause;
  if (detail === undefined) return undefined;
  switch (detail.reason) {
    case ErrorReason.CONDITION_FAILED:
      if (detail.info.case !== 'conditionFailed') return incompleteReply('the details of a failed condition');
      return new KelpError('conditionFailed', message, detail.info.value, { cause });
    case ErrorReason.REVISION_COMPACTED:
    case ErrorReason.REVISION_FUTURE: {
      if (detail.info.case !== 'revisionOutOfRange') return incompleteReply('the details of a revision');
      const isPast = detail.reason === ErrorReason.REVISION_COMPACTED;
      return new KelpError(isPast ? 'revisionCompacted' : 'revisionFuture', message, detail.info.value, {
        cause,
      });
    }
    case ErrorReason.OTHER_STORE:
      if (detail.info.case !== 'otherStore') return incompleteReply('the details of another store');
      return new KelpError('otherStore', message, detail.info.value, { cause });
    case ErrorReason.HISTORY_DIFFERS:
      if (detail.info.case !== 'historyDiffers') return incompleteReply('the details of another history');
      return new KelpError('historyDiffers', message, detail.info.value, { cause });
    case ErrorReason.NOT_WRITER:
      if (detail.info.case !== 'notWriter') return incompleteReply('the details of the writer');
      return new KelpError('notWriter', message, detail.info.value, { cause });
    case ErrorReason.PARTLY_DELETED: {
      if (detail.info.case !== 'partlyDeleted') return incompleteReply('the details of a delete in parts');
      const options = { cause, mayHaveTakenEffect: true };
      return new KelpError('partlyDeleted', message, detail.info.value, options);
    }
    default: {
      const code = simpleCodeByReason.get(detail.reason);
      if (code === undefined) return undefined;
      const mayHaveTakenEffect = call.isWrite && reachedAfterWrite.has(code);
      const { retryAfterMs } = cause;
      return new KelpError(code, message, undefined, { cause, mayHaveTakenEffect, retryAfterMs });
    }
  }
}

function unexplainedError(cause: CallFailure, call: FailedCall): KelpError {
  const address = cause.address ?? call.address;
  const failure = connectFailure(cause);
  if (failure !== undefined) return failureError(failure, address, cause);
  if (cause.isTlsOnly) {
    return failureError(new ConnectFailure('peerHasTls', cause), address, cause);
  }
  const mayHaveTakenEffect = call.isWrite;
  const system = systemError(cause);
  if (system !== undefined) {
    if (isBeforeConnection(system)) {
      const message = `can't reach the server at ${address}: ${describe(system)}`;
      return new KelpError('unavailable', message, undefined, { cause });
    }
    const message = `the connection to the server at ${address} broke: ${describe(system)}`;
    return new KelpError('unavailable', message, undefined, { cause, mayHaveTakenEffect });
  }
  const open: KelpErrorOptions = { cause, mayHaveTakenEffect };
  switch (cause.code) {
    case grpcCode.DeadlineExceeded:
      return new KelpError('deadlineExceeded', `no answer from ${address} in time`, undefined, open);
    // The caller's own signal was looked at before: this is a connection that was closed under the call.
    case grpcCode.Canceled:
    case grpcCode.Aborted:
      return new KelpError(
        'unavailable',
        `the connection to the server at ${address} was closed`,
        undefined,
        open,
      );
    case grpcCode.Unavailable:
      return new KelpError(
        'unavailable',
        `the server at ${address} is not available: ${cause.message}`,
        undefined,
        open,
      );
    case grpcCode.ResourceExhausted:
      return new KelpError('limitReached', cause.message, undefined, open);
    case grpcCode.InvalidArgument:
      return new KelpError('invalidArgument', cause.message, undefined, { cause });
    case grpcCode.Unimplemented:
      return new KelpError(
        'unimplemented',
        `the server at ${address} does not know this call (${cause.message}); is it a KelpDB server?`,
        undefined,
        { cause },
      );
    case grpcCode.PermissionDenied:
      return new KelpError('permissionDenied', cause.message, undefined, { cause });
    case grpcCode.Unauthenticated:
      return new KelpError('unauthenticated', cause.message, undefined, { cause });
    default:
      return new KelpError('internal', cause.message, undefined, open);
  }
}

/** What may pass by itself. */
const passingCodes: ReadonlySet<KelpErrorCode> = new Set([
  'unavailable',
  'recovering',
  'shuttingDown',
  'notWriter',
  'readFailed',
]);

/** Whether the same call may succeed when it is made again, without anything else being done. */
export function mayPass(error: KelpError): boolean {
  if (error.code === 'limitReached') return error.retryAfterMs !== undefined;
  return passingCodes.has(error.code) && misconfigurationOf(error) === undefined;
}

function connectFailure(error: Error): ConnectFailure | undefined {
  for (const cause of causesOf(error)) if (cause instanceof ConnectFailure) return cause;
  return undefined;
}

function failureError(failure: ConnectFailure, address: string, cause: CallFailure): KelpError {
  const { kind } = failure;
  if (kind === 'failed') {
    const message = `can't reach the server at ${address}: ${describe(failure.cause)}`;
    return new KelpError('unavailable', message, undefined, { cause });
  }
  const wrong = new Misconfiguration(kind, problem(failure, kind, `the server at ${address}`), cause);
  const advice = adviceByKind[kind];
  const message = advice === undefined ? wrong.message : `${wrong.message}; ${advice}`;
  return new KelpError('unavailable', message, undefined, { cause: wrong });
}

function problem({ cause }: ConnectFailure, kind: MisconfigurationKind, server: string): string {
  switch (kind) {
    case 'peerHasTls':
      return `${server} speaks TLS`;
    case 'peerHasNoTls':
      return `${server} speaks no TLS`;
    case 'peerHasNoHttp2':
      return `${server} speaks TLS, but no HTTP/2`;
    case 'unknownAuthority':
      return `${server} is not trusted: its certificate is self-signed, or from an authority that is not known here`;
    case 'notTrusted':
      return `${server} is not trusted: ${describe(cause)}`;
    case 'certificateWanted':
      return `${server} takes no connection without a client certificate`;
    case 'certificateRefused':
      return `${server} does not take the client certificate: ${alertText(cause)}`;
    case 'unusableTls':
      return `can't reach ${server}: ${describe(cause)}`;
  }
}

/** An alert of TLS (RFC 8446, section 6.2), by the end of its code. */
function alertText(error: unknown): string {
  return isSystemError(error)
    ? error.code
        .replace(/^.*ALERT_/, '')
        .replaceAll('_', ' ')
        .toLowerCase()
    : describe(error);
}

/** What a program is to do; of a certificate that is wrong in itself, its message says enough. */
const adviceByKind: Readonly<Partial<Record<MisconfigurationKind, string>>> = {
  peerHasTls: 'use https:// or tls: true',
  peerHasNoTls: 'use http:// or leave tls out',
  peerHasNoHttp2: 'go through a proxy of HTTP/1.1 or gRPC-Web with the option transport',
  unknownAuthority: 'give the certificate to trust with tls: { ca }',
  certificateWanted: 'give one with tls: { cert, key }',
};

interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
}

/** The error of Node or of the operating system that lies at the bottom, if one does. */
function systemError(error: Error): SystemError | undefined {
  let deepest: SystemError | undefined;
  for (const cause of causesOf(error)) if (isSystemError(cause)) deepest = cause;
  return deepest;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/**
 * Nothing was sent: the name was not found, no connection was made, or its certificate was refused. Other errors of TLS may come
 * later, too: a record that was damaged on the way breaks a connection on which a call had its effect.
 */
function isBeforeConnection({ code, syscall }: SystemError): boolean {
  return syscall === 'connect' || syscall === 'getaddrinfo' || isCertificateCode(code);
}

const textByCode = new Map([
  ['ECONNREFUSED', 'connection refused; is it running?'],
  ['ENOTFOUND', 'there is no host of this name'],
  ['EAI_AGAIN', 'the name could not be resolved; try again'],
  ['ETIMEDOUT', 'no answer'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to the network'],
  ['ECONNRESET', 'it was reset'],
  ['ENOENT', 'there is no such socket; is it running?'],
  [
    'ERR_HTTP2_ERROR',
    'what answers there does not speak HTTP/2; is it the port of KelpDB, and is TLS as there?',
  ],
]);

function describe(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  if (!isSystemError(error)) return message;
  return textByCode.get(error.code) ?? (message === '' ? error.code : message);
}

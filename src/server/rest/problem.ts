/**
 * The one place where errors become answers of HTTP: a status, and a problem ("Problem Details for HTTP APIs", RFC 9457) with
 * the code that the store and the client have for it, and the numbers that programs act on. An interface that has a form of
 * its own for errors writes that from the same problem.
 */
import { STATUS_CODES } from 'node:http';
import { StoreError, type StoreErrorCode, isStoreError } from '../../errors.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import { CHALLENGE } from '../access/credentials.ts';
import { CallError, type CallErrorCode } from '../calls/call-error.ts';
import { failureOf, headerText, retryAfterMsOf } from '../calls/outcome.ts';
import { RestError, type RestErrorCode } from './rest-error.ts';

export interface Problem {
  readonly status: number;
  readonly code: StoreErrorCode | CallErrorCode | RestErrorCode | 'internal';
  readonly detail: string;
  /** What the error carries besides: names and values as the types of the library have them. */
  readonly members: object;
  /** Names and values of headers, in turn. */
  readonly headers: readonly string[];
  /** As the other doors would answer: for log and metrics. */
  readonly grpcCode: GrpcCode;
}

export const problemType = 'application/problem+json';

const statusByStoreCode: Readonly<Record<StoreErrorCode, number>> = {
  invalidArgument: 400,
  conditionFailed: 412,
  revisionCompacted: 410,
  revisionFuture: 400,
  keyNotFound: 404,
  leaseNotFound: 404,
  leaseExists: 409,
  unauthenticated: 401,
  permissionDenied: 403,
  nameNotFound: 404,
  nameTaken: 409,
  notAnInteger: 409,
  integerOverflow: 409,
  wrongType: 409,
  notAFloat: 409,
  notANumber: 409,
  indexOutOfRange: 400,
  noTimeToLive: 409,
  limitReached: 429,
  slowWatcher: 429,
  otherStore: 409,
  historyDiffers: 409,
  partlyDeleted: 500,
  notWriter: 503,
  closed: 503,
  // Without `Retry-After`: what the call has changed may be there, and to try again is not always right.
  storageFailed: 503,
  readOnly: 503,
  snapshotFailed: 500,
  readFailed: 503,
  damaged: 500,
  locked: 503,
};

const statusByCallCode: Readonly<Record<CallErrorCode, number>> = {
  recovering: 503,
  stopping: 503,
  // The request did not come in time: no call of REST has another deadline.
  deadlineExceeded: 408,
  // No client is there to read it; the log tells it.
  canceled: 499,
  // Only calls of gRPC ask for it.
  notClustered: 409,
  notHandedOver: 409,
  unimplemented: 501,
};

const outcomeByRestCode: Readonly<Record<RestErrorCode, readonly [number, GrpcCode]>> = {
  pathNotFound: [404, grpcCode.Unimplemented],
  methodNotAllowed: [405, grpcCode.Unimplemented],
  bodyTooLong: [413, grpcCode.ResourceExhausted],
  unsupportedMediaType: [415, grpcCode.InvalidArgument],
  rangeNotSatisfiable: [416, grpcCode.OutOfRange],
};

/** When it is worth to try again, with statuses that say so. */
const RETRY_SOON = ['retry-after', '1'] as const;
const NO_HEADERS: readonly string[] = [];

const headersByStatus: Readonly<Record<number, readonly string[]>> = {
  401: ['www-authenticate', CHALLENGE],
  503: RETRY_SOON,
};

/** Whatever an operation threw, as the client gets it. What was not foreseen tells nothing of its inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RestError) {
    const { code, message, headers } = error;
    const [status, outcome] = outcomeByRestCode[code];
    return { status, code, detail: headerText(message), members: {}, headers, grpcCode: outcome };
  }
  const { code: outcome, message: detail, detail: typed } = failureOf(error);
  const [status, code] = statusOf(error);
  const members = typed?.info.value ?? {};
  return { status, code, detail, members, headers: headersOf(error, status), grpcCode: outcome };
}

function headersOf(error: unknown, status: number): readonly string[] {
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== undefined) return ['retry-after', String(Math.ceil(retryAfterMs / 1000))];
  return isStoreError(error, 'storageFailed') ? NO_HEADERS : (headersByStatus[status] ?? NO_HEADERS);
}

function statusOf(error: unknown): readonly [number, Problem['code']] {
  if (error instanceof StoreError) {
    const code = (error as StoreError).code;
    return [statusByStoreCode[code], code];
  }
  if (error instanceof CallError) return [statusByCallCode[error.code], error.code];
  return [500, 'internal'];
}

/** A problem as RFC 9457 has it, in JSON. */
export function problemJson({ status, code, detail, members }: Problem): string {
  const title = STATUS_CODES[status] ?? 'Error';
  return `${JSON.stringify({ type: `urn:kelpdb:error:${code}`, title, status, detail, code, ...members })}\n`;
}

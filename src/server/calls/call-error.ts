/**
 * What goes wrong with a call and not with the store: the closed set beside that of `errors.ts`. What a request can't be is
 * `invalidArgument`, and a limit that was reached `limitReached`, as they are of the store.
 */
import type { ErrorDetailShape } from '../../../gen/kelp/v1/errors_codec.ts';
import { AnswerError, StoreError } from '../../errors.ts';
import type { GrpcCode } from '../../grpc-code.ts';
import { limitName, serverFixed } from '../../limits.ts';

export type CallErrorCode =
  /** The server has not read its data yet. */
  | 'recovering'
  /** The server stops. */
  | 'stopping'
  /** The client's deadline has passed, or its request took too long to come. */
  | 'deadlineExceeded'
  /** The client is gone, or does not want the call any more. */
  | 'canceled'
  /** It is about a cluster, and the server is alone. */
  | 'notClustered'
  /** The node that was named is not the writer now. */
  | 'notHandedOver'
  /** There is no such method, or the request has a form that is not served. */
  | 'unimplemented';

export class CallError extends AnswerError {
  override readonly name = 'CallError';
  readonly code: CallErrorCode;
  /** Of a watch that is `stopping`: where to go on. */
  readonly resumeRevision: number | undefined;

  constructor(code: CallErrorCode, message: string, resumeRevision?: number) {
    super(message);
    this.code = code;
    this.resumeRevision = resumeRevision;
  }
}

/** An error of a foreign API that is served here: code and text are that API's, to the letter. */
export class StatusError extends AnswerError {
  override readonly name = 'StatusError';
  readonly code: GrpcCode;

  constructor(code: GrpcCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What the writer of a cluster has answered to a call that was passed on to it. */
export class AnsweredError extends AnswerError {
  override readonly name = 'AnsweredError';
  readonly code: GrpcCode;
  readonly detail: ErrorDetailShape | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: GrpcCode,
    message: string,
    detail: ErrorDetailShape | undefined,
    retryAfterMs: number | undefined,
  ) {
    super(message);
    this.code = code;
    this.detail = detail;
    this.retryAfterMs = retryAfterMs;
  }
}

export function recoveringError(): CallError {
  return new CallError('recovering', 'the server is recovering its data; try again');
}

/** @param resumeRevision of a watch: where to go on. */
export function stoppingError(resumeRevision?: number): CallError {
  return new CallError('stopping', 'the server is stopping; try again', resumeRevision);
}

/** A node of a cluster closes its store, and opens it again. */
export function reopeningError(): CallError {
  return new CallError(
    'stopping',
    'this node of the cluster opens its store again; try again, here or at another node',
  );
}

/** The end of a watch whose next messages could not be read. */
export class BrokenWatchError extends StoreError<'readFailed'> {
  readonly resumeRevision: number;

  constructor({ message, cause }: StoreError<'readFailed'>, resumeRevision: number) {
    super('readFailed', message, { cause });
    this.resumeRevision = resumeRevision;
  }
}

export function deadlineError(): CallError {
  return new CallError('deadlineExceeded', 'the operation timed out');
}

export function tooSlowError(timeoutMs: number): CallError {
  return new CallError(
    'deadlineExceeded',
    `the request was not complete within ${timeoutMs} ms (${limitName('requestTimeoutMs')})`,
  );
}

/** The bytes of a request are no message of its type. */
export function malformedRequestError(typeName: string, what: string): StoreError {
  return new StoreError('invalidArgument', `the request is no ${typeName}: ${what}`);
}

/** What such an error complains of, for doors whose clients know no names of schemas; `undefined`: it is another error. */
export function malformedRequestIn({ message }: Error, typeName: string): string | undefined {
  const { message: head } = malformedRequestError(typeName, '');
  return message.startsWith(head) ? message.slice(head.length) : undefined;
}

/** The request message is longer than `bytesMax`, as sent or, then `state` says so, as decompressed. */
export function tooLongError(bytesMax: number, state = ''): StoreError {
  // Services whose requests are small by nature have a limit that is fixed.
  const { smallRequestBytesMax, accessRequestBytesMax } = serverFixed;
  const isFixed = bytesMax === smallRequestBytesMax || bytesMax === accessRequestBytesMax;
  const name = isFixed ? '' : ` (${limitName('requestBytesMax')})`;
  return new StoreError(
    'limitReached',
    `the request message is longer than ${bytesMax} bytes${state}${name}`,
  );
}

/** What a call with one request message is refused with when there is none, ... */
export function noMessageError(): CallError {
  return new CallError('unimplemented', 'the request has no message');
}

/** ... or more. */
export function moreThanOneError(): CallError {
  return new CallError('unimplemented', 'something follows the one message of the request');
}

/**
 * The one kind of error that the client throws. A program acts on `code`, `details` and `mayHaveTakenEffect`;
 * `message` is for people and says what to do.
 *
 * Codes that the store knows too have the names and the details that they have there.
 */
import type { HistoryDetails, PartDetails, RevisionDetails, WriterDetails } from '../../errors.ts';

/** What a code carries besides its message. Codes that are not listed carry nothing. */
interface DetailsByCode {
  /** The condition of a put or delete did not hold. `currentModRevision` is 0 when the key does not exist. */
  conditionFailed: { readonly currentModRevision: number };
  /** The revision asked for is older than the oldest that is kept. */
  revisionCompacted: RevisionDetails;
  /** The revision asked for has not been reached yet. */
  revisionFuture: RevisionDetails;
  /** A watch was to go on with another store than the server has now. */
  otherStore: { readonly requestedStoreId: string; readonly storeId: string };
  /** A watch or page was to go on from a place that is not in the history of the server's store. */
  historyDiffers: HistoryDetails;
  /** A delete in parts ended early; what it had deleted by then stays deleted. */
  partlyDeleted: PartDetails;
  /**
   * The server follows the writer of its cluster, and could not pass the call on; nothing has changed. The client has tried
   * again until the deadline. `writerAddress` is where the writer is reached; empty: the server does not know one now.
   */
  notWriter: WriterDetails;
}

export type KelpErrorCode =
  | keyof DetailsByCode
  /** The request breaks a rule of the API; the message names the field and the rule. */
  | 'invalidArgument'
  /** `touch` of a key that does not exist. */
  | 'keyNotFound'
  /** There is no such lease; it may have expired. */
  | 'leaseNotFound'
  /** The lease id asked for is taken. */
  | 'leaseExists'
  /**
   * The call has no credentials, or they are not right, or not any more; or the function of the option `credentials` failed. Nothing has
   * changed. It does not pass by itself: the client has tried others where a function gives them.
   */
  | 'unauthenticated'
  /**
   * No role of the user allows all of what was asked for, or a proxy in front of the server refused it. Nothing has changed. It does
   * not pass by itself.
   */
  | 'permissionDenied'
  /** There is no such user, role, grant or token. */
  | 'nameNotFound'
  /** There is a user, role or token of the name. */
  | 'nameTaken'
  /** The value to increment is not the decimal text of a signed 64-bit integer. */
  | 'notAnInteger'
  /** The sum leaves the range of a signed 64-bit integer. */
  | 'integerOverflow'
  /** The key holds another type of value than the call is about. */
  | 'wrongType'
  /** The value to add to is not the decimal text of a number. */
  | 'notAFloat'
  /** The sum is not a number, or not a finite one where it must be. */
  | 'notANumber'
  /** The list has no element at the index. */
  | 'indexOutOfRange'
  /** `touch` without a time to live, of a key that has none. */
  | 'noTimeToLive'
  /** A limit of the server or the client was reached; the message names it. */
  | 'limitReached'
  /** A watch read so slowly that the server does not keep the next revision it needs any more. */
  | 'slowWatcher'
  /**
   * The server can't be reached, or the connection to it broke. For what is safe to repeat: and that did not pass until
   * the deadline, or is a wrong configuration, such as TLS on one side only.
   */
  | 'unavailable'
  /** The server is stopping. */
  | 'shuttingDown'
  /** The server is still reading its data from disk. */
  | 'recovering'
  /** The server's disk failed under the call. Whether its changes are kept shows when the server is started again. */
  | 'storageFailed'
  /** The server's disk has failed. It takes no write until it is started again; the call has changed nothing. */
  | 'readOnly'
  /** The server could not write a snapshot; nothing is lost by that. */
  | 'snapshotFailed'
  /**
   * The server's disk failed a read of files that the call needed. The call has changed nothing, and is tried again until its deadline, a
   * write, too.
   */
  | 'readFailed'
  /** The server's data on disk is damaged. */
  | 'damaged'
  /** The call is about a cluster, and the server is alone. */
  | 'notClustered'
  /** The node that was to be the writer is not; the message says why, and who is. */
  | 'notHandedOver'
  /** The call, or the last try of it, was without an answer when its deadline passed. */
  | 'deadlineExceeded'
  /** The caller's signal was aborted; it is the `cause`. */
  | 'canceled'
  /** The client is closed. */
  | 'closed'
  /** The server does not know the call: it is older than this client, or no KelpDB server. */
  | 'unimplemented'
  /** Anything else; a defect of the server, the client or something between them. */
  | 'internal';

export type KelpErrorDetails<Code extends KelpErrorCode> = Code extends keyof DetailsByCode
  ? DetailsByCode[Code]
  : undefined;

export interface KelpErrorOptions extends ErrorOptions {
  /** Default false. */
  readonly mayHaveTakenEffect?: boolean;
  readonly retryAfterMs?: number | undefined;
}

export class KelpError<Code extends KelpErrorCode = KelpErrorCode> extends Error {
  override readonly name = 'KelpError';
  readonly code: Code;
  readonly details: KelpErrorDetails<Code>;
  /**
   * Whether the call may have changed something although it failed: true when a write was on its way and its answer
   * never came. False is a promise: nothing has changed.
   */
  readonly mayHaveTakenEffect: boolean;
  /**
   * With `limitReached`: the server says that the same call may succeed after this time, since it is more than its user may do in
   * a second, or the server is busy. `undefined`: the server says nothing of the kind.
   */
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, message: string, details: KelpErrorDetails<Code>, options: KelpErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.mayHaveTakenEffect = options.mayHaveTakenEffect ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether an unknown error is a client error, of this code if one is given; narrows the type of its details. */
export function isKelpError(error: unknown): error is KelpError;
export function isKelpError<Code extends KelpErrorCode>(error: unknown, code: Code): error is KelpError<Code>;
export function isKelpError(error: unknown, code?: KelpErrorCode): boolean {
  return error instanceof KelpError && (code === undefined || error.code === code);
}

/** A reply lacks what every KelpDB server sends. */
export function incompleteReply(missing: string): KelpError {
  return new KelpError(
    'internal',
    `the server's reply lacks ${missing}; is it newer than this client?`,
    undefined,
  );
}

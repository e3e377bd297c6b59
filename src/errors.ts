/**
 * The closed set of errors of the store. A caller acts on `code` and `details`; `message` is for people and says
 * what to do. The server maps each code to a gRPC code in one module.
 *
 * Most of them are answers to what was asked, and no defects. V8 takes 5 µs to gather a stack trace, several times what the call
 * took. A program that calls the store finds by it which of its calls failed; a server's clients never see it, and could make
 * the server gather a thousand by one message: so there they have none (`leaveOutTraces`).
 */

/** An error without a stack trace, unless it is to have one. */
export abstract class AnswerError extends Error {
  constructor(message: string, options?: ErrorOptions, isTraced = false) {
    const { stackTraceLimit } = Error;
    if (!isTraced) Error.stackTraceLimit = 0;
    super(message, options);
    if (!isTraced) Error.stackTraceLimit = stackTraceLimit;
  }
}

let areStoreErrorsTraced = true;

/** From now on no store error of this process has a stack trace: what failed was asked for by clients. */
export function leaveOutTraces(): void {
  areStoreErrorsTraced = false;
}

/** What a code carries besides its message. Codes that are not listed carry nothing. */
interface DetailsByCode {
  /** The condition of a write did not hold. `currentModRevision` is 0 when the key does not exist. */
  conditionFailed: { readonly currentModRevision: number };
  /** The revision asked for is older than the oldest that is kept. */
  revisionCompacted: RevisionDetails;
  /** The revision asked for has not been reached yet. */
  revisionFuture: RevisionDetails;
  /** A watch fell further behind than history is kept; begin again at `resumeRevision`, if it is still kept. */
  slowWatcher: { readonly resumeRevision: number };
  /** A watch was to go on with another store than this one. Ids are 32 hexadecimal digits. */
  otherStore: { readonly requestedStoreId: string; readonly storeId: string };
  /** A watch or page was to go on from a place that is not in the history of this store. */
  historyDiffers: HistoryDetails;
  /** A delete in parts ended early, for the reason that is the cause; what it had deleted by then stays deleted. */
  partlyDeleted: PartDetails;
  /** The node is a follower of its cluster: nothing was changed. `writerAddress` is where writes go; empty: it is not known now. */
  notWriter: WriterDetails;
}

/** A revision that can't be read, and the bounds of those that can. */
export interface RevisionDetails {
  readonly requestedRevision: number;
  /** Of a read: the oldest that can be read. Of a watch: the one before the first that it can start with. */
  readonly oldestRevision: number;
  readonly newestRevision: number;
}

/** What a delete in parts has done. */
export interface PartDetails {
  /** Of the first part. */
  readonly firstRevision: number;
  /** Of the last part that was finished. */
  readonly revision: number;
  readonly deletedCount: number;
}

/** Where writes go. */
export interface WriterDetails {
  /** As the writer says itself (`--advertise`). */
  readonly writerAddress: string;
}

/** A place that is not in a history, and the last one that is. Incarnations are 32 hexadecimal digits. */
export interface HistoryDetails {
  readonly requestedRevision: number;
  /** The incarnation that is said to have written it, ... */
  readonly requestedIncarnation: string;
  /** ... and the one that did here; empty when that is not known, or the revision has not been reached. */
  readonly incarnation: string;
  /** Up to this revision both histories are surely the same, and `sharedIncarnation` wrote it; 0: none is known. */
  readonly sharedRevision: number;
  readonly sharedIncarnation: string;
  readonly newestRevision: number;
}

export type StoreErrorCode =
  | keyof DetailsByCode
  /** The request breaks a rule of the API. */
  | 'invalidArgument'
  /** `touch` of a key that does not exist. */
  | 'keyNotFound'
  /** There is no such lease; it may have expired. */
  | 'leaseNotFound'
  /** The lease id asked for is taken. */
  | 'leaseExists'
  /** The call has no credentials, or they are not right, or not any more. */
  | 'unauthenticated'
  /** No role of the user allows all of what was asked for. */
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
  /** A limit was reached; the message names it. */
  | 'limitReached'
  /** The store is closing or closed. */
  | 'closed'
  /** A write or flush failed under the call. Whether its changes are kept shows when the store is opened again. */
  | 'storageFailed'
  /** A write or flush has failed. No write is accepted until the store is opened again; the call has changed nothing. */
  | 'readOnly'
  /** A snapshot could not be written, or a backup not be read; the log is not affected and writes go on. */
  | 'snapshotFailed'
  /**
   * The system would not read files of the store that the call needed; they need not be damaged. The call has changed nothing, writes and log
   * are not affected, and the same call may succeed at once. A watch that ends with it goes on behind what it has told.
   */
  | 'readFailed'
  /** What lies on disk is damaged; the message names file, offset and revisions. */
  | 'damaged'
  /** Another process owns the data directory. */
  | 'locked';

type DetailsOf<Code extends StoreErrorCode> = Code extends keyof DetailsByCode
  ? DetailsByCode[Code]
  : undefined;

export class StoreError<Code extends StoreErrorCode = StoreErrorCode> extends AnswerError {
  override readonly name = 'StoreError';
  readonly code: Code;
  readonly details: DetailsOf<Code>;
  /** Of some `limitReached`: what has no room for more. */
  room: 'memory' | 'log' | undefined;

  constructor(
    code: Code,
    message: string,
    ...rest: DetailsOf<Code> extends undefined
      ? [options?: ErrorOptions]
      : [details: DetailsOf<Code>, options?: ErrorOptions]
  ) {
    const [details, options] = code in carriesDetails ? rest : [undefined, rest[0]];
    super(message, options as ErrorOptions | undefined, areStoreErrorsTraced);
    this.code = code;
    this.details = details as DetailsOf<Code>;
  }
}

/** A limit that passes by itself: the same call may succeed once `retryAfterMs` have passed. It has changed nothing. */
export class RetryLaterError extends StoreError<'limitReached'> {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super('limitReached', message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server only follows another one: it never takes writes, so trying again there is of no use. */
export class ReadReplicaError extends StoreError<'notWriter'> {
  /** @param address of the followed server. */
  constructor(address: string) {
    super(
      'notWriter',
      `this server follows the one at ${address} and takes no writes: send them there. This call has changed nothing`,
      { writerAddress: address },
    );
  }
}

/** Memory is full of changes that a checkpoint brings to files, which gives it back: `RoomGate` has the write wait for that. */
export class NoRoomYetError extends RetryLaterError {
  /** What the write needs. */
  readonly byteCount: number;

  constructor(message: string, retryAfterMs: number, byteCount: number) {
    super(message, retryAfterMs);
    this.byteCount = byteCount;
    this.room = 'memory';
  }
}

const carriesDetails: Record<keyof DetailsByCode, true> = {
  conditionFailed: true,
  revisionCompacted: true,
  revisionFuture: true,
  slowWatcher: true,
  otherStore: true,
  historyDiffers: true,
  partlyDeleted: true,
  notWriter: true,
};

/** Whether an unknown error is a store error of this code; narrows the type of its details. */
export function isStoreError<Code extends StoreErrorCode>(
  error: unknown,
  code: Code,
): error is StoreError<Code> {
  return error instanceof StoreError && error.code === code;
}

/** @param cause what the disk said. */
export function readFailedError(cause: Error): StoreError<'readFailed'> {
  return new StoreError(
    'readFailed',
    `files of the store could not be read for the call, which has changed nothing: ${cause.message}; try again. If it lasts, see to the disk: kelp verify tells what is damaged`,
    { cause },
  );
}

/** Whether what a call needs could not be read: it is damaged, or the disk has failed the read. */
export function isUnreadable(error: unknown): error is StoreError<'damaged' | 'readFailed'> {
  return isStoreError(error, 'damaged') || isStoreError(error, 'readFailed');
}

/** Says what has no room for what was refused. */
export function noRoomIn(
  room: 'memory' | 'log',
  error: StoreError<'limitReached'>,
): StoreError<'limitReached'> {
  error.room = room;
  return error;
}

/** Breaks when an invariant of our own does not hold; never for what the outside world does wrong. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}

/** What the system said of a path, without the call and the path that Node adds: `ENOENT: no such file or directory`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { syscall, path } = error as NodeJS.ErrnoException;
  const added = path === undefined ? `, ${syscall}` : `, ${syscall} '${path}'`;
  return error.message.endsWith(added) ? error.message.slice(0, -added.length) : error.message;
}

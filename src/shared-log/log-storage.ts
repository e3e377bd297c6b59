/**
 * What a consensus system has to do so that a shared log can lie in it, in terms of values that it does not understand: a head,
 * and a value for each position. Each call is one try. What to try again, and what an answer means, `stored-log.ts` knows:
 * so it is the same over all systems, and over the simulated one of the tests.
 *
 * - Writes are atomic and durable on a majority before they are answered. They may take effect though they were not answered, or
 *   after they were given up.
 * - Reads are linearizable, and what one returns is of one instant.
 * - Failures are `LogStorageError`s; what a signal has ended may be anything.
 */

/** What lies there. */
export interface Found {
  readonly head: Uint8Array | undefined;
  /** At the position that was asked for, if one was. */
  readonly record: Uint8Array | undefined;
}

export interface StoredRecord {
  readonly position: number;
  readonly bytes: Uint8Array;
}

export interface Listed {
  readonly head: Uint8Array | undefined;
  /** In the order of their positions. */
  readonly records: readonly StoredRecord[];
  /** Where `changes` goes on without a gap; only the storage knows what it means. */
  readonly revision: number;
}

export interface Oldest {
  readonly head: Uint8Array | undefined;
  /** Of the oldest record; `undefined`: there is none. */
  readonly position: number | undefined;
}

export interface Advance {
  /** The head must be exactly this one. */
  readonly expected: Uint8Array;
  readonly head: Uint8Array;
  readonly position: number;
  readonly record: Uint8Array;
}

export interface LogStorage {
  /** Puts the head if there is nothing at all: no head, nor any record. */
  create(head: Uint8Array, signal: AbortSignal): Promise<Found | 'done'>;
  /** Puts head and record. When the head is another one it tells what lies at head and position. */
  advance(advance: Advance, signal: AbortSignal): Promise<Found | 'done'>;
  /** Deletes the records below a position, if one lies right there. It has to work where there is no room for puts. */
  trim(before: number, signal: AbortSignal): Promise<Found | 'done'>;
  head(signal: AbortSignal): Promise<Uint8Array | undefined>;
  oldest(signal: AbortSignal): Promise<Oldest>;
  /** The records of `count` positions, as far as they are there. */
  list(from: number, count: number, signal: AbortSignal): Promise<Listed>;
  /**
   * The records that were put after a list, in the order in which they were. It may end or fail at any time, or fall silent; then
   * another list tells what it has missed.
   */
  changes(revision: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]>;
  close(): void;
}

export type LogStorageErrorKind =
  /** The same call may succeed later. */
  | 'unavailable'
  | 'refused'
  | 'full'
  /** Of `changes`: the system has forgotten what came behind that list. */
  | 'forgotten'
  | 'failed';

export class LogStorageError extends Error {
  override readonly name = 'LogStorageError';
  readonly kind: LogStorageErrorKind;
  /** Of a write: whether it may have taken effect, or may do so yet. */
  readonly mayHaveLanded: boolean;

  constructor(
    kind: LogStorageErrorKind,
    message: string,
    options: ErrorOptions & { readonly mayHaveLanded: boolean },
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.kind = kind;
    this.mayHaveLanded = options.mayHaveLanded;
  }
}

/**
 * The contract of a log that several nodes share and that lies in a consensus system which others trust: one writer at a time,
 * any number of readers, one order of everything.
 *
 * Places are numbered by positions from 1 on, without holes. At each lies a record, which never changes: a batch of the writer,
 * or the sign that another writer has taken over. The head is the one thing that all compete for:
 *
 *   position  record                        the head behind it (epoch, position, checksum, nonce)
 *          -  -                             0  0  0   a    as `init` makes it: there is no writer yet
 *          1  taken over by "10.0.1.1"      1  1  81  b
 *          2  batch, behind 81              1  2  44  b
 *          3  batch, behind 44              1  3  07  b
 *          4  taken over by "10.0.1.2"      2  4  d5  c    from here on each `append` behind (1, 3, 07, b) is fenced
 *          5  batch, behind d5              2  5  2a  c
 *
 * What holds, with any number of processes, lost replies, and requests that arrive long after they were given up:
 *
 * - Every record is put in one atomic step with the head that names it, and only if the head before is exactly the one that the
 *   writer says. So at most one record ever lies at a position, and the epochs of records never fall.
 * - An epoch has at most one writer: each attempt to take over draws a nonce, which lies in the head. Who finds another one there
 *   has lost, however the epoch and the position look.
 * - The records form a chain: each holds the checksum of the one before, and the head that of the newest. So who knows the checksum
 *   at its place finds out when the log is another one, though its positions and epochs look alike.
 * - What is told as stored is durable on a majority, and each reader gets it.
 * - Positions never go back, those that were trimmed neither: none is written twice.
 * - A log is made once, by `init`. One that is not there, was wiped, belongs to another store or was set back to an older state
 *   is told by an error of its own, never taken for an empty one.
 *
 * Calls may be made at the same time, but a writer makes one append at a time, behind a head that the log has given it. One that
 * makes up the next head itself is told that the log went back when the batch before is not there.
 *
 * All calls end with their signal, whose reason they reject with, and with their time, as `unavailable`: for writes that leaves
 * open what has become of them. They may take effect even later, until another record lies at their place.
 */

/** The newest place of the log, and who writes there. Whole heads are compared, so it is handed back as it was given. */
export interface LogHead {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  /** Of the present writer; 0: there was none yet. */
  readonly epoch: number;
  /** Of the newest record; 0: there is none yet. */
  readonly position: number;
  /** Of the newest record (`LogRecord.checksum`); 0: there is none yet. */
  readonly checksum: number;
  /** Of all records that were ever put, as they lie there, whether trimmed or not. */
  readonly logBytes: number;
  /** Drawn by the attempt that won the epoch: 32 hexadecimal digits. */
  readonly nonce: string;
}

interface Placed {
  readonly position: number;
  readonly epoch: number;
  /** Of all records before this one, from the first one of the log on, as they lie there. */
  readonly bytesBefore: number;
  /** The checksum of the record before; 0: this is the first. */
  readonly behind: number;
  /** CRC-32 of the record as it lies in the log: 32 bits. */
  readonly checksum: number;
}

export interface BatchRecord extends Placed {
  readonly kind: 'batch';
  readonly bytes: Uint8Array;
}

/** The first record of an epoch. */
export interface TakeOverRecord extends Placed {
  readonly kind: 'takeOver';
  /** Where the writer of this epoch is reached. */
  readonly address: string;
}

export type LogRecord = BatchRecord | TakeOverRecord;

/** Where a log begins: at its oldest record that is kept; or, while it has none, where the first one comes. */
export interface LogBeginning {
  readonly position: number;
  /** As of the record there. What the head has more is what the log holds. */
  readonly bytesBefore: number;
}

export interface LogCall {
  readonly signal?: AbortSignal | undefined;
  /** Left out: it goes on until it is certain, or its signal is aborted. */
  readonly timeoutMs?: number | undefined;
}

/** Errors are `SharedLogError`s. Those of each call stand beside it; `unavailable`, `refused`, `failed` and `closed` any may give. */
export interface SharedLog {
  /**
   * Makes the log, for a store with this id. `exists`: there is one, be it of that store; it stays as it is.
   * `damaged`: there is no head, but something else lies at its place, such as the records of a log whose head is lost.
   */
  init(storeId: Uint8Array, call?: LogCall): Promise<LogHead | 'exists'>;

  /**
   * Linearizable: a head that was the newest at some instant between call and answer.
   * `notInitialized`, `otherStore`, `wentBack`, `damaged`.
   */
  head(call?: LogCall): Promise<LogHead>;

  /**
   * Puts a batch behind a head: that of a won `takeOver`, or what the append before has returned.
   *
   * - The head behind the batch: it is stored. Also when it was by an earlier try, of this call or of another one with the same
   *   head and bytes; and also when another writer has taken over since.
   * - `fenced`: another writer has taken over, and the batch is not in the log and never will be.
   *
   * It tries until one of the two is certain. After an error that says `mayHaveLanded`, or an abort, only the same batch may be
   * tried again, behind the same head: another one is refused as `placeTaken` when the first is found there.
   *
   * `trimmed`: the place is trimmed, and what became of the batch can't be told any more. `full`: the log takes no records.
   * `placeTaken`, `notInitialized`, `otherStore`, `wentBack`, `damaged`. Throws a `RangeError` when the batch is empty or too
   * long, or there is no writer in that head.
   */
  append(after: LogHead, bytes: Uint8Array, call?: LogCall): Promise<LogHead | 'fenced'>;

  /**
   * The race that fences the writer before: puts a record of its own at the next place, with the next epoch, if the head is still
   * the one that was seen.
   *
   * - The head to append behind: the epoch is this attempt's alone.
   * - `lost`: the log has gone on, by a record of the writer or by another one's taking over. It is no error; read on.
   *
   * It tries until one of the two is certain, by its nonce. An attempt that was broken off may have won, without a writer; the
   * next one begins with a new `head`.
   *
   * `full`, `notInitialized`, `otherStore`, `wentBack`, `damaged`. Throws a `RangeError` when the address is empty or too long.
   */
  takeOver(seen: LogHead, address: string, call?: LogCall): Promise<LogHead | 'lost'>;

  /**
   * The records from a position on, one behind the other without a hole, and then each one as it comes. It ends by its signal
   * alone, whose reason it throws, or with an error; while the log can't be reached it waits. That it is silent says nothing: who
   * wants to know whether the log answers asks for its head.
   *
   * `trimmed`: the position is trimmed; `firstPosition` of the error is the oldest that is kept. `wentBack`: it is beyond the next
   * one. `damaged`: a record is missing or can't be read, or is not the one that must follow, by its epoch or by
   * the checksum of the one before.
   */
  read(from: number, signal: AbortSignal): AsyncIterable<LogRecord>;

  /**
   * Drops the records below a position; the newest one stays. Does nothing when they are dropped already. Works in a log that is
   * full, too, and may be what makes room.
   * `notInitialized`, `otherStore`, `wentBack`, `damaged`. Throws a `RangeError` when the position is above the newest.
   */
  trim(before: number, call?: LogCall): Promise<void>;

  /** `notInitialized`, `otherStore`, `wentBack`, `damaged`. */
  beginning(call?: LogCall): Promise<LogBeginning>;

  /** Breaks off all calls, as `closed`. */
  close(): void;
}

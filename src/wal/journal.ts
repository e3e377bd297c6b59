/**
 * What a store needs of its log, wherever that lies: the one order of records, durable batch by batch. `Log`, on the disk of this
 * machine, is one; a cluster has another, whose records are durable on a majority of machines (`cluster/journal/`).
 *
 * The way of a record: `reserve`, write it into `buffer`, `commit`. What is committed becomes durable in its order, of which the store
 * is told. From the first failure on nothing is written and nothing counts as durable.
 */
import type { LogReader } from './reader.ts';
import type { LogStats, StartBehind } from './segments/segment-row.ts';

export interface Journal {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  /** The highest revision that was committed, durable or not. */
  readonly lastRevision: number;
  /** The oldest revision that `reader` can begin with. */
  readonly oldestRevision: number;
  /** The sequence number of the newest committed record; 0: none since the journal was opened. */
  readonly committedSequence: number;
  /** The sequence number up to which everything is durable. */
  readonly durableSequence: number;
  /** Why nothing is written any more; `undefined`: it is. */
  readonly failure: Error | undefined;
  /** The bytes of all records committed since the journal was opened, and of their lengths. */
  readonly appendedBytes: number;
  /**
   * How far the log that nodes share is in the store's state: the newest of its batches all of whose records are durable here.
   * `undefined`: no log is shared.
   */
  readonly place: JournalPlace | undefined;
  /** A longer record is refused. */
  readonly recordBytesMax: number;
  /** Where a reserved record is to be written. Another one after each `reserve`. */
  readonly buffer: Buffer;

  /**
   * Makes room for a record. The caller writes exactly `byteLength` bytes into `buffer`, from the returned offset on, and calls
   * `commit`. A reserved record that is not committed never was.
   * @throws StoreError `limitReached`, `readOnly`, `closed`, `notWriter`.
   */
  reserve(byteLength: number): number;

  /**
   * Ends the reserved record: it becomes durable with the next batch.
   * @param revision the next revision, or 0 for a note.
   * @returns the record's sequence number: 1, 2, 3, ...
   */
  commit(revision: number): number;

  /**
   * Makes room for a row of records, which the caller writes one behind the other, each with its prefix (`writeRecordPrefix`), from
   * the returned offset of `buffer` on, and ends with `commitRow`.
   * @returns `undefined` where `reserve` might refuse one of them: it says why.
   */
  reserveRow(bytesMax: number): number | undefined;

  /**
   * Ends a row of so many records, of the next revisions, which ends at `end` of the buffer.
   * @returns the sequence number of the last one.
   */
  commitRow(count: number, end: number): number;

  /** Has a record flushed before it, or what follows it, counts as durable, whatever the policy. */
  requireFlush(sequence: number): void;

  /** Resolves when everything committed before the call is durable, whatever the policy. @throws StoreError `storageFailed`. */
  flush(): Promise<void>;

  /** Reads the durable records of `fromRevision` and later ones again, and goes on with those to come. */
  reader(fromRevision: number): LogReader;
  /** As `reader`, from the notes that lie behind a revision on; earlier records may come first. Gives nothing if some are removed. */
  readerBehind(revision: number): LogReader;
  startBehind(revision: number): StartBehind;

  /** Removes from this machine's disk what a start behind `revision - 1` does not need, in whole segments. */
  removeBefore(revision: number): Promise<void>;
  /** The first revision that is left when all but the newest segments of `bytes` together are removed. */
  oldestRevisionWithin(bytes: number): number;
  /** Of the segments on this machine's disk. */
  stats(): LogStats;

  /** Ends all writing, as a write that fails does. What is under way counts as failed, too. */
  stop(error: Error): void;
  /** Makes durable what was committed, and lets go of everything. @throws StoreError `storageFailed`. */
  close(): Promise<void>;
}

/** How far a node has followed a shared log: the newest of its batches that it holds, and who writes. */
export interface LogPlace {
  /** Of the batch in the shared log; 0: none. */
  readonly position: number;
  readonly epoch: number;
  /** Of the record there, which the one behind it names; 0: none, also where a server is followed, whose records form no chain. */
  readonly checksum: number;
  /** Where the writer of that epoch is reached, in the form of `cluster/node-address.ts`; '': there is none, it has handed over. */
  readonly writerAddress: string;
  /** Where there is none: the HTTP address of the node that is to be the next one; '' and left out: any may be. */
  readonly successorAddress?: string;
}

/** A place in a shared log, with what a state at that place has. */
export interface JournalPlace extends LogPlace {
  /** The newest revision up to the end of that batch. */
  readonly revision: number;
}

/**
 * The journal of a node of a cluster, over the `Log` of its own disk, which is its cache. What the log tells of its records goes to the
 * journal, and the journal tells the store of its own ones.
 *
 * While the store follows, the journal takes none of its records: the node has the store apply them, and counts each as committed from
 * then on (`committedSequence`, `appendedBytes`, `lastRevision`).
 *
 * `place` moves in the same turn as the last record of a batch becomes durable, before the store is told of that: so what is visible
 * always has all of it.
 */
export interface CachedJournal extends Journal {
  readonly place: JournalPlace;
  /** Everything up to this sequence number of the cache is written there. */
  cacheDurable(sequence: number): void;
  /** The cache has failed for good. */
  cacheFailed(error: Error): void;
}

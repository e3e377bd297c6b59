/**
 * How a store is one of several that follow each other: what it is opened with, and what the node that feeds it may do with it.
 *
 * The order of everything lies in a log that the nodes share. One store writes: its journal brings what it commits into that log. The
 * others apply what they read there, record by record, and come to the same state. Each starts as a follower.
 *
 * The way of a batch into a follower. The node calls `apply` for its records, in their order, in one turn or in several. Then it brings
 * those that were taken into the cache, which makes them durable, and so visible.
 *
 *     apply(batch, 2, 90, 8)    -> true     revision 5 is in the state, and not visible
 *     apply(batch, 92, 130, 9)  -> true     a note
 *     the cache has both        -> durable(9): revision 5 is visible, and journal.place is that of this batch
 */
import type { FollowerPlace, RecordFeed, StoreHead } from './record-feed.ts';
import type { CachedJournal, JournalPlace } from '../../wal/journal.ts';
import type { Log } from '../../wal/log.ts';

export interface Replication {
  /**
   * Where the records come from: a log that nodes share, or a running server, whose places are its revisions, all of epoch 0. A directory
   * stays with the one that it began with. Left out: a shared log.
   */
  readonly follows?: Followed;
  /**
   * That of the cluster or of the followed server, 16 bytes: a new directory gets it, and the directory of another store is refused. A
   * function is called for a new directory alone.
   */
  readonly storeId: Uint8Array | (() => Promise<Uint8Array>);
  /** Called once, as the state of the directory has been brought back. */
  openJournal(opening: JournalOpening): CachedJournal;
}

export type Followed = 'sharedLog' | 'server';

export interface JournalOpening {
  /** The log of the directory, which can be written and read by now. The journal closes it. */
  readonly cache: Log;
  /**
   * The batch that the state begins behind: the node goes on with the next one. The state may have some of that already, up to its
   * `revision`, where it comes of a snapshot: `apply` passes over it. Position 0: with the first.
   */
  readonly place: JournalPlace;
  /** Everything up to this sequence number of the journal is durable. Called in order, from a fresh stack. */
  readonly onDurable: (sequence: number) => void;
  /** Once, when the journal has failed for good; `OvertakenError`: another node writes now. */
  readonly onFailure: (error: Error) => void;
}

/** A store as its node sees it. */
export interface Replica {
  /** `writer` from `becomeWriter` on, for as long as the store is open: one that was overtaken is opened again. */
  readonly role: 'writer' | 'follower';

  /**
   * Brings a record of the shared log into the state of a follower, with all that it says of keys, leases and lives of the store; time and
   * the clock of leases go on to those of the record. It becomes visible as `sequence` becomes durable. Takes time in the length of the
   * record, and of the values whose deadlines it moves.
   * @param sequence the one behind the journal's `committedSequence`, which counts it from now on.
   * @returns false: the state has it already, from the snapshot that it began with. Then nothing has changed, `sequence` is not used, and
   * the record does not belong into the cache. Once one is taken, so are all that follow.
   * @throws StoreError `damaged` for what no store writes, or what can't follow the record before. Then the journal has failed.
   */
  apply(buffer: Buffer, start: number, end: number, sequence: number): boolean;

  /**
   * Has a follower write from now on. All records of the shared log must have been applied, in whole batches, and its journal must take
   * records by now. Time goes on from the newest record, leases keep what they had left by then, and a new life of the store begins
   * with its first transaction.
   * @param confirm resolves when this store was still the writer at some moment after the call. Answers that have changed nothing wait
   * for it, since no record of theirs proves that.
   */
  becomeWriter(confirm: () => Promise<void>): void;

  /**
   * Of a follower: time, and the clock of leases, have come at least so far, as the writer said when it showed no more than what is
   * visible here.
   */
  standAt(timeMs: number, leaseClockMs: number): void;

  /** How far the store is, now. */
  readonly head: StoreHead;

  /**
   * The records of the log behind a revision, in their order, as they become visible, for a server that follows this one.
   * @throws StoreError `revisionCompacted` when some of them are removed, or it is not known whether the follower has what came before
   * them; `revisionFuture`; `historyDiffers` by `checkPlace`.
   */
  records(after: FollowerPlace): RecordFeed;

  /** Of the writer: commits a note that says nothing but the time. Throws as other commits do. */
  heartbeat(): void;
}

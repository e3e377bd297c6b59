/**
 * The records of a store behind a revision, for a server that follows it: read from the log, only what is visible, in whole records.
 *
 * Notes have no revision. A follower says which ones it has behind its revision, and is given those that come then:
 *
 *     revision 4    note a    note b    revision 5      behind 4 and 1 note:  note b, revision 5
 *
 * Where it has other notes than lie here, or more, its state is not one that this log has come through, and it has to begin anew. A follower
 * whose state is a snapshot of that revision may have more notes than it says; each tells how something is, not how it has changed, so a
 * row of them that comes again leads to the same state.
 *
 * Notes of a place (`cluster/journal/place-note.ts`) tell of this store's own way to the records and are left out.
 */
import { StoreError } from '../../errors.ts';
import { Cursor } from '../../wire/cursor.ts';
import { recordPrefixBytes, writeRecordPrefix } from '../../wal/frames/records.ts';
import type { Journal } from '../../wal/journal.ts';
import type { LogReader } from '../../wal/reader.ts';
import { RECORD } from '../commit/record-tags.ts';
import type { Place } from '../history/place.ts';
import { type KnownNotes, NoteSum } from './known-notes.ts';

/** How far a store is, at one instant. */
export interface StoreHead {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  /** The newest visible one. */
  readonly revision: number;
  /** Of the newest record that is durable and visible, counted since the store was opened; a note has no revision, but counts. */
  readonly sequence: number;
  /** Drawn when the store was opened: sequences of another life can't be compared. */
  readonly life: string;
  readonly timeMs: number;
  readonly leaseClockMs: number;
  /** The log has the records from here on. */
  readonly oldestRevision: number;
}

/** Where a follower is. */
export interface FollowerPlace extends Place {
  /** Those that it has behind the revision, or behind its snapshot. */
  readonly notes: KnownNotes;
  /**
   * Given when it has no record of the revision, but a snapshot: the life of the store in which it had that, or was last found to be in step
   * with it; '': it does not know. In another life the store may have been put back to when it had fewer notes, which would not show.
   */
  readonly snapshotLife: string | undefined;
}

export interface FeedStep {
  /** Whole records with their prefixes; they stay as they are. It may be empty. */
  readonly records: Buffer;
  /** All up to there has been given; `undefined`: there is more to read. */
  readonly head: StoreHead | undefined;
}

export interface RecordFeedParts {
  readonly journal: Journal;
  readonly head: () => StoreHead;
}

const NOTHING = Buffer.alloc(0);

export class RecordFeed {
  readonly #parts: RecordFeedParts;
  readonly #reader: LogReader;
  /** The newest revision that was given, or that the follower has. */
  #revision: number;
  /** Whether what lies before the first record to give, or the first note, is passed. */
  #hasBegun: boolean;
  /** The notes that the follower has, and those of them that were met here; `undefined`: all were. */
  #known: KnownNotes | undefined;
  readonly #met = new NoteSum();
  #hasOthers = false;
  /** The records are given up to there, and no further before that is told: so it is told while more and more is written, too. */
  #head: StoreHead | undefined;

  constructor(parts: RecordFeedParts, { revision, notes }: Pick<FollowerPlace, 'revision' | 'notes'>) {
    this.#parts = parts;
    this.#revision = revision;
    this.#known = notes.count === 0 ? undefined : notes;
    // Where the log begins behind the revision, it begins with its notes.
    this.#hasBegun = parts.journal.oldestRevision > revision;
    this.#reader = parts.journal.readerBehind(revision);
  }

  /**
   * The next records, about 64 KiB of them or one that is longer; one call at a time.
   * @throws StoreError `revisionCompacted`: what comes next was removed from the log, or the follower has notes that are not there;
   * `damaged`, `closed`.
   */
  async next(): Promise<FeedStep> {
    const head = (this.#head ??= this.#parts.head());
    const taken: Buffer[] = [];
    let isStopped = false;
    const outcome = await this.#reader.next((buffer, start, end) => {
      const revision = revisionOf(buffer, start, end);
      if (this.#isWanted(revision) && buffer[start] !== RECORD.effect) {
        if (this.#known !== undefined) return this.#meet(this.#known, revision, buffer, start, end);
        isStopped = revision > head.revision;
        if (isStopped) return false;
        taken.push(copyOf(buffer, start, end));
      }
      if (revision > this.#revision) this.#revision = revision;
      return true;
    });
    if (outcome === 'removed') throw trimmedError(this.#revision, head);
    const isAllGiven = outcome === 'end' || isStopped;
    if (this.#hasOthers || (isAllGiven && this.#known !== undefined))
      throw otherNotesError(this.#revision, head);
    if (isAllGiven) this.#head = undefined;
    const [only = NOTHING] = taken;
    const records = taken.length > 1 ? Buffer.concat(taken) : only;
    return { records, head: isAllGiven ? head : undefined };
  }

  /** Waits for a `next` under way. */
  close(): Promise<void> {
    return this.#reader.close();
  }

  /** The next record while the follower is said to have more notes. @returns false to stop. */
  #meet(known: KnownNotes, revision: number, buffer: Buffer, start: number, end: number): boolean {
    if (revision === 0) {
      this.#met.add(buffer, start, end);
      if (this.#met.count < known.count) return true;
      if (this.#met.checksum === known.checksum) {
        this.#known = undefined;
        return true;
      }
    }
    this.#hasOthers = true;
    return false;
  }

  /** @param revision 0: a note. */
  #isWanted(revision: number): boolean {
    if (this.#hasBegun) return true;
    this.#hasBegun = revision >= this.#revision;
    return revision > this.#revision;
  }
}

/** The state of the follower is not one that this store has come through, or that is not known. */
export function otherNotesError(
  requestedRevision: number,
  { oldestRevision, revision }: StoreHead,
): StoreError<'revisionCompacted'> {
  return new StoreError(
    'revisionCompacted',
    `whether the follower has what lies behind revision ${requestedRevision}, as far as it has no revision itself, can not be told from the log: begin with a backup`,
    { requestedRevision, oldestRevision, newestRevision: revision },
  );
}

export function trimmedError(
  requestedRevision: number,
  { oldestRevision, revision }: StoreHead,
): StoreError<'revisionCompacted'> {
  return new StoreError(
    'revisionCompacted',
    `what follows revision ${requestedRevision} is no longer in the log, which begins at ${oldestRevision}: begin with a backup`,
    { requestedRevision, oldestRevision, newestRevision: revision },
  );
}

export function aheadError(
  requestedRevision: number,
  { oldestRevision, revision }: StoreHead,
): StoreError<'revisionFuture'> {
  return new StoreError(
    'revisionFuture',
    `the follower has revision ${requestedRevision}, and the newest here is ${revision}: the store's files were put back from a copy, or writes that were not flushed were lost`,
    { requestedRevision, oldestRevision, newestRevision: revision },
  );
}

function copyOf(buffer: Buffer, start: number, end: number): Buffer {
  const length = end - start;
  const bytes = Buffer.allocUnsafe(recordPrefixBytes(length) + length);
  buffer.copy(bytes, writeRecordPrefix(bytes, 0, length), start, end);
  return bytes;
}

/** 0: it is a note. Transactions begin with their revision. */
function revisionOf(buffer: Buffer, start: number, end: number): number {
  if (buffer[start] !== RECORD.revision) return 0;
  const cursor = new Cursor(buffer, start, buffer.length);
  cursor.field(end);
  return cursor.short < 0 ? cursor.int64(end) : cursor.short;
}

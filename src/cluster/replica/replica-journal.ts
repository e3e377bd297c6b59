/**
 * The journal of a store that follows a running server: it commits nothing itself. What comes is accepted: the store applies it, and it
 * enters the `Log` on the disk of this machine, whole batch by whole batch, each behind the note of its place (`cached-batches.ts`).
 *
 *     from the server       revisions 7, 8, a note         a note           revision 9
 *     in the log   place 8, revisions 7, 8, a note   place 8, a note   place 9, revision 9
 *
 * So a directory always says that it follows, and its newest revision is the place to go on from.
 */
import { assert, StoreError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import { limitName } from '../../limits.ts';
import { RECORD } from '../../store/commit/record-tags.ts';
import { PendingFlushes } from '../../wal/commit/pending-flushes.ts';
import { NO_BATCH, walkRecords } from '../../wal/frames/records.ts';
import { NO_NOTES, NoteSum } from '../../store/replication/known-notes.ts';
import { type FollowerPlace, RecordFeed, type StoreHead } from '../../store/replication/record-feed.ts';
import type { CachedJournal, JournalPlace, LogPlace } from '../../wal/journal.ts';
import type { Log } from '../../wal/log.ts';
import type { LogReader } from '../../wal/reader.ts';
import { readOnlyError } from '../../wal/segments/fail-stop.ts';
import { notWriterError } from '../../wal/segments/overtaken.ts';
import type { LogStats, StartBehind } from '../../wal/segments/segment-row.ts';
import { CachedBatches } from '../journal/cached-batches.ts';
import type { JournalOwner } from '../journal/replicated-journal.ts';

export interface ReplicaJournalParts {
  readonly owner: JournalOwner;
  /** Was opened and replayed, and tells `cacheDurable` and `cacheFailed` of this journal. */
  readonly cache: Log;
  readonly clock: Clock;
  /** Of the server that is followed. */
  readonly address: string;
  /** What the cache takes that it has not written. */
  readonly unflushedBytesMax: number;
  /** More has become durable here, and visible. */
  readonly onPlace: (place: JournalPlace) => void;
}

/** The note of a place may be longer by this much once the revisions behind it are known. */
const NOTE_GROWTH_BYTES = 16;

export class ReplicaJournal implements CachedJournal {
  readonly #parts: ReplicaJournalParts;
  readonly #cached: CachedBatches;
  readonly #pendingFlushes = new PendingFlushes();
  #committedSequence = 0;
  #committedRevision: number;
  /** Behind that revision. */
  readonly #notes = new NoteSum();
  #appendedBytes = 0;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: ReplicaJournalParts) {
    this.#parts = parts;
    const { cache, clock } = parts;
    this.#committedRevision = cache.lastRevision;
    this.#cached = new CachedBatches(cache, clock, { ...this.#newPlace(), revision: cache.lastRevision });
  }

  get storeId(): Uint8Array {
    return this.#parts.cache.storeId;
  }

  get lastRevision(): number {
    return this.#committedRevision;
  }

  get oldestRevision(): number {
    return this.#parts.cache.oldestRevision;
  }

  get committedSequence(): number {
    return this.#committedSequence;
  }

  get durableSequence(): number {
    return this.#cached.durableSequence;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  get place(): JournalPlace {
    return this.#cached.durablePlace;
  }

  get recordBytesMax(): number {
    return this.#parts.cache.recordBytesMax;
  }

  get buffer(): Buffer {
    throw this.#refusal();
  }

  /**
   * Where to go on.
   * @param incarnation that wrote `lastRevision`.
   * @param life of the server in which this store was last in step with it; '': that is not known.
   */
  placeOf(incarnation: string, life: string): FollowerPlace {
    const revision = this.#committedRevision;
    const { count, checksum } = this.#notes;
    const snapshotLife = this.startBehind(revision) === 'record' ? undefined : life;
    return { revision, incarnation, notes: { count, checksum }, snapshotLife };
  }

  /** Finds again, before anything has come, which notes are here; and has the directory say that it follows. */
  async begin(head: () => StoreHead): Promise<void> {
    const here = new RecordFeed(
      { journal: this, head },
      { revision: this.#committedRevision, notes: NO_NOTES },
    );
    try {
      for (let isAll = false; !isAll;) {
        const { records, head: reached } = await here.next();
        walkRecords(records, 0, records.length, (buffer, start, end) => {
          this.#notes.add(buffer, start, end);
          return true;
        });
        isAll = reached !== undefined;
      }
    } finally {
      await here.close();
    }
    await this.#room(0);
    this.#cached.put(this.#newPlace(), undefined);
  }

  /**
   * Takes whole records that follow upon the newest place. Resolves when they are in the cache; one call at a time.
   * @throws StoreError `damaged`: they can't follow upon the state; `limitReached`.
   */
  async accept(records: Uint8Array): Promise<void> {
    const batch = Buffer.from(records.buffer, records.byteOffset, records.length);
    await this.#room(batch.length);
    const { owner } = this.#parts;
    const revisionBefore = this.#committedRevision;
    let count = 0;
    const end = walkRecords(batch, 0, batch.length, (buffer, recordStart, recordEnd) => {
      const isTaken = owner.apply(buffer, recordStart, recordEnd, this.#committedSequence + 1);
      assert(isTaken, 'a follower asks for what it does not have');
      count++;
      this.#committedSequence++;
      // A transaction begins with its revision; a note has none.
      if (buffer[recordStart] === RECORD.revision) {
        this.#committedRevision++;
        this.#notes.clear();
      } else this.#notes.add(buffer, recordStart, recordEnd);
      return true;
    });
    if (end === NO_BATCH) {
      const error = new StoreError('damaged', `what ${this.#parts.address} gives are no records`);
      this.stop(error);
      throw error;
    }
    this.#appendedBytes += batch.length;
    const revisionCount = this.#committedRevision - revisionBefore;
    this.#cached.put(this.#newPlace(), { buffer: batch, start: 0, end, count, revisionCount });
  }

  reserve(): number {
    throw this.#refusal();
  }

  commit(): number {
    throw this.#refusal();
  }

  reserveRow(): undefined {
    return undefined;
  }

  commitRow(): number {
    throw this.#refusal();
  }

  requireFlush(): void {
    throw this.#refusal();
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const sequence = this.#committedSequence;
    if (sequence > this.durableSequence) await this.#pendingFlushes.add(sequence);
    // A snapshot is to be no further than the cache, after a loss of power too.
    await this.#parts.cache.flush();
  }

  reader(fromRevision: number): LogReader {
    return this.#parts.cache.reader(fromRevision);
  }

  readerBehind(revision: number): LogReader {
    return this.#parts.cache.readerBehind(revision);
  }

  startBehind(revision: number): StartBehind {
    return this.#parts.cache.startBehind(revision);
  }

  removeBefore(revision: number): Promise<void> {
    return this.#parts.cache.removeBefore(revision);
  }

  oldestRevisionWithin(bytes: number): number {
    return this.#parts.cache.oldestRevisionWithin(bytes);
  }

  stats(): LogStats {
    return this.#parts.cache.stats();
  }

  stop(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#end(error);
    this.#parts.owner.fail(error);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  cacheDurable(cacheSequence: number): void {
    if (!this.#cached.written(cacheSequence) || this.#failure !== undefined) return;
    const { owner, onPlace } = this.#parts;
    owner.durable(this.durableSequence);
    this.#pendingFlushes.resolveUpTo(this.durableSequence);
    onPlace(this.place);
  }

  cacheFailed(error: Error): void {
    this.stop(error);
  }

  #newPlace(): LogPlace {
    return { position: this.#committedRevision, epoch: 0, checksum: 0, writerAddress: this.#parts.address };
  }

  async #room(byteCount: number): Promise<void> {
    const { unflushedBytesMax } = this.#parts;
    const bytes = byteCount + NOTE_GROWTH_BYTES;
    if (bytes > unflushedBytesMax / 2) {
      throw new StoreError(
        'limitReached',
        `the server gives a record of ${byteCount} bytes, and here half of ${limitName('unflushedBytesMax')} is ${unflushedBytesMax / 2}: start with as much as that server has`,
      );
    }
    if (this.#failure === undefined) await this.#cached.room(bytes, this.#newPlace());
    if (this.#failure !== undefined) throw this.#failure;
  }

  #refusal(): StoreError {
    if (this.#failure !== undefined) return readOnlyError(this.#failure);
    if (this.#closing !== undefined) return new StoreError('closed', 'the store is closed');
    return notWriterError(this.#parts.address);
  }

  #end(error: Error): void {
    this.#failure ??= error;
    this.#cached.end();
    this.#pendingFlushes.rejectAll(error);
  }

  async #close(): Promise<void> {
    this.#end(new StoreError('closed', 'the store is closed'));
    await this.#parts.cache.close();
  }
}

/**
 * The journal of a store of a cluster: its records lie in a `SharedLog`, and a `Log` on the disk of this machine is their cache.
 *
 *               lead                       handOver, fenced, stop
 *   following ---------> leading ---------------------------------------> failed
 *       |                                                                   ^
 *       +-------------------------------------------------------------------+
 *                                stop, a cache that fails
 *
 * - following: nothing is committed here. What the node reads of the shared log is accepted: the store applies it, and it enters
 *   the cache.
 * - leading: what the store commits gathers in batches. One of them at a time is on its way into the shared log, and when it is
 *   stored there it enters the cache.
 * - failed: nothing is written, and nothing counts as durable any more.
 *
 * Guarantees:
 *
 * - The cache holds the batches of the shared log up to some position, whole, and nothing else. So nothing there has ever to be
 *   undone, also when this node was overtaken.
 * - A record counts as durable when its batch is stored in the shared log and was written to the cache, where readers find it.
 * - Batches of one epoch lie in the shared log in the order of their commits, without a hole: one is not tried before it is
 *   certain that the one before is stored.
 */
import type { Clock } from '../../clock.ts';
import { assert, noRoomIn, RetryLaterError, StoreError } from '../../errors.ts';
import { cluster as clusterLimits, fixed, limitName, sharedLog as limits } from '../../limits.ts';
import type { LogHead, LogRecord, SharedLog } from '../../shared-log/shared-log.ts';
import type { SharedLogError } from '../../shared-log/shared-log-error.ts';
import { RECORD } from '../../store/commit/record-tags.ts';
import { Gathering } from '../../wal/commit/gathering.ts';
import { PendingFlushes } from '../../wal/commit/pending-flushes.ts';
import type { Batch } from '../../wal/frames/batch.ts';
import {
  NO_BATCH,
  RECORD_PREFIX_BYTES_MAX,
  recordPrefixBytes,
  walkRecords,
} from '../../wal/frames/records.ts';
import type { CachedJournal, JournalPlace, LogPlace } from '../../wal/journal.ts';
import type { Log } from '../../wal/log.ts';
import type { LogReader } from '../../wal/reader.ts';
import { readOnlyError } from '../../wal/segments/fail-stop.ts';
import type { LogStats, StartBehind } from '../../wal/segments/segment-row.ts';
import { FRAME_HEADER_BYTES } from '../../wire/frame.ts';
import { CachedBatches, type CachedRecords } from './cached-batches.ts';
import { checkFollows } from './other-history.ts';
import { encodePlace, placeOf } from './place-note.ts';
import { StoredBatches } from './stored-batches.ts';
import { WaitingBatches } from './waiting-batches.ts';
import { notWriterError, OvertakenError } from '../../wal/segments/overtaken.ts';

/** What the journal tells its store, and asks of it. */
export interface JournalOwner {
  /** See `Replica.apply`. @returns false: the state has it already. */
  apply(buffer: Buffer, start: number, end: number, sequence: number): boolean;
  /** Everything up to this sequence number is durable. Called in order, from a fresh stack. */
  durable(sequence: number): void;
  /** Once: an `OvertakenError`, or what else ends all writing. */
  fail(error: Error): void;
}

export interface ReplicatedJournalParts {
  readonly owner: JournalOwner;
  /** Was opened and replayed, and tells `cacheDurable` and `cacheFailed` of this journal. */
  readonly cache: Log;
  readonly sharedLog: SharedLog;
  readonly clock: Clock;
  /** Of the newest batch that the cache, or the snapshot below it, has. */
  readonly place: JournalPlace;
  /** Records are refused while this much is committed and not yet stored. */
  readonly unflushedBytesMax: number;
  /** A newer batch has become durable here. */
  readonly onPlace: (place: JournalPlace) => void;
  /** A batch of this node is stored in the shared log: `head` tells of it. */
  readonly onStored: () => void;
  /** The shared log does not take a batch for now; it is tried again. */
  readonly onDelayed: (error: SharedLogError) => void;
}

interface Handover extends PromiseWithResolvers<void> {
  readonly successorAddress: string;
}

export class ReplicatedJournal implements CachedJournal {
  readonly #parts: ReplicatedJournalParts;
  readonly #cached: CachedBatches;
  readonly #waiting = new WaitingBatches();
  readonly #gathering = new Gathering({
    recordsMax: clusterLimits.gatheredRecordsMax,
    waitMsMax: clusterLimits.gatheringMsMax,
    waitsForFirst: true,
  });
  /** While a batch gathers. */
  #onGathered: (() => void) | undefined;
  readonly #pendingFlushes = new PendingFlushes();
  readonly #end = new AbortController();
  /** While leading. */
  #stored: StoredBatches | undefined;
  #address = '';
  #committedSequence = 0;
  #committedRevision: number;
  /** The newest one up to the newest place. While following it may be lower, since the state has come with a snapshot. */
  #placeRevision: number;
  #appendedBytes = 0;
  /** Of the batch that is on its way into the shared log. */
  #storingBytes = 0;
  /** How long the last batch was on its way. */
  #storeMs = 0;
  #isAtWork = false;
  #handover: Handover | undefined;
  #announcement: PromiseWithResolvers<number> | undefined;
  #failure: Error | undefined;
  #refusal: StoreError | undefined;
  #isExempt = false;
  #closing: Promise<void> | undefined;

  constructor(parts: ReplicatedJournalParts) {
    this.#parts = parts;
    const { cache, clock, place } = parts;
    this.#cached = new CachedBatches(cache, clock, place);
    this.#committedRevision = cache.lastRevision;
    this.#placeRevision = place.revision;
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

  get recordBytesMax(): number {
    return limits.batchBytesMax - RECORD_PREFIX_BYTES_MAX;
  }

  get buffer(): Buffer {
    return this.#waiting.buffer;
  }

  get isLeading(): boolean {
    return this.#stored !== undefined && this.#failure === undefined && this.#handover === undefined;
  }

  /** Of the newest batch whose records are durable, and visible. */
  get place(): JournalPlace {
    return this.#cached.durablePlace;
  }

  /** Of the newest batch that was accepted or stored. */
  get newestPlace(): LogPlace {
    return this.#cached.place;
  }

  /** The newest head that the shared log has given to this node as its writer; `undefined`: it is not leading. */
  get head(): LogHead | undefined {
    return this.#stored?.head;
  }

  /** Whether nothing is on its way into the shared log, and nothing waits for that. */
  get isIdle(): boolean {
    return !this.#isAtWork;
  }

  /** Whether something is to come into the cache that its disk has not taken. */
  get isAwaitingDisk(): boolean {
    return this.#cached.isAwaitingDisk;
  }

  /** Records are refused with this from now on; `undefined`: they are not. */
  refuseWith(error: StoreError | undefined): void {
    this.#refusal = error;
  }

  /** What is committed by `run` is not refused with what `refuseWith` says. */
  exempt(run: () => void): void {
    this.#isExempt = true;
    try {
      run();
    } finally {
      this.#isExempt = false;
    }
  }

  /**
   * Takes what was read of the shared log: the record behind `place`. Resolves when it is in the cache; one call at a time.
   * @throws StoreError `damaged`: the records can't follow upon the state, or are those of another history.
   */
  async accept(record: LogRecord): Promise<void> {
    assert(this.#stored === undefined, 'a journal that leads accepts nothing');
    const { position, epoch, checksum } = record;
    const { newestPlace } = this;
    checkFollows(record, newestPlace);
    if (record.kind === 'takeOver')
      return this.#placed({ position, epoch, checksum, writerAddress: record.address });
    const told = placeOf(record);
    if (told !== undefined) return this.#placed(told);
    const batch = Buffer.from(record.bytes.buffer, record.bytes.byteOffset, record.bytes.length);
    const place = { position, epoch, checksum, writerAddress: newestPlace.writerAddress };
    await this.#room(batch.length, place);
    this.#taken(place, this.#applied(batch, position));
  }

  /** Writes from now on, behind a head that was won; all that lies before is accepted. @param address of this node. */
  async lead(head: LogHead, address: string): Promise<void> {
    assert(
      this.#stored === undefined && !this.#isBehindSnapshot,
      'a journal begins to lead once, with all that there is',
    );
    await this.#placed(placeAt(head, address));
    this.#address = address;
    const { sharedLog, clock, onDelayed } = this.#parts;
    this.#stored = new StoredBatches({ sharedLog, clock, onDelayed }, head);
  }

  /**
   * Stores what was committed, and behind it that there is no writer any more; fails then, with an `OvertakenError`. Resolves once
   * it is stored.
   * @param successorAddress of the node that is to be the next one, by HTTP; '' and left out: any may be.
   */
  handOver(successorAddress = ''): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    assert(this.#stored !== undefined, 'who hands over is leading');
    this.#handover ??= { ...Promise.withResolvers<void>(), successorAddress };
    this.#onGathered?.();
    this.#wake();
    return this.#handover.promise;
  }

  /** Has a batch say who the writer is. @returns its position, once it is stored. */
  announce(): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    assert(this.#stored !== undefined, 'who announces itself is leading');
    this.#announcement ??= Promise.withResolvers();
    this.#wake();
    return this.#announcement.promise;
  }

  reserve(byteLength: number): number {
    const error = this.#whyNot();
    if (error !== undefined) throw error;
    const recordBytes = recordPrefixBytes(byteLength) + byteLength;
    if (recordBytes > limits.batchBytesMax) {
      throw new StoreError(
        'limitReached',
        `the transaction has ${byteLength} bytes, and in a cluster it may have ${limits.batchBytesMax} at most: make several smaller ones of it`,
      );
    }
    const { unflushedBytesMax } = this.#parts;
    if (this.#unstoredBytes > 0 && this.#unstoredBytes + recordBytes > unflushedBytesMax)
      throw this.#noRoom(byteLength);
    return this.#waiting.room(recordBytes).reserve(byteLength);
  }

  commit(revision: number): number {
    assert(revision === 0 || revision === this.#committedRevision + 1, 'revisions are committed one by one');
    if (revision !== 0) this.#committedRevision = revision;
    this.#appendedBytes += this.#waiting.commit(++this.#committedSequence, this.#committedRevision);
    this.#joined();
    return this.#committedSequence;
  }

  reserveRow(bytesMax: number): number | undefined {
    if (bytesMax > limits.batchBytesMax || this.#whyNot() !== undefined) return undefined;
    if (this.#unstoredBytes + bytesMax > this.#parts.unflushedBytesMax) return undefined;
    return this.#waiting.room(bytesMax).reserveRow(bytesMax);
  }

  commitRow(count: number, end: number): number {
    this.#committedRevision += count;
    this.#committedSequence += count;
    this.#appendedBytes += this.#waiting.commitRow(this.#committedSequence, this.#committedRevision, end);
    this.#joined();
    return this.#committedSequence;
  }

  /** What is stored in the shared log is flushed there, whatever it is. */
  requireFlush(sequence: number): void {
    assert(sequence === this.#committedSequence, 'a flush is required before the record can be written');
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw failedError(this.#failure);
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
    this.#fail(error);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The cache has written what it has up to this sequence of its own. */
  cacheDurable(cacheSequence: number): void {
    if (!this.#cached.written(cacheSequence) || this.#failure !== undefined) return;
    const { owner, onPlace } = this.#parts;
    owner.durable(this.durableSequence);
    this.#pendingFlushes.resolveUpTo(this.durableSequence);
    onPlace(this.place);
  }

  /** The cache has failed for good. */
  cacheFailed(error: Error): void {
    this.#fail(error);
  }

  get #unstoredBytes(): number {
    return this.#waiting.bytes + this.#storingBytes;
  }

  /** Where the writer's clients reach it; '': there is none, or it is not known. */
  get #writerAddress(): string {
    return this.#stored === undefined ? this.newestPlace.writerAddress : '';
  }

  /** Why no record can be committed; `undefined`: one can. */
  #whyNot(): StoreError | undefined {
    const failure = this.#failure;
    if (failure !== undefined) return readOnlyError(failure);
    if (this.#closing !== undefined) return new StoreError('closed', 'the store is closed');
    if (!this.isLeading) return notWriterError(this.#writerAddress);
    return this.#isExempt ? undefined : this.#refusal;
  }

  #noRoom(byteLength: number): StoreError<'limitReached'> {
    return noRoomIn(
      'log',
      new RetryLaterError(
        `${this.#unstoredBytes} bytes are not yet stored in the shared log, and ${byteLength} more would pass the ` +
          `${this.#parts.unflushedBytesMax} of ${limitName('unflushedBytesMax')}: wait for writes under way and try again`,
        fixed.busyRetryMs,
      ),
    );
  }

  /** Takes the place of a record that holds nothing for the store. */
  async #placed(place: LogPlace): Promise<void> {
    await this.#room(0, place);
    this.#taken(place, undefined);
  }

  /** The records of a place, if there are any, are in the state. */
  #taken(place: LogPlace, records: CachedRecords | undefined): void {
    if (!this.#isBehindSnapshot) return this.#cached.put(place, records);
    const passed = { ...place, revision: this.#placeRevision };
    this.#cached.passOver(passed);
    this.#parts.onPlace(passed);
  }

  /** Whether the state has come with a snapshot that holds more than what lies up to the newest place. */
  get #isBehindSnapshot(): boolean {
    return this.#stored === undefined && this.#placeRevision < this.#committedRevision;
  }

  async #room(byteCount: number, place: LogPlace): Promise<void> {
    if (this.#failure === undefined) await this.#cached.room(byteCount, place);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Has the store apply the records of a batch. @returns those that the state had not yet. */
  #applied(batch: Buffer, position: number): CachedRecords {
    const { owner } = this.#parts;
    const revisionBefore = this.#committedRevision;
    let count = 0;
    let start = 0;
    const end = walkRecords(batch, 0, batch.length, (buffer, recordStart, recordEnd) => {
      if (!owner.apply(buffer, recordStart, recordEnd, this.#committedSequence + 1)) {
        assert(count === 0, 'a state that lacks a record has none of those that follow');
        start = recordEnd;
        this.#placeRevision += revisionCount(buffer, recordStart);
        return;
      }
      count++;
      this.#committedSequence++;
      this.#committedRevision += revisionCount(buffer, recordStart);
      this.#placeRevision = this.#committedRevision;
    });
    if (end === NO_BATCH) {
      throw new StoreError('damaged', `position ${position} of the shared log holds no batch of records`);
    }
    this.#appendedBytes += end - start;
    return { buffer: batch, start, end, count, revisionCount: this.#committedRevision - revisionBefore };
  }

  /** Has the work go on at the end of this turn, if it is not under way. */
  #wake(): void {
    if (this.#isAtWork || this.#failure !== undefined) return;
    this.#isAtWork = true;
    this.#parts.clock.yieldNow(() => void this.#work());
  }

  /** Stores what waits, batch by batch. */
  async #work(): Promise<void> {
    try {
      for (let isMore = true; isMore;) {
        await this.#storeAnnouncement();
        isMore = await this.#storeNext();
      }
      if (this.#handover !== undefined) await this.#storeHandover(this.#handover);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error), { cause: error }));
    }
    this.#isAtWork = false;
    if (this.#announcement !== undefined) this.#wake();
  }

  /** @returns whether a batch was waiting. */
  async #storeNext(): Promise<boolean> {
    const batch = this.#waiting.take();
    if (batch === undefined) return false;
    const count = batch.sequence - this.#cached.sequence;
    await this.#store(batch, count);
    await this.#gather(count);
    return true;
  }

  async #store(batch: Batch, count: number): Promise<void> {
    const { clock, cache } = this.#parts;
    const { payloadBytes } = batch;
    const [start, end] = [FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + payloadBytes];
    this.#storingBytes = payloadBytes;
    const startMs = clock.monotonicMs();
    const place = await this.#append(batch.buffer.subarray(start, end));
    this.#storeMs = clock.monotonicMs() - startMs;
    await this.#room(payloadBytes, place);
    const revisionCount = batch.revision - cache.lastRevision;
    this.#cached.put(place, { buffer: batch.buffer, start, end, count, revisionCount });
    this.#storingBytes = 0;
    this.#waiting.giveBack(batch);
  }

  /** @returns where it is stored. */
  async #append(bytes: Uint8Array): Promise<LogPlace> {
    return placeAt(await this.#storeBytes(bytes), this.#address);
  }

  /** Records have joined what waits. */
  #joined(): void {
    const isEnough = this.#waiting.hasSealed || this.#waitingCount >= this.#gathering.wantedCount;
    if (isEnough) this.#onGathered?.();
    this.#wake();
  }

  /**
   * A small batch waits a little for those who are told now that theirs is durable. Not by turns of the event loop, which would take
   * the processor from them where they share the machine.
   */
  async #gather(toldCount: number): Promise<void> {
    const { clock } = this.#parts;
    const gathering = this.#gathering;
    if (this.#waiting.hasSealed || this.#handover !== undefined || this.#failure !== undefined) return;
    if (!gathering.wants(toldCount, this.#waitingCount)) return;
    const waitMs = gathering.begin(clock.monotonicMs(), this.#storeMs);
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(waitMs, resolve);
      this.#onGathered = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#onGathered = undefined;
    // The rest of this turn joins, too.
    await new Promise<void>((resolve) => clock.yieldNow(resolve));
    gathering.end(this.#waitingCount);
  }

  get #waitingCount(): number {
    return this.#committedSequence - this.#cached.sequence;
  }

  async #storeAnnouncement(): Promise<void> {
    const announcement = this.#announcement;
    if (announcement === undefined) return;
    await this.#storePlace(this.#address);
    this.#announcement = undefined;
    announcement.resolve(this.newestPlace.position);
  }

  /** The last batch: what was committed before is told as durable first. */
  async #storeHandover(handover: Handover): Promise<void> {
    await this.#storePlace('', handover.successorAddress);
    if (this.#committedSequence > this.durableSequence)
      await this.#pendingFlushes.add(this.#committedSequence);
    handover.resolve();
    throw new OvertakenError('');
  }

  /** Stores a batch that says who writes: nothing for the store. */
  async #storePlace(writerAddress: string, successorAddress = ''): Promise<void> {
    const stored = this.#stored;
    assert(stored !== undefined, 'who stores batches is leading');
    const { epoch, position: before } = stored.head;
    const note = encodePlace({ position: before + 1, epoch, checksum: 0, writerAddress, successorAddress });
    await this.#placed({ ...placeAt(await this.#storeBytes(note), writerAddress), successorAddress });
  }

  async #storeBytes(bytes: Uint8Array): Promise<LogHead> {
    const stored = this.#stored;
    assert(stored !== undefined, 'who stores batches is leading');
    await stored.store(bytes, this.#end.signal);
    this.#parts.onStored();
    return stored.head;
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#stop(error);
    this.#parts.owner.fail(error);
  }

  #stop(error: Error): void {
    this.#failure ??= error;
    this.#end.abort(error);
    this.#cached.end();
    this.#onGathered?.();
    this.#pendingFlushes.rejectAll(failedError(error));
    this.#handover?.reject(error);
    this.#announcement?.reject(error);
  }

  /** What was committed is stored first, unless the shared log is silent for too long: then it may be stored or not. */
  async #close(): Promise<void> {
    const { clock, cache } = this.#parts;
    const timer = clock.setTimer(clusterLimits.closeMsMax, () =>
      this.#fail(
        new Error('the shared log did not store what was committed in time, before the node was closed'),
      ),
    );
    try {
      if (this.#failure === undefined && this.#stored !== undefined) await this.flush();
    } finally {
      timer.cancel();
      this.#stop(new Error('the store is closed'));
      await cache.close();
    }
  }
}

function placeAt({ position, epoch, checksum }: LogHead, writerAddress: string): LogPlace {
  return { position, epoch, checksum, writerAddress };
}

function failedError(cause: Error): StoreError<'storageFailed'> {
  return new StoreError(
    'storageFailed',
    `the shared log takes no writes of this node any more; whether the changes of this call are kept shows later: ${cause.message}`,
    { cause },
  );
}

/** 1 for a transaction, whose record begins with its revision, and 0 for a note. */
function revisionCount(buffer: Buffer, recordStart: number): number {
  return buffer[recordStart] === RECORD.revision ? 1 : 0;
}

/**
 * The write-ahead log: records in the order of their revisions, in segments, durable batch by batch.
 *
 * Guarantees:
 *
 * - Records come back from `replay` in the order of their commits, each whole. A record that `onDurable` covered under
 *   `fsync: always` comes back after any crash; one that was never covered may be missing, and then all that follow
 *   it are.
 * - What can't be the outcome of a crash is refused with `damaged`, never skipped.
 * - From the first write or flush that fails on, nothing is written and nothing counts as durable.
 *
 * The way of a record: `reserve`, write it into `buffer`, `commit`. The first record of a batch asks for a write once
 * the event loop has served what is waiting; while that write and its flush run, the next batch gathers. Neither knows
 * what is in a record.
 */
import type { Clock, Timer } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import { assert, StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import { Batch } from './batch.ts';
import { FailStop, readOnlyError } from './fail-stop.ts';
import { FlushWaiters } from './flush-waiters.ts';
import { SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, STORE_ID_BYTES } from './format.ts';
import { openSegments } from './log-directory.ts';
import { NewestName } from './newest-segment.ts';
import type { NextSegment } from './next-segment.ts';
import { PieceBuffers } from './piece-buffers.ts';
import { type LogReader, SegmentReader } from './reader.ts';
import type { OnRecord } from './records.ts';
import { type OnProgress, recover } from './recovery.ts';
import type { TornTail } from './segment-end.ts';
import { type NewSegment, SegmentRow } from './segment-row.ts';
import { SegmentWriter } from './segment-writer.ts';

export interface LogOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly directory: string;
  /** The file that names the newest segment, so that the loss of that one is noticed; left out: it is not. */
  readonly newestNamePath?: string;
  /** A segment that has reached this length is followed by the next. At least 4 KiB, at most 2 GiB. */
  readonly segmentBytes: number;
  /** Records are refused while this much is committed and not yet written. */
  readonly unflushedBytesMax: number;
  readonly fsync: 'always' | 'interval' | 'never';
  readonly fsyncIntervalMs: number;
  /**
   * Everything up to this sequence number is as durable as the policy asks for (`always`: flushed; else: written).
   * Called in order, from a fresh stack.
   */
  readonly onDurable: (sequence: number) => void;
  /** Once, when a write or flush failed, or `stop` was called. */
  readonly onFailure: (error: Error) => void;
  /**
   * The next segment could not be made, so the present one, which has so many bytes by now, goes on for a while. Told once
   * a minute at most.
   */
  readonly onSegmentDelayed: (error: Error, segmentBytes: number) => void;
  /** Asked before each new segment. What it rejects with stops the log as a failed write does. */
  readonly checkOwned: () => Promise<void>;
}

/** After so long without a write, a mark vouches for the last batch. */
const IDLE_MARK_MS = 100;

export class Log {
  readonly #options: LogOptions;
  readonly #row: SegmentRow;
  readonly #newestName: NewestName;
  readonly #failStop: FailStop;
  readonly #pieceBuffers = new PieceBuffers();

  /** Set by `create` and `replay`. */
  #writer: SegmentWriter | undefined;
  /** Gathers records while the other one is written. */
  #batch = new Batch();
  #otherBatch = new Batch();
  /** The length of the batch that is being written. */
  #writingBytes = 0;

  #committedSequence = 0;
  #committedRevision = 0;
  #writtenSequence = 0;
  #flushedSequence = 0;
  #durableSequence = 0;
  /** This record, and what follows it, counts as durable only when this record is flushed. */
  #requiredSequence = 0;
  #appendedBytes = 0;

  /** The one loop that writes, while it has something to do. */
  #pump: Promise<void> | undefined;
  readonly #flushWaiters = new FlushWaiters();
  #flushTimer: Timer | undefined;
  #markTimer: Timer | undefined;
  #isMarkWanted = false;
  #lastWriteMs = 0;
  /** Whether the next segment is due and could not be made; the timer runs until it is tried again. */
  #isRotationDelayed = false;
  #rotationTimer: Timer | undefined;
  #isRotationWanted = false;
  #delayToldMs = -Infinity;

  #closing: Promise<void> | undefined;

  private constructor(options: LogOptions, row: SegmentRow, newestName: NewestName) {
    const { segmentBytes } = options;
    if (segmentBytes < SEGMENT_BYTES_MIN || segmentBytes > SEGMENT_BYTES_MAX) {
      const range = `${SEGMENT_BYTES_MIN} to ${SEGMENT_BYTES_MAX}`;
      throw new StoreError('invalidArgument', `segmentBytes is ${segmentBytes}; it must be ${range}`);
    }
    this.#options = options;
    this.#row = row;
    this.#newestName = newestName;
    this.#failStop = new FailStop((error) => this.#onFailure(error));
  }

  /**
   * Makes the first segment of a new store. The directory must hold none.
   * @param revision of the state that the store begins with; the log goes on at the next one.
   */
  static async create(options: LogOptions, storeId: Uint8Array, revision = 0): Promise<Log> {
    assert(storeId.length === STORE_ID_BYTES, 'the id of a store has 16 bytes');
    const { disk, directory } = options;
    await disk.makeDirectory(directory);
    assert((await openSegments(disk, directory)) === undefined, 'a new log is made where there is none');
    const newestName = await NewestName.read(disk, options.newestNamePath);
    const row = new SegmentRow(disk, directory, storeId, []);
    const log = new Log(options, row, newestName);
    try {
      const next = await row.prepare(revision, options.segmentBytes);
      log.#writeTo(await row.place(await row.seal(next, 0)));
      await newestName.note(row.newest.name);
    } catch (error) {
      // What stopped it is what the caller needs to know.
      await log.close().catch(() => undefined);
      throw error;
    }
    log.#committedRevision = revision;
    return log;
  }

  /**
   * Opens the segments of an existing log: checks names, headers and that none is missing. Nothing but `replay` may
   * follow. Removes what was left of a segment that was being made.
   * @returns `undefined` when the directory holds no segment.
   * @throws StoreError `damaged`.
   */
  static async open(options: LogOptions): Promise<Log | undefined> {
    const { disk, directory, newestNamePath } = options;
    const row = await openSegments(disk, directory);
    const newestName = await NewestName.read(disk, newestNamePath);
    const missing = newestName.missing(directory, row?.newest.name);
    if (missing !== undefined) throw missing;
    return row && new Log(options, row, newestName);
  }

  /**
   * Reads and verifies the log from the segment that holds `afterRevision` on, cuts off what a crash left of writes
   * under way, and makes the log ready to be written. Must be awaited once after `open`.
   *
   * Calls `onRecord` for every record of the frame that holds `afterRevision` and of those that follow it: the caller
   * skips what stands before the end of `afterRevision` itself, notes included. The bytes are valid during the call
   * only.
   *
   * @returns what was cut off, if anything.
   * @throws StoreError `damaged`; then nothing was changed.
   */
  async replay(
    afterRevision: number,
    onRecord: OnRecord,
    onProgress: OnProgress = () => {},
  ): Promise<{ torn: TornTail | undefined }> {
    assert(
      this.#writer === undefined && this.#closing === undefined,
      'a log is replayed once, when it was opened',
    );
    const { clock } = this.#options;
    const { file, position, torn } = await recover({
      clock,
      segments: this.#row.after(afterRevision),
      seed: this.#row.seed,
      afterRevision,
      onRecord,
      onProgress,
    });
    const { newest } = this.#row;
    if (position.batchEnd === 0) {
      await newest.release();
      this.#writeTo(await this.#row.remakeNewest(this.#options.segmentBytes));
    } else {
      this.#writeTo({ segment: newest, file, position });
    }
    await this.#newestName.note(this.#row.newest.name);
    this.#committedRevision = position.revision;
    this.#armMark();
    return { torn };
  }

  get storeId(): Uint8Array {
    return this.#row.storeId;
  }

  /** The highest revision in the log, durable or not. */
  get lastRevision(): number {
    return this.#committedRevision;
  }

  /** The first revision of the oldest segment. */
  get oldestRevision(): number {
    return this.#row.oldestRevision;
  }

  /** The sequence number of the newest committed record; 0: none since the log was opened. */
  get committedSequence(): number {
    return this.#committedSequence;
  }

  /** The sequence number up to which everything is as durable as the policy asks for. */
  get durableSequence(): number {
    return this.#durableSequence;
  }

  /** The bytes of all records committed since the log was opened, and of their lengths. */
  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  /** Where a reserved record is to be written. Another one after each `reserve`. */
  get buffer(): Buffer {
    return this.#batch.buffer;
  }

  /** `bytes`: the length of all segments, zeros ahead of use included. */
  stats(): { bytes: number; segmentCount: number } {
    return this.#row.stats();
  }

  /** The first revision that is left when all but the newest segments of `bytes` together are removed. */
  oldestRevisionWithin(bytes: number): number {
    return this.#row.oldestRevisionWithin(bytes);
  }

  /**
   * Makes room for a record. The caller writes exactly `byteLength` bytes into `buffer`, from the returned offset on,
   * and calls `commit`. A reserved record that is not committed never was.
   * @throws StoreError `limitReached`, `readOnly`, `closed`.
   */
  reserve(byteLength: number): number {
    if (this.#failStop.error !== undefined) throw readOnlyError(this.#failStop.error);
    if (this.#closing !== undefined) throw new StoreError('closed', 'the store is closed');
    assert(this.#writer !== undefined, 'a log is replayed before it is written');
    const batchBytes = this.#batch.payloadBytesWith(byteLength);
    if (batchBytes + this.#writingBytes > this.#options.unflushedBytesMax)
      this.#checkUnflushed(byteLength, batchBytes);
    this.#checkSegment(this.#writer.end + this.#writingBytes + batchBytes);
    if (batchBytes > fixed.frameBytesMax) {
      throw new StoreError(
        'limitReached',
        `a batch of the log would have ${batchBytes} bytes; wait and try again`,
      );
    }
    return this.#batch.reserve(byteLength);
  }

  /**
   * Ends the reserved record: it is written with the next batch.
   * @param revision the next revision, or 0 for a note.
   * @returns the record's sequence number: 1, 2, 3, ...
   */
  commit(revision: number): number {
    assert(revision === 0 || revision === this.#committedRevision + 1, 'revisions are committed one by one');
    const isFirst = this.#batch.isEmpty;
    const bytesBefore = this.#batch.payloadBytes;
    if (revision !== 0) this.#committedRevision = revision;
    this.#committedSequence++;
    this.#batch.commit(this.#committedSequence, this.#committedRevision);
    this.#appendedBytes += this.#batch.payloadBytes - bytesBefore;
    if (isFirst) this.#wakePump();
    return this.#committedSequence;
  }

  /**
   * Has a record flushed before it, or what follows it, counts as durable, whatever the policy.
   * @param sequence of the record that was just committed.
   */
  requireFlush(sequence: number): void {
    assert(sequence === this.#committedSequence, 'a flush is required before the record can be written');
    this.#requiredSequence = sequence;
  }

  /**
   * Resolves when everything committed before the call is on disk, whatever the policy.
   * @throws StoreError `storageFailed`.
   */
  async flush(): Promise<void> {
    const { error } = this.#failStop;
    if (error !== undefined) throw this.#failedError(error);
    const sequence = this.#committedSequence;
    if (this.#flushedSequence >= sequence) return;
    this.#wakePump();
    await this.#flushWaiters.add(sequence);
  }

  /** Reads the durable records of `fromRevision` and later ones again, and goes on with those to come. */
  reader(fromRevision: number): LogReader {
    assert(this.#writer !== undefined, 'a log is replayed before it is read');
    const row = this.#row;
    const isClosed = (): boolean => this.#closing !== undefined;
    return new SegmentReader({ row, pieceBuffers: this.#pieceBuffers, isClosed }, fromRevision);
  }

  /**
   * Removes whole segments, oldest first, that `replay(revision - 1)` does not need: those before the one that holds
   * `revision - 1`, which notes may follow there. Never the newest one.
   */
  removeBefore(revision: number): Promise<void> {
    return this.#row.removeBeforeHolderOf(revision - 1);
  }

  /** Ends all writing, as a write that fails does. What is under way counts as failed, too. */
  stop(error: Error): void {
    this.#failStop.stop(error);
  }

  /**
   * Writes and flushes what was committed, and a mark that vouches for it; closes the files. After a failure it only
   * closes the files.
   * @throws StoreError `storageFailed` when the failure comes with closing.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelTimers();
    try {
      if (this.#writer !== undefined && this.#failStop.error === undefined) await this.#settle();
    } finally {
      await this.#pump;
      await this.#row.close();
      await this.#newestName.close();
      await this.#writer?.close();
    }
  }

  #cancelTimers(): void {
    this.#flushTimer?.cancel();
    this.#markTimer?.cancel();
    this.#rotationTimer?.cancel();
  }

  /** Brings everything to disk, with a mark at the end. */
  async #settle(): Promise<void> {
    await this.flush();
    await this.#pump;
    const writer = this.#ready();
    try {
      if (writer.isMarkDue) await writer.appendMark();
      if (writer.isDirty) await writer.flush();
    } catch (error) {
      throw this.#failedError(error);
    }
  }

  #ready(): SegmentWriter {
    assert(this.#writer !== undefined, 'the log is ready');
    return this.#writer;
  }

  #checkUnflushed(byteLength: number, batchBytes: number): void {
    // A single record that is longer than the limit would otherwise wait for ever.
    if (this.#batch.isEmpty && this.#writingBytes === 0) return;
    const { unflushedBytesMax } = this.#options;
    throw new StoreError(
      'limitReached',
      `${batchBytes + this.#writingBytes - byteLength} bytes are not yet written to the log, and ${byteLength} more ` +
        `would pass unflushed-bytes-max (${unflushedBytesMax}): wait for writes under way and try again`,
    );
  }

  /** A segment that none can follow for the time being must not grow for ever. */
  #checkSegment(segmentBytes: number): void {
    if (!this.#isRotationDelayed) return;
    const fullBytes = this.#options.segmentBytes;
    const overrunBytes = Math.min(fullBytes * fixed.segmentOverrunTimesMax, fixed.segmentOverrunBytesMax);
    if (segmentBytes <= fullBytes + overrunBytes) return;
    throw new StoreError(
      'limitReached',
      'the next segment of the log can not be made, and the present one is full: the server says why in its log; close connections or free space, wait and try again',
    );
  }

  #failedError(cause: unknown): StoreError<'storageFailed'> {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new StoreError(
      'storageFailed',
      `writing the log failed, and nothing is written any more until the store is opened again: ${reason}`,
      { cause },
    );
  }

  #onFailure(error: Error): void {
    this.#cancelTimers();
    this.#flushWaiters.rejectAll(this.#failedError(error));
    this.#options.onFailure(error);
  }

  #wakePump(): void {
    if (this.#pump !== undefined) return;
    const { clock } = this.#options;
    this.#pump = new Promise<void>((resolve) => clock.yieldNow(resolve)).then(() => this.#runPump());
  }

  /**
   * Writes as long as there is something to write. While one step is under way its forerunner is announced, so the
   * callers' work for a batch runs beside the flush of the next.
   */
  async #runPump(): Promise<void> {
    try {
      for (;;) {
        const step = this.#failStop.error === undefined ? this.#startStep() : undefined;
        this.#announce();
        if (step !== undefined) await step.catch((error: unknown) => this.#checkFailed(error));
        else if (!this.#hasWork()) return;
      }
    } finally {
      this.#pump = undefined;
    }
  }

  /** The errors of the disk have been told by the fail-stop; any other is a broken invariant. */
  #checkFailed(error: unknown): void {
    if (error !== this.#failStop.error) throw error;
  }

  #hasWork(): boolean {
    if (this.#failStop.error !== undefined) return false;
    return (
      !this.#batch.isEmpty ||
      this.#flushWaiters.waitBeyond(this.#flushedSequence) ||
      this.#isMarkWanted ||
      this.#isRotationWanted
    );
  }

  #startStep(): Promise<void> | undefined {
    if (!this.#batch.isEmpty) return this.#writeBatch();
    if (this.#flushWaiters.waitBeyond(this.#flushedSequence)) return this.#flushWritten();
    if (this.#isMarkWanted) return this.#writeMark();
    if (this.#isRotationWanted) return this.#rotate();
    return undefined;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = this.#otherBatch;
    this.#writingBytes = batch.payloadBytes;
    const isFull = this.#ready().end >= this.#options.segmentBytes;
    if (isFull && this.#rotationTimer === undefined) await this.#rotate();
    await this.#ready().appendBatch(batch);
    this.#writtenSequence = batch.sequence;
    this.#writingBytes = 0;
    batch.clear();
    this.#otherBatch = batch;
    const isFlushWanted = this.#flushWaiters.waitBeyond(this.#flushedSequence);
    if (this.#flushesFirst() || isFlushWanted) await this.#flushWritten();
    else if (this.#options.fsync === 'interval') this.#armFlush();
  }

  async #flushWritten(): Promise<void> {
    const sequence = this.#writtenSequence;
    await this.#ready().flush();
    this.#flushedSequence = Math.max(this.#flushedSequence, sequence);
    this.#armMark();
  }

  /** Tells what has become durable since the last time: first the owner, then who waits for a flush. */
  #announce(): void {
    if (this.#failStop.error !== undefined) return;
    const isFlushed = this.#flushesFirst();
    const sequence = isFlushed ? this.#flushedSequence : this.#writtenSequence;
    if (sequence > this.#durableSequence) {
      this.#durableSequence = sequence;
      const writer = this.#ready();
      writer.segment.readableEnd = isFlushed ? writer.durableOffset : writer.end;
      this.#options.onDurable(sequence);
    }
    this.#flushWaiters.resolveUpTo(this.#flushedSequence);
  }

  /** Whether only what is flushed counts as durable. */
  #flushesFirst(): boolean {
    return this.#options.fsync === 'always' || this.#flushedSequence < this.#requiredSequence;
  }

  #armFlush(): void {
    if (this.#flushTimer !== undefined || this.#closing !== undefined) return;
    const { clock, fsyncIntervalMs } = this.#options;
    this.#flushTimer = clock.setTimer(fsyncIntervalMs, () => {
      this.#flushTimer = undefined;
      // Beside the pump: records are written and acknowledged while this flush runs.
      void this.#flushWritten().then(
        () => this.#announce(),
        (error: unknown) => this.#checkFailed(error),
      );
    });
  }

  #armMark(): void {
    const { clock } = this.#options;
    this.#lastWriteMs = clock.monotonicMs();
    if (this.#markTimer === undefined) this.#setMarkTimer(IDLE_MARK_MS);
  }

  /** One timer at a time, however many batches are written: when it runs, it looks how long ago the last one was. */
  #setMarkTimer(delayMs: number): void {
    if (this.#closing !== undefined || !this.#ready().isMarkDue) return;
    const { clock } = this.#options;
    this.#markTimer = clock.setTimer(delayMs, () => {
      this.#markTimer = undefined;
      const restMs = this.#lastWriteMs + IDLE_MARK_MS - clock.monotonicMs();
      if (restMs > 0) this.#setMarkTimer(restMs);
      else {
        this.#isMarkWanted = true;
        this.#wakePump();
      }
    });
  }

  async #writeMark(): Promise<void> {
    this.#isMarkWanted = false;
    if (this.#ready().isMarkDue) await this.#ready().appendMark();
  }

  /**
   * Ends the newest segment and begins the next. Until that has its name the newest one can go on, also behind its closing
   * mark: so a next one that can't be made is tried again later.
   */
  async #rotate(): Promise<void> {
    this.#isRotationWanted = false;
    const writer = this.#ready();
    const { revision } = writer;
    const { segmentBytes, checkOwned } = this.#options;
    await this.#failStop.run(checkOwned);
    const next = await this.#failStop.attempt(
      () => this.#prepareNext(revision, segmentBytes),
      (error) => this.#delayRotation(error),
    );
    if (next === undefined) return;
    let begun: NewSegment | undefined;
    try {
      begun = await this.#changeOver(writer, next);
    } finally {
      // Its own file, if it was not given up already: a store that stops must not keep it open.
      if (begun === undefined) await next.file.close().catch(() => undefined);
    }
    if (begun === undefined) return;
    this.#isRotationDelayed = false;
    this.#writeTo(begun);
    // All of it was flushed: that the file does not close, takes nothing away.
    await writer.close().catch(() => undefined);
  }

  /** @returns `undefined` when the present segment has to go on. */
  async #changeOver(writer: SegmentWriter, next: NextSegment): Promise<NewSegment | undefined> {
    await this.#flushWritten();
    await writer.appendMark();
    await writer.flush();
    // Before the next segment can be seen: a reader goes on there from the mark.
    writer.segment.readableEnd = writer.end;
    const { previousChecksum } = writer;
    const sealed = await this.#failStop.attempt(
      () => this.#row.seal(next, previousChecksum),
      (error) => this.#delayRotation(error),
    );
    if (sealed === undefined) return undefined;
    return this.#failStop.run(async () => {
      const segment = await this.#row.place(sealed);
      await this.#newestName.place(next.name);
      return segment;
    });
  }

  async #prepareNext(revision: number, segmentBytes: number): Promise<NextSegment> {
    const next = await this.#row.prepare(revision, segmentBytes);
    try {
      await this.#newestName.prepare(next.name);
      return next;
    } catch (error) {
      await next.giveUp();
      throw error;
    }
  }

  #delayRotation(error: Error): void {
    this.#isRotationDelayed = true;
    const { clock, onSegmentDelayed } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#delayToldMs >= fixed.segmentDelayedEventMs) {
      this.#delayToldMs = nowMs;
      onSegmentDelayed(error, this.#ready().end);
    }
    if (this.#closing !== undefined) return;
    this.#rotationTimer = clock.setTimer(fixed.segmentRetryMs, () => {
      this.#rotationTimer = undefined;
      this.#isRotationWanted = true;
      this.#wakePump();
    });
  }

  #writeTo({ segment, file, position }: NewSegment): void {
    const { segmentBytes, fsync } = this.#options;
    const { seed } = this.#row;
    const flushesEachBatch = fsync === 'always';
    const options = { segment, file, seed, failStop: this.#failStop, segmentBytes, flushesEachBatch };
    this.#writer = new SegmentWriter(options, position);
    segment.readableEnd = position.offset;
  }
}

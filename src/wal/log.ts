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
 * The way of a record: `reserve`, write it into `buffer`, `commit`; `group-commit.ts` brings it to disk with the others of its
 * batch. Nothing here knows what is in a record.
 */
import type { Clock } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import { noRoomIn, RetryLaterError, StoreError, assert } from '../errors.ts';
import { fixed, limitName } from '../limits.ts';
import { FailStop, readOnlyError } from './segments/fail-stop.ts';
import { FORMAT_VERSION, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, STORE_ID_BYTES } from './frames/format.ts';
import { GroupCommit } from './commit/group-commit.ts';
import { openSegments } from './log-directory.ts';
import { NewestName } from './segments/newest-segment.ts';
import { LongFrames } from './frames/long-frames.ts';
import { PieceBuffers } from './frames/piece-buffers.ts';
import type { Journal } from './journal.ts';
import { type LogReader, SegmentReader } from './reader.ts';
import { type OnRecord, RECORD_PREFIX_BYTES_MAX } from './frames/records.ts';
import { type OnProgress, recover } from './recovery.ts';
import type { LogObserver } from './commit/log-observer.ts';
import { Rotation } from './commit/rotation.ts';
import type { TornTail } from './segments/segment-end.ts';
import { type LogStats, type NewSegment, SegmentRow, type StartBehind } from './segments/segment-row.ts';

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
   * The next segment could not be made, or the present one not be made longer ahead of need: the present one, which has so many
   * bytes by now, goes on as it is for a while. Told once a minute at most.
   */
  readonly onSegmentDelayed: (error: Error, segmentBytes: number) => void;
  /** Told of batches and flushes; left out: they are not told of. */
  readonly observer?: LogObserver;
  /** Asked before each new segment. What it rejects with stops the log as a failed write does. */
  readonly checkOwned: () => Promise<void>;
}

export class Log implements Journal {
  readonly #options: LogOptions;
  readonly #row: SegmentRow;
  readonly #newestName: NewestName;
  readonly #failStop: FailStop;
  readonly #pieceBuffers = new PieceBuffers();
  readonly #longFrames = new LongFrames();

  readonly #rotation: Rotation;
  readonly #groupCommit: GroupCommit;
  /** It is shared with no other node. */
  readonly place = undefined;
  #committedRevision = 0;
  #appendedBytes = 0;

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
    const { clock, fsync, fsyncIntervalMs, checkOwned, onDurable, onSegmentDelayed, observer = {} } = options;
    const failStop = this.#failStop;
    this.#rotation = new Rotation({
      clock,
      row,
      newestName,
      failStop,
      segmentBytes,
      flushesEachBatch: fsync === 'always',
      checkOwned,
      onDelayed: onSegmentDelayed,
      onWanted: () => this.#groupCommit.wake(),
    });
    const rotation = this.#rotation;
    this.#groupCommit = new GroupCommit({
      clock,
      failStop,
      rotation,
      fsync,
      fsyncIntervalMs,
      onDurable,
      observer,
    });
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
      log.#begin(await row.place(await row.seal(next, 0)));
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
      this.#groupCommit.writer === undefined && this.#closing === undefined,
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
      this.#begin(await this.#row.remakeNewest(this.#options.segmentBytes));
    } else {
      const end = { segment: newest, file, position };
      this.#begin(newest.formatVersion === FORMAT_VERSION ? end : await this.#followOldForm(end));
    }
    await this.#newestName.note(this.#row.newest.name);
    this.#committedRevision = position.revision;
    return { torn };
  }

  /**
   * A segment of an old form gets no more batches: the program that knows no newer one would read those without seeing all that
   * they say. Its end is as `Rotation` makes one.
   */
  async #followOldForm(end: NewSegment): Promise<NewSegment> {
    const writer = this.#rotation.begin(end);
    try {
      const next = await this.#row.prepare(writer.revision, this.#options.segmentBytes);
      try {
        await writer.appendMark();
        await writer.flush();
      } catch (error) {
        await next.giveUp();
        throw error;
      }
      writer.segment.readableEnd = writer.end;
      return await this.#row.place(await this.#row.seal(next, writer.previousChecksum));
    } finally {
      await writer.close();
    }
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
    return this.#groupCommit.committedSequence;
  }

  /** The sequence number up to which everything is as durable as the policy asks for. */
  get durableSequence(): number {
    return this.#groupCommit.durableSequence;
  }

  /** Why nothing is written any more; `undefined`: it is. */
  get failure(): Error | undefined {
    return this.#failStop.error;
  }

  /** The bytes of all records committed since the log was opened, and of their lengths. */
  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  get recordBytesMax(): number {
    return fixed.frameBytesMax - RECORD_PREFIX_BYTES_MAX;
  }

  /** Where a reserved record is to be written. Another one after each `reserve`. */
  get buffer(): Buffer {
    return this.#groupCommit.batch.buffer;
  }

  stats(): LogStats {
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
    const { batch, writer, writingBytes } = this.#groupCommit;
    assert(writer !== undefined, 'a log is replayed before it is written');
    const batchBytes = batch.payloadBytesWith(byteLength);
    const unwrittenBytes = writingBytes + batchBytes;
    if (unwrittenBytes > this.#options.unflushedBytesMax) this.#checkUnflushed(byteLength, unwrittenBytes);
    // A segment that none can follow for the time being must not grow for ever.
    if (this.#rotation.isBeyond(writer.end + unwrittenBytes)) {
      throw new StoreError(
        'limitReached',
        'the next segment of the log can not be made, and the present one is full: the server says why in its log; close connections or free space, wait and try again',
      );
    }
    if (batchBytes > fixed.frameBytesMax) {
      throw new StoreError(
        'limitReached',
        `a batch of the log would have ${batchBytes} bytes; wait and try again`,
      );
    }
    return batch.reserve(byteLength);
  }

  /**
   * Ends the reserved record: it is written with the next batch.
   * @param revision the next revision, or 0 for a note.
   * @returns the record's sequence number: 1, 2, 3, ...
   */
  commit(revision: number): number {
    assert(revision === 0 || revision === this.#committedRevision + 1, 'revisions are committed one by one');
    if (revision !== 0) this.#committedRevision = revision;
    const { batch } = this.#groupCommit;
    const bytesBefore = batch.payloadBytes;
    const sequence = this.#groupCommit.commit(this.#committedRevision);
    this.#appendedBytes += batch.payloadBytes - bytesBefore;
    return sequence;
  }

  /**
   * Makes room for a row of records, which the caller writes one behind the other, each with its prefix
   * (`writeRecordPrefix`), from the returned offset of `buffer` on, and ends with `commitRow`.
   * @returns `undefined` where `reserve` might refuse one of them: it says why.
   */
  reserveRow(bytesMax: number): number | undefined {
    if (this.#failStop.error !== undefined || this.#closing !== undefined) return undefined;
    const { batch, writer, writingBytes } = this.#groupCommit;
    assert(writer !== undefined, 'a log is replayed before it is written');
    const batchBytes = batch.payloadBytes + bytesMax;
    const unwrittenBytes = writingBytes + batchBytes;
    if (unwrittenBytes > this.#options.unflushedBytesMax || batchBytes > fixed.frameBytesMax)
      return undefined;
    if (this.#rotation.isBeyond(writer.end + unwrittenBytes)) return undefined;
    return batch.reserveRow(bytesMax);
  }

  /**
   * Ends a row of so many records, of the next revisions, which ends at `end` of the buffer.
   * @param revisionCount of them; left out: none is a note.
   * @returns the sequence number of the last one.
   */
  commitRow(count: number, end: number, revisionCount = count): number {
    this.#committedRevision += revisionCount;
    const { batch } = this.#groupCommit;
    const bytesBefore = batch.payloadBytes;
    const sequence = this.#groupCommit.commitRow(count, end, this.#committedRevision);
    this.#appendedBytes += batch.payloadBytes - bytesBefore;
    return sequence;
  }

  /**
   * Has a record flushed before it, or what follows it, counts as durable, whatever the policy.
   * @param sequence of the record that was just committed.
   */
  requireFlush(sequence: number): void {
    this.#groupCommit.requireFlush(sequence);
  }

  /**
   * Resolves when everything committed before the call is on disk, whatever the policy.
   * @throws StoreError `storageFailed`.
   */
  async flush(): Promise<void> {
    const { error } = this.#failStop;
    if (error !== undefined) throw failedError(error);
    await this.#groupCommit.flush();
  }

  /** Reads the durable records of `fromRevision` and later ones again, and goes on with those to come. */
  reader(fromRevision: number): LogReader {
    return this.#reader(fromRevision, false);
  }

  /**
   * Reads all durable records behind a revision again, the notes before the next one too, and goes on with those to come. It may begin
   * with earlier ones, which the caller skips.
   */
  readerBehind(revision: number): LogReader {
    return this.#reader(revision, true);
  }

  startBehind(revision: number): StartBehind {
    return this.#row.startBehind(revision);
  }

  #reader(revision: number, isBehind: boolean): LogReader {
    assert(this.#groupCommit.writer !== undefined, 'a log is replayed before it is read');
    const row = this.#row;
    const isClosed = (): boolean => this.#closing !== undefined;
    const [pieceBuffers, longFrames] = [this.#pieceBuffers, this.#longFrames];
    return new SegmentReader({ row, pieceBuffers, longFrames, isClosed }, revision, isBehind);
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
    this.#stopTimers();
    try {
      if (this.#groupCommit.writer !== undefined && this.#failStop.error === undefined) await this.#finish();
    } finally {
      await this.#groupCommit.whenResting();
      await this.#row.close();
      await this.#newestName.close();
      await this.#groupCommit.writer?.close();
    }
  }

  #stopTimers(): void {
    this.#groupCommit.stopTimers();
    this.#rotation.stop();
  }

  /** Brings everything to disk, with a mark at the end. */
  async #finish(): Promise<void> {
    await this.flush();
    await this.#groupCommit.whenResting();
    const { writer } = this.#groupCommit;
    assert(writer !== undefined, 'a log that is closed after a flush has a segment');
    try {
      if (writer.isMarkDue) await writer.appendMark();
      if (writer.isDirty) await writer.flush();
    } catch (error) {
      throw failedError(error);
    }
  }

  #begin(newest: NewSegment): void {
    this.#groupCommit.writeTo(this.#rotation.begin(newest));
  }

  #checkUnflushed(byteLength: number, unwrittenBytes: number): void {
    const { batch, writingBytes } = this.#groupCommit;
    // A single record that is longer than the limit would otherwise wait for ever.
    if (batch.isEmpty && writingBytes === 0) return;
    const { unflushedBytesMax } = this.#options;
    throw noRoomIn(
      'log',
      new RetryLaterError(
        `${unwrittenBytes - byteLength} bytes are not yet written to the log, and ${byteLength} more ` +
          `would pass the ${unflushedBytesMax} of ${limitName('unflushedBytesMax')}: wait for writes under way and try again`,
        fixed.busyRetryMs,
      ),
    );
  }

  #onFailure(error: Error): void {
    this.#stopTimers();
    this.#groupCommit.fail(failedError(error));
    this.#options.onFailure(error);
  }
}

function failedError(cause: unknown): StoreError<'storageFailed'> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(
    'storageFailed',
    `writing the log failed, and nothing is written any more until the store is opened again: ${reason}`,
    { cause },
  );
}

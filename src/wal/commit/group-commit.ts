/**
 * Group commit: records gather in a batch, the batch is written and flushed as the policy asks, and the owner is told.
 *
 *              commit                    end of the turn
 *   resting ------------> gathering -----------------------> a step
 *      ^                      ^                                 |
 *      |    nothing to do     |     something to do             |  all of it done at once
 *      +----------------------+---------------------------------+
 *                                                               |  some of it takes time
 *                                                 a step <-- waiting
 *
 * A step writes the batch, or does the one other thing that is due: a flush that someone waits for, a mark, the next segment.
 * Then it tells what has become durable. With `fsync` `never` and `interval` all of that is one synchronous piece of code at
 * the end of the turn. With `always` the step waits for its flush, and the next batch gathers; the step after it first writes
 * that batch and begins its flush, then tells of the one before: so the callers' work runs beside the flush. A small batch is
 * another matter: the step tells first, and the batch may gather a little longer (`Gathering`).
 *
 * Guarantees:
 *
 * - What is committed in one turn of the event loop, all input that was waiting among it, is in one batch.
 * - Sequence numbers are told in order, each once, never from within a commit.
 * - One batch is written at a time. Flushes of the interval, and those of the segment's own growth, run beside.
 * - From the first failure on nothing is begun and nothing is told.
 */
import type { Clock, Timer } from '../../clock.ts';
import { assert } from '../../errors.ts';
import { frameBytes } from '../../wire/frame.ts';
import { Batch } from '../frames/batch.ts';
import type { FailStop } from '../segments/fail-stop.ts';
import { Gathering } from './gathering.ts';
import { PendingFlushes } from './pending-flushes.ts';
import type { LogObserver } from './log-observer.ts';
import type { Rotation } from './rotation.ts';
import type { SegmentWriter } from '../segments/segment-writer.ts';

export interface GroupCommitOptions {
  readonly clock: Clock;
  readonly failStop: FailStop;
  readonly rotation: Rotation;
  readonly fsync: 'always' | 'interval' | 'never';
  readonly fsyncIntervalMs: number;
  readonly onDurable: (sequence: number) => void;
  readonly observer: LogObserver;
}

type State =
  /** There is nothing to do. */
  | 'resting'
  /** A step is due once the event loop has served what is waiting. */
  | 'gathering'
  /** Something that a step began takes its time: a flush, a long write, room for a batch, the next segment. */
  | 'waiting';

/** After so long without a write, a mark vouches for the last batch. */
const IDLE_MARK_MS = 100;

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #state: State = 'resting';
  #writer: SegmentWriter | undefined;

  /** Gathers records while the other one is written. */
  #batch = new Batch();
  #otherBatch = new Batch();
  /** The length of the batch that is being written. */
  #writingBytes = 0;

  #committedSequence = 0;
  #writtenSequence = 0;
  #flushedSequence = 0;
  /** The bytes of all batches that were written, and of those that were flushed. */
  #writtenBytes = 0;
  #flushedBytes = 0;
  #durableSequence = 0;
  /** This record, and what follows it, counts as durable only when this record is flushed. */
  #requiredSequence = 0;

  readonly #pendingFlushes = new PendingFlushes();
  readonly #gathering = new Gathering();
  /** How long the last flush has taken. */
  #flushMs = 0;
  #flushTimer: Timer | undefined;
  #markTimer: Timer | undefined;
  #isMarkWanted = false;
  #lastWriteMs = 0;
  #isStopped = false;
  /** Resolved when the work under way has come to its end. */
  #rest: PromiseWithResolvers<void> | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Sets where batches go. */
  writeTo(writer: SegmentWriter): void {
    this.#writer = writer;
    this.#armMark();
  }

  /** The writer of the newest segment, once there is one. */
  get writer(): SegmentWriter | undefined {
    return this.#writer;
  }

  /** Where records are to be reserved. Another one after each step. */
  get batch(): Batch {
    return this.#batch;
  }

  /** The bytes of records that were taken to be written and are not yet. */
  get writingBytes(): number {
    return this.#writingBytes;
  }

  get committedSequence(): number {
    return this.#committedSequence;
  }

  get durableSequence(): number {
    return this.#durableSequence;
  }

  /**
   * Commits the record that was reserved in the batch.
   * @param revision the highest so far.
   * @returns its sequence number.
   */
  commit(revision: number): number {
    const sequence = ++this.#committedSequence;
    this.#batch.commit(sequence, revision);
    this.wake();
    return sequence;
  }

  /** Commits a row of so many records that was reserved in the batch and ends there. @returns the last one's sequence number. */
  commitRow(count: number, end: number, revision: number): number {
    this.#committedSequence += count;
    this.#batch.commitRow(this.#committedSequence, revision, end);
    this.wake();
    return this.#committedSequence;
  }

  /** See `Log.requireFlush`. */
  requireFlush(sequence: number): void {
    assert(sequence === this.#committedSequence, 'a flush is required before the record can be written');
    this.#requiredSequence = sequence;
  }

  /** Resolves when everything committed before the call is on disk; rejects when the log fails before. */
  async flush(): Promise<void> {
    const sequence = this.#committedSequence;
    if (this.#flushedSequence >= sequence) return;
    this.wake();
    await this.#pendingFlushes.add(sequence);
  }

  /** Has a step look at what is due at the end of this turn, if none is on its way. */
  wake(): void {
    if (this.#state !== 'resting') return;
    this.#state = 'gathering';
    this.#options.clock.yieldNow(this.#step);
  }

  /** Resolves when nothing is under way; what the timers do is not part of it. */
  whenResting(): Promise<void> {
    if (this.#state === 'resting') return Promise.resolve();
    this.#rest ??= Promise.withResolvers();
    return this.#rest.promise;
  }

  /** No timer sets anything off any more. */
  stopTimers(): void {
    this.#isStopped = true;
    this.#flushTimer?.cancel();
    this.#markTimer?.cancel();
  }

  /** The log has failed. */
  fail(error: Error): void {
    this.stopTimers();
    this.#pendingFlushes.rejectAll(error);
  }

  /** Made once, so that a batch makes no function. */
  readonly #step = (): void => {
    if (this.#gathers()) {
      this.#state = 'gathering';
      this.#options.clock.yieldNow(this.#step);
      return;
    }
    const underWay = this.#begin();
    this.#state = underWay === undefined ? 'resting' : 'waiting';
    if (underWay !== undefined) void underWay.then(this.#step, this.#stepFailed);
    this.#announce();
    if (this.#state !== 'resting') return;
    if (this.#isWorkLeft()) return this.wake();
    this.#rest?.resolve();
    this.#rest = undefined;
  };

  /** Whether a batch waits for another turn, after its callers who came before have been told. */
  #gathers(): boolean {
    const { clock, fsync, failStop } = this.#options;
    if (fsync !== 'always' || failStop.error !== undefined) return false;
    const gathering = this.#gathering;
    if (
      this.#state === 'waiting' &&
      gathering.wants(this.#flushedSequence - this.#durableSequence, this.#waitingCount)
    ) {
      this.#announce();
      gathering.begin(clock.monotonicMs(), this.#flushMs);
    }
    return gathering.waits(this.#waitingCount, clock.monotonicMs());
  }

  /** The records of the batch that gathers. */
  get #waitingCount(): number {
    return this.#committedSequence - this.#writtenSequence;
  }

  readonly #stepFailed = (error: unknown): void => {
    this.#checkFailed(error);
    this.#step();
  };

  /** The errors of the disk have been told by the fail-stop; any other is a broken invariant. */
  #checkFailed(error: unknown): void {
    if (error !== this.#options.failStop.error) throw error;
  }

  #isWorkLeft(): boolean {
    if (this.#options.failStop.error !== undefined) return false;
    return (
      !this.#batch.isEmpty ||
      this.#pendingFlushes.reachBeyond(this.#flushedSequence) ||
      this.#isMarkWanted ||
      this.#options.rotation.isWanted
    );
  }

  /** Does what is due. @returns what to wait for, if that takes time. */
  #begin(): Promise<void> | undefined {
    if (this.#options.failStop.error !== undefined) return undefined;
    try {
      if (!this.#batch.isEmpty) return this.#writeBatch();
      if (this.#pendingFlushes.reachBeyond(this.#flushedSequence)) return this.#flushWritten();
      if (this.#isMarkWanted) return this.#writeMark();
      if (this.#options.rotation.isWanted) return this.#rotate();
    } catch (error) {
      this.#checkFailed(error);
    }
    return undefined;
  }

  #writeBatch(): Promise<void> | undefined {
    const batch = this.#batch;
    this.#batch = this.#otherBatch;
    this.#writingBytes = batch.payloadBytes;
    if (this.#options.rotation.isDue) return this.#writeOverTime(batch, this.#rotate());
    const writing = this.#ready().appendBatch(batch);
    return writing === undefined ? this.#written(batch) : this.#writeOverTime(batch, undefined, writing);
  }

  async #writeOverTime(batch: Batch, rotating?: Promise<void>, writing?: Promise<void>): Promise<void> {
    await rotating;
    await (writing ?? this.#ready().appendBatch(batch));
    await this.#written(batch);
  }

  /** @returns the flush, where one follows. */
  #written(batch: Batch): Promise<void> | undefined {
    const recordCount = batch.sequence - this.#writtenSequence;
    const bytes = frameBytes(batch.payloadBytes);
    this.#writtenSequence = batch.sequence;
    this.#writtenBytes += bytes;
    this.#writingBytes = 0;
    batch.clear();
    this.#otherBatch = batch;
    this.#options.observer.batchWritten?.({ recordCount, bytes });
    const isFlushWanted = this.#pendingFlushes.reachBeyond(this.#flushedSequence);
    if (this.#flushesFirst() || isFlushWanted) return this.#flushWritten();
    if (this.#options.fsync === 'interval') this.#armFlush();
    return undefined;
  }

  async #flushWritten(): Promise<void> {
    const { clock, observer } = this.#options;
    const sequence = this.#writtenSequence;
    const writtenBytes = this.#writtenBytes;
    const startMs = clock.monotonicMs();
    await this.#ready().flush();
    const durationMs = clock.monotonicMs() - startMs;
    this.#flushMs = durationMs;
    // Another flush may have ended meanwhile.
    const recordCount = Math.max(sequence - this.#flushedSequence, 0);
    const bytes = Math.max(writtenBytes - this.#flushedBytes, 0);
    this.#flushedSequence += recordCount;
    this.#flushedBytes += bytes;
    observer.flushed?.({ startMs, durationMs, sequence, recordCount, bytes });
    this.#armMark();
  }

  /** Tells what has become durable since the last time: first the owner, then who waits for a flush. */
  #announce(): void {
    if (this.#options.failStop.error !== undefined) return;
    const isFlushed = this.#flushesFirst();
    const sequence = isFlushed ? this.#flushedSequence : this.#writtenSequence;
    if (sequence > this.#durableSequence) {
      this.#durableSequence = sequence;
      const writer = this.#ready();
      writer.segment.readableEnd = isFlushed ? writer.durableOffset : writer.end;
      this.#options.onDurable(sequence);
    }
    this.#pendingFlushes.resolveUpTo(this.#flushedSequence);
  }

  /** Whether only what is flushed counts as durable. */
  #flushesFirst(): boolean {
    return this.#options.fsync === 'always' || this.#flushedSequence < this.#requiredSequence;
  }

  #armFlush(): void {
    if (this.#flushTimer !== undefined || this.#isStopped) return;
    const { clock, fsyncIntervalMs } = this.#options;
    this.#flushTimer = clock.setTimer(fsyncIntervalMs, () => {
      this.#flushTimer = undefined;
      // Beside the steps: records are written and acknowledged while this flush runs.
      void this.#flushWritten().then(
        () => this.#announce(),
        (error: unknown) => this.#checkFailed(error),
      );
    });
  }

  #armMark(): void {
    this.#lastWriteMs = this.#options.clock.monotonicMs();
    if (this.#markTimer === undefined) this.#setMarkTimer(IDLE_MARK_MS);
  }

  /** One timer at a time, however many batches are written: when it runs, it looks how long ago the last one was. */
  #setMarkTimer(delayMs: number): void {
    if (this.#isStopped || !this.#ready().isMarkDue) return;
    const { clock } = this.#options;
    this.#markTimer = clock.setTimer(delayMs, () => {
      this.#markTimer = undefined;
      const restMs = this.#lastWriteMs + IDLE_MARK_MS - clock.monotonicMs();
      if (restMs > 0) return this.#setMarkTimer(restMs);
      this.#isMarkWanted = true;
      this.wake();
    });
  }

  #writeMark(): Promise<void> | undefined {
    this.#isMarkWanted = false;
    return this.#ready().isMarkDue ? this.#ready().appendMark() : undefined;
  }

  async #rotate(): Promise<void> {
    const flush = (): Promise<void> => this.#flushWritten();
    await this.#options.rotation.run(this.#ready(), flush, (next) => {
      this.#writer = next;
    });
  }

  #ready(): SegmentWriter {
    assert(this.#writer !== undefined, 'the log is ready');
    return this.#writer;
  }
}

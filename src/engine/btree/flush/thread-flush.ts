/**
 * A flush by a thread of its own: one transaction, of which nothing is in the database before its commit, and all of it then.
 *
 * 1. The thread begins a transaction. What it changes goes to its memory, and to the log of the database (WAL) where that is full;
 *    neither is looked at by readers, or by a start, before the record of the commit is behind it.
 * 2. `commit` writes the row of `state`, then the record, and syncs the log. A crash before that is durable leaves the state before; a
 *    crash behind it the new one. Where the sync fails SQLite takes the transaction back, but the record may be found by a start: that
 *    finds the new state then, of which the store's log holds all as well.
 * 3. The log is copied into the database, that is synced, and then the log is cut. A crash on the way has it copied again. While a view
 *    is open (`database-view.ts`) the log is longer: it is copied up to what the view reads at most, and is not cut.
 *
 * Readers see the new state from step 2 on, some moments before `commit` resolves. All that differs in it stands in memory above
 * the base until then.
 */
import type { EngineRange } from '../../engine.ts';
import { assert } from '../../../errors.ts';
import { fixed } from '../../../limits.ts';
import type { BaseFlush } from '../../layered/base/base.ts';
import type { PlacedChange } from '../../version.ts';
import { BatchFiller } from './batch-filler.ts';
import type { FlushEnd, StateWith } from './flush-end.ts';
import type { RowBatch } from '../rows/row-batch.ts';
import type { Answer } from './thread-work.ts';
import { WritingThread } from './writing-thread.ts';
import type { Worker } from 'node:worker_threads';

export class ThreadFlush implements BaseFlush {
  readonly #stateWith: StateWith;
  readonly #end: FlushEnd;
  readonly #waitingBytesMax: number;
  readonly #thread: WritingThread;
  readonly #filler = new BatchFiller();
  readonly #forgotten: EngineRange[] = [];
  readonly #begun = Promise.withResolvers<void>();
  /** Of the batches that the thread has not written yet. */
  #waitingBytes = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  /** `undefined`: the thread has not said that it is durable. */
  #rowCount: number | undefined;
  #isCommitting = false;
  #isCommitted = false;
  #logFrames = 0;
  #leftFrames = 0;

  private constructor(
    path: string,
    worker: Worker,
    waitingBytesMax: number,
    stateWith: StateWith,
    end: FlushEnd,
  ) {
    this.#waitingBytesMax = waitingBytesMax;
    this.#stateWith = stateWith;
    this.#end = end;
    this.#thread = new WritingThread(path, worker, (answer) => this.#learn(answer));
  }

  /** Resolves when the transaction is open. @param waitingBytesMax what is given to the thread before it is waited for. */
  static async begin(
    path: string,
    worker: Worker,
    waitingBytesMax: number,
    stateWith: StateWith,
    end: FlushEnd,
  ): Promise<ThreadFlush> {
    const flush = new ThreadFlush(path, worker, waitingBytesMax, stateWith, end);
    try {
      await flush.#begun.promise;
      return flush;
    } catch (error) {
      await flush.abort();
      throw error;
    }
  }

  get isFull(): boolean {
    return this.#waitingBytes >= this.#waitingBytesMax;
  }

  /** Of all batches. */
  get memoryBytes(): number {
    return this.#waitingBytes + fixed.btreeBatchBytes;
  }

  add(change: PlacedChange): void {
    assert(!this.#isCommitting, 'nothing is added behind the commit');
    const full = this.#filler.add(change);
    if (full !== undefined) this.#give(full);
  }

  /** Rejects when the flush has failed. */
  async drain(): Promise<void> {
    this.#throwFailure();
    if (!this.isFull) return;
    this.#drained ??= Promise.withResolvers();
    await this.#drained.promise;
    this.#throwFailure();
  }

  /** Rows may come in any order. */
  beginRun(): Promise<void> {
    return Promise.resolve();
  }

  forget({ start, end }: EngineRange): void {
    const range = { start: start.slice(), end: end?.slice() };
    this.#forgotten.push(range);
    this.#thread.give({ kind: 'forget', ...range });
  }

  async commit(notes: Uint8Array): Promise<void> {
    assert(!this.#isCommitting, 'a flush is committed once');
    this.#isCommitting = true;
    const rest = this.#filler.takeRest();
    if (rest !== undefined) this.#give(rest);
    const state = this.#stateWith(notes.slice());
    this.#thread.give({ kind: 'commit', state });
    await this.#thread.ended;
    try {
      // A thread that died on the way may have come to it.
      this.#isCommitted = this.#rowCount !== undefined || this.#end.wasCommitted();
      if (!this.#isCommitted) throw this.#failure();
      this.#end.committed({
        notes: state.notes,
        rowCount: this.#rowCount,
        forgotten: this.#forgotten,
        logFrames: this.#logFrames,
        leftFrames: this.#leftFrames,
      });
    } finally {
      this.#end.over();
    }
  }

  async abort(): Promise<void> {
    if (!this.#isCommitting) this.#thread.give({ kind: 'abort' });
    this.#isCommitting = true;
    await this.#thread.ended;
    this.#end.over();
  }

  #give(batch: RowBatch): void {
    const { byteCount } = batch;
    this.#waitingBytes += byteCount;
    this.#thread.give({ kind: 'write', batch: batch.buffer, byteCount });
  }

  #learn(answer: Answer | undefined): void {
    switch (answer?.kind) {
      case undefined:
        this.#begun.reject(this.#failure());
        this.#waitingBytes = 0;
        break;
      case 'begun':
        this.#begun.resolve();
        break;
      case 'written':
        this.#waitingBytes -= answer.byteCount;
        break;
      case 'committed':
        this.#rowCount = answer.rowCount;
        break;
      case 'copied':
        this.#logFrames = answer.frames;
        this.#leftFrames = answer.leftFrames;
        break;
      case 'gaveBack':
      case 'failed':
    }
    if (this.isFull) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #throwFailure(): void {
    if (this.#thread.failure !== undefined) throw this.#thread.failure;
  }

  #failure(): Error {
    return this.#thread.failure ?? new Error('the thread that writes ended before it had written all');
  }
}

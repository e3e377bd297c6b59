/**
 * The engine `btree`: the state at one revision in a database of SQLite. Reads are done by one connection on the event loop, flushes by
 * a thread with a connection of its own (`thread-flush.ts`).
 */
import type { Clock } from '../../clock.ts';
import type { EngineRange } from '../engine.ts';
import { assert, StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { BaseFigures } from '../layered/base/base-figures.ts';
import type {
  Base,
  BaseCursor,
  BaseFlush,
  BaseView,
  DeadlineCursor,
  DeadlinePlace,
} from '../layered/base/base.ts';
import type { PlacedChange } from '../version.ts';
import type { Connection } from './database/connection.ts';
import { DatabaseView } from './database-view.ts';
import type { FlushEnd, FlushResult } from './flush/flush-end.ts';
import { GivingBack } from './flush/giving-back.ts';
import { RangeSet } from '../range-set.ts';
import { IndexCursor, RowDeadlines } from './rows/index-cursor.ts';
import { MemoryFlush } from './flush/memory-flush.ts';
import { RowCursor } from './rows/row-cursor.ts';
import { RowSource } from './rows/row-source.ts';
import { DATABASE_NAME, LOG_FRAME_HEAD_BYTES, PAGE_BYTES } from './database/schema.ts';
import type { NewState } from './rows/row-writer.ts';
import { newState, type State } from './state.ts';
import { readState } from './stored-state.ts';
import { ThreadFlush } from './flush/thread-flush.ts';
import { startWorker, type ThreadOptions } from './flush/writing-thread.ts';

export interface BtreeOptions {
  /** Of the pages that both connections keep in memory, half of them each. */
  readonly cacheBytes: number;
  readonly isInMemory: boolean;
  readonly clock: Clock;
}

const FRAME_BYTES = PAGE_BYTES + LOG_FRAME_HEAD_BYTES;

/** A step that gives pages back takes some 20 ms, for which a flush waits. */
const STEP_PAGES = 256;

export class BtreeBase implements Base {
  /** What lies in SQLite's log of the life before is in the database by now, or the start has failed. */
  readonly unsettled = undefined;
  readonly #connection: Connection;
  readonly #options: BtreeOptions;
  readonly #rows: RowSource;
  readonly #hidden = new RangeSet();
  /** Since the flush that is under way was begun: it may add keys of these. */
  #hiddenSince: EngineRange[] = [];
  #state: State;
  #flush: ThreadFlush | MemoryFlush | undefined;
  /** Resolved when nothing writes any more: a flush, or a step that gives pages back. */
  #written: Promise<void> = Promise.resolve();
  /** All steps that are under way. */
  #givingBack: Promise<void> | undefined;
  readonly #views = new Set<DatabaseView>();
  #isClosing = false;
  #pageCount: number;
  /** What is left in SQLite's log. */
  #leftFrames = 0;
  #flushedBytes = 0;
  #movedBytes = 0;
  #expectedReads = 0;
  /** How likely a read meets a page that the cache has not, by their sizes: SQLite does not tell through Node. */
  #missShare = 0;

  constructor(connection: Connection, state: State, options: BtreeOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#rows = new RowSource(connection);
    this.#state = state;
    this.#pageCount = 0;
    this.#measure();
  }

  get revision(): number {
    return this.#state.revision;
  }

  get notes(): Uint8Array {
    return this.#state.notes;
  }

  /** A deletion takes the key out. */
  get hasDeletions(): boolean {
    return false;
  }

  /**
   * Of the pages in memory it is a bound: SQLite takes them when it reads. Those of a flush count before it begins, too: what has changed
   * by then must leave room for them.
   */
  get memoryBytes(): number {
    const { isInMemory, cacheBytes } = this.#options;
    const databaseBytes = this.#pageCount * PAGE_BYTES;
    const flushBytes = this.#flush?.memoryBytes ?? 0;
    if (isInMemory) return databaseBytes + flushBytes;
    const viewBytes = this.#views.size * Math.min(fixed.viewReadBytesMax, databaseBytes);
    return 2 * Math.min(cacheBytes / 2, databaseBytes) + flushBytes + viewBytes;
  }

  /** An estimate. */
  get readCount(): number {
    return Math.floor(this.#expectedReads);
  }

  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean {
    if (!this.mayHave(key)) return false;
    this.#expectedReads += this.#missShare;
    return this.#rows.find(key, placed, withValue);
  }

  mayHave(key: Uint8Array): boolean {
    return this.#state.rowCount > 0 && this.#hidden.holding(key) === undefined;
  }

  cursor(range: EngineRange, reverse: boolean, withValues: boolean): BaseCursor {
    const onPiece = (): void => {
      this.#expectedReads += this.#missShare;
    };
    return new RowCursor(this.#rows, this.#hidden, range, { reverse, withValues, onPiece });
  }

  deadlines(after: DeadlinePlace | undefined): DeadlineCursor {
    const place = after === undefined ? undefined : ([after.deadlineMs, after.key] as const);
    return new RowDeadlines(new IndexCursor(this.#rows, this.#hidden, 'deadline', place));
  }

  *leasedKeys(): Generator<readonly [leaseId: number, key: Uint8Array], void> {
    const rows = new IndexCursor(this.#rows, this.#hidden, 'lease');
    for (let row = rows.next(); row !== undefined; row = rows.next()) yield row;
  }

  hide(range: EngineRange): void {
    this.#hidden.add(range);
    if (this.#flush !== undefined) this.#hiddenSince.push(copyOf(range));
  }

  async view(): Promise<BaseView | undefined> {
    // There is one connection to it alone.
    if (this.#options.isInMemory) return undefined;
    const view = await DatabaseView.open(this.#connection.path, (closed) => this.#views.delete(closed));
    this.#views.add(view);
    if (!this.#isClosing) return view;
    await view.close();
    throw closedError();
  }

  async begin(revision: number): Promise<BaseFlush> {
    const over = await this.#takeTurn();
    try {
      return await this.#begin(revision, over);
    } catch (error) {
      over();
      throw error;
    }
  }

  /** Gives back all free pages. Flushes go on between its steps. */
  compactStorage(): Promise<void> {
    if (this.#options.isInMemory) return Promise.resolve();
    this.#givingBack ??= this.#giveBack().finally(() => (this.#givingBack = undefined));
    return this.#givingBack;
  }

  figures(): BaseFigures {
    const pageCount = this.#connection.number('PRAGMA page_count');
    const bytes = pageCount * PAGE_BYTES;
    // What a compaction can't give back.
    const liveBytes = (pageCount - this.#freePages) * PAGE_BYTES;
    const diskBytes = this.#options.isInMemory ? 0 : bytes + this.#leftFrames * FRAME_BYTES;
    return {
      diskBytes,
      liveBytes,
      runs: [{ name: DATABASE_NAME, bytes, liveBytes, recordCount: this.#state.rowCount }],
      cacheHits: 0,
      cacheMisses: 0,
      filterStops: 0,
      filterMisses: 0,
      flushedBytes: this.#flushedBytes,
      mergedBytes: this.#movedBytes,
      mergingBytes: 0,
      plainBytes: 0,
      compressedBytes: 0,
    };
  }

  /** Only `compactStorage` merges anything: it ends behind its step. */
  stopMerging(): void {
    this.#isClosing = true;
  }

  async close(): Promise<void> {
    this.stopMerging();
    for (const view of this.#views) await view.close();
    await this.#givingBack?.catch(() => undefined);
    await this.#written;
    this.#connection.close();
  }

  async #giveBack(): Promise<void> {
    let thread: GivingBack | undefined;
    try {
      for (let isMore = true; isMore;) {
        const over = await this.#takeTurn();
        try {
          this.#checkOpen();
          if (this.#freePages === 0) break;
          const { path } = this.#connection;
          thread ??= new GivingBack(path, startWorker({ ...this.#threadOptions, isFlush: false }));
          const { logFrames, leftFrames, freePages } = await thread.step(STEP_PAGES, this.#leftFrames);
          this.#leftFrames = leftFrames;
          this.#movedBytes += logFrames * (FRAME_BYTES + PAGE_BYTES);
          isMore = freePages > 0;
        } finally {
          over();
        }
      }
    } finally {
      await thread?.end();
      // What is being closed may be closed by now.
      if (!this.#isClosing) this.#measure();
    }
  }

  async #begin(revision: number, over: () => void): Promise<BaseFlush> {
    const { storeId, rowCount } = this.#state;
    assert(revision >= this.revision, 'a flush leads to no lower revision');
    const stateWith = (notes: Uint8Array): NewState => newState({ storeId, revision, notes, rowCount });
    const end: FlushEnd = {
      committed: (result) => this.#committed({ storeId, revision, notes: result.notes, rowCount }, result),
      over: () => {
        this.#flush = undefined;
        this.#hiddenSince = [];
        over();
      },
      wasCommitted: () => this.#wasCommitted(revision),
    };
    if (this.#options.isInMemory) {
      return (this.#flush = new MemoryFlush(this.#connection, this.#options.clock, stateWith, end));
    }
    const { path } = this.#connection;
    const worker = startWorker({ ...this.#threadOptions, isFlush: true });
    // Where there is little memory, little of it waits for the thread.
    const waitingBytesMax = Math.min(fixed.btreeWaitingBytesMax, this.#options.cacheBytes / 4);
    return (this.#flush = await ThreadFlush.begin(path, worker, waitingBytesMax, stateWith, end));
  }

  #committed(state: State, { rowCount, forgotten, logFrames, leftFrames }: FlushResult): void {
    this.#state = rowCount === undefined ? readState(this.#connection) : { ...state, rowCount };
    for (const range of forgotten) this.#hidden.remove(range);
    for (const range of this.#hiddenSince) this.#hidden.add(range);
    this.#leftFrames = leftFrames;
    this.#flushedBytes += logFrames * (FRAME_BYTES + PAGE_BYTES);
    this.#measure();
  }

  get #threadOptions(): Omit<ThreadOptions, 'isFlush'> {
    const { path } = this.#connection;
    return { path, cacheBytes: this.#options.cacheBytes / 2, leftFrames: this.#leftFrames };
  }

  #wasCommitted(revision: number): boolean {
    return readState(this.#connection).revision === revision;
  }

  #measure(): void {
    this.#pageCount = this.#connection.number('PRAGMA page_count');
    const databaseBytes = this.#pageCount * PAGE_BYTES;
    this.#missShare = this.#options.isInMemory
      ? 0
      : Math.max(0, 1 - this.#options.cacheBytes / 2 / databaseBytes);
  }

  get #freePages(): number {
    return this.#connection.number('PRAGMA freelist_count');
  }

  #checkOpen(): void {
    if (this.#isClosing) throw closedError();
  }

  /** One writes at a time. @returns what to call when that is over; again, it does nothing. */
  async #takeTurn(): Promise<() => void> {
    const before = this.#written;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#written = promise;
    await before;
    return resolve;
  }
}

function closedError(): StoreError<'closed'> {
  return new StoreError('closed', 'the engine is being closed');
}

function copyOf({ start, end }: EngineRange): EngineRange {
  return { start: start.slice(), end: end?.slice() };
}

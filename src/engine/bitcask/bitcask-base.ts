/**
 * `bitcask`: a base whose keys are all in memory, with where each record lies in run files. So a key that is not there costs no read of
 * the disk, metadata none either, and a value one. Named after the store of Basho (Sheehy and Smith, Bitcask: A Log-Structured Hash
 * Table for Fast Key/Value Data, 2010), whose hash table is an ordered index here, and whose files are sorted.
 */
import { assert, StoreError } from '../../errors.ts';
import type { EngineRange } from '../engine.ts';
import type { BaseFigures } from '../layered/base/base-figures.ts';
import type {
  Base,
  BaseCursor,
  BaseFlush,
  BaseView,
  DeadlineCursor,
  DeadlinePlace,
} from '../layered/base/base.ts';
import { runName } from '../runs/file-names.ts';
import type { PlacedChange } from '../version.ts';
import { BitcaskCursor, type CursorSource } from './base-cursor.ts';
import { BitcaskFlush, takeUntaken, type UntakenFlush } from './bitcask-flush.ts';
import { closeRuns, type BitcaskState } from './bitcask-state.ts';
import { Housekeeper } from './merge/housekeeper.ts';
import { IndexDeadlines, leasedKeys } from './index/index-readers.ts';
import type { ValueCache } from './value-cache.ts';

export class BitcaskBase implements Base {
  readonly #state: BitcaskState;
  readonly #cache: ValueCache;
  readonly #housekeeper: Housekeeper;
  readonly #source: CursorSource;
  #isFlushing = false;
  #isClosing = false;
  /** A flush that the manifest has, and the index has not. */
  #untaken: UntakenFlush | undefined;
  #hits = 0;
  #misses = 0;
  #readCount = 0;

  constructor(state: BitcaskState, cache: ValueCache, onMergeFailed: (error: Error) => void) {
    this.#state = state;
    this.#cache = cache;
    this.#housekeeper = new Housekeeper(state, onMergeFailed);
    const { index, runs, forgotten } = state;
    const countRead = (): void => {
      this.#readCount++;
    };
    this.#source = { index, runs, hidden: forgotten.hidden, countRead };
    this.#housekeeper.wake();
  }

  get revision(): number {
    return this.#state.revision;
  }

  get notes(): Uint8Array {
    return this.#state.notes;
  }

  get unsettled(): Error | undefined {
    return this.#state.options.directory.unsettled;
  }

  /** A deletion takes the key out. */
  get hasDeletions(): boolean {
    return false;
  }

  get memoryBytes(): number {
    return this.#state.index.memoryBytes + this.#cache.memoryBytes + this.#state.viewBytes;
  }

  get readCount(): number {
    return this.#readCount;
  }

  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean {
    const { index } = this.#state;
    if (this.#isHidden(key) || !index.find(key, placed)) return false;
    if (withValue && index.place.valueBytes > 0) this.#readValue(placed);
    return true;
  }

  mayHave(key: Uint8Array): boolean {
    return !this.#isHidden(key) && this.#state.index.has(key);
  }

  cursor(range: EngineRange, reverse: boolean, withValues: boolean): BaseCursor {
    return new BitcaskCursor(this.#source, range, reverse, withValues);
  }

  deadlines(after: DeadlinePlace | undefined): DeadlineCursor {
    const { index, forgotten } = this.#state;
    return new IndexDeadlines(index.keyspace.deadlines, forgotten.hidden, after);
  }

  leasedKeys(): Iterable<readonly [leaseId: number, key: Uint8Array]> {
    const { index, forgotten } = this.#state;
    return leasedKeys(index.keyspace, forgotten.hidden);
  }

  hide(range: EngineRange): void {
    this.#state.forgotten.hidden.add(range);
  }

  // eslint-disable-next-line typescript/require-await -- what it throws is to reject
  async view(): Promise<BaseView> {
    if (this.#isClosing) throw new StoreError('closed', 'the engine is being closed');
    return this.#state.view();
  }

  async begin(revision: number): Promise<BaseFlush> {
    assert(!this.#isFlushing, 'one flush is under way at a time');
    assert(revision >= this.revision, 'a flush leads to no lower revision');
    this.#isFlushing = true;
    try {
      if (this.#untaken !== undefined) await takeUntaken(this.#state, this.#untaken);
      this.#untaken = undefined;
      await this.#housekeeper.catchUp();
      return await BitcaskFlush.begin(this.#state, revision, (untaken) => {
        this.#isFlushing = false;
        this.#untaken = untaken;
        this.#housekeeper.wake();
      });
    } catch (error) {
      this.#isFlushing = false;
      throw error;
    }
  }

  compactStorage(): Promise<void> {
    return this.#housekeeper.compact();
  }

  figures(): BaseFigures {
    const { runs, options, flushedBytes, mergedBytes, revision } = this.#state;
    const { compression, directory } = options;
    const each = runs.all.map((run) => ({
      name: runName(run.number),
      bytes: run.file.info.bytes,
      liveBytes: shareOf(run.file.info.bytes, run.liveBytes, run.stateAt(revision).recordBytes),
      recordCount: run.file.info.recordCount,
    }));
    const sideBytes = directory.notes.length;
    return {
      diskBytes: each.reduce((sum, { bytes }) => sum + bytes, sideBytes),
      liveBytes: each.reduce((sum, { liveBytes }) => sum + liveBytes, sideBytes),
      runs: each,
      cacheHits: this.#hits,
      cacheMisses: this.#misses,
      filterStops: 0,
      filterMisses: 0,
      flushedBytes,
      mergedBytes,
      mergingBytes: this.#housekeeper.mergingBytes,
      plainBytes: compression.plainBytes,
      compressedBytes: compression.storedBytes,
    };
  }

  stopMerging(): void {
    this.#housekeeper.stop();
  }

  async close(): Promise<void> {
    assert(!this.#isFlushing, 'no flush is under way when a base is closed');
    this.#isClosing = true;
    await this.#state.closeViews();
    await this.#housekeeper.close();
    await this.#state.options.directory.settle();
    await closeRuns(this.#state.runs.all);
  }

  #isHidden(key: Uint8Array): boolean {
    const { hidden } = this.#state.forgotten;
    return !hidden.isEmpty && hidden.holding(key) !== undefined;
  }

  /** Gives the version that the index has found its value. */
  #readValue(placed: PlacedChange): void {
    const { index, runs } = this.#state;
    const { run: number, offset, length } = index.place;
    const cache = this.#cache;
    if (cache.find(number, offset)) {
      this.#hits++;
      placed.valueMemory = cache.memory;
      placed.valueStart = cache.start;
      placed.valueEnd = cache.end;
      return;
    }
    this.#misses++;
    this.#readCount++;
    const { revision } = placed;
    const { file } = runs.get(number);
    file.readRecord(offset, length, placed);
    if (placed.revision !== revision)
      throw file.damage(offset, 'there is another record than the one that was written');
    cache.add(number, offset, placed.valueMemory.bytes, placed.valueStart, placed.valueEnd);
  }
}

/** The bytes of a file that what is live takes, hints and all. */
function shareOf(fileBytes: number, liveBytes: number, recordBytes: number): number {
  return recordBytes === 0 ? 0 : Math.round((fileBytes * liveBytes) / recordBytes);
}

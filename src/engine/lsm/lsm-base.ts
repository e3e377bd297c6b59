/**
 * The base of the engine `lsm`: a log-structured merge tree (O'Neil and others, 1996) of runs. A flush adds a run; a key is looked for
 * from the newest run to the oldest, as Bloom filters let it pass; merges in the background keep the runs few.
 *
 * Invariants:
 *
 * - `#view` is what the manifest says: its runs, in their order, all open.
 * - Manifests are replaced one at a time, and reads go by the new one before the next is begun (`#change`).
 * - One merge is under way at most; its inputs stay in the manifest until it replaces them.
 */
import type { Clock } from '../../clock.ts';
import { assert, StoreError } from '../../errors.ts';
import { TimeSlice } from '../../time-slice.ts';
import type { EngineRange } from '../engine.ts';
import type {
  Base,
  BaseCursor,
  BaseFigures,
  BaseFlush,
  BaseView,
  DeadlineCursor,
  DeadlinePlace,
} from '../layered/base/base.ts';
import type { PlacedChange } from '../version.ts';
import type { BaseDirectory } from '../runs/base-directory.ts';
import { runName } from '../runs/file-names.ts';
import type { Manifest, ManifestRun } from '../runs/manifest.ts';
import { RunsView } from '../runs/runs-view.ts';
import { RunWriter } from '../runs/table/run-writer.ts';
import { BlockCache } from './block-cache.ts';
import { Counters } from './counters.ts';
import { RunDeadlines, skim } from './deadline-cursor.ts';
import { forgottenByRun } from './forgotten-by-run.ts';
import { leasedKeys } from './leased-keys.ts';
import { LsmFlush } from './lsm-flush.ts';
import type { FlushResult, FlushTarget } from './lsm-flush.ts';
import { lastId, runMerge, withoutDone } from './merge-job.ts';
import type { MergeTarget } from './merge-job.ts';
import { planMerge, RUNS_WAIT } from './merge-policy.ts';
import type { MergePlan } from './merge-policy.ts';
import { RunView } from './run-view.ts';
import { SparseRun } from './sparse-run.ts';

export interface LsmOptions {
  readonly clock: Clock;
  /** For blocks of data that were read. */
  readonly cacheBytes: number;
  /** The level of zstd; `undefined`: nothing is compressed. */
  readonly compressionLevel: number | undefined;
  /** A merge was given up, for this; it is tried again behind the next flush. */
  readonly onMergeFailed: (error: unknown) => void;
}

const ASKS_PER_LOOK = 16;

/** A range that is hidden in runs whose numbers were taken before it was. */
interface PendingHide extends EngineRange {
  readonly belowNumber: number;
}

export class LsmBase implements Base, FlushTarget, MergeTarget {
  readonly directory: BaseDirectory;
  readonly #options: LsmOptions;
  readonly #counters = new Counters();
  readonly #cache: BlockCache;
  readonly #openRuns = new Map<number, SparseRun>();
  /** What `hide` was told, and no manifest says yet. */
  #pendingHides: PendingHide[] = [];
  #view: RunView;
  #revision: number;
  /** Settles with the last change. Never rejects. */
  #lastChange: Promise<unknown> = Promise.resolve();
  /** Whether the merge that is under way has succeeded. Never rejects. */
  #merging: Promise<boolean> | undefined;
  /** Of its inputs; 0: none is. */
  #mergingBytes = 0;
  #isFlushing = false;
  #isClosing = false;
  readonly #views = new Set<RunsView>();
  /** Who reads leases pauses as it likes: what it reads stays open until then. */
  #leaseReaderCount = 0;
  /** Runs that have left meanwhile. */
  #leftRuns: SparseRun[] = [];

  /** Rejects with the errors of runs that can't be opened. */
  static async open(directory: BaseDirectory, options: LsmOptions): Promise<LsmBase> {
    const base = new LsmBase(directory, options);
    try {
      for (const run of directory.manifest.runs) await base.openRun(run);
      await base.#show();
      return base;
    } catch (error) {
      await base.close();
      throw error;
    }
  }

  private constructor(directory: BaseDirectory, options: LsmOptions) {
    this.directory = directory;
    this.#options = options;
    this.#cache = new BlockCache(options.cacheBytes, this.#counters);
    this.#view = new RunView([], undefined);
    this.#revision = directory.manifest.revision;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get revision(): number {
    return this.#revision;
  }

  get notes(): Uint8Array {
    return this.directory.notes;
  }

  get unsettled(): Error | undefined {
    return this.directory.unsettled;
  }

  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean {
    return this.#view.find(key, placed, withValue);
  }

  mayHave(key: Uint8Array): boolean {
    return this.#view.mayHave(key);
  }

  cursor(range: EngineRange, reverse: boolean, withValues: boolean): BaseCursor {
    return this.#view.cursor(range, reverse, withValues);
  }

  deadlines(after: DeadlinePlace | undefined): DeadlineCursor {
    return new RunDeadlines(this.#view, after);
  }

  *leasedKeys(): Generator<readonly [leaseId: number, key: Uint8Array], undefined> {
    this.#leaseReaderCount++;
    try {
      // Of the view of now, though a merge may make another one before the end: both are the same state.
      yield* leasedKeys(this.#view);
    } finally {
      if (--this.#leaseReaderCount === 0) void this.#closeLeft();
    }
    return undefined;
  }

  hide(range: EngineRange): void {
    const pending = {
      start: range.start.slice(),
      end: range.end?.slice(),
      belowNumber: this.directory.nextNumber,
    };
    this.#pendingHides.push(pending);
    for (const run of this.#openRuns.values()) run.hidden.add(pending);
  }

  // eslint-disable-next-line typescript/require-await -- what it throws is to reject
  async view(): Promise<BaseView> {
    this.checkOpen();
    const { directory } = this;
    const forgotten = forgottenByRun(directory.manifest);
    const view = new RunsView({
      directory,
      fileOf: (number) => this.#openRun(number).file,
      isForgotten: (record, { info }) => forgotten.get(info.number)?.has(record.key) ?? false,
      closed: (closed) => this.#views.delete(closed),
    });
    this.#views.add(view);
    return view;
  }

  async begin(revision: number): Promise<BaseFlush> {
    assert(!this.#isFlushing, 'one flush is under way at a time');
    assert(revision >= this.#revision, 'a flush leads to no lower revision');
    this.#isFlushing = true;
    try {
      return await LsmFlush.begin(this, revision);
    } catch (error) {
      this.#isFlushing = false;
      throw error;
    }
  }

  async compactStorage(): Promise<void> {
    while (this.#merging !== undefined) await this.#merging;
    this.checkOpen();
    const { runs, forgotten } = this.directory.manifest;
    const isCompact = runs.length < 2 && runs.every(({ deletedCount }) => deletedCount === 0);
    if (isCompact && forgotten.length === 0) return;
    await this.#merge({ start: 0, end: runs.length });
  }

  get hasDeletions(): boolean {
    return this.directory.manifest.runs.some(({ deletedCount }) => deletedCount > 0);
  }

  get memoryBytes(): number {
    let memoryBytes = this.#cache.bytes;
    for (const run of this.#view.runs) memoryBytes += run.memoryBytes;
    for (const view of this.#views) memoryBytes += view.memoryBytes;
    return memoryBytes;
  }

  get readCount(): number {
    return this.#counters.readCount;
  }

  figures(keyCount?: number): BaseFigures {
    const { runs, notes } = this.directory.manifest;
    let leftCount = keyCount ?? Infinity;
    // Which records have newer ones in other runs is not known: as if none of the newest had, and those of the oldest first.
    const figures = runs
      .toReversed()
      .map(({ number, bytes, recordCount, deletedCount }) => {
        const liveCount = Math.min(recordCount - deletedCount, leftCount);
        leftCount -= liveCount;
        const liveBytes = Math.round((bytes * liveCount) / Math.max(1, recordCount));
        return { name: runName(number), bytes, liveBytes, recordCount };
      })
      .reverse();
    const { cacheHits, cacheMisses, filterStops, filterMisses, flushedBytes, mergedBytes, compression } =
      this.#counters;
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const noteBytes = notes?.bytes ?? 0;
    return {
      diskBytes: sum(figures.map(({ bytes }) => bytes)) + noteBytes,
      liveBytes: sum(figures.map(({ liveBytes }) => liveBytes)) + noteBytes,
      runs: figures,
      cacheHits,
      cacheMisses,
      filterStops,
      filterMisses,
      flushedBytes,
      mergedBytes,
      mergingBytes: this.#mergingBytes,
      plainBytes: compression.plainBytes,
      compressedBytes: compression.storedBytes,
    };
  }

  stopMerging(): void {
    this.#isClosing = true;
  }

  async close(): Promise<void> {
    this.stopMerging();
    for (const view of this.#views) await view.close();
    await this.#merging;
    await this.#lastChange;
    for (const run of this.#openRuns.values()) await run.close();
    this.#openRuns.clear();
    await this.#closeLeft();
  }

  /** Resolves when no merge is under way or due. */
  async settled(): Promise<void> {
    while (this.#merging !== undefined) await this.#merging;
  }

  newWriter(): Promise<RunWriter> {
    const number = this.directory.takeNumber();
    return RunWriter.create({
      disk: this.directory.disk,
      clock: this.#options.clock,
      path: this.directory.runPath(number),
      number,
      engine: 'lsm',
      form: 'sparse',
      compressionLevel: this.#options.compressionLevel,
      compression: this.#counters.compression,
    });
  }

  async commitFlush({ revision, notes, runs, forgotten }: FlushResult): Promise<void> {
    // Flushes that outrun the merges wait for them, so that a lookup never goes through too many runs.
    while (this.directory.manifest.runs.length + runs.length > RUNS_WAIT) {
      // One that has failed is tried again behind this flush.
      if (this.#merging === undefined || !(await this.#merging)) break;
      this.#mergeIfDue();
    }
    const before = lastId(this.directory.manifest);
    const ranges = forgotten.map((range, index) => ({ ...range, id: before + 1 + index }));
    // What was forgotten by then is not among what was flushed.
    const added = runs.map((run) => ({ ...run, cleanThrough: before + ranges.length }));
    for (const run of added) await this.openRun(run, [], forgotten);
    await this.change(
      (current) =>
        withoutDone({
          ...current,
          revision,
          runs: [...current.runs, ...added],
          forgotten: [...current.forgotten, ...ranges],
        }),
      notes,
      forgotten,
    );
    for (const { bytes } of runs) this.#counters.flushedBytes += bytes;
  }

  async endFlush(numbers: readonly number[]): Promise<void> {
    const named = new Set(this.directory.manifest.runs.map(({ number }) => number));
    const unneeded = numbers.filter((number) => !named.has(number));
    for (const number of unneeded) await this.dropRun(number);
    await this.directory.discard(unneeded);
    this.#isFlushing = false;
    this.#mergeIfDue();
  }

  checkOpen(): void {
    if (this.#isClosing) throw new StoreError('closed', 'the engine is being closed');
  }

  /**
   * @param hidden ranges of it, besides those that were forgotten or hidden since it was begun.
   * @param forgotten ranges that were forgotten before it was written: what it has of them came later.
   */
  async openRun(
    info: ManifestRun,
    hidden: readonly EngineRange[] = [],
    forgotten: readonly EngineRange[] = [],
  ): Promise<void> {
    const { disk } = this.directory;
    const path = this.directory.runPath(info.number);
    const run = await SparseRun.open(disk, path, info, this.#cache, this.#counters);
    for (const range of this.directory.manifest.forgotten)
      if (range.id > info.cleanThrough) run.hidden.add(range);
    for (const range of hidden) run.hidden.add(range);
    for (const range of this.#pendingHides) {
      const isLater = range.belowNumber > info.number && !forgotten.some((whole) => isWithin(range, whole));
      if (isLater) run.hidden.add(range);
    }
    this.#openRuns.set(info.number, run);
  }

  async dropRun(number: number): Promise<void> {
    const run = this.#openRuns.get(number);
    this.#openRuns.delete(number);
    if (run !== undefined && this.#leaseReaderCount > 0) this.#leftRuns.push(run);
    else await run?.close();
  }

  change(
    revise: (current: Manifest) => Manifest,
    notes?: Uint8Array,
    forgotten: readonly EngineRange[] = [],
  ): Promise<void> {
    const changed = this.#lastChange.then(async () => {
      await this.directory.change(revise, notes);
      if (forgotten.length > 0)
        this.#pendingHides = this.#pendingHides.filter(
          (range) => !forgotten.some((whole) => isWithin(range, whole)),
        );
      await this.#show();
    });
    this.#lastChange = changed.catch(() => undefined);
    return changed;
  }

  async #closeLeft(): Promise<void> {
    for (const run of this.#leftRuns.splice(0)) await run.close();
  }

  /** Has reads go by the manifest. */
  async #show(): Promise<void> {
    const { manifest } = this.directory;
    const before = this.#view.runs;
    const runs = this.#runsOf(manifest).reverse();
    const view = new RunView(runs, this.#view);
    await this.#skim(view);
    this.#view = view;
    this.#revision = manifest.revision;
    for (const run of before) if (!runs.includes(run)) await this.dropRun(run.number);
  }

  /** Passes over stale places by deadline, as far as they can be read: the state is durable, and must be shown. */
  async #skim(view: RunView): Promise<void> {
    const slice = new TimeSlice(this.clock, ASKS_PER_LOOK);
    slice.begin();
    try {
      for (const _ of skim(view)) {
        if (!slice.isOver()) continue;
        await new Promise<void>((resolve) => this.clock.yieldNow(resolve));
        slice.begin();
      }
    } catch {
      // What could not be read is told to who reads the places.
    }
  }

  /** Oldest first. */
  #runsOf(manifest: Manifest): SparseRun[] {
    return manifest.runs.map(({ number }) => this.#openRun(number));
  }

  #openRun(number: number): SparseRun {
    const run = this.#openRuns.get(number);
    assert(run !== undefined, 'the runs of a manifest are open');
    return run;
  }

  #mergeIfDue(): void {
    if (this.#merging !== undefined || this.#isClosing) return;
    const { runs, forgotten } = this.directory.manifest;
    const plan = planMerge(runs, forgotten.length);
    if (plan === undefined) return;
    this.#merge(plan).then(
      () => this.#mergeIfDue(),
      (error: unknown) => {
        if (!this.#isClosing) this.#options.onMergeFailed(error);
      },
    );
  }

  async #merge({ start, end }: MergePlan): Promise<void> {
    assert(this.#merging === undefined, 'one merge is under way at a time');
    const { manifest } = this.directory;
    const inputs = this.#runsOf(manifest).slice(start, end);
    this.#mergingBytes = manifest.runs.slice(start, end).reduce((sum, { bytes }) => sum + bytes, 0);
    const merging = runMerge(this, inputs, start === 0);
    this.#merging = merging.then(
      () => true,
      () => false,
    );
    try {
      this.#counters.mergedBytes += await merging;
    } finally {
      this.#merging = undefined;
      this.#mergingBytes = 0;
    }
  }
}

function isWithin(range: EngineRange, whole: EngineRange): boolean {
  if (Buffer.compare(whole.start, range.start) > 0) return false;
  return whole.end === undefined || (range.end !== undefined && Buffer.compare(range.end, whole.end) <= 0);
}

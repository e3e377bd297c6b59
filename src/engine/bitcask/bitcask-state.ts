/**
 * What all parts of an open base share: the index, the runs, the ranges that are gone, and the directory with the manifest, which
 * one part after the other replaces.
 */
import type { Clock } from '../../clock.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { CompressionFigures } from '../compression.ts';
import type { BaseDirectory } from '../runs/base-directory.ts';
import type { ForgottenRange, Manifest, ManifestRun } from '../runs/manifest.ts';
import { RunsView } from '../runs/runs-view.ts';
import { RunFile } from '../runs/table/run-file.ts';
import type { RunInfo } from '../runs/table/run-writer.ts';
import { Forgotten } from './forgotten.ts';
import type { KeyIndex } from './index/key-index.ts';
import type { MergeBounds } from './merge/merge-policy.ts';
import { Run, RunSet } from './run-set.ts';

export interface StateOptions {
  readonly clock: Clock;
  readonly directory: BaseDirectory;
  readonly index: KeyIndex;
  /** A run that is longer is closed, and another one begun. */
  readonly runBytesMax: number;
  readonly bounds: MergeBounds;
  /** Missing: nothing is compressed. */
  readonly compressionLevel: number | undefined;
  readonly compression: CompressionFigures;
}

export class BitcaskState {
  readonly options: StateOptions;
  readonly runs = new RunSet();
  readonly forgotten = new Forgotten();
  /** Open views of older states. */
  readonly #views = new Set<RunsView>();
  /** Runs that the manifest may name already, and `runs` has not. */
  readonly #coming = new Map<number, RunFile>();
  revision = 0;
  notes: Uint8Array = NO_BYTES;
  /** Written since the start. */
  flushedBytes = 0;
  mergedBytes = 0;

  constructor(options: StateOptions) {
    this.options = options;
  }

  get index(): KeyIndex {
    return this.options.index;
  }

  /** Of what the manifest says: the index may not have come to that. */
  view(): RunsView {
    const { directory } = this.options;
    const forgotten = new Forgotten();
    forgotten.restore(directory.manifest.forgotten);
    const view = new RunsView({
      directory,
      fileOf: (number) => this.#coming.get(number) ?? this.runs.get(number).file,
      isForgotten: (record) => forgotten.has(record),
      closed: (closed) => this.#views.delete(closed),
    });
    this.#views.add(view);
    return view;
  }

  /** Of the views. */
  get viewBytes(): number {
    let bytes = 0;
    for (const { memoryBytes } of this.#views) bytes += memoryBytes;
    return bytes;
  }

  /** Never rejects. */
  async closeViews(): Promise<void> {
    for (const view of this.#views) await view.close();
  }

  /**
   * The commit of a flush: replaces the manifest.
   * @returns the runs that were added, once that is durable.
   */
  async commitFlush(
    added: readonly RunInfo[],
    revision: number,
    notes: Uint8Array,
    forgotten: readonly ForgottenRange[],
  ): Promise<readonly Run[]> {
    const runs = await this.#replace(
      added,
      revision,
      (current) => ({
        ...current,
        revision,
        runs: [...current.runs, ...withCleanRevision(added, revision)],
        forgotten: [...current.forgotten, ...forgotten],
      }),
      notes,
    );
    this.forgotten.persist(forgotten);
    return runs;
  }

  /** The commit of a merge that began when the base was at `cleanRevision`, or of none. */
  async commitMerge(
    added: readonly RunInfo[],
    cleanRevision: number,
    removed: readonly Run[],
  ): Promise<readonly Run[]> {
    const gone = new Set(removed.map(({ number }) => number));
    let oldest = Infinity;
    const runs = await this.#replace(added, cleanRevision, (current) => {
      const kept = current.runs.filter(({ number }) => !gone.has(number));
      const next = [...kept, ...withCleanRevision(added, cleanRevision)];
      oldest = Math.min(...next.map((run) => this.#cleanRevisionOf(run)));
      return { ...current, runs: next, forgotten: current.forgotten.filter(({ id }) => id >= oldest) };
    });
    for (const run of removed) run.isLeaving = true;
    this.forgotten.keepFrom(oldest);
    return runs;
  }

  /** Opens the runs that are added, replaces the manifest, and takes the runs over. */
  async #replace(
    added: readonly RunInfo[],
    cleanRevision: number,
    next: (current: Manifest) => Manifest,
    notes?: Uint8Array,
  ): Promise<readonly Run[]> {
    const { directory } = this.options;
    const opened: Run[] = [];
    try {
      for (const info of added) {
        const path = directory.runPath(info.number);
        const file = await RunFile.open(directory.disk, path, 'bitcask', 'dense', info);
        opened.push(new Run(file, cleanRevision));
        this.#coming.set(info.number, file);
      }
      await directory.change(next, notes);
      for (const run of opened) this.runs.add(run);
      return opened;
    } catch (error) {
      await closeRuns(opened);
      throw error;
    } finally {
      for (const { number } of added) this.#coming.delete(number);
    }
  }

  #cleanRevisionOf({ number, cleanThrough }: ManifestRun): number {
    return this.runs.find(number)?.stateAt(this.revision).cleanRevision ?? cleanThrough;
  }
}

/** Never rejects. */
export async function closeRuns(runs: readonly Run[]): Promise<void> {
  for (const { file } of runs) await file.close().catch(() => undefined);
}

function withCleanRevision(added: readonly RunInfo[], cleanThrough: number): Manifest['runs'] {
  return added.map((info) => ({ ...info, cleanThrough }));
}

/**
 * Merges runs of a base into one, while flushes may come and go.
 *
 * 1. The inputs are chosen: neighbours in age. The output gets a number that no file has had.
 * 2. The inputs are read and the output is written, in time slices. Of each key the newest record of the inputs goes into it. A deletion
 *    is left out if the oldest run of all is among the inputs: then no older record of its key is left that it would have to hide.
 *    Runs of flushes that are committed meanwhile are newer, so that this stays so. Keys of ranges that the manifest
 *    had forgotten when the merge began are left out.
 * 3. The output is synced, and opened.
 * 4. The manifest is replaced by one that has the output where the inputs were: between what is older and what is newer.
 * 5. Reads go to the output; the inputs are closed and removed.
 *
 * Until 4 is done a crash finds the inputs, all named by the manifest, and an output that the next start removes. Behind it a
 * crash finds the output, which is durable since 3, and inputs that the next start removes. In both cases the state is the same. A merge that
 * fails, for want of space above all, has changed nothing: its output is removed.
 */
import type { Clock } from '../../clock.ts';
import { assert } from '../../errors.ts';
import type { EngineRange } from '../engine.ts';
import type { BaseDirectory } from '../runs/base-directory.ts';
import type { Manifest, ManifestRun } from '../runs/manifest.ts';
import type { RunWriter } from '../runs/table/run-writer.ts';
import { mergeRuns } from './merge-runs.ts';
import type { SparseRun } from './sparse-run.ts';

/** What a merge needs of its base. */
export interface MergeTarget {
  readonly clock: Clock;
  readonly directory: BaseDirectory;
  newWriter(): Promise<RunWriter>;
  /** Throws when the base is being closed. */
  checkOpen(): void;
  /** @param hidden ranges of it, besides those that were forgotten or hidden since it was begun. */
  openRun(info: ManifestRun, hidden: readonly EngineRange[]): Promise<void>;
  /** Makes another manifest the state, and reads go by it. */
  change(revise: (current: Manifest) => Manifest): Promise<void>;
  dropRun(number: number): Promise<void>;
}

/** @param inputs oldest first. @param isOldest whether no older run is left. @returns the bytes that were written. */
export async function runMerge(
  target: MergeTarget,
  inputs: readonly SparseRun[],
  isOldest: boolean,
): Promise<number> {
  const { directory } = target;
  const { forgotten, runs } = directory.manifest;
  const cleanThrough = lastId(directory.manifest);
  const writer = await target.newWriter();
  const { number } = writer;
  const numbers = new Set(inputs.map((run) => run.number));
  try {
    const hidden = await mergeRuns(target.clock, [...inputs].reverse(), writer, {
      dropDeletions: isOldest,
      forgottenIn: ({ number: input }) => {
        const through = runs.find((run) => run.number === input)?.cleanThrough ?? cleanThrough;
        return forgotten.filter(({ id }) => id > through);
      },
      checkWanted: () => target.checkOpen(),
    });
    const info = await writer.finish();
    const output: ManifestRun[] = info.recordCount === 0 ? [] : [{ ...info, cleanThrough }];
    for (const run of output) await target.openRun(run, hidden);
    await target.change((current) => {
      target.checkOpen();
      return withOutput(current, numbers, output);
    });
    await directory.discard(info.recordCount === 0 ? [number] : []);
    return info.bytes;
  } catch (error) {
    await writer.abort();
    await target.dropRun(number);
    await directory.discard([number]);
    throw error;
  }
}

function withOutput(
  manifest: Manifest,
  numbers: ReadonlySet<number>,
  output: readonly ManifestRun[],
): Manifest {
  const { runs } = manifest;
  const first = runs.findIndex(({ number }) => numbers.has(number));
  const inputs = runs.slice(first, first + numbers.size);
  assert(
    first >= 0 && inputs.length === numbers.size && inputs.every(({ number }) => numbers.has(number)),
    'the inputs of a merge are neighbours, and stay until its end',
  );
  return withoutDone({
    ...manifest,
    runs: [...runs.slice(0, first), ...output, ...runs.slice(first + inputs.length)],
  });
}

/** Leaves out the ranges whose keys no run has any more. */
export function withoutDone(manifest: Manifest): Manifest {
  const cleanThrough = Math.min(...manifest.runs.map((run) => run.cleanThrough));
  return { ...manifest, forgotten: manifest.forgotten.filter(({ id }) => id > cleanThrough) };
}

/** The id of the range that was forgotten last, as far as a manifest knows. */
export function lastId(manifest: Manifest): number {
  return Math.max(
    0,
    ...manifest.forgotten.map(({ id }) => id),
    ...manifest.runs.map((run) => run.cleanThrough),
  );
}

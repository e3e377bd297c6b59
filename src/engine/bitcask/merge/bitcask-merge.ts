/**
 * A merge: what is needed of some runs is written anew, and they go. Steps, and what a crash behind each leaves:
 *
 * 1. The records of the inputs are gone through in key order. Those that the index leads to are copied, and deletions as far as they
 *    are needed, to runs of new numbers. No manifest names them: a start removes them.
 * 2. Each output is made durable, then their names. The same.
 * 3. The manifest is replaced by one that has the outputs in place of the inputs. The rename is the commit. All records that were
 *    live are in the outputs, or were replaced meanwhile by a flush, whose runs the manifest has; so a start comes to the same state
 *    on both sides of it.
 * 4. The index is moved from the inputs to the outputs, in slices, where the newest version of a key is the one that was copied. Both
 *    can be read meanwhile.
 * 5. Keys of forgotten ranges leave the index, if a flush has not done that yet: of those no record was copied.
 * 6. Nothing leads to the inputs any more. They are closed and removed; a start removes what is left of them.
 *
 * A deletion at revision r may go in step 1 when no older record of its key can show up again. None is in the inputs, of which
 * only what is live is copied. None is in any other run if each has a **clean revision** of r at least: a revision of the
 * base at which all its records, but for deletions, were live. For one of the same key that is older than r was dead then. That of a run is
 *
 * - the revision of the flush that wrote it;
 * - the revision at which the base was when the merge began that wrote it: what is copied is live later, and so was live then;
 * - if all its records are live now, the present revision.
 *
 * Flushes that are committed during a merge are above it. A deletion is not needed either where the index has a newer version of its key,
 * since that will have a deletion of its own; nor in a forgotten range.
 *
 * One merge is at work at a time. If step 4 or 5 fails, it is gone on with before the next one.
 */
import { StoreError } from '../../../errors.ts';
import { MergeInputs, type MergeInput } from '../../runs/table/merge-inputs.ts';
import { RunScan } from '../../runs/table/run-scan.ts';
import type { PlacedChange } from '../../version.ts';
import type { BitcaskState } from '../bitcask-state.ts';
import { sweepForgotten, takeMerge } from '../index/move-index.ts';
import { Pace } from './pace.ts';
import { RunOutput } from '../run-output.ts';
import type { Run } from '../run-set.ts';

/** What the manifest has, and the index has not. */
export interface UntakenMerge {
  readonly inputs: readonly Run[];
  readonly outputs: readonly Run[];
}

export class MergeStopped extends StoreError<'closed'> {
  constructor() {
    super('closed', 'the engine is being closed');
  }
}

/**
 * Steps 1 to 3.
 * @param isStopped whether it is to end before the commit, by a `MergeStopped`.
 */
export async function merge(
  state: BitcaskState,
  inputs: readonly Run[],
  isStopped: () => boolean,
): Promise<UntakenMerge> {
  const { revision } = state;
  const needs = new NeededRecords(state, inputs);
  const output = await RunOutput.open(state.options);
  try {
    await copy(
      state,
      await MergeInputs.open(inputs, ({ file }) => new RunScan(file)),
      needs,
      output,
      isStopped,
    );
    const added = await output.finish();
    const outputs = await state.commitMerge(added, revision, inputs);
    for (const info of added) state.mergedBytes += info.bytes;
    await output.taken();
    return { inputs, outputs };
  } catch (error) {
    await output.abort();
    throw error;
  }
}

/**
 * Steps 4 to 6. May be tried again.
 * @param isStopped whether it is to end on the way, by a `MergeStopped`: the next start does the rest.
 */
export async function takeUntakenMerge(
  state: BitcaskState,
  { inputs, outputs }: UntakenMerge,
  isStopped: () => boolean,
): Promise<void> {
  const check = (): void => {
    if (isStopped()) throw new MergeStopped();
  };
  check();
  for (const run of outputs) if (!run.isMoved) await takeMerge(state, run, check);
  await sweepForgotten(state, check);
  for (const run of inputs) {
    state.runs.remove(run);
    await run.file.close().catch(() => undefined);
  }
  await state.options.directory.discard([]);
}

async function copy(
  state: BitcaskState,
  records: MergeInputs<Run>,
  needs: NeededRecords,
  output: RunOutput,
  isStopped: () => boolean,
): Promise<void> {
  const pace = new Pace(state.options.clock);
  for (let input = records.first; input !== undefined; input = records.first) {
    if (needs.has(input)) {
      output.add(input.record);
      if (output.isFull) await output.drain();
    }
    if (!records.next()) await records.read();
    if (pace.isOver()) await pace.rest();
    if (isStopped()) throw new MergeStopped();
  }
}

/** Tells which records are copied, asked in the order of keys. */
class NeededRecords {
  readonly #state: BitcaskState;
  /** Deletions up to this revision are not needed. */
  readonly #outsideCleanRevision: number;
  /** The key that was copied last, in memory of its own. */
  #copiedKey: Uint8Array | undefined;

  constructor(state: BitcaskState, inputs: readonly Run[]) {
    this.#state = state;
    const outside = state.runs.all.filter((run) => !inputs.includes(run));
    const cleanRevisions = outside.map((run) => run.stateAt(state.revision).cleanRevision);
    this.#outsideCleanRevision = Math.min(...cleanRevisions);
  }

  has({ record, run, source }: MergeInput<Run>): boolean {
    const { index, forgotten } = this.#state;
    const isNeeded = record.deleted
      ? record.revision > this.#outsideCleanRevision && index.revisionOf(record) < record.revision
      : index.isAt(record, run.number, source.recordOffset);
    if (!isNeeded || forgotten.has(record) || this.#isCopied(record)) return false;
    this.#copiedKey = record.copyKey();
    return true;
  }

  /** Whether a newer record of the key was copied. */
  #isCopied(record: PlacedChange): boolean {
    return this.#copiedKey !== undefined && Buffer.compare(this.#copiedKey, record.key) === 0;
  }
}

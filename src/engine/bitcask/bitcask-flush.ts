/**
 * A flush: changes become runs, then the state of the base. Steps, and what a crash behind each leaves:
 *
 * 1. Records go to runs whose numbers no run had before. No manifest names them: a start removes them, and has the old state.
 * 2. Each run is made durable, then their names. The same.
 * 3. The manifest is replaced by one that has the runs, the revision, the notes and the ranges that are forgotten. The rename is the
 *    commit: a start has the old state before it and the new one behind it. Every run that a manifest names is durable by step 2.
 * 4. The index is moved to the records of the runs, in slices. A start does so with all runs, of which for each key the record of
 *    the highest revision counts, and comes to the same.
 * 5. Keys of the ranges leave the index. A start passes over their records.
 *
 * While step 4 is under way each key is found in its old or its new state. Should it fail, the manifest has the new state all the
 * same; the next flush begins with moving the index to it.
 *
 * A file that the manifest may name because step 3 failed is not removed before another manifest is durable (`BaseDirectory`).
 */
import { assert } from '../../errors.ts';
import type { EngineRange } from '../engine.ts';
import type { BaseFlush } from '../layered/base/base.ts';
import type { ForgottenRange } from '../runs/manifest.ts';
import type { PlacedChange } from '../version.ts';
import type { BitcaskState } from './bitcask-state.ts';
import { copyRange } from './forgotten-ranges.ts';
import { sweepForgotten, takeFlush } from './index/move-index.ts';
import { RunOutput } from './run-output.ts';
import type { Run } from './run-set.ts';

/** What the manifest has, and the index has not. */
export interface UntakenFlush {
  readonly revision: number;
  readonly notes: Uint8Array;
  readonly runs: readonly Run[];
}

export class BitcaskFlush implements BaseFlush {
  readonly #state: BitcaskState;
  readonly #revision: number;
  readonly #output: RunOutput;
  readonly #forgotten: ForgottenRange[] = [];
  readonly #ended: (untaken: UntakenFlush | undefined) => void;
  #untaken: UntakenFlush | undefined;

  /** @param ended is told when it is over, and what is left to do. */
  static async begin(
    state: BitcaskState,
    revision: number,
    ended: (untaken: UntakenFlush | undefined) => void,
  ): Promise<BitcaskFlush> {
    return new BitcaskFlush(state, revision, await RunOutput.open(state.options), ended);
  }

  private constructor(
    state: BitcaskState,
    revision: number,
    output: RunOutput,
    ended: (untaken: UntakenFlush | undefined) => void,
  ) {
    this.#state = state;
    this.#revision = revision;
    this.#output = output;
    this.#ended = ended;
  }

  add(change: PlacedChange): void {
    assert(change.revision <= this.#revision, 'a flush has no change above its revision');
    this.#output.add(change);
  }

  get isFull(): boolean {
    return this.#output.isFull;
  }

  drain(): Promise<void> {
    return this.#output.drain();
  }

  beginRun(): Promise<void> {
    return this.#output.roll();
  }

  forget(range: EngineRange): void {
    // The revision of the base once more: the manifest has the range already, with the revision before. With this one its new keys would be gone.
    if (this.#revision === this.#state.revision) return;
    this.#forgotten.push({ ...copyRange(range), id: this.#state.revision });
  }

  async commit(notes: Uint8Array): Promise<void> {
    const state = this.#state;
    const revision = this.#revision;
    const added = await this.#output.finish();
    const runs = await state.commitFlush(added, revision, notes, this.#forgotten);
    this.#untaken = { revision, notes: notes.slice(), runs };
    for (const info of added) state.flushedBytes += info.bytes;
    await this.#output.taken();
    await takeUntaken(state, this.#untaken);
    this.#untaken = undefined;
    this.#ended(undefined);
  }

  async abort(): Promise<void> {
    if (this.#untaken === undefined) await this.#output.abort();
    this.#ended(this.#untaken);
  }
}

/** Moves the index to what the manifest has: steps 4 and 5. May be tried again. */
export async function takeUntaken(state: BitcaskState, untaken: UntakenFlush): Promise<void> {
  for (const run of untaken.runs) if (!run.isMoved) await takeFlush(state, run);
  await sweepForgotten(state);
  state.revision = untaken.revision;
  state.notes = untaken.notes;
}

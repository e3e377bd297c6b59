/** A flush: one run, or several where the keys begin anew. Nothing of it is seen before its commit. */
import { assert } from '../../errors.ts';
import type { EngineRange } from '../engine.ts';
import type { BaseFlush } from '../layered/base/base.ts';
import type { PlacedChange } from '../version.ts';
import type { RunInfo, RunWriter } from '../runs/table/run-writer.ts';

/** What a flush needs of its base. */
export interface FlushTarget {
  newWriter(): Promise<RunWriter>;
  /** Makes the runs part of the state, which is at another revision then. */
  commitFlush(flush: FlushResult): Promise<void>;
  /** The flush has ended: files of these numbers are not needed unless they are part of the state. */
  endFlush(numbers: readonly number[]): Promise<void>;
}

export interface FlushResult {
  readonly revision: number;
  readonly notes: Uint8Array;
  /** Oldest first. */
  readonly runs: readonly RunInfo[];
  readonly forgotten: readonly EngineRange[];
}

export class LsmFlush implements BaseFlush {
  readonly #target: FlushTarget;
  readonly #revision: number;
  readonly #runs: RunInfo[] = [];
  readonly #forgotten: EngineRange[] = [];
  readonly #numbers: number[] = [];
  #writer: RunWriter;
  #isEnded = false;

  static async begin(target: FlushTarget, revision: number): Promise<LsmFlush> {
    return new LsmFlush(target, revision, await target.newWriter());
  }

  private constructor(target: FlushTarget, revision: number, writer: RunWriter) {
    this.#target = target;
    this.#revision = revision;
    this.#writer = writer;
    this.#numbers.push(writer.number);
  }

  add(change: PlacedChange): void {
    this.#writer.add(change);
  }

  get isFull(): boolean {
    return this.#writer.isFull;
  }

  drain(): Promise<void> {
    return this.#writer.drain();
  }

  async beginRun(): Promise<void> {
    if (this.#writer.recordCount === 0) return;
    this.#runs.push(await this.#writer.finish());
    this.#writer = await this.#target.newWriter();
    this.#numbers.push(this.#writer.number);
  }

  forget({ start, end }: EngineRange): void {
    this.#forgotten.push({ start: start.slice(), end: end?.slice() });
  }

  async commit(notes: Uint8Array): Promise<void> {
    assert(!this.#isEnded, 'a flush is committed once');
    if (this.#writer.recordCount > 0) this.#runs.push(await this.#writer.finish());
    else await this.#writer.abort();
    await this.#target.commitFlush({
      revision: this.#revision,
      notes: notes.slice(),
      runs: this.#runs,
      forgotten: this.#forgotten,
    });
    this.#isEnded = true;
    await this.#target.endFlush(this.#numbers);
  }

  async abort(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#writer.abort();
    await this.#target.endFlush(this.#numbers);
  }
}

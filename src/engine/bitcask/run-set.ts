/** The runs of the base, and of each how much of it is live, which changes with the index. */
import { assert } from '../../errors.ts';
import type { RunFile } from '../runs/table/run-file.ts';
import type { RecordPlace } from './index/key-index.ts';
import type { RunState } from './merge/merge-policy.ts';

export class Run {
  readonly file: RunFile;
  /** As of this revision of the base all its records were live. */
  readonly cleanRevision: number;
  /** Of all records, and of deletions, once `isMoved`. */
  recordBytes = 0;
  deletionBytes = 0;
  /** Of records to which the index leads. */
  liveBytes = 0;
  /** Whether the index was moved to its records. */
  isMoved = false;
  /** A merge has made other runs of it, to which the index is still to be moved. */
  isLeaving = false;

  constructor(file: RunFile, cleanRevision: number) {
    this.file = file;
    this.cleanRevision = cleanRevision;
  }

  get number(): number {
    return this.file.info.number;
  }

  /** What the choice of merges goes by, when the base is at a revision. */
  stateAt(revision: number): RunState {
    const { number, recordBytes, deletionBytes, liveBytes } = this;
    const isAllLive = this.isMoved && liveBytes + deletionBytes === recordBytes;
    const cleanRevision = isAllLive ? Math.max(revision, this.cleanRevision) : this.cleanRevision;
    return { number, recordBytes, deletionBytes, liveBytes, cleanRevision };
  }
}

export class RunSet {
  readonly #runByNumber = new Map<number, Run>();

  find(number: number): Run | undefined {
    return this.#runByNumber.get(number);
  }

  get(number: number): Run {
    const run = this.find(number);
    assert(run !== undefined, 'the index leads to runs of the base');
    return run;
  }

  add(run: Run): void {
    this.#runByNumber.set(run.number, run);
  }

  remove(run: Run): void {
    assert(run.liveBytes === 0, 'nothing leads to a run that goes');
    this.#runByNumber.delete(run.number);
  }

  /** The oldest first. */
  get all(): readonly Run[] {
    return [...this.#runByNumber.values()].sort((a, b) => a.number - b.number);
  }

  /** A record became the newest of its key. */
  live({ run, length }: RecordPlace): void {
    this.get(run).liveBytes += length;
  }

  /** A record is not the newest of its key any more. */
  dead({ run: number, length }: RecordPlace): void {
    const run = this.get(number);
    assert(run.liveBytes >= length, 'no more is dead than was live');
    run.liveBytes -= length;
  }
}

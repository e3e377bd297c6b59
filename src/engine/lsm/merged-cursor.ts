/** The keys of a range over all runs: of each the newest record. Deletions are stepped over, some at a time. */
import { NO_BYTES } from '../../wire/bytes.ts';
import type { EngineRange } from '../engine.ts';
import { type BaseCursor, DELETED_PER_STEP } from '../layered/base/base.ts';
import type { PlacedChange } from '../version.ts';
import { comparePlaces, compareWithKey, KeyHeap } from './key-heap.ts';
import type { KeyPlace } from './key-heap.ts';
import { RunCursor } from './run-cursor.ts';
import type { SparseRun } from './sparse-run.ts';

export class MergedCursor implements BaseCursor {
  readonly #range: EngineRange;
  readonly #reverse: boolean;
  readonly #withValues: boolean;
  readonly #heap: KeyHeap<RunCursor>;
  /** The key handed out last, whose records are still to be passed over. */
  readonly #last: { -readonly [Name in keyof KeyPlace]: KeyPlace[Name] } = {
    bytes: NO_BYTES,
    keyStart: 0,
    keyEnd: 0,
    age: 0,
  };
  #hasLast = false;

  constructor(runs: readonly SparseRun[], range: EngineRange, reverse: boolean, withValues: boolean) {
    this.#range = range;
    this.#reverse = reverse;
    this.#withValues = withValues;
    this.#heap = new KeyHeap(reverse);
    for (const [age, run] of runs.entries()) {
      const cursor = new RunCursor(run, age, reverse);
      if (cursor.seek(reverse ? range.end : range.start)) this.#heap.push(cursor);
    }
  }

  next(placed: PlacedChange): boolean {
    for (let deletedCount = 0; ;) {
      if (this.#hasLast) this.#pass();
      const top = this.#heap.first;
      if (top === undefined || this.#isBehind(top)) return false;
      this.#last.bytes = top.bytes;
      this.#last.keyStart = top.keyStart;
      this.#last.keyEnd = top.keyEnd;
      this.#hasLast = true;
      if (top.isDeletion && ++deletedCount < DELETED_PER_STEP) continue;
      top.read(placed, this.#withValues);
      return true;
    }
  }

  close(): void {
    this.#heap.clear();
  }

  /** Goes on behind the records of the key handed out last. */
  #pass(): void {
    this.#hasLast = false;
    const heap = this.#heap;
    for (let top = heap.first; top !== undefined && comparePlaces(top, this.#last) === 0; top = heap.first)
      heap.moved(!top.step());
  }

  #isBehind(top: RunCursor): boolean {
    const { start, end } = this.#range;
    if (this.#reverse) return start.length > 0 && compareWithKey(top, start) < 0;
    return end !== undefined && compareWithKey(top, end) >= 0;
  }
}

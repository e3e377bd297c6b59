/**
 * Writes what several runs have together into one: of each key the newest record. Reads every byte of them, and so finds damage before
 * the runs are removed.
 *
 * Keys of ranges that the manifest has forgotten are left out. Those of ranges that are only hidden are not, since they are there again
 * after a crash; they stay hidden in the output.
 */
import type { Clock } from '../../clock.ts';
import { TimeSlice } from '../../time-slice.ts';
import { copyBytes, wholeBuffer } from '../../wire/memory.ts';
import { PlacedChange } from '../version.ts';
import { RunScan } from '../runs/table/run-scan.ts';
import type { RunWriter } from '../runs/table/run-writer.ts';
import type { EngineRange } from '../engine.ts';
import { compareWithKey, KeyHeap } from './key-heap.ts';
import { RangeSet } from '../range-set.ts';
import type { KeyPlace } from './key-heap.ts';
import type { SparseRun } from './sparse-run.ts';

export interface MergeRules {
  /** Whether a deletion may be left out: no older run has a record of its key. */
  readonly dropDeletions: boolean;
  /** The ranges that the manifest has forgotten and a run still has. */
  forgottenIn(run: SparseRun): readonly EngineRange[];
  /** Throws when the merge is to be given up. */
  readonly checkWanted: () => void;
}

const ASKS_PER_LOOK = 64;

/** All inputs together are read ahead by so much, a load of many runs among them; one of them by no more, and no less, than this. */
const READ_BYTES_MAX = 8 * 1024 * 1024;
const CHUNK_BYTES_MIN = 16 * 1024;
const CHUNK_BYTES_MAX = 256 * 1024;

class Input implements KeyPlace {
  readonly placed = new PlacedChange();
  readonly age: number;
  readonly #scan: RunScan;
  readonly #hidden: RangeSet;
  readonly #forgotten = new RangeSet();
  bytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;

  constructor(run: SparseRun, age: number, forgotten: readonly EngineRange[], chunkBytes: number) {
    this.#scan = new RunScan(run.file, chunkBytes);
    this.#hidden = run.hidden;
    for (const range of forgotten) this.#forgotten.add(range);
    this.age = age;
  }

  /** Whether the record is gone for good. */
  get isForgotten(): boolean {
    return !this.#forgotten.isEmpty && this.#forgotten.holding(this.placed.key) !== undefined;
  }

  /** Whether the record counts as gone in this life. */
  get isHidden(): boolean {
    return !this.#hidden.isEmpty && this.#hidden.holding(this.placed.key) !== undefined;
  }

  /** @returns false: `fill` is to be called. */
  next(): boolean {
    const { placed } = this;
    if (!this.#scan.next(placed)) return false;
    this.bytes = placed.keyMemory.bytes;
    this.keyStart = placed.keyStart;
    this.keyEnd = placed.keyEnd;
    return true;
  }

  /** @returns whether there is a next record, to which it has moved. */
  async fill(): Promise<boolean> {
    while (await this.#scan.fill()) if (this.next()) return true;
    return false;
  }
}

/**
 * @param runs newest first. Rejects with what reading and writing reject with.
 * @returns the ranges of the output that are hidden, as the inputs had them.
 */
export async function mergeRuns(
  clock: Clock,
  runs: readonly SparseRun[],
  writer: RunWriter,
  rules: MergeRules,
): Promise<EngineRange[]> {
  const hidden: EngineRange[] = [];
  /** The first key of those written last that are hidden. */
  let hiddenStart: Uint8Array | undefined;
  const heap = new KeyHeap<Input>(false);
  const slice = new TimeSlice(clock, ASKS_PER_LOOK);
  slice.begin();
  const chunkBytes = Math.min(
    CHUNK_BYTES_MAX,
    Math.max(CHUNK_BYTES_MIN, Math.floor(READ_BYTES_MAX / runs.length)),
  );
  for (const [age, run] of runs.entries()) {
    const input = new Input(run, age, rules.forgottenIn(run), chunkBytes);
    if (input.next() || (await input.fill())) heap.push(input);
  }
  let last = wholeBuffer(1024);
  let lastKey: Uint8Array | undefined;
  for (let top = heap.first; top !== undefined; top = heap.first) {
    // An older record of the key before is left out.
    if (!top.isForgotten && (lastKey === undefined || compareWithKey(top, lastKey) !== 0)) {
      const keyBytes = top.keyEnd - top.keyStart;
      if (keyBytes > last.buffer.length) last = wholeBuffer(2 * keyBytes);
      copyBytes(last.memory, 0, top.placed.keyMemory, top.keyStart, keyBytes);
      if (lastKey?.length !== keyBytes || lastKey.buffer !== last.buffer.buffer)
        lastKey = new Uint8Array(last.buffer.buffer, 0, keyBytes);
      if (!(rules.dropDeletions && top.placed.deleted)) {
        writer.add(top.placed);
        if (top.isHidden) {
          hiddenStart ??= lastKey.slice();
        } else if (hiddenStart !== undefined) {
          hidden.push({ start: hiddenStart, end: lastKey.slice() });
          hiddenStart = undefined;
        }
      }
    }
    heap.moved(!(top.next() || (await top.fill())));
    if (!writer.isFull && !slice.isOver()) continue;
    await writer.drain();
    rules.checkWanted();
    slice.begin();
  }
  if (hiddenStart !== undefined) hidden.push({ start: hiddenStart, end: undefined });
  return hidden;
}

/** The records of several runs in the order of keys, of one key the newest first. */
import { PlacedChange } from '../../version.ts';

/** The records of a run, with or without their values: `RunScan`, `HintReader`. */
export interface RecordSource {
  next(placed: PlacedChange): boolean;
  fill(): Promise<boolean>;
  readonly recordOffset: number;
  readonly recordBytes: number;
}

export class MergeInput<Run = unknown> {
  readonly run: Run;
  readonly source: RecordSource;
  /** The record that it is at. */
  readonly record = new PlacedChange();

  constructor(run: Run, source: RecordSource) {
    this.run = run;
    this.source = source;
  }
}

export class MergeInputs<Run> {
  /** A heap: of each the record comes before those of the two at twice its place and one or two on. */
  readonly #heap: MergeInput<Run>[] = [];

  static async open<Run>(
    runs: readonly Run[],
    sourceOf: (run: Run) => RecordSource,
  ): Promise<MergeInputs<Run>> {
    const inputs = new MergeInputs<Run>();
    for (const run of runs) {
      const input = new MergeInput(run, sourceOf(run));
      if (await advance(input)) inputs.#push(input);
    }
    return inputs;
  }

  /** The one that is at the next record; `undefined` behind the last. */
  get first(): MergeInput<Run> | undefined {
    return this.#heap[0];
  }

  /** Goes to the next record, if it can without reading. @returns false: `read` is to be called. */
  next(): boolean {
    const first = this.#heap[0];
    if (first === undefined) return true;
    if (!first.source.next(first.record)) return false;
    this.#sink(first);
    return true;
  }

  /** Goes to the next record. */
  async read(): Promise<void> {
    const first = this.#heap[0];
    if (first === undefined) return;
    if (await advance(first)) {
      this.#sink(first);
      return;
    }
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) this.#sink(last);
  }

  #push(input: MergeInput<Run>): void {
    const heap = this.#heap;
    let place = heap.length;
    for (let above = (place - 1) >> 1; place > 0; above = (place - 1) >> 1) {
      const other = heap[above];
      if (other === undefined || !isBefore(input, other)) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = input;
  }

  /** Puts an input in place of the first, and then where it belongs. */
  #sink(input: MergeInput<Run>): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let next = heap[below];
      const other = heap[below + 1];
      if (next !== undefined && other !== undefined && isBefore(other, next)) {
        next = other;
        below++;
      }
      if (next === undefined || !isBefore(next, input)) break;
      heap[place] = next;
      place = below;
    }
    heap[place] = input;
  }
}

async function advance({ source, record }: MergeInput): Promise<boolean> {
  while (!source.next(record)) if (!(await source.fill())) return false;
  return true;
}

function isBefore({ record: first }: MergeInput, { record: second }: MergeInput): boolean {
  const order = compareKeys(first, second);
  return order === 0 ? first.revision > second.revision : order < 0;
}

/** Below 0 when the key of the first record comes before that of the second, 0 when they are the same, else above. */
export function compareKeys(first: PlacedChange, second: PlacedChange): number {
  const firstBytes = first.keyMemory.bytes;
  const secondBytes = second.keyMemory.bytes;
  const firstLength = first.keyEnd - first.keyStart;
  const secondLength = second.keyEnd - second.keyStart;
  const common = Math.min(firstLength, secondLength);
  for (let index = 0; index < common; index++) {
    const difference =
      (firstBytes[first.keyStart + index] ?? 0) - (secondBytes[second.keyStart + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return firstLength - secondLength;
}

/**
 * The runs of a sparse HyperLogLog. A register is raised the way Redis does it, run for run, so that the bytes are equal after the
 * same commands: the run is split, equal neighbours are joined again among the next few, and what grows beyond 3,000 bytes, or
 * holds a register above 32, becomes dense.
 */
import { HEADER_BYTES, REGISTERS } from './layout.ts';

/** Redis' `hll-sparse-max-bytes`, with the head. */
const SPARSE_BYTES_MAX = 3000;
const ZERO_RUN_MAX = 64;
const VALUE_RUN_MAX = 4;
const VALUE_MAX = 32;
/** So many runs are looked at for neighbours to join. */
const JOINED_RUNS_MAX = 5;

/** Goes through the runs, one by one. */
export class Runs {
  /** Where the run begins, and the next one. */
  at: number;
  next: number;
  /** The first register of the run, and how many it has. */
  first = 0;
  length = 0;
  value = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.at = this.next = HEADER_BYTES;
  }

  /** Goes to the next run. @returns whether there is one. */
  step(): boolean {
    const at = this.next;
    const byte = this.#bytes[at];
    if (byte === undefined) return false;
    this.at = at;
    this.first += this.length;
    const isLong = isLongRun(byte);
    this.next = at + (isLong ? 2 : 1);
    this.value = isValueRun(byte) ? valueOf(byte) : 0;
    if (isLong) this.length = (((byte & 0x3f) << 8) | (this.#bytes[at + 1] ?? 0)) + 1;
    else this.length = isValueRun(byte) ? valueLengthOf(byte) : byte + 1;
    return true;
  }
}

/** Calls for each run above 0; the others count as so many registers. @returns whether the runs cover all registers, neither more nor less. */
export function visitRuns(
  bytes: Uint8Array,
  visit: (value: number, first: number, length: number) => void,
): boolean {
  const runs = new Runs(bytes);
  while (runs.step()) {
    if (runs.value === 0) continue;
    if (runs.first + runs.length > REGISTERS) return false;
    visit(runs.value, runs.first, runs.length);
  }
  return runs.first + runs.length === REGISTERS;
}

/** `full`: the sparse form can't hold it; `damaged`: the runs end before the register. */
export type Raised = 'raised' | 'unchanged' | 'full' | 'damaged';

/** A sparse HyperLogLog that may be changed: in place until it is, then in bytes of its own with room behind them. */
export class SparseRegisters {
  #bytes: Uint8Array;
  #length: number;
  #isOwn = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#length = bytes.length;
  }

  /** As they are now: a view. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What is changed is not what was handed in. */
  own(): void {
    if (this.#isOwn) return;
    const bytes = new Uint8Array(Math.max(this.#length, SPARSE_BYTES_MAX) + 4);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#isOwn = true;
  }

  /** Raises a register to a value; one that has it, or a higher one, stays. */
  raise(index: number, value: number): Raised {
    if (value > VALUE_MAX) return 'full';
    const runs = new Runs(this.bytes);
    let previous = HEADER_BYTES;
    for (;;) {
      const { at } = runs;
      if (!runs.step()) return 'damaged';
      previous = at;
      if (index < runs.first + runs.length) break;
    }
    if (runs.value >= value) return 'unchanged';
    const before = index - runs.first;
    const behind = runs.length - before - 1;
    const sequence: number[] = [];
    pushRun(sequence, runs.value, before);
    pushRun(sequence, value, 1);
    pushRun(sequence, runs.value, behind);
    const grown = sequence.length - (runs.next - runs.at);
    if (grown > 0 && this.#length + grown > SPARSE_BYTES_MAX) return 'full';
    this.own();
    this.#bytes.copyWithin(runs.next + grown, runs.next, this.#length);
    this.#bytes.set(sequence, runs.at);
    this.#length += grown;
    this.#join(previous);
    return 'raised';
  }

  /** Joins runs of the same value that stand side by side, from one before what was changed. */
  #join(start: number): void {
    const bytes = this.#bytes;
    let at = start;
    for (let left = JOINED_RUNS_MAX; left > 0 && at < this.#length; left--) {
      const byte = bytes[at] ?? 0;
      if (isLongRun(byte)) {
        at += 2;
        continue;
      }
      const next = bytes[at + 1] ?? 0;
      if (isValueRun(byte) && at + 1 < this.#length && isValueRun(next) && valueOf(byte) === valueOf(next)) {
        const length = valueLengthOf(byte) + valueLengthOf(next);
        if (length <= VALUE_RUN_MAX) {
          bytes[at + 1] = valueRun(valueOf(byte), length);
          bytes.copyWithin(at, at + 1, this.#length);
          this.#length--;
          continue;
        }
      }
      at++;
    }
  }
}

function pushRun(sequence: number[], value: number, length: number): void {
  if (length === 0) return;
  if (value > 0) sequence.push(valueRun(value, length));
  else if (length <= ZERO_RUN_MAX) sequence.push(length - 1);
  else sequence.push(0x40 | ((length - 1) >> 8), (length - 1) & 0xff);
}

function isValueRun(byte: number): boolean {
  return (byte & 0x80) !== 0;
}

function isLongRun(byte: number): boolean {
  return (byte & 0xc0) === 0x40;
}

function valueOf(byte: number): number {
  return ((byte >> 2) & 0x1f) + 1;
}

function valueLengthOf(byte: number): number {
  return (byte & 3) + 1;
}

function valueRun(value: number, length: number): number {
  return 0x80 | ((value - 1) << 2) | (length - 1);
}

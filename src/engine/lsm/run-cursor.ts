/** A place among the records of one run that are not hidden, which moves in one direction. */
import type { PlacedChange } from '../version.ts';
import type { Block } from '../runs/block/block.ts';
import { RecordReader } from '../runs/block/record-codec.ts';
import { isDeletion } from './sparse-run.ts';
import type { SparseRun } from './sparse-run.ts';

export class RunCursor {
  readonly #run: SparseRun;
  readonly #reverse: boolean;
  readonly #reader = new RecordReader();
  /** Of runs, the newest first. */
  readonly age: number;
  #chapter = -1;
  #blockIndex = 0;
  #block: Block | undefined;
  #index = 0;
  /** The key of the place. */
  bytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;

  constructor(run: SparseRun, age: number, reverse: boolean) {
    this.#run = run;
    this.#reverse = reverse;
    this.age = age;
  }

  /**
   * Goes to the first record at a bound or behind it; backwards, to the last before it. `undefined`: there is no bound.
   * @returns whether there is one.
   */
  seek(bound: Uint8Array | undefined): boolean {
    return this.#go(bound) && this.#settle();
  }

  /** @returns whether there is anything at all. */
  #go(bound: Uint8Array | undefined): boolean {
    const { chapters } = this.#run;
    if (chapters.length === 0) return false;
    if (bound === undefined) {
      this.#chapter = this.#reverse ? chapters.length - 1 : 0;
      this.#blockIndex = this.#reverse ? chapters[this.#chapter]!.index.count - 1 : 0;
    } else {
      this.#chapter = Math.max(0, this.#run.chapterOf(bound));
      this.#blockIndex = Math.max(0, chapters[this.#chapter]!.index.seekBehind(bound) - 1);
    }
    const block = this.#load();
    if (this.#reverse) this.#index = (bound === undefined ? block.count : block.seek(bound)) - 1;
    else this.#index = bound === undefined ? 0 : block.seek(bound);
    return true;
  }

  /** @returns whether there is a next record. */
  step(): boolean {
    this.#index += this.#reverse ? -1 : 1;
    return this.#settle();
  }

  get isDeletion(): boolean {
    return isDeletion(this.#reader, this.#block!, this.#index);
  }

  read(placed: PlacedChange, withValue: boolean): void {
    this.#run.readRecord(this.#block!, this.#index, placed, withValue);
  }

  /** Goes on where there is a record that is not hidden. */
  #settle(): boolean {
    const { hidden } = this.#run;
    while (this.#settleInBlock()) {
      const range = hidden.isEmpty
        ? undefined
        : hidden.holding(this.bytes.subarray(this.keyStart, this.keyEnd));
      if (range === undefined) return true;
      // In one leap over all of the range.
      const bound = this.#reverse ? range.start : range.end;
      if (bound === undefined || !this.#go(bound)) return false;
    }
    return false;
  }

  /** Goes on in the next block, or the one before, if the place is not within this one. */
  #settleInBlock(): boolean {
    let block = this.#block!;
    while (this.#index < 0 || this.#index >= block.count) {
      if (!this.#nextBlock()) return false;
      block = this.#load();
      this.#index = this.#reverse ? block.count - 1 : 0;
    }
    const { bytes } = block.memory;
    const reader = this.#reader;
    reader.position = block.recordAt(this.#index);
    const keyBytes = reader.number(bytes);
    this.bytes = bytes;
    this.keyStart = reader.position;
    this.keyEnd = reader.position + keyBytes;
    return true;
  }

  #nextBlock(): boolean {
    const { chapters } = this.#run;
    this.#blockIndex += this.#reverse ? -1 : 1;
    if (this.#blockIndex >= 0 && this.#blockIndex < chapters[this.#chapter]!.index.count) return true;
    this.#chapter += this.#reverse ? -1 : 1;
    const chapter = chapters[this.#chapter];
    if (chapter === undefined) return false;
    this.#blockIndex = this.#reverse ? chapter.index.count - 1 : 0;
    return true;
  }

  #load(): Block {
    this.#block = this.#run.dataBlock(this.#run.chapters[this.#chapter]!, this.#blockIndex);
    return this.#block;
  }
}

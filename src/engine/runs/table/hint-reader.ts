/** The hints of a dense run: all its records without their values, in key order, read by the thread pool a block at a time. */
import type { PlacedChange } from '../../version.ts';
import type { Block } from '../block/block.ts';
import { RecordReader } from '../block/record-codec.ts';
import { blockKind } from '../format.ts';
import type { RunFile, SideBlock } from './run-file.ts';

export class HintReader {
  readonly #run: RunFile;
  readonly #reader = new RecordReader();
  readonly #sides: readonly SideBlock[];
  #sideIndex = 0;
  #block: Block | undefined;
  #index = 0;
  #count = 0;
  /** Of the hint handed out last: the place of its record for `RunFile.readRecord`. */
  recordOffset = 0;
  recordBytes = 0;

  constructor(run: RunFile) {
    this.#run = run;
    this.#sides = run.sides.filter(({ kind }) => kind === blockKind.hints);
  }

  /**
   * The next record, of whose value the length alone is told; it lies where it lies until the next call of `fill`.
   * @returns false: `fill` is to be called.
   */
  next(placed: PlacedChange): boolean {
    const block = this.#block;
    if (block === undefined || this.#index === block.count) return false;
    this.#reader.position = block.recordAt(this.#index++);
    this.#reader.record(block.memory, placed);
    this.recordOffset = this.#reader.blockOffset;
    this.recordBytes = this.#reader.blockBytes;
    this.#count++;
    return true;
  }

  /** Reads on. @returns false behind the last; then there was a hint for each record. */
  async fill(): Promise<boolean> {
    const side = this.#sides[this.#sideIndex++];
    if (side === undefined) {
      if (this.#count !== this.#run.info.recordCount)
        throw this.#run.damage(this.#run.footer.directoryOffset, 'there is no hint for each record');
      return false;
    }
    this.#block = await this.#run.loadBlock(side);
    this.#index = 0;
    return true;
  }
}

/** A piece of a run in memory, and the records in it. */
import { assert } from '../../errors.ts';
import { BlockError, kindOf, verifyBlock } from '../runs/block/block-codec.ts';
import { RecordReader } from '../runs/block/record-codec.ts';
import { blockKind } from '../runs/format.ts';
import { damageOf, openRecord } from '../runs/table/run-file.ts';
import type { PlacedChange } from '../version.ts';
import type { RecordPlace } from './index/key-index.ts';
import type { Run } from './run-set.ts';

const BYTES_MIN = 4096;

export class RecordWindow {
  readonly #run: Run;
  readonly #reader = new RecordReader();
  #buffer: Buffer = Buffer.alloc(0);
  /** From where to where the piece reaches in the run. */
  #low = 0;
  #high = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  has({ offset, length }: RecordPlace): boolean {
    return offset >= this.#low && offset + length <= this.#high;
  }

  /** Reads a piece in place of the one before. */
  read(low: number, high: number): void {
    const byteCount = high - low;
    if (byteCount > this.#buffer.length)
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(byteCount, BYTES_MIN));
    this.#low = 0;
    this.#high = 0;
    const { file } = this.#run;
    const count = file.file.readNow(this.#buffer.subarray(0, byteCount), low);
    if (count !== byteCount) throw file.damage(low, 'the file ends early');
    this.#low = low;
    this.#high = high;
  }

  /** Makes `placed`, which has the revision that the index tells, the record at a place of the piece. */
  show(place: RecordPlace, placed: PlacedChange): void {
    const { offset, length } = place;
    assert(this.has(place), 'a record is read before it is shown');
    const { file } = this.#run;
    const { revision } = placed;
    const block = this.#buffer.subarray(offset - this.#low, offset - this.#low + length);
    try {
      verifyBlock(block, file.info.number, offset);
      if (kindOf(block) !== blockKind.record) throw new BlockError('there is a block of another kind');
      openRecord(block, this.#reader, placed);
    } catch (error) {
      throw damageOf(error, file.path, offset);
    }
    if (placed.revision !== revision)
      throw file.damage(offset, 'there is another record than the one sought');
  }
}

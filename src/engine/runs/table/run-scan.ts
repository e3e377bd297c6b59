/**
 * Reads a run from its beginning to its end: the file in chunks, ahead of what is looked at, by the thread pool. Everything is verified, the
 * ends included: at the end it is sure that the run is what was written.
 *
 * The caller calls `next` until it returns false, then `fill`, and goes on until that returns false, too.
 */
import { crc32 } from '../../../wire/crc32.ts';
import type { PlacedChange } from '../../version.ts';
import type { Block } from '../block/block.ts';
import { checksumOf, claimedBytes, kindOf, openBlock, verifyBlock } from '../block/block-codec.ts';
import { RecordReader } from '../block/record-codec.ts';
import { BLOCK_BYTES_MAX, BLOCK_HEAD_BYTES, blockKind, HEADER_BYTES } from '../format.ts';
import { damageOf, openRecord } from './run-file.ts';
import type { RunFile } from './run-file.ts';

const CHUNK_BYTES = 256 * 1024;

export class RunScan {
  readonly #run: RunFile;
  readonly #chunkBytes: number;
  readonly #reader = new RecordReader();
  #chunk: Buffer = Buffer.alloc(0);
  /** Where the chunk lies in the file, ... */
  #chunkOffset = HEADER_BYTES;
  /** ... and how far it was looked at. */
  #at = 0;
  /** The block of data whose records are handed out, and the next of them. */
  #data: Block | undefined;
  #dataOffset = 0;
  #index = 0;
  /** Values apart of that block, by the offsets of their blocks. */
  readonly #values = new Map<number, { readonly block: Block; readonly bytes: number }>();
  #tally = 0;
  readonly #checksumBytes = Buffer.alloc(4);
  readonly #end: number;
  /** Of a dense run: the block of the record handed out last, and its bytes. */
  recordOffset = 0;
  recordBytes = 0;
  /** Records handed out so far. */
  recordCount = 0;

  /** @param chunkBytes so much is read at once, unless a block is longer. */
  constructor(run: RunFile, chunkBytes = CHUNK_BYTES) {
    this.#run = run;
    this.#chunkBytes = chunkBytes;
    this.#end = run.footer.directoryOffset + run.footer.directoryBytes;
  }

  /** How far it is, in bytes of the file. */
  get offset(): number {
    return this.#chunkOffset + this.#at;
  }

  /**
   * The next record, which lies where it lies until the next call of `next` or `fill`. Throws a `BaseDamageError`.
   * @returns false: `fill` is to be called.
   */
  next(placed: PlacedChange): boolean {
    for (;;) {
      if (this.#data !== undefined) {
        if (this.#index < this.#data.count) {
          this.#record(this.#data, placed);
          return true;
        }
        this.#data = undefined;
        this.#values.clear();
      }
      const block = this.#nextBlock();
      if (block === undefined) return false;
      if (this.#open(block, placed)) return true;
    }
  }

  /** Reads on. Rejects like `RunFile.open`. @returns false at the end of the run. */
  async fill(): Promise<boolean> {
    const offset = this.#chunkOffset + this.#at;
    if (offset === this.#end) {
      this.#checkEnd();
      return false;
    }
    const rest = this.#chunk.length - this.#at;
    const claimed = rest >= BLOCK_HEAD_BYTES ? claimedBytes(this.#chunk, this.#at) : 0;
    if (offset + claimed > this.#end || claimed > BLOCK_BYTES_MAX)
      throw this.#run.damage(offset, 'a block reaches beyond the end');
    const wanted = Math.min(Math.max(this.#chunkBytes, claimed), this.#end - offset);
    const chunk = wanted === this.#chunk.length ? this.#chunk : Buffer.allocUnsafeSlow(wanted);
    // A torn length in a head asks for much, but never for more than there is.
    const count = await this.#run.file.read(chunk, offset);
    if (count !== wanted) throw this.#run.damage(offset, 'the file ends early');
    if (wanted === rest || (wanted < BLOCK_HEAD_BYTES && wanted > 0))
      throw this.#run.damage(offset, 'a block reaches beyond the end');
    this.#chunk = chunk;
    this.#chunkOffset = offset;
    this.#at = 0;
    return true;
  }

  /** The next block, if all of it is in the chunk; verified. */
  #nextBlock(): Buffer | undefined {
    const at = this.#at;
    if (this.#chunk.length - at < BLOCK_HEAD_BYTES) return undefined;
    const byteCount = claimedBytes(this.#chunk, at);
    if (this.#chunk.length - at < byteCount) return undefined;
    const block = this.#chunk.subarray(at, at + byteCount);
    const offset = this.#chunkOffset + at;
    try {
      verifyBlock(block, this.#run.info.number, offset);
    } catch (error) {
      throw damageOf(error, this.#run.path, offset);
    }
    this.#checksumBytes.writeUInt32LE(checksumOf(block));
    this.#tally = crc32(this.#checksumBytes, this.#tally);
    this.#at = at + byteCount;
    return block;
  }

  /** @returns whether it was a record. */
  #open(bytes: Buffer, placed: PlacedChange): boolean {
    const offset = this.#chunkOffset + this.#at - bytes.length;
    try {
      switch (kindOf(bytes)) {
        case blockKind.data:
          this.#data = openBlock(bytes, true);
          this.#dataOffset = offset;
          this.#index = 0;
          return false;
        case blockKind.value:
          this.#values.set(offset, { block: openBlock(bytes, false), bytes: bytes.length });
          return false;
        case blockKind.record:
          openRecord(bytes, this.#reader, placed);
          this.recordOffset = offset;
          this.recordBytes = bytes.length;
          this.recordCount++;
          return true;
        default:
          return false;
      }
    } catch (error) {
      throw damageOf(error, this.#run.path, offset);
    }
  }

  #record(data: Block, placed: PlacedChange): void {
    const reader = this.#reader;
    reader.position = data.recordAt(this.#index++);
    reader.record(data.memory, placed);
    this.recordCount++;
    if (reader.position > data.end)
      throw this.#run.damage(this.#dataOffset, 'a record reaches beyond its block');
    if (reader.blockOffset < 0) return;
    const value = this.#values.get(reader.blockOffset);
    const valueBytes = placed.valueEnd;
    if (
      value === undefined ||
      value.bytes !== reader.blockBytes ||
      value.block.end - value.block.start !== valueBytes
    )
      throw this.#run.damage(this.#dataOffset, 'a value does not lie where the record says');
    placed.valueMemory = value.block.memory;
    placed.valueStart = value.block.start;
    placed.valueEnd = value.block.end;
  }

  #checkEnd(): void {
    if (this.#tally !== this.#run.footer.tally)
      throw this.#run.damage(this.#end, 'the blocks are not those that the footer knows');
    if (this.recordCount !== this.#run.info.recordCount)
      throw this.#run.damage(
        this.#end,
        `${this.recordCount} records where the footer counts ${this.#run.info.recordCount}`,
      );
  }
}

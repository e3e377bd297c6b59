/**
 * Takes the blocks of a run in memory, one behind the other, and brings them to its file when it is told to. What waits is bounded by its
 * caller, who stops when `pendingBytes` are many.
 */
import type { DiskFile } from '../../../disk/disk.ts';
import { crc32 } from '../../../wire/crc32.ts';
import { sealBlock, writeBlockHead } from '../block/block-codec.ts';
import { BLOCK_HEAD_BYTES } from '../format.ts';
import type { BlockKind } from '../format.ts';

const CHUNK_BYTES = 256 * 1024;
/** The file is flushed every so many bytes: one flush of it all at the end would make the log's flushes wait behind it. */
const UNFLUSHED_BYTES_MAX = 8 * 1024 * 1024;

export class RunSink {
  readonly #file: DiskFile;
  readonly #runNumber: number;
  /** Full, and waiting to be written; ... */
  #full: Buffer[] = [];
  /** ... the one that is being filled, and how far; ... */
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #chunkBytes = 0;
  /** ... and one that was written, to be filled again. */
  #spare: Buffer | undefined;
  #writtenBytes = 0;
  #unflushedBytes = 0;
  #flushed: Promise<void> = Promise.resolve();
  readonly #checksumBytes = Buffer.alloc(4);
  /** Of everything that was put in. */
  bytes = 0;
  /** Of the checksums of all blocks in their order. */
  tally = 0;

  constructor(file: DiskFile, runNumber: number) {
    this.#file = file;
    this.#runNumber = runNumber;
  }

  get pendingBytes(): number {
    return this.bytes - this.#writtenBytes;
  }

  /** Puts bytes in that are no block. */
  putBytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#chunk.set(bytes, at);
  }

  /** Puts a block in whose payload is one or two parts. @returns its bytes. */
  putBlock(
    kind: BlockKind,
    count: number,
    first: Uint8Array,
    second: Uint8Array | undefined,
    plainBytes: number,
    isCompressed: boolean,
  ): number {
    const storedBytes = first.length + (second?.length ?? 0);
    const blockBytes = BLOCK_HEAD_BYTES + storedBytes;
    const offset = this.bytes;
    const at = this.#reserve(blockBytes);
    const chunk = this.#chunk;
    writeBlockHead(chunk, at, { kind, isCompressed, count, storedBytes, plainBytes });
    chunk.set(first, at + BLOCK_HEAD_BYTES);
    if (second !== undefined) chunk.set(second, at + BLOCK_HEAD_BYTES + first.length);
    const checksum = sealBlock(chunk.subarray(at, at + blockBytes), this.#runNumber, offset);
    this.#checksumBytes.writeUInt32LE(checksum);
    this.tally = crc32(this.#checksumBytes, this.tally);
    return blockBytes;
  }

  /** Writes what waits. */
  async drain(): Promise<void> {
    this.#closeChunk();
    for (let chunk = this.#full[0]; chunk !== undefined; chunk = this.#full[0]) {
      await this.#file.write(chunk, this.#writtenBytes);
      this.#full.shift();
      this.#writtenBytes += chunk.length;
      this.#unflushedBytes += chunk.length;
      if (chunk.buffer.byteLength === CHUNK_BYTES) this.#spare = Buffer.from(chunk.buffer);
    }
    if (this.#unflushedBytes < UNFLUSHED_BYTES_MAX) return;
    await this.#flushed;
    this.#unflushedBytes = 0;
    this.#flushed = this.#file.sync();
    // The next wait for it tells of a failure.
    this.#flushed.catch(() => undefined);
  }

  /** Makes everything durable that was put in. */
  async finish(): Promise<void> {
    await this.drain();
    await this.#flushed;
    await this.#file.sync();
  }

  /** Settles when nothing is under way. Never rejects. */
  async settle(): Promise<void> {
    await this.#flushed.catch(() => undefined);
  }

  /** Makes room, and counts it. @returns where in the chunk it is. */
  #reserve(byteCount: number): number {
    if (this.#chunkBytes + byteCount > this.#chunk.length) {
      this.#closeChunk();
      if (byteCount > this.#chunk.length) this.#chunk = Buffer.allocUnsafeSlow(byteCount);
    }
    const at = this.#chunkBytes;
    this.#chunkBytes += byteCount;
    this.bytes += byteCount;
    return at;
  }

  #closeChunk(): void {
    if (this.#chunkBytes > 0) {
      this.#full.push(this.#chunk.subarray(0, this.#chunkBytes));
      this.#chunk = this.#spare ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.#spare = undefined;
    }
    this.#chunkBytes = 0;
  }
}

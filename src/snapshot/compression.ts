/** zstd, in Node's thread pool. Each block is a frame of its own. */
import * as zlib from 'node:zlib';
import { assert } from '../errors.ts';
import { release } from '../wire/memory.ts';

/**
 * Blocks of 512 KiB of 16-byte keys and 100-byte values, one thread: level 1 compresses random values with 360 MB/s to 76 %
 * of their size and small JSON documents with 490 MB/s to 12 %. Level -3 does it with 690 and 730 MB/s, but keeps 21 % of
 * the documents; level 3 with 60 and 410 MB/s, and is no smaller.
 */
const LEVEL = 1;

/** The compressor's output comes in slices of buffers of this length. */
const OUTPUT_BUFFER_BYTES = 1024 * 1024;

/**
 * Compresses one block after the other with one zstd context. Node's `zstdCompress` makes a context and a buffer for the
 * longest possible output each time, and copies; that takes twice as long, and so much memory outside the heap that the
 * garbage collector runs over the whole heap every few dozen blocks.
 */
export class BlockCompressor {
  readonly #stream = zlib.createZstdCompress({
    chunkSize: OUTPUT_BUFFER_BYTES,
    // Every write ends a frame.
    flush: zlib.constants.ZSTD_e_end,
    params: { [zlib.constants.ZSTD_c_compressionLevel]: LEVEL },
  });
  /** The output for the block under way. */
  #parts: Buffer<ArrayBuffer>[] = [];
  /** Settles when the compressor is free again; it never rejects. */
  #isFree: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#stream.on('data', (part: Buffer<ArrayBuffer>) => this.#parts.push(part));
    // The write under way is told, too.
    this.#stream.on('error', () => undefined);
  }

  /**
   * @returns the frame, in parts that are to be put one behind the other and then given back. Blocks are compressed in turn.
   */
  compress(block: Uint8Array): Promise<Buffer<ArrayBuffer>[]> {
    const compressed = this.#isFree.then(() => this.#compress(block));
    this.#isFree = compressed.catch(() => undefined);
    return compressed;
  }

  /** The parts of a frame are not needed any more. Frames are given back in their order. */
  giveBack(parts: readonly Buffer<ArrayBuffer>[]): void {
    for (const part of parts) {
      // What reaches the end of an output buffer is the last that lies in it.
      if (part.byteOffset + part.length === part.buffer.byteLength) release(part);
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  #compress(block: Uint8Array): Promise<Buffer<ArrayBuffer>[]> {
    return new Promise((resolve, reject) => {
      this.#stream.write(block, (error) => {
        const parts = this.#parts;
        this.#parts = [];
        if (error) {
          reject(error);
          return;
        }
        assert(parts.length > 0, 'even an empty block has a frame');
        resolve(parts);
      });
    });
  }
}

/**
 * Up to this length a block is decompressed on the spot. For 128 MiB in blocks of 512 KiB that takes 55 ms of the main
 * thread's time where the thread pool takes 20 of it, but 75 in all; and since the blocks then come from another
 * processor's cache, and a stream has to be made for each, a snapshot is loaded no sooner.
 */
const PLAIN_BYTES_MAX_ON_THE_SPOT = 1024 * 1024;

/** Rejects when the bytes are not a whole zstd frame, or hold more than `plainBytes`, before memory is taken for it. */
export async function decompress(stored: Uint8Array, plainBytes: number): Promise<Buffer<ArrayBuffer>> {
  // With one byte to spare Node knows that all has been said, and takes no second buffer.
  const options = { chunkSize: Math.max(plainBytes + 1, 64), maxOutputLength: Math.max(plainBytes, 1) };
  if (plainBytes <= PLAIN_BYTES_MAX_ON_THE_SPOT) return zlib.zstdDecompressSync(stored, options);
  return new Promise((resolve, reject) => {
    zlib.zstdDecompress(stored, options, (error, plain) => (error === null ? resolve(plain) : reject(error)));
  });
}

/**
 * Blocks that were read, decompressed, up to so many bytes of all runs together. Which of them goes is found by a clock (Corbató): the hand
 * passes over a block once that was used since it came by.
 */
import type { Block } from '../runs/block/block.ts';
import type { BlockKind } from '../runs/format.ts';
import type { RunFile } from '../runs/table/run-file.ts';
import type { Counters } from './counters.ts';

/** The blocks of one chapter or piece of a run, by their index in that. */
export class BlockRow {
  readonly file: RunFile;
  readonly cached: (CachedBlock | undefined)[] = [];

  constructor(file: RunFile) {
    this.file = file;
  }
}

interface CachedBlock {
  readonly block: Block;
  readonly bytes: number;
  readonly row: BlockRow;
  readonly index: number;
  isUsed: boolean;
}

/** Of a block in memory besides its payload. */
const BESIDES_BYTES = 200;
/** A block that would take more than this share of the cache is not kept. */
const SHARE_MAX = 1 / 8;

export class BlockCache {
  readonly #bytesMax: number;
  readonly #counters: Counters;
  #clock: CachedBlock[] = [];
  #hand = 0;
  bytes = 0;

  constructor(bytesMax: number, counters: Counters) {
    this.#bytesMax = bytesMax;
    this.#counters = counters;
  }

  /** A block that was read before, and is still there. */
  find(row: BlockRow, index: number): Block | undefined {
    const cached = row.cached[index];
    if (cached === undefined) return undefined;
    cached.isUsed = true;
    this.#counters.cacheHits++;
    return cached.block;
  }

  /** Reads a block that was not there. */
  read(row: BlockRow, index: number, offset: number, byteCount: number, kind: BlockKind): Block {
    this.#counters.cacheMisses++;
    this.#counters.readCount++;
    const block = row.file.readBlock(offset, byteCount, kind);
    const bytes = block.memory.bytes.length + BESIDES_BYTES;
    if (bytes > this.#bytesMax * SHARE_MAX) return block;
    this.#makeRoom(bytes);
    const cached = { block, bytes, row, index, isUsed: false };
    row.cached[index] = cached;
    this.#clock.push(cached);
    this.bytes += bytes;
    return block;
  }

  /** Drops all blocks of a run. */
  drop(file: RunFile): void {
    this.#hand = 0;
    this.#clock = this.#clock.filter((cached) => {
      if (cached.row.file !== file) return true;
      this.#leave(cached);
      return false;
    });
  }

  #makeRoom(wanted: number): void {
    const clock = this.#clock;
    while (this.bytes + wanted > this.#bytesMax && clock.length > 0) {
      if (this.#hand >= clock.length) this.#hand = 0;
      const cached = clock[this.#hand]!;
      if (cached.isUsed) {
        cached.isUsed = false;
        this.#hand++;
        continue;
      }
      this.#leave(cached);
      // The newest comes to this place: it is looked at by the next round, as it should be.
      const last = clock.pop()!;
      if (last !== cached) clock[this.#hand++] = last;
    }
  }

  #leave(cached: CachedBlock): void {
    cached.row.cached[cached.index] = undefined;
    this.bytes -= cached.bytes;
  }
}

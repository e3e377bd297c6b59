/**
 * An open run of the base: its index and its filters are in memory. They come in chapters: an index of some blocks of data, and
 * a filter of the keys in these.
 */
import type { Disk } from '../../disk/disk.ts';
import type { PlacedChange } from '../version.ts';
import type { Block } from '../runs/block/block.ts';
import { compareBytes } from '../runs/block/compare.ts';
import { RecordReader } from '../runs/block/record-codec.ts';
import { blockKind, recordFlag } from '../runs/format.ts';
import type { ManifestRun } from '../runs/manifest.ts';
import type { KeyHash } from '../runs/table/bloom.ts';
import { isFilterLength } from '../runs/table/bloom.ts';
import { RunFile } from '../runs/table/run-file.ts';
import type { SideBlock } from '../runs/table/run-file.ts';
import { BlockRow } from './block-cache.ts';
import type { BlockCache } from './block-cache.ts';
import { RangeSet } from '../range-set.ts';
import type { Counters } from './counters.ts';

/** What a run says of a key. */
export const ABSENT = 0;
export const FOUND = 1;
export const DELETED = 2;
type Answer = typeof ABSENT | typeof FOUND | typeof DELETED;

interface Chapter {
  readonly firstKey: Uint8Array;
  readonly index: Block;
  readonly filter: Block;
  readonly row: BlockRow;
}

/** Places by deadline that were sorted together: blocks in their order. */
export interface Piece {
  readonly run: SparseRun;
  readonly blocks: readonly SideBlock[];
  readonly row: BlockRow;
}

export class SparseRun {
  readonly file: RunFile;
  readonly chapters: readonly Chapter[];
  readonly pieces: readonly Piece[];
  readonly leaseBlocks: readonly SideBlock[];
  /** Keys that count as gone, as far as this run has them. */
  readonly hidden = new RangeSet();
  readonly #cache: BlockCache;
  readonly #counters: Counters;
  readonly #reader = new RecordReader();
  /** Index, filters and directory. */
  readonly memoryBytes: number;

  /** Rejects like `RunFile.open`. */
  static async open(
    disk: Disk,
    path: string,
    info: ManifestRun,
    cache: BlockCache,
    counters: Counters,
  ): Promise<SparseRun> {
    const file = await RunFile.open(disk, path, 'lsm', 'sparse', info);
    try {
      return new SparseRun(file, await loadChapters(file), cache, counters);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(file: RunFile, chapters: Chapter[], cache: BlockCache, counters: Counters) {
    this.file = file;
    this.chapters = chapters;
    this.#cache = cache;
    this.#counters = counters;
    const pieces: { run: SparseRun; blocks: SideBlock[]; row: BlockRow }[] = [];
    const leaseBlocks: SideBlock[] = [];
    let memoryBytes = 0;
    for (const side of file.sides) {
      memoryBytes += side.firstKey.length + SIDE_BYTES;
      if (side.kind === blockKind.leases) leaseBlocks.push(side);
      if (side.kind !== blockKind.deadlines) continue;
      const piece = (pieces[side.piece] ??= { run: this, blocks: [], row: new BlockRow(file) });
      piece.blocks.push(side);
    }
    for (const { index, filter } of chapters)
      memoryBytes +=
        index.memory.bytes.length + filter.memory.bytes.length + index.count * PLACE_IN_ROW_BYTES;
    this.pieces = pieces;
    this.leaseBlocks = leaseBlocks;
    this.memoryBytes = memoryBytes;
  }

  get number(): number {
    return this.file.info.number;
  }

  isHidden(key: Uint8Array): boolean {
    return !this.hidden.isEmpty && this.hidden.holding(key) !== undefined;
  }

  /** Whether the filter lets a key pass. */
  mayHave(key: Uint8Array, hash: KeyHash): boolean {
    const chapter = this.chapters[this.chapterOf(key)];
    if (chapter === undefined || this.isHidden(key)) return false;
    const { filter } = chapter;
    return hash.mayBeIn(filter.memory.bytes, filter.start, filter.end - filter.start);
  }

  /** Makes `placed` the version of a key, if it is `FOUND`; else that is as it was. */
  find(key: Uint8Array, hash: KeyHash, placed: PlacedChange, withValue: boolean): Answer {
    const block = this.isHidden(key) ? undefined : this.#blockOf(key, hash);
    if (block === undefined) return ABSENT;
    const at = block.seek(key);
    if (at === block.count || block.compareKeyAt(at, key) !== 0) {
      this.#counters.filterMisses++;
      return ABSENT;
    }
    if (this.#isDeletion(block, at)) return DELETED;
    this.readRecord(block, at, placed, withValue);
    return FOUND;
  }

  /** Whether it has a record of a key. */
  has(key: Uint8Array, hash: KeyHash): boolean {
    const block = this.isHidden(key) ? undefined : this.#blockOf(key, hash);
    if (block === undefined) return false;
    const at = block.seek(key);
    return at < block.count && block.compareKeyAt(at, key) === 0;
  }

  /** The last chapter that begins at a key or before it; -1: there is none. */
  chapterOf(key: Uint8Array): number {
    let low = 0;
    let high = this.chapters.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.chapters[middle]!.firstKey, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** A block of data of a chapter, from the cache or from the disk. */
  dataBlock(chapter: Chapter, index: number): Block {
    const cached = this.#cache.find(chapter.row, index);
    if (cached !== undefined) return cached;
    const reader = this.#reader;
    const { bytes } = chapter.index.memory;
    reader.position = chapter.index.recordAt(index);
    const keyBytes = reader.number(bytes);
    reader.position += keyBytes;
    const offset = reader.number(bytes);
    return this.#cache.read(chapter.row, index, offset, reader.number(bytes), blockKind.data);
  }

  /** A block of places by deadline. */
  deadlineBlock(piece: Piece, index: number): Block {
    const side = piece.blocks[index]!;
    return (
      this.#cache.find(piece.row, index) ??
      this.#cache.read(piece.row, index, side.offset, side.bytes, blockKind.deadlines)
    );
  }

  /** Makes `placed` what a record of a block says. */
  readRecord(block: Block, index: number, placed: PlacedChange, withValue: boolean): void {
    const reader = this.#reader;
    reader.position = block.recordAt(index);
    reader.record(block.memory, placed);
    if (reader.blockOffset < 0 || !withValue) return;
    const { blockOffset, blockBytes } = reader;
    this.#counters.readCount++;
    this.#counters.cacheMisses++;
    const value = this.file.readBlock(blockOffset, blockBytes, blockKind.value);
    if (value.end - value.start !== placed.valueEnd)
      throw this.file.damage(blockOffset, 'the value does not have the length that its record says');
    placed.valueMemory = value.memory;
    placed.valueStart = value.start;
    placed.valueEnd = value.end;
  }

  async close(): Promise<void> {
    this.#cache.drop(this.file);
    await this.file.close().catch(() => undefined);
  }

  #blockOf(key: Uint8Array, hash: KeyHash): Block | undefined {
    const chapter = this.chapters[this.chapterOf(key)];
    if (chapter === undefined) return undefined;
    const { index, filter } = chapter;
    if (!hash.mayBeIn(filter.memory.bytes, filter.start, filter.end - filter.start)) {
      this.#counters.filterStops++;
      return undefined;
    }
    const behind = index.seekBehind(key);
    return behind === 0 ? undefined : this.dataBlock(chapter, behind - 1);
  }

  #isDeletion(block: Block, index: number): boolean {
    return isDeletion(this.#reader, block, index);
  }
}

/** Of an entry of the directory in memory besides its key. */
const SIDE_BYTES = 150;
/** For a block that may be in the cache. */
const PLACE_IN_ROW_BYTES = 8;

export function isDeletion(reader: RecordReader, block: Block, index: number): boolean {
  const { bytes } = block.memory;
  reader.position = block.recordAt(index);
  const keyBytes = reader.number(bytes);
  reader.position += keyBytes;
  return (reader.number(bytes) & recordFlag.deleted) !== 0;
}

async function loadChapters(file: RunFile): Promise<Chapter[]> {
  const filters = file.sides.filter(({ kind }) => kind === blockKind.filter);
  const chapters: Chapter[] = [];
  for (const side of file.sides) {
    if (side.kind !== blockKind.index) continue;
    const filterSide = filters[chapters.length];
    if (filterSide === undefined) throw file.damage(side.offset, 'an index has no filter');
    const index = await file.loadBlock(side);
    const filter = await file.loadBlock(filterSide);
    if (!isFilterLength(filter.end - filter.start))
      throw file.damage(filterSide.offset, 'a filter does not have such a length');
    chapters.push({ firstKey: side.firstKey, index, filter, row: new BlockRow(file) });
  }
  return chapters;
}

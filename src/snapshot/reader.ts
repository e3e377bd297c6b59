/**
 * Reading a snapshot: its header at once, its blocks one by one, decompressed and checked, with a few read ahead. Memory is
 * bounded by the blocks that are under way.
 */
import type { Disk } from '../disk/disk.ts';
import { release } from '../wire/memory.ts';
import { decompress } from './compression.ts';
import { snapshotPath } from './file-names.ts';
import { SectionReader } from './section-reader.ts';
import type { Section, SnapshotSource } from './section-reader.ts';

/** This many blocks are read and decompressed while the caller works on another one. */
const BLOCKS_AHEAD = 2;

/**
 * Reads one snapshot from its beginning to its end, a block at a time.
 *
 * Every block handed out has been checked by itself. That the snapshot is whole, with all blocks in their places, is
 * known when `next` has given `undefined`, and not before. Damage rejects with a `StoreError` of code `damaged` that
 * names file and offset; the disk's own errors come as they are. After a rejection `close` is all that is left to do.
 */
export interface SnapshotReader {
  /** The bytes that the writer was given when it was made. */
  readonly header: Uint8Array;
  /** How far the blocks that were handed out reach into the file, ... */
  readonly bytesRead: number;
  /** ... and the length of the file; infinite when it is not known. */
  readonly bytesTotal: number;
  /** The next block, which is the caller's from then on; `undefined` after the last. One call at a time. */
  next(): Promise<SnapshotBlock | undefined>;
  /** Takes the memory of a block back that is not needed any more, for those that follow; the block is empty then. */
  giveBack(block: SnapshotBlock): void;
  /** Closes the file; may be called at any time, and again. */
  close(): Promise<void>;
}

export interface SnapshotBlock {
  readonly block: Buffer<ArrayBuffer>;
  readonly itemCount: number;
}

/** Opens a snapshot and reads its header. Rejects with a `DiskError` of code `notFound` when there is none. */
export function openSnapshot(disk: Disk, directory: string, revision: number): Promise<SnapshotReader> {
  return openSnapshotFile(disk, snapshotPath(directory, revision));
}

/** Like `openSnapshot`, of a snapshot that lies elsewhere, such as a backup. */
export async function openSnapshotFile(disk: Disk, path: string): Promise<SnapshotReader> {
  const file = await disk.open(path, 'read');
  try {
    return await openSections(new SectionReader(path, file, await file.size()));
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Like `openSnapshot`, of one that comes as a stream of a length that is not known; `name` is what errors call it. */
export function openSnapshotStream(name: string, source: SnapshotSource): Promise<SnapshotReader> {
  return openSections(new SectionReader(name, source, Number.POSITIVE_INFINITY));
}

async function openSections(sections: SectionReader): Promise<SnapshotReader> {
  return new FileSnapshotReader(sections, await sections.readHeader());
}

interface BlockAhead extends SnapshotBlock {
  readonly endOffset: number;
}

class FileSnapshotReader implements SnapshotReader {
  readonly header: Uint8Array;
  readonly #sections: SectionReader;
  /** The blocks under way, in their order. */
  readonly #ahead: Promise<BlockAhead | undefined>[] = [];
  /** The sections are read one after the other: settles when the newest of the reads has ended. */
  #lastRead: Promise<Section | undefined> = Promise.resolve(undefined);
  #bytesRead: number;

  constructor(sections: SectionReader, header: Uint8Array) {
    this.#sections = sections;
    this.#bytesRead = sections.offset;
    this.header = header;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesTotal(): number {
    return this.#sections.fileBytes;
  }

  async next(): Promise<SnapshotBlock | undefined> {
    while (this.#ahead.length <= BLOCKS_AHEAD) this.#readAhead();
    const next = await this.#ahead.shift();
    if (next === undefined) {
      this.#bytesRead = this.#sections.fileBytes;
      return undefined;
    }
    this.#bytesRead = next.endOffset;
    return { block: next.block, itemCount: next.itemCount };
  }

  giveBack({ block }: SnapshotBlock): void {
    release(block);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#ahead);
    await this.#sections.close();
  }

  #readAhead(): void {
    // The first failure is the outcome of this read and all after it.
    const read = this.#lastRead.then(() => this.#sections.readBlock());
    this.#lastRead = read;
    const block = read.then((section) => (section === undefined ? undefined : this.#decompress(section)));
    // `next` tells its caller; a block that is not asked for any more fails unheard.
    block.catch(() => undefined);
    this.#ahead.push(block);
  }

  async #decompress(section: Section): Promise<BlockAhead> {
    const { endOffset } = section;
    const { storedBytes, plainBytes, itemCount } = section.head;
    let block: Buffer<ArrayBuffer>;
    try {
      block = await decompress(section.payload, plainBytes);
    } catch (cause) {
      throw this.#sections.damage('a block does not decompress', endOffset - storedBytes, { cause });
    }
    release(section.payload);
    if (block.length !== plainBytes) {
      const what = `a block has ${block.length} bytes where its head says ${plainBytes}`;
      throw this.#sections.damage(what, endOffset - storedBytes);
    }
    return { block, itemCount, endOffset };
  }
}

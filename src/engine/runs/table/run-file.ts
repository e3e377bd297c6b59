/**
 * An open run: its ends and its directory are read and verified; blocks are read one by one, and each is verified before anything of it
 * is used.
 */
import { DiskError } from '../../../disk/disk.ts';
import type { Disk, DiskFile } from '../../../disk/disk.ts';
import { decompress } from '../../compression.ts';
import type { PlacedChange } from '../../version.ts';
import type { Memory } from '../../../wire/memory.ts';
import { memoryOf } from '../../../wire/memory.ts';
import type { Block } from '../block/block.ts';
import {
  BlockError,
  isValueCompressed,
  kindOf,
  openBlock,
  plainBytesOf,
  verifyBlock,
} from '../block/block-codec.ts';
import { RecordReader } from '../block/record-codec.ts';
import { BaseDamageError, ForeignBaseError } from '../damage.ts';
import { BLOCK_HEAD_BYTES, blockKind, FOOTER_BYTES, HEADER_BYTES } from '../format.ts';
import type { BlockKind, RunEngine, RunForm } from '../format.ts';
import { checkHeader, decodeFooter } from './ends.ts';
import type { Footer } from './ends.ts';
import type { RunInfo } from './run-writer.ts';

/** A block that the directory names. */
export interface SideBlock {
  readonly kind: BlockKind;
  /** Of `deadlines`: which piece it is of. */
  readonly piece: number;
  /** Not above its first key, and above all keys of the block of the kind (and piece) before it. */
  readonly firstKey: Uint8Array;
  readonly offset: number;
  readonly bytes: number;
}

/** Blocks up to this length are read into one buffer, and copied from there. */
const SCRATCH_BYTES = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

export class RunFile {
  readonly info: RunInfo;
  readonly path: string;
  readonly footer: Footer;
  /** In the order of the file: by kind, and by piece, in the order of keys. */
  readonly sides: readonly SideBlock[];
  readonly file: DiskFile;
  readonly #reader = new RecordReader();
  /** Reads of the disk by `readBlock`, `readRecord` and `readValue` so far. */
  readCount = 0;
  #holderCount = 1;

  /**
   * Opens the run that a manifest tells of. Rejects with a `BaseDamageError` when the file is another one, of another length, or damaged
   * where it is looked at; with a `ForeignBaseError` when a newer version wrote it; and with the errors of the disk.
   */
  static async open(
    disk: Disk,
    path: string,
    engine: RunEngine,
    form: RunForm,
    info: RunInfo,
  ): Promise<RunFile> {
    const file = await openExisting(disk, path);
    try {
      const size = await file.size();
      if (size !== info.bytes)
        throw new BaseDamageError(path, 0, `it has ${size} bytes where the manifest says ${info.bytes}`);
      const header = await readFully(file, path, 0, HEADER_BYTES);
      const state = checkHeader(header, engine, form, info.number);
      if (state === 'newer')
        throw new ForeignBaseError(path, 'a newer version of KelpDB wrote it', 'Start that version');
      if (state === 'bad') throw new BaseDamageError(path, 0, 'the header is not that of this run');
      const footerAt = size - FOOTER_BYTES;
      const footer = decodeFooter(await readFully(file, path, footerAt, FOOTER_BYTES));
      if (typeof footer === 'string') throw new BaseDamageError(path, footerAt, footer);
      checkFooter(path, footerAt, footer, info);
      const directory = await readFully(file, path, footer.directoryOffset, footer.directoryBytes);
      const block = opened(path, directory, info.number, footer.directoryOffset, blockKind.directory);
      return new RunFile(path, file, info, footer, readDirectory(block));
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(path: string, file: DiskFile, info: RunInfo, footer: Footer, sides: SideBlock[]) {
    this.path = path;
    this.file = file;
    this.info = info;
    this.footer = footer;
    this.sides = sides;
  }

  /** Reads a block at once. Throws a `BaseDamageError`, or what the disk throws. */
  readBlock(offset: number, byteCount: number, kind: BlockKind): Block {
    return opened(this.path, this.#readNow(offset, byteCount), this.info.number, offset, kind);
  }

  /** Reads a block by the thread pool. */
  async loadBlock(side: SideBlock): Promise<Block> {
    const bytes = await readFully(this.file, this.path, side.offset, side.bytes);
    return opened(this.path, bytes, this.info.number, side.offset, side.kind);
  }

  /**
   * Reads a record of a dense run at once. What `placed` tells lies in memory of its own.
   * @returns whether it is not a deletion.
   */
  readRecord(offset: number, byteCount: number, placed: PlacedChange): boolean {
    const bytes = this.#readNow(offset, byteCount);
    try {
      verifyBlock(bytes, this.info.number, offset);
      if (kindOf(bytes) !== blockKind.record) throw new BlockError('there is a block of another kind');
      // What was read into the shared buffer is overwritten by the next read.
      const own = bytes.buffer === scratch.buffer ? Buffer.from(new Uint8Array(bytes).buffer) : bytes;
      return openRecord(own, this.#reader, placed);
    } catch (error) {
      throw damageOf(error, this.path, offset);
    }
  }

  damage(offset: number, what: string): BaseDamageError {
    return new BaseDamageError(this.path, offset, what);
  }

  /** It stays open for one more, who calls `close` as well. */
  hold(): void {
    this.#holderCount++;
  }

  /** Once for each who holds it: the last one closes the file. */
  async close(): Promise<void> {
    if (--this.#holderCount === 0) await this.file.close();
  }

  #readNow(offset: number, byteCount: number): Buffer {
    const buffer =
      byteCount <= SCRATCH_BYTES ? scratch.subarray(0, byteCount) : Buffer.allocUnsafeSlow(byteCount);
    this.readCount++;
    if (this.file.readNow(buffer, offset) !== byteCount) throw this.damage(offset, 'the file ends early');
    return buffer;
  }
}

/** A file that the manifest names is there, or something is damaged. */
export async function openExisting(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path, 'read');
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'notFound') throw error;
    throw new BaseDamageError(path, 0, 'the file is missing', { cause: error });
  }
}

async function readFully(file: DiskFile, path: string, offset: number, byteCount: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(byteCount);
  if ((await file.read(buffer, offset)) === byteCount) return buffer;
  throw new BaseDamageError(path, offset, 'the file ends early');
}

function checkFooter(path: string, footerAt: number, footer: Footer, info: RunInfo): void {
  const isOther =
    footer.checksum !== info.checksum ||
    footer.number !== info.number ||
    footer.recordCount !== info.recordCount ||
    footer.deletedCount !== info.deletedCount ||
    footer.minRevision !== info.minRevision ||
    footer.maxRevision !== info.maxRevision;
  if (isOther) throw new BaseDamageError(path, footerAt, 'it is not the run that the manifest tells of');
  const { directoryOffset, directoryBytes } = footer;
  if (directoryOffset < HEADER_BYTES || directoryOffset + directoryBytes !== footerAt)
    throw new BaseDamageError(path, footerAt, 'the footer contradicts itself');
}

function readDirectory(block: Block): SideBlock[] {
  const reader = new RecordReader();
  const { bytes } = block.memory;
  const sides: SideBlock[] = [];
  for (let index = 0; index < block.count; index++) {
    reader.position = block.recordAt(index);
    const keyBytes = reader.number(bytes);
    const firstKey = bytes.slice(reader.position, reader.position + keyBytes);
    reader.position += keyBytes;
    const kind = reader.number(bytes) as BlockKind;
    const piece = reader.number(bytes);
    const offset = reader.number(bytes);
    sides.push({ kind, piece, firstKey, offset, bytes: reader.number(bytes) });
  }
  return sides;
}

/** A block as it was read, verified and decompressed. */
function opened(path: string, bytes: Buffer, runNumber: number, offset: number, kind: BlockKind): Block {
  try {
    verifyBlock(bytes, runNumber, offset);
    if (kindOf(bytes) !== kind) throw new BlockError('there is a block of another kind');
    return openBlock(bytes, bytes.buffer !== scratch.buffer);
  } catch (error) {
    throw damageOf(error, path, offset);
  }
}

/** What is wrong with a block becomes an error that tells where. */
export function damageOf(error: unknown, path: string, offset: number): unknown {
  if (!(error instanceof BlockError)) return error;
  return new BaseDamageError(path, offset, error.message, { cause: error });
}

/** Makes `placed` the record of a verified dense block, where it lies, but for a value that was compressed. */
export function openRecord(bytes: Buffer, reader: RecordReader, placed: PlacedChange): boolean {
  const memory: Memory = memoryOf(bytes);
  const start = bytes.byteOffset + BLOCK_HEAD_BYTES;
  const end = bytes.byteOffset + bytes.length;
  reader.position = start;
  const isThere = reader.record(memory, placed);
  if (!isValueCompressed(bytes)) {
    if (placed.valueEnd !== end || plainBytesOf(bytes) !== end - start)
      throw new BlockError('the record contradicts itself');
    return isThere;
  }
  const { valueStart } = placed;
  const valueBytes = placed.valueEnd - valueStart;
  if (plainBytesOf(bytes) !== valueStart - start + valueBytes)
    throw new BlockError('the record contradicts itself');
  let value: Uint8Array;
  try {
    value = decompress(new Uint8Array(bytes.buffer, valueStart, end - valueStart), valueBytes);
  } catch (cause) {
    throw new BlockError('the value can not be decompressed', { cause });
  }
  placed.valueMemory = memoryOf(value);
  placed.valueStart = value.byteOffset;
  placed.valueEnd = value.byteOffset + valueBytes;
  return isThere;
}

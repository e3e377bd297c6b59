/**
 * Writes a run: its records in key order, then what finds them. Memory is bounded: what waits to be written, one block of each
 * kind, the hashes of one filter and the places of one piece; and the directory, of which each 64 KiB of blocks take some 40 bytes.
 *
 * The caller adds until `isFull`, drains, and goes on; then `finish`, or `abort`. After a rejection `abort` is all that is left to do.
 */
import type { Clock } from '../../../clock.ts';
import type { Disk, DiskFile } from '../../../disk/disk.ts';
import { assert } from '../../../errors.ts';
import { fixed } from '../../../limits.ts';
import { TimeSlice } from '../../../time-slice.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { copyBytes, memoryOf, wholeBuffer } from '../../../wire/memory.ts';
import { tryCompress } from '../../compression.ts';
import type { CompressionFigures } from '../../compression.ts';
import type { PlacedChange } from '../../version.ts';
import { separatorOf } from '../../layered/key-order.ts';
import { BlockBuilder } from '../block/block-builder.ts';
import { writeRecordHead } from '../block/record-codec.ts';
import {
  APART_BYTES_MAX,
  APART_VALUE_BYTES_MIN,
  blockKind,
  COMPRESSED_BYTES_MAX,
  DATA_BLOCK_BYTES,
  DEADLINE_BLOCK_BYTES,
  FILTER_KEYS_MAX,
  META_BYTES_MAX,
  PIECE_BYTES,
  SIDE_BLOCK_BYTES,
} from '../format.ts';
import type { BlockKind, RunEngine, RunForm } from '../format.ts';
import { encodeFooter, encodeHeader, footerChecksum } from './ends.ts';
import { KeyHashes } from './bloom.ts';
import { DeadlineSorter } from './deadline-sorter.ts';
import { RunSink } from './run-sink.ts';

export interface RunWriterOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly path: string;
  /** Of no other run of the base, ever. */
  readonly number: number;
  readonly engine: RunEngine;
  readonly form: RunForm;
  /** The level of zstd; missing: nothing is compressed. */
  readonly compressionLevel?: number | undefined;
  readonly compression?: CompressionFigures | undefined;
  /** The memory of one piece of places by deadline. */
  readonly pieceBytes?: number | undefined;
}

/** What a manifest says of a run. */
export interface RunInfo {
  readonly number: number;
  readonly bytes: number;
  readonly recordCount: number;
  /** Records that are deletions. */
  readonly deletedCount: number;
  /** Of its records; both 0 without any. */
  readonly minRevision: number;
  readonly maxRevision: number;
  /** The checksum of its footer, by which the file is known. */
  readonly checksum: number;
}

/** So much waits at most to be written before `isFull`. */
const PENDING_BYTES_MAX = 512 * 1024;
const ASKS_PER_LOOK = 16;

export class RunWriter {
  readonly #options: RunWriterOptions;
  readonly #file: DiskFile;
  readonly #sink: RunSink;
  readonly #isDense: boolean;
  readonly #slice: TimeSlice;
  readonly #data = new BlockBuilder();
  readonly #index = new BlockBuilder();
  readonly #hints = new BlockBuilder();
  readonly #leases = new BlockBuilder();
  readonly #deadlineBlock = new BlockBuilder();
  readonly #directory = new BlockBuilder();
  readonly #hashes = new KeyHashes();
  readonly #deadlines: DeadlineSorter;
  #pieceCount = 0;
  /** Values apart of the block of data that is being filled. */
  #apartBytes = 0;
  /** The key added last. */
  #lastKey = wholeBuffer(1024);
  #lastKeyBytes = 0;
  #isSliceOver = false;
  #recordCount = 0;
  #deletedCount = 0;
  #minRevision = 0;
  #maxRevision = 0;
  #isEnded = false;
  /** Where the block of the record added last lies, in a dense run, and its bytes. */
  recordOffset = 0;
  recordBytes = 0;

  static async create(options: RunWriterOptions): Promise<RunWriter> {
    return new RunWriter(options, await options.disk.create(options.path));
  }

  private constructor(options: RunWriterOptions, file: DiskFile) {
    this.#options = options;
    this.#file = file;
    this.#sink = new RunSink(file, options.number);
    this.#isDense = options.form === 'dense';
    this.#slice = new TimeSlice(options.clock, ASKS_PER_LOOK);
    this.#slice.begin();
    this.#deadlines = new DeadlineSorter(options.pieceBytes ?? PIECE_BYTES);
    this.#sink.putBytes(encodeHeader(options.engine, options.form, options.number));
  }

  get number(): number {
    return this.#options.number;
  }

  /** Of the file so far. */
  get bytes(): number {
    return this.#sink.bytes;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Adds a record, also a deletion, whose key is above those before. Key and value are copied. */
  add(change: PlacedChange): void {
    this.#ascend(change);
    const { revision } = change;
    if (this.#recordCount === 0 || revision < this.#minRevision) this.#minRevision = revision;
    if (revision > this.#maxRevision) this.#maxRevision = revision;
    this.#recordCount++;
    if (change.deleted) this.#deletedCount++;
    if (this.#isDense) this.#addDense(change);
    else this.#addSparse(change);
    if (this.#slice.isOver()) this.#isSliceOver = true;
  }

  /** Whether `drain` is to be called before the next `add`: too much waits, or others should have their turn. */
  get isFull(): boolean {
    return this.#isSliceOver || this.#sink.pendingBytes >= PENDING_BYTES_MAX || this.#deadlines.isFull;
  }

  async drain(): Promise<void> {
    if (this.#deadlines.isFull) await this.#writePiece();
    if (this.#sink.pendingBytes >= PENDING_BYTES_MAX) await this.#sink.drain();
    await this.#pause();
  }

  /** Writes what is left, and makes the file durable; not its name. */
  async finish(): Promise<RunInfo> {
    assert(!this.#isEnded, 'a run is ended once');
    if (this.#data.count > 0) this.#closeData();
    this.#closeIndex();
    this.#closeSide(this.#hints, blockKind.hints, 0);
    this.#closeSide(this.#leases, blockKind.leases, 0);
    if (this.#deadlines.count > 0) await this.#writePiece();
    const directoryOffset = this.#sink.bytes;
    const directoryBytes = this.#put(blockKind.directory, this.#directory);
    const counts = {
      recordCount: this.#recordCount,
      deletedCount: this.#deletedCount,
      minRevision: this.#minRevision,
      maxRevision: this.#maxRevision,
      number: this.#options.number,
    };
    const { tally } = this.#sink;
    const footer = encodeFooter({ ...counts, directoryOffset, directoryBytes, tally });
    this.#sink.putBytes(footer);
    await this.#sink.finish();
    this.#isEnded = true;
    await this.#file.close();
    return { ...counts, bytes: this.#sink.bytes, checksum: footerChecksum(footer) };
  }

  /** Closes the file, which is the caller's to remove. Never rejects. */
  async abort(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#sink.settle();
    await this.#file.close().catch(() => undefined);
  }

  #addSparse(change: PlacedChange): void {
    const valueBytes = change.valueEnd - change.valueStart;
    const keyBytes = change.keyEnd - change.keyStart;
    let apartOffset = -1;
    let apartBytes = 0;
    if (valueBytes >= APART_VALUE_BYTES_MIN && !change.deleted) {
      apartOffset = this.#sink.bytes;
      apartBytes = this.#putValue(change);
      this.#apartBytes += apartBytes;
    }
    const data = this.#data;
    const inlineBytes = apartOffset < 0 && !change.deleted ? valueBytes : 0;
    data.begin(keyBytes + META_BYTES_MAX + inlineBytes);
    const at = writeRecordHead(data.target, data.end, change, apartOffset, apartBytes);
    copyBytes(data.target.memory, at, change.valueMemory, change.valueStart, inlineBytes);
    data.end = at + inlineBytes;
    this.#hashes.add(change.keyMemory.bytes, change.keyStart, change.keyEnd);
    if (change.expireTimeMs !== 0 && !change.deleted) this.#deadlines.add(change);
    if (change.leaseId !== 0 && !change.deleted) {
      this.#leases.beginKey(change.keyMemory, change.keyStart, keyBytes, META_BYTES_MAX);
      this.#leases.number(change.leaseId);
      if (this.#leases.end >= SIDE_BLOCK_BYTES) this.#closeSide(this.#leases, blockKind.leases, 0);
    }
    if (data.end >= DATA_BLOCK_BYTES || this.#apartBytes >= APART_BYTES_MAX) this.#closeData();
  }

  #addDense(change: PlacedChange): void {
    const keyBytes = change.keyEnd - change.keyStart;
    const data = this.#data;
    data.clear();
    data.begin(keyBytes + META_BYTES_MAX);
    const headBytes = writeRecordHead(data.target, 0, change, -1, 0);
    const head = data.target.buffer.subarray(0, headBytes);
    const value = change.deleted ? NO_BYTES : change.value;
    const stored = value.length < fixed.compressedValueBytesMin ? undefined : this.#compressed(value);
    data.clear();
    this.recordOffset = this.#sink.bytes;
    this.recordBytes = this.#sink.putBlock(
      blockKind.record,
      1,
      head,
      stored ?? value,
      headBytes + value.length,
      stored !== undefined,
    );
    const hints = this.#hints;
    hints.begin(keyBytes + META_BYTES_MAX);
    if (hints.count === 1) hints.firstKey = change.copyKey();
    hints.end = writeRecordHead(hints.target, hints.end, change, this.recordOffset, this.recordBytes);
    if (hints.end >= SIDE_BLOCK_BYTES) this.#closeSide(hints, blockKind.hints, 0);
  }

  #putValue(change: PlacedChange): number {
    const { value } = change;
    const stored = this.#compressed(value);
    return this.#sink.putBlock(
      blockKind.value,
      0,
      stored ?? value,
      undefined,
      value.length,
      stored !== undefined,
    );
  }

  #closeData(): void {
    const offset = this.#sink.bytes;
    const blockBytes = this.#put(blockKind.data, this.#data);
    const index = this.#index;
    index.number(offset);
    index.number(blockBytes);
    this.#apartBytes = 0;
    if (index.end >= SIDE_BLOCK_BYTES || this.#hashes.count >= FILTER_KEYS_MAX) this.#closeIndex();
  }

  #closeIndex(): void {
    const index = this.#index;
    if (index.count === 0) return;
    const { firstKey } = index;
    this.#closeSide(index, blockKind.index, 0);
    const filter = this.#hashes.toFilter();
    const offset = this.#sink.bytes;
    const blockBytes = this.#sink.putBlock(blockKind.filter, 0, filter, undefined, filter.length, false);
    this.#enter(firstKey, blockKind.filter, 0, offset, blockBytes);
  }

  /** Puts a block in that the directory tells of, if there is anything in it. */
  #closeSide(block: BlockBuilder, kind: BlockKind, piece: number): void {
    if (block.count === 0) return;
    const offset = this.#sink.bytes;
    const { firstKey } = block;
    this.#enter(firstKey, kind, piece, offset, this.#put(kind, block));
  }

  #enter(firstKey: Uint8Array, kind: BlockKind, piece: number, offset: number, blockBytes: number): void {
    const directory = this.#directory;
    directory.beginKey(memoryOf(firstKey), firstKey.byteOffset, firstKey.length, META_BYTES_MAX);
    directory.number(kind);
    directory.number(piece);
    directory.number(offset);
    directory.number(blockBytes);
  }

  /** @returns the bytes of the block. */
  #put(kind: BlockKind, block: BlockBuilder): number {
    const plain = block.finish();
    const { count } = block;
    const stored = this.#compressed(plain, kind === blockKind.data ? fixed.blockSavedShareMin : undefined);
    block.clear();
    return this.#sink.putBlock(kind, count, stored ?? plain, undefined, plain.length, stored !== undefined);
  }

  #compressed(bytes: Uint8Array, savedShareMin?: number): Uint8Array | undefined {
    const { compressionLevel, compression } = this.#options;
    if (compressionLevel === undefined || bytes.length > COMPRESSED_BYTES_MAX) return undefined;
    return tryCompress(bytes, compressionLevel, compression, savedShareMin);
  }

  /** Sorts the places by deadline, and writes them. */
  async #writePiece(): Promise<void> {
    const sorter = this.#deadlines;
    const block = this.#deadlineBlock;
    const slice = new TimeSlice(this.#options.clock, 1);
    slice.begin();
    const sorting = sorter.sort();
    let step = sorting.next();
    while (step.done !== true) {
      if (slice.isOver()) {
        await this.#pause();
        slice.begin();
      }
      step = sorting.next();
    }
    let before: Uint8Array = NO_BYTES;
    for (const index of step.value) {
      const start = sorter.startOf(index);
      const end = sorter.endOf(index);
      block.beginKey(sorter.memory, start, end - start, META_BYTES_MAX);
      const place = sorter.memory.bytes.subarray(start, end);
      // No more of it than is needed to find it: the directory is in memory, and keys may be long.
      if (block.count === 1) block.firstKey = separatorOf(before, place);
      before = place;
      if (block.end < DEADLINE_BLOCK_BYTES) continue;
      this.#closeSide(block, blockKind.deadlines, this.#pieceCount);
      if (this.#sink.pendingBytes >= PENDING_BYTES_MAX) await this.#sink.drain();
      if (slice.isOver()) {
        await this.#pause();
        slice.begin();
      }
    }
    this.#closeSide(block, blockKind.deadlines, this.#pieceCount);
    this.#pieceCount++;
    sorter.clear();
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.clock.yieldNow(resolve));
    this.#isSliceOver = false;
    this.#slice.begin();
  }

  /** Checks that keys ascend, keeps the key, and begins an entry of the index where a block begins. */
  #ascend(change: PlacedChange): void {
    const { keyMemory, keyStart } = change;
    const keyBytes = change.keyEnd - keyStart;
    const last = this.#lastKey.buffer;
    const lastBytes = this.#lastKeyBytes;
    const bytes = keyMemory.bytes;
    let shared = 0;
    while (shared < lastBytes && shared < keyBytes && last[shared] === bytes[keyStart + shared]) shared++;
    assert(
      this.#recordCount === 0 ||
        (shared < keyBytes && (shared === lastBytes || bytes[keyStart + shared]! > last[shared]!)),
      'the keys of a run ascend',
    );
    if (!this.#isDense && this.#data.count === 0) {
      // As much of the key as tells it from the one before: it is above that, and not above this key.
      this.#index.beginKey(keyMemory, keyStart, Math.min(keyBytes, shared + 1), META_BYTES_MAX);
    }
    if (keyBytes > last.length) this.#lastKey = wholeBuffer(2 * keyBytes);
    copyBytes(this.#lastKey.memory, 0, keyMemory, keyStart, keyBytes);
    this.#lastKeyBytes = keyBytes;
  }
}

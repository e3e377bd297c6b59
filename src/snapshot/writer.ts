/**
 * Writing a snapshot. It has its name only when all of it is durable: a crash before that leaves a file under a temporary name,
 * which the next start removes.
 */
import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { assert } from '../errors.ts';
import { BlockCompressor } from './compression.ts';
import { snapshotPath, unfinishedPath } from './file-names.ts';
import {
  encodeFooter,
  encodeSectionHead,
  MAGIC,
  PAYLOAD_BYTES_MAX,
  SECTION_HEAD_BYTES,
  sectionKind,
  Tally,
} from './format.ts';
import type { SectionKind } from './format.ts';
import type { SnapshotInfo } from './snapshot-directory.ts';

/** `write` may be called again before it has resolved, until this many calls are under way. */
const BLOCKS_UNDER_WAY_MAX = 4;

/**
 * A section up to this length is written in one go, head and payload; the payload of a longer one is checksummed and
 * written in steps of this length, so that the event loop is not held up.
 */
const WRITE_BYTES_MAX = 1024 * 1024;

/**
 * The file is flushed every so many bytes: one flush of it all at the end would make the log's flushes wait behind it.
 */
const UNFLUSHED_BYTES_MAX = 8 * 1024 * 1024;

/**
 * - `open`: takes blocks.
 * - `finishing`: `finish` was called; when it rejects, this is where it stays, since nothing of it may be tried again.
 * - `ended`: finished or aborted; the file is closed, and nothing has the temporary name.
 */
type State = 'open' | 'finishing' | 'ended';

/**
 * Writes one snapshot, under a temporary name until it is whole and durable. Rejects with the errors of the disk. After
 * a rejection the snapshot can't be saved, and `abort` is all that is left to do.
 *
 * Invariant: sections are written in the order of the calls of `write`, one after the other; only compression runs
 * ahead of it.
 */
export class SnapshotWriter {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #revision: number;
  readonly #file: DiskFile;
  readonly #tally = new Tally();
  readonly #compressor = new BlockCompressor();
  readonly #joinBuffer = Buffer.allocUnsafeSlow(SECTION_HEAD_BYTES + WRITE_BYTES_MAX);
  #state: State = 'open';
  #bytes = MAGIC.length;
  #unflushedBytes = 0;
  #blocksUnderWay = 0;
  /** Settles with the last flush that was begun beside writing. */
  #flushed: Promise<void> = Promise.resolve();
  /** Settles when everything handed in so far has been written, in order; it also carries the first failure. */
  #written: Promise<void> = Promise.resolve();

  /**
   * Begins the snapshot of a revision. `header` is written as it is and given to those who read it. A snapshot of the
   * same revision stays until the new one has been finished.
   */
  static async create(
    disk: Disk,
    directory: string,
    revision: number,
    header: Uint8Array,
  ): Promise<SnapshotWriter> {
    const path = unfinishedPath(directory, revision);
    await disk.remove(path);
    const file = await disk.create(path);
    const writer = new SnapshotWriter(disk, directory, revision, file);
    try {
      await file.write(MAGIC, 0);
      await writer.#append(sectionKind.header, [header], header.length, 0);
      return writer;
    } catch (error) {
      // The first error is what the caller needs to know; `removeUnfinishedSnapshots` finds what may be left.
      await writer.abort().catch(() => undefined);
      throw error;
    }
  }

  private constructor(disk: Disk, directory: string, revision: number, file: DiskFile) {
    this.#disk = disk;
    this.#directory = directory;
    this.#revision = revision;
    this.#file = file;
  }

  /** The length of the file so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Compresses and writes a block that holds `itemCount` items. Resolves when the block is compressed and the blocks
   * before it are written: from then on the bytes are the caller's again, and the next block is welcome. One call after
   * the other thus holds two blocks at most; with two calls under way, the caller encodes one block while another is
   * compressed.
   */
  async write(block: Uint8Array, itemCount: number): Promise<void> {
    assert(this.#state === 'open', 'a snapshot that was ended takes no blocks');
    assert(block.length <= PAYLOAD_BYTES_MAX, `a block of ${block.length} bytes is too long`);
    assert(
      this.#blocksUnderWay < BLOCKS_UNDER_WAY_MAX,
      'the writer is given blocks no faster than it takes them',
    );
    this.#blocksUnderWay++;
    const plainBytes = block.length;
    const compressed = this.#compressor.compress(block);
    const before = this.#written;
    this.#written = this.#appendInTurn(before, compressed, plainBytes, itemCount);
    // The next call tells of a failure; until then this promise may be waited for nowhere.
    this.#written.catch(() => undefined);
    try {
      // Both have settled when this goes on, also after a failure: the thread pool reads the block no more.
      await compressed;
    } finally {
      this.#blocksUnderWay--;
    }
    await before;
  }

  /** Ends the snapshot: when this resolves, it is whole, durable and has its name. */
  async finish(): Promise<SnapshotInfo> {
    assert(this.#state === 'open', 'a snapshot that was ended is not finished');
    this.#state = 'finishing';
    await this.#written;
    this.#compressor.close();
    const footer = encodeFooter(this.#tally);
    await this.#append(sectionKind.footer, [footer], footer.length, 0);
    await this.#flushed;
    await this.#file.sync();
    await this.#file.close();
    await this.#disk.rename(
      unfinishedPath(this.#directory, this.#revision),
      snapshotPath(this.#directory, this.#revision),
    );
    await this.#disk.syncDirectory(this.#directory);
    this.#state = 'ended';
    return { revision: this.#revision, bytes: this.#bytes };
  }

  /** Gives the snapshot up and removes what was written of it. Once `finish` has resolved it does nothing. */
  async abort(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    await this.#written.catch(() => undefined);
    await this.#flushed.catch(() => undefined);
    this.#compressor.close();
    try {
      await this.#file.close();
    } finally {
      await this.#disk.remove(unfinishedPath(this.#directory, this.#revision));
    }
  }

  async #appendInTurn(
    before: Promise<void>,
    compressed: Promise<Buffer<ArrayBuffer>[]>,
    plainBytes: number,
    itemCount: number,
  ): Promise<void> {
    const [stored] = await Promise.all([compressed, before]);
    await this.#append(sectionKind.block, stored, plainBytes, itemCount);
    this.#compressor.giveBack(stored);
  }

  async #append(
    kind: SectionKind,
    parts: readonly Uint8Array[],
    plainBytes: number,
    itemCount: number,
  ): Promise<void> {
    const storedBytes = parts.reduce((sum, part) => sum + part.length, 0);
    let payloadChecksum: number;
    if (storedBytes <= WRITE_BYTES_MAX) {
      payloadChecksum = parts.reduce((checksum, part) => crc32(part, checksum), 0);
      const head = { kind, storedBytes, plainBytes, itemCount, payloadChecksum };
      await this.#file.write(this.#joined([encodeSectionHead(head), ...parts]), this.#bytes);
    } else {
      payloadChecksum = await this.#writeInSteps(parts, this.#bytes + SECTION_HEAD_BYTES);
      const head = { kind, storedBytes, plainBytes, itemCount, payloadChecksum };
      await this.#file.write(encodeSectionHead(head), this.#bytes);
    }
    this.#tally.add({ kind, storedBytes, plainBytes, itemCount, payloadChecksum });
    this.#bytes += SECTION_HEAD_BYTES + storedBytes;
    this.#unflushedBytes += SECTION_HEAD_BYTES + storedBytes;
    if (this.#unflushedBytes >= UNFLUSHED_BYTES_MAX) await this.#flushBeside();
  }

  /** The parts one behind the other, in a buffer that holds until the next call: a new one each time would wake the collector. */
  #joined(parts: readonly Uint8Array[]): Uint8Array {
    let length = 0;
    for (const part of parts) {
      this.#joinBuffer.set(part, length);
      length += part.length;
    }
    return this.#joinBuffer.subarray(0, length);
  }

  /** @returns the checksum of what was written. */
  async #writeInSteps(parts: readonly Uint8Array[], offset: number): Promise<number> {
    let checksum = 0;
    for (const part of parts) {
      for (let start = 0; start < part.length; start += WRITE_BYTES_MAX) {
        const step = part.subarray(start, start + WRITE_BYTES_MAX);
        checksum = crc32(step, checksum);
        await this.#file.write(step, offset);
        offset += step.length;
      }
    }
    return checksum;
  }

  /** Begins a flush, beside which the next blocks are written; waits for the one before. */
  async #flushBeside(): Promise<void> {
    await this.#flushed;
    this.#unflushedBytes = 0;
    this.#flushed = this.#file.sync();
    // The next wait for it tells of a failure.
    this.#flushed.catch(() => undefined);
  }
}

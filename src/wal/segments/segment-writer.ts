/** Writing the newest segment: where frames go, how far they are durable, and the zeros that are written ahead of them. */
import type { Clock } from '../../clock.ts';
import type { DiskFile } from '../../disk/disk.ts';
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { FRAME_HEADER_BYTES, frameBytes, type FrameFields, sealFrame } from '../../wire/frame.ts';
import type { Batch } from '../frames/batch.ts';
import type { FailStop } from './fail-stop.ts';
import { CHUNK_BYTES_MIN, chunkBytes, END_BYTES, frameKind } from '../frames/format.ts';
import type { Segment } from './segment.ts';

/** Where a segment goes on. Everything before is on disk. */
export interface AppendPosition {
  readonly offset: number;
  /** The header checksum of the last frame. */
  readonly previousChecksum: number;
  readonly revision: number;
  /** The durable offset that the last frame names. */
  readonly provenOffset: number;
  /** Where the last batch ends; 0 when there is none. */
  readonly batchEnd: number;
}

export interface SegmentWriterOptions {
  readonly clock: Clock;
  readonly segment: Segment;
  /** The segment's file, acquired; `close` releases it. */
  readonly file: DiskFile;
  readonly seed: number;
  readonly failStop: FailStop;
  /** The segment is not made longer ahead of need once it has this length. */
  readonly segmentBytes: number;
  /** Whether a flush follows each batch: it covers the zeros that were written meanwhile. */
  readonly flushesEachBatch: boolean;
  /** There is no room for zeros ahead of need for the time being; it is tried again. */
  readonly onGrowthDelayed: (error: Error) => void;
}

/** The zeros that the file grows by. */
const ZEROS: Buffer = Buffer.alloc(fixed.zerosWrittenBytesMax);

/** Where flushes are rare, zeros have one of their own, for so many chunks at most. */
const CHUNKS_PER_FLUSH_MAX = 8;

/**
 * Appends frames to the newest segment.
 *
 * Invariants: provenOffset <= durableOffset <= end; end + END_BYTES <= flushedBytes <= zeroedBytes <= the length of the file.
 * One append and one flush may be under way at a time, beside each other; a flush makes durable what was written when it began.
 *
 * A frame that is short, and for which there is room, is written before `appendBatch` returns. Zeros are written ahead of need
 * by the thread pool. That these find no room on the disk is no failure: frames go on into the zeros that are there, which need
 * no space. A frame that they do not hold has zeros of its own written, and it fails with those.
 */
export class SegmentWriter {
  readonly segment: Segment;
  /** Where the next frame goes. */
  end: number;
  /** The highest revision in the frames so far. */
  revision: number;
  /** The header checksum of the last frame. */
  previousChecksum: number;
  /** Everything below is on disk. */
  durableOffset: number;

  readonly #clock: Clock;
  readonly #file: DiskFile;
  readonly #seed: number;
  readonly #failStop: FailStop;
  readonly #segmentBytes: number;
  readonly #flushesEachBatch: boolean;
  readonly #onGrowthDelayed: (error: Error) => void;

  /** What the newest frame says of that. */
  #provenOffset: number;
  #batchEnd: number;
  /** So far there are zeros, and so far the file was flushed with them: frames may go there. */
  #zeroedBytes: number;
  #flushedBytes: number;

  #extension: Promise<void> | undefined;
  #flush: Promise<void> | undefined;
  /** Before this instant of the monotonic clock nothing is written ahead of need: the last try found no space. */
  #retryMs = -Infinity;
  readonly #chunkBytes: number;
  readonly #markBuffer: Buffer = Buffer.alloc(FRAME_HEADER_BYTES);

  constructor(options: SegmentWriterOptions, position: AppendPosition) {
    this.segment = options.segment;
    this.#clock = options.clock;
    this.#file = options.file;
    this.#seed = options.seed;
    this.#failStop = options.failStop;
    this.#segmentBytes = options.segmentBytes;
    this.#flushesEachBatch = options.flushesEachBatch;
    this.#onGrowthDelayed = options.onGrowthDelayed;
    this.#chunkBytes = chunkBytes(options.segmentBytes);
    this.end = position.offset;
    this.revision = position.revision;
    this.previousChecksum = position.previousChecksum;
    this.durableOffset = position.offset;
    this.#provenOffset = position.provenOffset;
    this.#batchEnd = position.batchEnd;
    this.#zeroedBytes = options.segment.fileBytes;
    this.#flushedBytes = options.segment.fileBytes;
    assert(this.end + END_BYTES <= this.#flushedBytes, 'zeros stand behind the last frame');
  }

  /** Whether something was written that no flush covers yet. */
  get isDirty(): boolean {
    return this.durableOffset < this.end;
  }

  /** Whether the last batch is on disk and no frame says so: a flipped bit in it would pass for a torn write. */
  get isMarkDue(): boolean {
    return this.#provenOffset < this.#batchEnd && this.#batchEnd <= this.durableOffset;
  }

  /**
   * Writes the records of a batch as one frame: before it returns, or, if the frame is long or the file has to grow first, over
   * time.
   * @returns what to wait for then. Afterwards the batch is free.
   */
  appendBatch({ buffer, payloadBytes, revision }: Batch): Promise<void> | undefined {
    return this.#append(frameKind.batch, buffer, payloadBytes, revision);
  }

  /** As `appendBatch`. */
  appendMark(): Promise<void> | undefined {
    return this.#append(frameKind.mark, this.#markBuffer, 0, this.revision);
  }

  /** Flushes what was written. Two flushes never run at once: of an error that belongs to both, one would not hear. */
  async flush(): Promise<void> {
    while (this.#flush !== undefined) await this.#flush;
    this.#flush = this.#flushNow();
    try {
      await this.#flush;
    } finally {
      this.#flush = undefined;
    }
  }

  /** Waits for what is under way and gives the file back. Flushes nothing. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#extension]);
    // One may have waited for another.
    while (this.#flush !== undefined) await Promise.allSettled([this.#flush]);
    await this.segment.release();
  }

  #append(kind: number, buffer: Buffer, payloadBytes: number, revision: number): Promise<void> | undefined {
    assert(revision >= this.revision, 'revisions never fall');
    const bytes = frameBytes(payloadBytes);
    const isRoom = this.end + bytes + END_BYTES <= this.#flushedBytes;
    if (!isRoom || bytes > fixed.batchWrittenNowBytesMax) {
      return this.#appendOverTime(kind, buffer, payloadBytes, revision);
    }
    const header = this.#header(kind, payloadBytes, revision);
    const checksum = sealFrame(buffer, 0, header, this.#seed);
    this.#failStop.runNow(() => this.#file.writeNow(buffer.subarray(0, bytes), this.end));
    this.#appended(header, checksum);
    return undefined;
  }

  async #appendOverTime(kind: number, buffer: Buffer, payloadBytes: number, revision: number): Promise<void> {
    const start = this.end;
    const bytes = frameBytes(payloadBytes);
    await this.#makeRoom(start + bytes + END_BYTES);
    assert(this.end === start, 'one frame is appended at a time');
    const header = this.#header(kind, payloadBytes, revision);
    const checksum = sealFrame(buffer, 0, header, this.#seed);
    await this.#failStop.run(() => this.#file.write(buffer.subarray(0, bytes), start));
    this.#appended(header, checksum);
  }

  #header(kind: number, payloadBytes: number, revision: number): FrameFields {
    const { previousChecksum, durableOffset } = this;
    return { kind, payloadBytes, previousChecksum, durableOffset, revision };
  }

  #appended({ kind, payloadBytes, durableOffset, revision }: FrameFields, checksum: number): void {
    this.segment.index.add(this.end, this.previousChecksum, this.revision);
    this.end += frameBytes(payloadBytes);
    this.previousChecksum = checksum;
    this.revision = revision;
    this.#provenOffset = durableOffset;
    if (kind !== frameKind.batch) return;
    this.#batchEnd = this.end;
    this.#extendAhead();
  }

  async #flushNow(): Promise<void> {
    const { end } = this;
    const zeroedBytes = this.#zeroedBytes;
    await this.#failStop.run(() => this.#file.sync());
    this.durableOffset = end;
    this.#flushedBytes = zeroedBytes;
  }

  /** Waits until the file was flushed with this length, growing it if need be. */
  async #makeRoom(bytes: number): Promise<void> {
    if (bytes <= this.#flushedBytes) return;
    await this.#extension;
    if (bytes > this.#zeroedBytes) await this.#writeZerosAhead(bytes);
    // No more than is needed, but whole blocks of the file system: the rest of one takes no space.
    if (bytes > this.#zeroedBytes) await this.#writeZeros(roundUp(bytes, CHUNK_BYTES_MIN));
    if (bytes > this.#flushedBytes) await this.flush();
  }

  /**
   * Writes the next zeros beside the frames when few are left, and has them flushed before they are needed: by the flush
   * of some later frame, or, where none may come in time, by one of their own.
   */
  #extendAhead(): void {
    if (this.#extension !== undefined || this.#zeroedBytes >= this.#segmentBytes) return;
    const bytesAhead = this.#bytesAhead();
    if (this.#zeroedBytes - this.end > bytesAhead / 2 || this.#isGrowthDelayed()) return;
    // A failure is told by the fail-stop; who waits for the room finds it there.
    this.#extension = this.#extend(bytesAhead)
      .catch(() => {})
      .finally(() => {
        this.#extension = undefined;
      });
  }

  /** So many bytes the file grows by: where each growth costs a flush, by as much as there is, within bounds. */
  #bytesAhead(): number {
    if (this.#flushesEachBatch) return this.#chunkBytes;
    return Math.min(Math.max(this.end, this.#chunkBytes), CHUNKS_PER_FLUSH_MAX * this.#chunkBytes);
  }

  async #extend(bytesAhead: number): Promise<void> {
    const zeroedBytes = this.#zeroedBytes;
    await this.#writeZerosAhead(Math.min(zeroedBytes + bytesAhead, this.#segmentBytes));
    if (!this.#flushesEachBatch && this.#zeroedBytes > zeroedBytes) await this.flush();
  }

  /** Makes the file at least `bytesMin` long, by whole chunks, if the disk has room for them. */
  async #writeZerosAhead(bytesMin: number): Promise<void> {
    if (this.#isGrowthDelayed()) return;
    const end = this.#zeroedBytes + roundUp(bytesMin - this.#zeroedBytes, this.#chunkBytes);
    while (this.#zeroedBytes < end) {
      const isWritten = await this.#failStop.attempt(
        () => this.#writeZerosUpTo(end),
        (error) => this.#delayGrowth(error),
      );
      if (isWritten === undefined) return;
    }
  }

  /** Makes the file so long, or fails. */
  async #writeZeros(end: number): Promise<void> {
    while (this.#zeroedBytes < end) await this.#failStop.run(() => this.#writeZerosUpTo(end));
  }

  /** One write of zeros. Of one that fails, what is there counts for nothing: zeros are written over it. */
  async #writeZerosUpTo(end: number): Promise<true> {
    const bytes = Math.min(ZEROS.length, end - this.#zeroedBytes);
    await this.#file.write(ZEROS.subarray(0, bytes), this.#zeroedBytes);
    this.#zeroedBytes += bytes;
    this.segment.fileBytes = this.#zeroedBytes;
    return true;
  }

  #isGrowthDelayed(): boolean {
    return this.#retryMs > this.#clock.monotonicMs();
  }

  #delayGrowth(error: Error): void {
    this.#retryMs = this.#clock.monotonicMs() + fixed.segmentRetryMs;
    this.#onGrowthDelayed(error);
  }
}

function roundUp(bytes: number, unitBytes: number): number {
  return Math.ceil(bytes / unitBytes) * unitBytes;
}

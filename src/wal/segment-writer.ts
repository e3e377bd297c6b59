import type { DiskFile } from '../disk/disk.ts';
import { assert } from '../errors.ts';
import { FRAME_HEADER_BYTES, frameBytes, sealFrame } from '../wire/frame.ts';
import type { Batch } from './batch.ts';
import type { FailStop } from './fail-stop.ts';
import { chunkBytes, END_BYTES, frameKind } from './format.ts';
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
  readonly segment: Segment;
  /** The segment's file, acquired; `close` releases it. */
  readonly file: DiskFile;
  readonly seed: number;
  readonly failStop: FailStop;
  /** The segment is not made longer ahead of need once it has this length. */
  readonly segmentBytes: number;
  /** Whether a flush follows each batch: it covers the zeros that were written meanwhile. */
  readonly flushesEachBatch: boolean;
}

/** Where flushes are rare, zeros have one of their own, for so many chunks at most. */
const CHUNKS_PER_FLUSH_MAX = 8;

/**
 * Appends frames to the newest segment.
 *
 * Invariants: provenOffset <= durableOffset <= end; end + END_BYTES <= flushedBytes <= zeroedBytes. One append and
 * one flush may be under way at a time, beside each other; a flush makes durable what was written when it began.
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

  readonly #file: DiskFile;
  readonly #seed: number;
  readonly #failStop: FailStop;
  readonly #segmentBytes: number;
  readonly #flushesEachBatch: boolean;

  /** What the newest frame says of that. */
  #provenOffset: number;
  #batchEnd: number;
  /** The length of the file, and the length that was flushed: so far frames may go. */
  #zeroedBytes: number;
  #flushedBytes: number;

  #extension: Promise<void> | undefined;
  #flush: Promise<void> | undefined;
  /** The zeros that the file grows by. */
  readonly #chunk: Buffer;
  readonly #markBuffer: Buffer = Buffer.alloc(FRAME_HEADER_BYTES);

  constructor(options: SegmentWriterOptions, position: AppendPosition) {
    this.segment = options.segment;
    this.#file = options.file;
    this.#seed = options.seed;
    this.#failStop = options.failStop;
    this.#segmentBytes = options.segmentBytes;
    this.#flushesEachBatch = options.flushesEachBatch;
    this.#chunk = Buffer.alloc(chunkBytes(options.segmentBytes));
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

  /** Writes the records of a batch as one frame. The batch is free again when the promise resolves. */
  async appendBatch(batch: Batch): Promise<void> {
    const { buffer, payloadBytes, revision } = batch;
    await this.#append(frameKind.batch, buffer, payloadBytes, revision);
    this.#batchEnd = this.end;
    this.#extendAhead();
  }

  appendMark(): Promise<void> {
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
    await Promise.allSettled([this.#extension, this.#flush]);
    await this.segment.release();
  }

  async #append(kind: number, buffer: Buffer, payloadBytes: number, revision: number): Promise<void> {
    const start = this.end;
    const bytes = frameBytes(payloadBytes);
    assert(revision >= this.revision, 'revisions never fall');
    await this.#makeRoom(start + bytes + END_BYTES);
    assert(this.end === start, 'one frame is appended at a time');

    const fields = {
      kind,
      payloadBytes,
      previousChecksum: this.previousChecksum,
      durableOffset: this.durableOffset,
      revision,
    };
    const checksum = sealFrame(buffer, 0, fields, this.#seed);
    await this.#failStop.run(() => this.#file.write(buffer.subarray(0, bytes), start));
    this.segment.index.add(start, this.previousChecksum, this.revision);
    this.end = start + bytes;
    this.previousChecksum = checksum;
    this.revision = revision;
    this.#provenOffset = fields.durableOffset;
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
    if (bytes > this.#zeroedBytes) await this.#writeZeros(bytes);
    if (bytes > this.#flushedBytes) await this.flush();
  }

  /**
   * Writes the next zeros beside the frames when few are left, and has them flushed before they are needed: by the flush
   * of some later frame, or, where none may come in time, by one of their own.
   */
  #extendAhead(): void {
    if (this.#extension !== undefined || this.#zeroedBytes >= this.#segmentBytes) return;
    const bytesAhead = this.#bytesAhead();
    if (this.#zeroedBytes - this.end > bytesAhead / 2) return;
    // A failure is told by the fail-stop; who waits for the room finds it there.
    this.#extension = this.#extend(bytesAhead)
      .catch(() => {})
      .finally(() => {
        this.#extension = undefined;
      });
  }

  /** So many bytes the file grows by: where each growth costs a flush, by as much as there is, within bounds. */
  #bytesAhead(): number {
    const chunkBytes = this.#chunk.length;
    if (this.#flushesEachBatch) return chunkBytes;
    return Math.min(Math.max(this.end, chunkBytes), CHUNKS_PER_FLUSH_MAX * chunkBytes);
  }

  async #extend(bytesAhead: number): Promise<void> {
    await this.#writeZeros(Math.min(this.#zeroedBytes + bytesAhead, this.#segmentBytes));
    if (!this.#flushesEachBatch) await this.flush();
  }

  /** Makes the file at least `bytesMin` long: by whole chunks. */
  async #writeZeros(bytesMin: number): Promise<void> {
    while (this.#zeroedBytes < bytesMin) {
      await this.#failStop.run(() => this.#file.write(this.#chunk, this.#zeroedBytes));
      this.#zeroedBytes += this.#chunk.length;
      this.segment.fileBytes = this.#zeroedBytes;
    }
  }
}

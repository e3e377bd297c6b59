/**
 * The one way through the frames of a segment, for recovery, for readers beside the writer and for tools: all of them go by the
 * same checks.
 */
import type { DiskFile } from '../../disk/disk.ts';
import { fixed } from '../../limits.ts';
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  type FrameHeader,
  isPayloadIntact,
  isZero,
  readFrameHeader,
} from '../../wire/frame.ts';
import { frameKind, SEGMENT_HEADER_OFFSET } from './format.ts';

/** So much of a segment is read at a time, a longer frame aside: few calls, and no long stop of the event loop. */
export const PIECE_BYTES = 256 * 1024;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Where a cursor begins, and what it must find to be linked to there. */
export interface CursorStart {
  readonly offset: number;
  /** The header checksum of the frame before. */
  readonly previousChecksum: number;
  /** The highest revision in all frames before. */
  readonly revision: number;
}

/** What `read` found at the cursor. */
export type CursorStep =
  /** A whole frame in its right place; the cursor has moved behind it. */
  | 'frame'
  /** `bytesNeeded` bytes from `offset` on must be loaded first. */
  | 'more'
  /** A frame header of zeros: the end of the content. */
  | 'zeros'
  /** No frame: the checksum of a header or payload is wrong. A torn write or damage. */
  | 'broken'
  /** What no torn write can explain; `fault` says what. */
  | 'wrong';

/**
 * Goes from frame to frame through a segment and verifies each: checksums, the link to the one before, the order of
 * revisions. It changes nothing and decides nothing; its caller knows what a broken frame means there.
 */
export class FrameCursor {
  /** Where the next frame is expected. */
  offset: number;
  /** Header checksum, revision and durable offset of the last frame. */
  previousChecksum: number;
  revision: number;
  durableOffset = 0;
  /** Where the last batch ends; 0 before the first. */
  batchEnd = 0;

  /** After `frame`: the frame, and where its payload lies in `buffer`. */
  header: FrameHeader | undefined;
  payloadStart = 0;
  payloadEnd = 0;
  /** After `broken` and `wrong`: what is not as it should be. After `more`: how much is needed. */
  fault = '';
  bytesNeeded = 0;
  /** After `broken`: a frame that follows can't begin before this offset. */
  searchOffset = 0;

  buffer = NO_BYTES;
  /** Which bytes of the segment are in `buffer`. */
  #loadedStart = 0;
  #loadedEnd = 0;
  /** Whether the payload of the frame at the cursor was checked before in this buffer. */
  #isChecked = false;
  readonly #seed: number;

  constructor(seed: number, start: CursorStart) {
    this.#seed = seed;
    this.offset = start.offset;
    this.previousChecksum = start.previousChecksum;
    this.revision = start.revision;
  }

  /**
   * Fills `buffer` with the segment from the cursor on, but not past `limit`.
   * @returns the limit, or where the file ends if that is before it.
   */
  async load(file: DiskFile, buffer: Buffer, limit: number): Promise<number> {
    const wanted = Math.min(buffer.length, limit - this.offset);
    this.unload();
    const read = await file.read(buffer.subarray(0, wanted), this.offset);
    this.buffer = buffer;
    this.#loadedEnd = this.offset + read;
    return read < wanted ? this.#loadedEnd : limit;
  }

  /**
   * Goes on in a buffer that holds the whole frame at the cursor.
   * @param isChecked whether a cursor has read that frame from it before: a long one takes milliseconds.
   */
  use(frame: Buffer, isChecked: boolean): void {
    this.unload();
    this.buffer = frame;
    this.#loadedEnd = this.offset + frame.length;
    this.#isChecked = isChecked;
  }

  /** Where it is: another cursor can begin there. */
  place(): CursorStart {
    const { offset, previousChecksum, revision } = this;
    return { offset, previousChecksum, revision };
  }

  /** Lets go of the buffer. */
  unload(): void {
    this.buffer = NO_BYTES;
    this.#isChecked = false;
    this.#loadedStart = this.#loadedEnd = this.offset;
  }

  /** Reads the frame at the cursor. `limit` is the length of the file, or where the part of it ends that may be read. */
  read(limit: number): CursorStep {
    const left = limit - this.offset;
    if (left < FRAME_HEADER_BYTES) return this.#wrong(`the file ends at ${limit}, where more must follow`);
    const loaded = this.#loadedEnd - this.offset;
    if (loaded < FRAME_HEADER_BYTES) return this.#more(FRAME_HEADER_BYTES);

    const start = this.offset - this.#loadedStart;
    const header = readFrameHeader(this.buffer, start, this.#seed);
    if (header === undefined) {
      if (isZero(this.buffer, start, start + FRAME_HEADER_BYTES)) return 'zeros';
      return this.#broken('the checksum of a frame header is wrong', this.offset);
    }
    const misplaced = this.#misplaced(header);
    if (misplaced !== undefined) return this.#wrong(misplaced);

    const totalBytes = frameBytes(header.payloadBytes);
    if (totalBytes > left)
      return this.#wrong(`the file ends at ${limit}, within a frame of ${totalBytes} bytes`);
    if (totalBytes > loaded) return this.#more(totalBytes);
    if (!this.#isChecked && !isPayloadIntact(this.buffer, start, header, this.#seed)) {
      return this.#broken('the checksum of a frame is wrong', this.offset + totalBytes);
    }
    this.#isChecked = false;

    this.header = header;
    this.payloadStart = start + FRAME_HEADER_BYTES;
    this.payloadEnd = this.payloadStart + header.payloadBytes;
    this.offset += totalBytes;
    this.previousChecksum = header.headerChecksum;
    this.revision = header.revision;
    this.durableOffset = header.durableOffset;
    if (header.kind === frameKind.batch) this.batchEnd = this.offset;
    return 'frame';
  }

  /** Why a frame whose header is right can't stand here; `undefined` when it can. */
  #misplaced(header: FrameHeader): string | undefined {
    if (header.previousChecksum !== this.previousChecksum) {
      return 'a frame does not follow the one before: one is missing, repeated or out of place';
    }
    if (header.revision < this.revision)
      return `revision ${header.revision} follows revision ${this.revision}`;
    if (header.durableOffset > this.offset || header.durableOffset < this.durableOffset) {
      return `a frame has the durable offset ${header.durableOffset}`;
    }
    if ((header.kind === frameKind.segmentHeader) !== (this.offset === SEGMENT_HEADER_OFFSET)) {
      return 'a segment header is missing or out of place';
    }
    switch (header.kind) {
      case frameKind.segmentHeader:
      case frameKind.batch:
        if (header.payloadBytes === 0) return 'a frame is empty';
        break;
      case frameKind.mark:
        if (header.payloadBytes !== 0) return 'a mark has a payload';
        break;
      default:
        return `a frame has the unknown kind ${header.kind}`;
    }
    if (header.payloadBytes > fixed.frameBytesMax) return `a frame has ${header.payloadBytes} bytes`;
    if (header.kind !== frameKind.batch && header.revision !== this.revision) {
      return `revision ${header.revision} stands in a frame without records`;
    }
    return undefined;
  }

  #more(bytesNeeded: number): CursorStep {
    this.bytesNeeded = bytesNeeded;
    return 'more';
  }

  #broken(fault: string, searchOffset: number): CursorStep {
    this.fault = fault;
    this.searchOffset = searchOffset;
    return 'broken';
  }

  #wrong(fault: string): CursorStep {
    this.fault = fault;
    return 'wrong';
  }
}

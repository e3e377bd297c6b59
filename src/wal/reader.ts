import { DiskError, type DiskFile } from '../disk/disk.ts';
import { assert, StoreError } from '../errors.ts';
import { damageError } from './damage.ts';
import { frameKind, SEGMENT_HEADER_OFFSET } from './format.ts';
import { type CursorStart, FrameCursor } from './frame-cursor.ts';
import type { PieceBuffers } from './piece-buffers.ts';
import { type OnRecord, visitRecords } from './records.ts';
import type { SegmentRow } from './segment-row.ts';
import type { Segment } from './segment.ts';

export type ReadResult =
  /** Records were handed on; there may be more. */
  | 'read'
  /** Nothing more is durable now. */
  | 'end'
  /** The segment that holds the next revision was removed. */
  | 'removed';

/** Reads records again, from an old revision towards the newest one, while the log is being written. */
export interface LogReader {
  /**
   * Hands on the next durable records in order, about 64 KiB of them or one frame. The first frame may begin with
   * records below the revision asked for: the caller skips those. One call at a time.
   * @throws StoreError `damaged`, `closed`.
   */
  next(onRecord: OnRecord): Promise<ReadResult>;
  /** Lets go of the segment; waits for a `next` under way. */
  close(): Promise<void>;
}

/** What a reader sees of the log. */
export interface ReaderSource {
  readonly row: SegmentRow;
  readonly pieceBuffers: PieceBuffers;
  readonly isClosed: () => boolean;
}

/** Where a reader is. The segment is acquired. */
interface Place {
  readonly segment: Segment;
  readonly file: DiskFile;
  readonly cursor: FrameCursor;
}

export class SegmentReader implements LogReader {
  readonly #source: ReaderSource;
  readonly #fromRevision: number;
  /** `undefined` before the first piece and after the last. */
  #place: Place | undefined;
  #isRemoved = false;
  #isClosed = false;
  #underWay: Promise<ReadResult> | undefined;

  constructor(source: ReaderSource, fromRevision: number) {
    this.#source = source;
    this.#fromRevision = fromRevision;
  }

  async next(onRecord: OnRecord): Promise<ReadResult> {
    assert(this.#underWay === undefined, 'a log reader is asked for one piece at a time');
    assert(!this.#isClosed, 'a closed log reader is not asked');
    if (this.#source.isClosed()) throw new StoreError('closed', 'the store is closed');
    this.#underWay = this.#next(onRecord);
    try {
      return await this.#underWay;
    } finally {
      this.#underWay = undefined;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#underWay?.catch(() => {});
    await this.#leave();
  }

  async #next(onRecord: OnRecord): Promise<ReadResult> {
    if (this.#isRemoved || !(await this.#begin())) return this.#removed();
    for (;;) {
      const place = this.#place;
      assert(place !== undefined, 'the reader has begun');
      if (place.cursor.offset !== place.segment.readableEnd) {
        if (await this.#readPiece(place, onRecord)) return 'read';
        continue;
      }
      const { next } = place.segment;
      if (next === undefined) return 'end';
      const { previousChecksum, revision } = place.cursor;
      if (!(await this.#enter(next, { offset: SEGMENT_HEADER_OFFSET, previousChecksum, revision }))) {
        return this.#removed();
      }
    }
  }

  /** Goes to the frame to begin with. @returns false when it was removed. */
  async #begin(): Promise<boolean> {
    if (this.#place !== undefined) return true;
    const segment = this.#source.row.holderOf(this.#fromRevision);
    if (segment === undefined) return false;
    const start = segment.index.find(this.#fromRevision) ?? {
      offset: SEGMENT_HEADER_OFFSET,
      previousChecksum: segment.previousChecksum,
      revision: segment.firstRevision - 1,
    };
    return this.#enter(segment, start);
  }

  async #enter(segment: Segment, start: CursorStart): Promise<boolean> {
    if (segment.isRemoved) return false;
    let file: DiskFile;
    try {
      file = await segment.acquire('read');
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (error.code === 'notFound' && segment.isRemoved) return false;
      if (error.code !== 'tooManyFiles') throw error;
      throw new StoreError(
        'limitReached',
        'as many files and connections are open as the process may have, so old revisions can not be read from the log for now; wait a moment and begin again at the same revision',
        { cause: error },
      );
    }
    await this.#leave();
    this.#place = { segment, file, cursor: new FrameCursor(this.#source.row.seed, start) };
    return true;
  }

  async #leave(): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    await place?.segment.release();
  }

  async #removed(): Promise<ReadResult> {
    this.#isRemoved = true;
    await this.#leave();
    return 'removed';
  }

  /** Reads up to a piece or the end of the segment. @returns whether a record was handed on. */
  async #readPiece(place: Place, onRecord: OnRecord): Promise<boolean> {
    const { segment, file, cursor } = place;
    const { pieceBuffers } = this.#source;
    const piece = await pieceBuffers.take();
    try {
      // More may become readable meanwhile; this piece ends where it was to end.
      const pieceEnd = segment.readableEnd;
      let limit = pieceEnd ?? segment.fileBytes;
      let handedOn = false;
      for (;;) {
        if (cursor.offset === pieceEnd || cursor.offset === segment.readableEnd) return handedOn;
        const { offset } = cursor;
        switch (cursor.read(limit)) {
          case 'frame':
            if (this.#handOn(place, offset, onRecord)) handedOn = true;
            break;
          case 'more': {
            if (handedOn) return true;
            const buffer = cursor.bytesNeeded > piece.length ? Buffer.allocUnsafe(cursor.bytesNeeded) : piece;
            limit = await cursor.load(file, buffer, limit);
            break;
          }
          case 'zeros':
            if (segment.readableEnd === undefined && segment.next !== undefined) {
              segment.readableEnd = offset;
              return handedOn;
            }
            throw damageError(segment.path, offset, 'there are zeros where a frame must be', cursor.revision);
          case 'broken':
          case 'wrong':
            throw damageError(segment.path, offset, cursor.fault, cursor.revision);
        }
      }
    } finally {
      cursor.unload();
      pieceBuffers.give(piece);
    }
  }

  #handOn({ segment, cursor }: Place, offset: number, onRecord: OnRecord): boolean {
    if (cursor.header?.kind !== frameKind.batch || cursor.revision < this.#fromRevision) return false;
    if (visitRecords(cursor.buffer, cursor.payloadStart, cursor.payloadEnd, onRecord)) return true;
    throw damageError(segment.path, offset, 'a frame holds no batch of records', cursor.revision);
  }
}

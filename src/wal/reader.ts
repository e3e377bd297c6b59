/**
 * Reading the log again while it is written, for watches that have fallen behind. A reader sees what is durable and nothing
 * else, and keeps the file of its segment open until it is done with it, so that removing the segment does not break a read.
 */
import { DiskError, type DiskFile } from '../disk/disk.ts';
import { assert, StoreError } from '../errors.ts';
import { damageError } from './frames/damage.ts';
import { frameKind, SEGMENT_HEADER_OFFSET } from './frames/format.ts';
import { type CursorStart, FrameCursor } from './frames/frame-cursor.ts';
import type { LongFrame, LongFrames } from './frames/long-frames.ts';
import type { PieceBuffers } from './frames/piece-buffers.ts';
import { NO_BATCH, walkRecords, type WalkRecord } from './frames/records.ts';
import type { SegmentRow } from './segments/segment-row.ts';
import type { Segment } from './segments/segment.ts';

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
   *
   * `onRecord` returns false to stop: the next call begins with the same record, at the same bytes, though not in the
   * same buffer. So a long record can be gone through in parts, and costs no more to read than one that is not.
   * @throws StoreError `damaged`, `closed`.
   */
  next(onRecord: WalkRecord): Promise<ReadResult>;
  /** Lets go of the segment; waits for a `next` under way. */
  close(): Promise<void>;
}

/** What a reader sees of the log. */
export interface ReaderSource {
  readonly row: SegmentRow;
  readonly pieceBuffers: PieceBuffers;
  readonly longFrames: LongFrames;
  readonly isClosed: () => boolean;
}

/** Where a reader is. The segment is acquired. */
interface Place {
  readonly segment: Segment;
  readonly file: DiskFile;
  cursor: FrameCursor;
  /** Where in the payload of the frame at the cursor the walk was stopped; 0: it begins with its first record. */
  stoppedAt: number;
  /** Where the long frame lies that this reader is within. */
  longFrame: string | undefined;
}

export class SegmentReader implements LogReader {
  readonly #source: ReaderSource;
  readonly #fromRevision: number;
  /** The notes behind `fromRevision` are wanted, also where the log begins behind it. */
  readonly #isBehind: boolean;
  /** `undefined` before the first piece and after the last. */
  #place: Place | undefined;
  #isRemoved = false;
  #isClosed = false;
  #underWay: Promise<ReadResult> | undefined;

  constructor(source: ReaderSource, fromRevision: number, isBehind = false) {
    this.#source = source;
    this.#fromRevision = fromRevision;
    this.#isBehind = isBehind;
  }

  async next(onRecord: WalkRecord): Promise<ReadResult> {
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

  async #next(onRecord: WalkRecord): Promise<ReadResult> {
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
      const start = { ...place.cursor.place(), offset: SEGMENT_HEADER_OFFSET };
      if (!(await this.#enter(next, start))) return this.#removed();
    }
  }

  /** Goes to the frame to begin with. @returns false when it was removed. */
  async #begin(): Promise<boolean> {
    if (this.#place !== undefined) return true;
    const { row } = this.#source;
    const segment = this.#isBehind ? row.firstBehind(this.#fromRevision) : row.holderOf(this.#fromRevision);
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
    const cursor = new FrameCursor(this.#source.row.seed, start);
    this.#place = { segment, file, cursor, stoppedAt: 0, longFrame: undefined };
    return true;
  }

  async #leave(): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    if (place === undefined) return;
    this.#leaveLongFrame(place);
    await place.segment.release();
  }

  async #removed(): Promise<ReadResult> {
    this.#isRemoved = true;
    await this.#leave();
    return 'removed';
  }

  /** Reads up to a piece or the end of the segment. @returns whether a record was handed on. */
  async #readPiece(place: Place, onRecord: WalkRecord): Promise<boolean> {
    const { segment, file, cursor } = place;
    const { pieceBuffers } = this.#source;
    const piece = await pieceBuffers.take();
    let longFrame = this.#holdLongFrame(place);
    if (longFrame !== undefined) cursor.use(longFrame.buffer, longFrame.isChecked);
    try {
      // More may become readable meanwhile; this piece ends where it was to end.
      const pieceEnd = segment.readableEnd;
      let limit = pieceEnd ?? segment.fileBytes;
      let handedOn = false;
      for (;;) {
        if (cursor.offset === pieceEnd || cursor.offset === segment.readableEnd) return handedOn;
        const start = cursor.place();
        switch (cursor.read(limit)) {
          case 'frame': {
            if (longFrame !== undefined) longFrame.isChecked = true;
            const outcome = this.#handOn(place, start.offset, onRecord);
            if (outcome === 'stopped') {
              place.cursor = new FrameCursor(this.#source.row.seed, start);
              return true;
            }
            if (outcome === 'handedOn') handedOn = true;
            longFrame = undefined;
            this.#leaveLongFrame(place);
            break;
          }
          case 'more':
            if (handedOn) return true;
            if (cursor.bytesNeeded <= piece.length) {
              limit = await cursor.load(file, piece, limit);
            } else {
              ({ longFrame, limit } = await this.#loadLongFrame(place, limit));
            }
            break;
          case 'zeros':
            if (segment.readableEnd === undefined && segment.next !== undefined) {
              segment.readableEnd = start.offset;
              return handedOn;
            }
            throw damageError(
              segment.path,
              start.offset,
              'there are zeros where a frame must be',
              cursor.revision,
            );
          case 'broken':
          case 'wrong':
            throw damageError(segment.path, start.offset, cursor.fault, cursor.revision);
        }
      }
    } finally {
      cursor.unload();
      pieceBuffers.give(piece);
    }
  }

  #handOn(place: Place, offset: number, onRecord: WalkRecord): 'passed' | 'handedOn' | 'stopped' {
    const { segment, cursor, stoppedAt } = place;
    if (cursor.header?.kind !== frameKind.batch || cursor.revision < this.#fromRevision) return 'passed';
    const { buffer, payloadStart, payloadEnd } = cursor;
    const walkEnd = walkRecords(buffer, payloadStart + stoppedAt, payloadEnd, onRecord);
    if (walkEnd === NO_BATCH) {
      throw damageError(segment.path, offset, 'a frame holds no batch of records', cursor.revision);
    }
    place.stoppedAt = walkEnd === payloadEnd ? 0 : walkEnd - payloadStart;
    return walkEnd === payloadEnd ? 'handedOn' : 'stopped';
  }

  /** The long frame at the cursor, if it is kept. */
  #holdLongFrame(place: Place): LongFrame | undefined {
    const name = placeName(place);
    const frame = this.#source.longFrames.hold(name, this);
    if (frame !== undefined) place.longFrame = name;
    return frame;
  }

  /** Loads the frame at the cursor, which is longer than a piece. @returns it, and `limit` as `load` gives it. */
  async #loadLongFrame(place: Place, limit: number): Promise<{ longFrame: LongFrame; limit: number }> {
    const { longFrames } = this.#source;
    const { cursor, file } = place;
    const endTurn = await longFrames.takeTurn();
    try {
      const kept = this.#holdLongFrame(place);
      if (kept !== undefined) {
        cursor.use(kept.buffer, kept.isChecked);
        return { longFrame: kept, limit };
      }
      const buffer = Buffer.allocUnsafe(cursor.bytesNeeded);
      const newLimit = await cursor.load(file, buffer, limit);
      const name = placeName(place);
      place.longFrame = name;
      return { longFrame: longFrames.keep(name, buffer, this), limit: newLimit };
    } finally {
      endTurn();
    }
  }

  #leaveLongFrame(place: Place): void {
    if (place.longFrame === undefined) return;
    this.#source.longFrames.leave(place.longFrame, this);
    place.longFrame = undefined;
  }
}

/** Names the place of the frame at the cursor in the whole log. */
function placeName({ segment, cursor }: Place): string {
  return `${segment.firstRevision}+${cursor.offset}`;
}

/** Reading the log when it is opened: every frame verified, torn writes cut off, damage refused. */
import type { Clock } from '../clock.ts';
import type { DiskFile } from '../disk/disk.ts';
import { assert } from '../errors.ts';
import { frameKind, SEGMENT_HEADER_OFFSET } from './frames/format.ts';
import { damageError } from './frames/damage.ts';
import { FrameCursor, PIECE_BYTES } from './frames/frame-cursor.ts';
import { type OnRecord, visitRecords } from './frames/records.ts';
import type { AppendPosition } from './segments/segment-writer.ts';
import { type BrokenFrame, judgeSegmentEnd, type TornTail } from './segments/segment-end.ts';
import type { Segment } from './segments/segment.ts';
import { writeZeros } from './segments/tail.ts';

/** No call is served meanwhile, so that fewer calls count for more than short stops of the event loop. */
const RECOVERY_PIECE_BYTES = 4 * PIECE_BYTES;

export type OnProgress = (doneBytes: number, totalBytes: number) => void;

export interface RecoveryRequest {
  readonly clock: Clock;
  /** From the one that holds `afterRevision` to the newest; at least one. */
  readonly segments: readonly Segment[];
  readonly seed: number;
  readonly afterRevision: number;
  readonly onRecord: OnRecord;
  readonly onProgress: OnProgress;
}

/** Where the log goes on. All of it is on disk. */
export interface RecoveredEnd {
  /** The newest segment's file, acquired for writing. */
  readonly file: DiskFile;
  readonly position: AppendPosition;
  readonly torn: TornTail | undefined;
}

/**
 * Reads the segments in order. Records are handed on from the frame that holds `afterRevision`, since notes may
 * follow it there, and from all that come after. Only when everything was found right the torn tail is cut off: an error has changed nothing.
 */
export async function recover(request: RecoveryRequest): Promise<RecoveredEnd> {
  const { segments, afterRevision } = request;
  const newest = segments.at(-1);
  assert(newest !== undefined, 'there is a segment to recover from');
  const totalBytes = segments.reduce((sum, segment) => sum + segment.fileBytes, 0);

  const file = await newest.acquire('readWrite');
  try {
    const { cursor, torn } = await readSegments(request, totalBytes);
    if (cursor.revision < afterRevision) {
      const what = `the log ends at revision ${cursor.revision}, but revision ${afterRevision} had been reached`;
      throw damageError(newest.path, cursor.offset, what, cursor.revision);
    }
    await rewrite(file, cursor.durableOffset, cursor.offset);
    await writeZeros(file, cursor.offset, newest.fileBytes);
    await file.sync();
    request.onProgress(totalBytes, totalBytes);
    const position = {
      offset: cursor.offset,
      previousChecksum: cursor.previousChecksum,
      revision: cursor.revision,
      provenOffset: cursor.durableOffset,
      batchEnd: cursor.batchEnd,
    };
    return { file, position, torn };
  } catch (error) {
    await newest.release();
    throw error;
  }
}

async function readSegments(
  request: RecoveryRequest,
  totalBytes: number,
): Promise<{ cursor: FrameCursor; torn: TornTail | undefined }> {
  let doneBytes = 0;
  let previous: FrameCursor | undefined;
  let torn: TornTail | undefined;
  for (const segment of request.segments) {
    const recovery = new SegmentRecovery(request, segment, previous);
    torn = await recovery.run((bytes) => request.onProgress(doneBytes + bytes, totalBytes));
    doneBytes += segment.fileBytes;
    previous = recovery.cursor;
    segment.readableEnd = previous.offset;
  }
  assert(previous !== undefined, 'a segment was read');
  return { cursor: previous, torn };
}

/** The way through one segment. */
class SegmentRecovery {
  readonly cursor: FrameCursor;
  readonly #request: RecoveryRequest;
  readonly #segment: Segment;
  /** How the row of frames ended: `undefined` with zeros. */
  #brokenAt: BrokenFrame | undefined;

  constructor(request: RecoveryRequest, segment: Segment, previous: FrameCursor | undefined) {
    this.#request = request;
    this.#segment = segment;
    this.cursor = new FrameCursor(request.seed, {
      offset: SEGMENT_HEADER_OFFSET,
      previousChecksum: previous?.previousChecksum ?? segment.previousChecksum,
      revision: previous?.revision ?? segment.firstRevision - 1,
    });
  }

  async run(onProgress: (doneBytes: number) => void): Promise<TornTail | undefined> {
    const file = await this.#segment.acquire('read');
    try {
      await this.#readFrames(file, onProgress);
      return await judgeSegmentEnd(file, this.#segment, this.cursor, this.#brokenAt, this.#request.seed);
    } finally {
      await this.#segment.release();
    }
  }

  /** Hands on every frame up to the first place where none is. */
  async #readFrames(file: DiskFile, onProgress: (doneBytes: number) => void): Promise<void> {
    const { cursor } = this;
    const piece = Buffer.allocUnsafe(RECOVERY_PIECE_BYTES);
    let limit = this.#segment.fileBytes;
    let { offset, previousChecksum, revision } = cursor;
    for (;;) {
      switch (cursor.read(limit)) {
        case 'frame':
          this.#segment.index.add(offset, previousChecksum, revision);
          this.#handOn(offset, revision);
          ({ offset, previousChecksum, revision } = cursor);
          break;
        case 'more': {
          onProgress(cursor.offset);
          await new Promise<void>((resolve) => this.#request.clock.yieldNow(resolve));
          const buffer = cursor.bytesNeeded > piece.length ? Buffer.allocUnsafe(cursor.bytesNeeded) : piece;
          limit = await cursor.load(file, buffer, limit);
          break;
        }
        case 'zeros':
          return;
        case 'broken':
          this.#brokenAt = { fault: cursor.fault, searchOffset: cursor.searchOffset };
          return;
        case 'wrong':
          throw this.#damage(cursor.fault);
      }
    }
  }

  #handOn(offset: number, revisionBefore: number): void {
    const { cursor } = this;
    const { afterRevision, onRecord } = this.#request;
    if (cursor.header?.kind !== frameKind.batch) return;
    // Also the batches that are skipped are checked to be what they claim.
    const isWanted = cursor.revision >= afterRevision;
    const visit = isWanted ? onRecord : () => {};
    if (!visitRecords(cursor.buffer, cursor.payloadStart, cursor.payloadEnd, visit)) {
      throw damageError(this.#segment.path, offset, 'a frame holds no batch of records', revisionBefore);
    }
  }

  #damage(what: string): Error {
    return damageError(this.#segment.path, this.cursor.offset, what, this.cursor.revision);
  }
}

/**
 * Writes again what no later frame proves to have been flushed; so are the zeros behind it. After a flush that failed,
 * the kernel may show bytes that are not on the device and hold them for clean; written anew they are dirty again. From
 * the flush that follows on, whatever recovery handed out is as durable as if it had been acknowledged.
 */
async function rewrite(file: DiskFile, start: number, end: number): Promise<void> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let position = start; position < end; position += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, end - position));
    const read = await file.read(part, position);
    assert(read === part.length, 'a segment that was read does not shrink');
    await file.write(part, position);
  }
}

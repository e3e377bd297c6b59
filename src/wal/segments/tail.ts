/** What stands behind the last valid frame of the newest segment. */
import type { DiskFile } from '../../disk/disk.ts';
import {
  FRAME_ALIGNMENT_BYTES,
  FRAME_HEADER_BYTES,
  mayBeFrameHeader,
  readFrameHeader,
} from '../../wire/frame.ts';
import { FRAME_KIND_MAX } from '../frames/format.ts';
import { PIECE_BYTES } from '../frames/frame-cursor.ts';

/** Zeros to compare with and to write. */
const ZEROS: Buffer = Buffer.alloc(PIECE_BYTES);

export interface Tail {
  /** Behind the last byte that is not zero; where the search began when all are. */
  readonly contentEnd: number;
  /**
   * The offset of a frame that says that the bytes at the start of the search had been flushed; `undefined` when there
   * is none, and all of the tail is the rest of writes that were never finished.
   */
  readonly proofOffset: number | undefined;
}

/**
 * Looks through the file from `offset` on, where the row of valid frames ends.
 *
 * A crash may leave any part of what was written and not flushed: half a frame, or a later frame without the one
 * before. What it can't leave is a frame that was written after the bytes at `offset` had been flushed, while those
 * are not what they were. So a frame with a higher durable offset proves damage. Its header is proof enough: the
 * frame itself may be torn.
 *
 * @param searchOffset where the first such frame may begin: not within a frame whose header is right.
 */
export async function inspectTail(
  file: DiskFile,
  fileBytes: number,
  offset: number,
  searchOffset: number,
  seed: number,
): Promise<Tail> {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES + FRAME_HEADER_BYTES);
  let contentEnd = offset;
  let position = offset;
  while (position < fileBytes) {
    // The bytes of one header more than the piece, for one that begins at its end.
    const wanted = Math.min(buffer.length, fileBytes - position);
    const read = await file.read(buffer.subarray(0, wanted), position);
    const pieceBytes = Math.min(read, PIECE_BYTES);
    if (pieceBytes === 0) break;
    if (!buffer.subarray(0, pieceBytes).equals(ZEROS.subarray(0, pieceBytes))) {
      contentEnd = position + lastNonZero(buffer, pieceBytes) + 1;
      const proof = findProof(
        buffer,
        pieceBytes,
        read,
        position,
        Math.max(searchOffset, offset),
        offset,
        seed,
      );
      if (proof !== undefined) return { contentEnd, proofOffset: proof };
    }
    position += pieceBytes;
  }
  return { contentEnd, proofOffset: undefined };
}

/** Makes zeros of everything from `offset` to `end`. */
export async function writeZeros(file: DiskFile, offset: number, end: number): Promise<void> {
  for (let position = offset; position < end; position += ZEROS.length) {
    await file.write(ZEROS.subarray(0, Math.min(ZEROS.length, end - position)), position);
  }
}

/** The offset of a frame whose header begins in the piece and says that `flushedOffset` had been flushed. */
function findProof(
  buffer: Buffer,
  pieceBytes: number,
  loadedBytes: number,
  position: number,
  searchOffset: number,
  flushedOffset: number,
  seed: number,
): number | undefined {
  const end = Math.min(pieceBytes, loadedBytes - FRAME_HEADER_BYTES + 1);
  for (let start = Math.max(0, searchOffset - position); start < end; start += FRAME_ALIGNMENT_BYTES) {
    if (!mayBeFrameHeader(buffer, start, FRAME_KIND_MAX, flushedOffset, position + start)) continue;
    if (readFrameHeader(buffer, start, seed) !== undefined) return position + start;
  }
  return undefined;
}

function lastNonZero(buffer: Buffer, end: number): number {
  let index = end - 1;
  while (index > 0 && buffer[index] === 0) index--;
  return index;
}

/** What the end of a segment means: nothing, a torn write or damage. */
import type { DiskFile } from '../../disk/disk.ts';
import { damageError } from '../frames/damage.ts';
import type { FrameCursor } from '../frames/frame-cursor.ts';
import type { Segment } from './segment.ts';
import { inspectTail } from './tail.ts';

/** What a crash left of writes that were never acknowledged. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  /** From `offset` to the last byte that was not zero. */
  readonly bytes: number;
}

/** A frame that a cursor found to be broken. */
export type BrokenFrame = Pick<FrameCursor, 'fault' | 'searchOffset'>;

/**
 * Decides what the bytes behind the last whole frame of a segment are. Changes nothing.
 * @param broken how the row of frames ended; `undefined`: with zeros.
 * @returns the torn tail, if there is one. @throws StoreError `damaged`.
 */
export async function judgeSegmentEnd(
  file: DiskFile,
  segment: Segment,
  cursor: FrameCursor,
  broken: BrokenFrame | undefined,
  seed: number,
): Promise<TornTail | undefined> {
  const { path, fileBytes, next } = segment;
  const { offset, revision } = cursor;
  const damage = (what: string): Error => damageError(path, offset, what, revision);
  if (next !== undefined && broken !== undefined) throw damage(broken.fault);

  const tail = await inspectTail(file, fileBytes, offset, broken?.searchOffset ?? offset, seed);
  if (tail.contentEnd === offset) return undefined;
  const fault = broken?.fault ?? 'there are zeros where a frame must be';
  if (next !== undefined) throw damage(fault);
  if (tail.proofOffset !== undefined) {
    throw damage(`${fault}, though the frame at ${tail.proofOffset} was written after it had been flushed`);
  }
  return { file: path, offset, bytes: tail.contentEnd - offset };
}

/**
 * What the store notes with a checkpoint of an engine on disk: all of its state but the keys, as a `CheckpointNotes` message.
 *
 * The notes are of the instant at which they are begun, when the newest revision is the one of the checkpoint. Lease notes that follow
 * in the log are replayed on top, which is harmless, as with a snapshot.
 */
import {
  readCheckpointNotes,
  sizeOfCheckpointNotes,
  writeCheckpointNotes,
  type CheckpointNotesShape,
} from '../../../gen/kelp/storage/v1/checkpoint_codec.ts';
import type { SnapshotHeaderShape, SnapshotLeaseShape } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { fixed } from '../../limits.ts';
import { type CheckpointSource, headerOf } from './checkpoint.ts';

/** Notes that were read. */
export interface ReadNotes {
  readonly header: SnapshotHeaderShape;
  readonly leases: readonly SnapshotLeaseShape[];
}

/** Takes the state as it is at the call, at the newest revision; the leases are copied in turns. */
export async function notesOf(source: CheckpointSource, revision: number): Promise<Buffer> {
  const { clock, leases } = source;
  // Before anything is waited for.
  const walk = leases.openWalk();
  const pieces = [encodeNotes(headerOf(source, revision, revision), [])];
  try {
    for (;;) {
      const page = walk.next(fixed.leasesInTurnMax);
      if (page === undefined) break;
      pieces.push(encodeNotes(undefined, page));
      await new Promise<void>((resolve) => clock.yieldNow(resolve));
    }
  } finally {
    walk.close();
  }
  return Buffer.concat(pieces);
}

/** Several of these one behind the other are notes, too. */
export function encodeNotes(header: SnapshotHeaderShape | undefined, leases: SnapshotLeaseShape[]): Buffer {
  const notes: CheckpointNotesShape = { header, leases };
  const bytes = Buffer.allocUnsafe(sizeOfCheckpointNotes(notes));
  writeCheckpointNotes(notes, bytes, 0);
  return bytes;
}

/** @returns `undefined`: they have no header. @throws WireError when they are no message. */
export function decodeNotes(notes: Uint8Array): ReadNotes | undefined {
  const bytes = Buffer.from(notes);
  const { header, leases } = readCheckpointNotes(bytes, 0, bytes.length);
  return header && { header, leases };
}

/**
 * The notes of a base in a file of their own, so that a merge need not write them again: the bytes as they are. Their length and
 * checksum stand in the manifest.
 */
import type { Disk } from '../../disk/disk.ts';
import { crc32 } from '../../wire/crc32.ts';
import { BaseDamageError } from './damage.ts';
import type { NotesInfo } from './manifest.ts';
import { openExisting } from './table/run-file.ts';

/** So much is written, or read, in one call. */
const STEP_BYTES = 1024 * 1024;

/** Makes the file, and makes it durable; not its name. */
export async function writeNotes(
  disk: Disk,
  path: string,
  number: number,
  notes: Uint8Array,
): Promise<NotesInfo> {
  const file = await disk.create(path);
  try {
    let checksum = 0;
    for (let start = 0; start < notes.length; start += STEP_BYTES) {
      const step = notes.subarray(start, start + STEP_BYTES);
      checksum = crc32(step, checksum);
      await file.write(step, start);
    }
    await file.sync();
    return { number, bytes: notes.length, checksum };
  } finally {
    await file.close();
  }
}

/** Rejects with a `BaseDamageError`, or with what the disk rejects with. */
export async function readNotes(disk: Disk, path: string, info: NotesInfo): Promise<Uint8Array> {
  const file = await openExisting(disk, path);
  try {
    const size = await file.size();
    if (size !== info.bytes)
      throw new BaseDamageError(path, 0, `it has ${size} bytes where the manifest says ${info.bytes}`);
    const notes = new Uint8Array(size);
    if ((await file.read(notes, 0)) !== size) throw new BaseDamageError(path, 0, 'the file ends early');
    if (crc32(notes) !== info.checksum)
      throw new BaseDamageError(path, 0, 'the checksum of the notes does not match');
    return notes;
  } finally {
    await file.close();
  }
}

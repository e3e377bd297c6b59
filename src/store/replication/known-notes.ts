/**
 * The notes behind a revision that a follower has. They have no revision themselves, so it tells its server which they are by their number
 * and a checksum of their bytes: a server that was put back to an earlier state has others, or fewer.
 */
import { crc32 } from 'node:zlib';

export interface KnownNotes {
  readonly count: number;
  /** CRC-32 of the records, one behind the other, without their prefixes. */
  readonly checksum: number;
}

export const NO_NOTES: KnownNotes = { count: 0, checksum: 0 };

export class NoteSum implements KnownNotes {
  count = 0;
  checksum = 0;

  add(buffer: Buffer, start: number, end: number): void {
    this.checksum = crc32(buffer.subarray(start, end), this.checksum);
    this.count++;
  }

  /** A revision has come: its notes are those behind it. */
  clear(): void {
    this.count = this.checksum = 0;
  }
}

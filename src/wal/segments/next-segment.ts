/**
 * The making of a segment, in three steps, so that what can fail for want of descriptors or space comes first:
 *
 * 1. `prepare`: a file of zeros under a temporary name, and the folder, both open. Nothing of the log has changed.
 * 2. `seal`: the header, which names the last frame of the segment before, and the flush. The same holds.
 * 3. `place`: the file gets its name, durably. No descriptor is needed any more. From here on the segment before has come
 *    to its end: a frame that followed there would contradict the header.
 *
 * A segment that is given up before `place` leaves a temporary file at most, which the next start removes.
 */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { formatSegmentName, type SegmentName, temporaryName } from '../frames/format.ts';
import type { HeldDirectory } from './held-directory.ts';
import { segmentStartBytes, type SegmentStart } from './segment-header.ts';

/** Where frames go on in a segment that has nothing but its header. */
export interface SegmentBegin {
  readonly headerChecksum: number;
  readonly end: number;
}

export class NextSegment {
  readonly name: SegmentName;
  readonly fileBytes: number;
  /** Open for writing, also after `place`. */
  readonly file: DiskFile;
  readonly #disk: Disk;
  readonly #directory: HeldDirectory;
  readonly #path: string;

  private constructor(
    disk: Disk,
    directory: HeldDirectory,
    name: SegmentName,
    file: DiskFile,
    fileBytes: number,
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.name = name;
    this.file = file;
    this.fileBytes = fileBytes;
    this.#path = pathOf(directory, name);
  }

  /** @param fileBytes the length of the file. */
  static async prepare(
    disk: Disk,
    directory: HeldDirectory,
    name: SegmentName,
    fileBytes: number,
  ): Promise<NextSegment> {
    await directory.hold();
    const temporary = temporaryName(pathOf(directory, name));
    // That of a try before, which could not be removed then.
    await disk.remove(temporary);
    const next = new NextSegment(disk, directory, name, await disk.create(temporary), fileBytes);
    try {
      await next.file.write(Buffer.alloc(fileBytes), 0);
    } catch (error) {
      await next.giveUp();
      throw error;
    }
    return next;
  }

  /** @throws what the disk says; then the segment was given up. */
  async seal(start: SegmentStart): Promise<SegmentBegin> {
    try {
      const { bytes, headerChecksum } = segmentStartBytes(start);
      await this.file.write(bytes, 0);
      await this.file.sync();
      return { headerChecksum, end: bytes.length };
    } catch (error) {
      await this.giveUp();
      throw error;
    }
  }

  /** @throws what the disk says; then it is not known whether the segment is there. */
  async place(): Promise<void> {
    try {
      await this.#disk.rename(temporaryName(this.#path), this.#path);
      this.file.renamedTo(this.#path);
      await (await this.#directory.hold()).sync();
    } catch (error) {
      await this.file.close().catch(() => undefined);
      throw error;
    }
  }

  /** Why it is given up is what counts, not whether this works. */
  async giveUp(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await this.#disk.remove(temporaryName(this.#path)).catch(() => undefined);
  }
}

function pathOf(directory: HeldDirectory, name: SegmentName): string {
  return `${directory.path}/${formatSegmentName(name)}`;
}

/** One segment as its writer and its readers share it; its file is open while one of them uses it. */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { assert } from '../../errors.ts';
import { formatSegmentName, type SegmentName } from '../frames/format.ts';
import { SegmentIndex } from './segment-index.ts';

/** What a segment says of itself. */
export interface SegmentDescription {
  readonly directory: string;
  readonly name: SegmentName;
  readonly formatVersion: number;
  /** The header checksum of the last frame of the segment before; 0 in the first one of a store. */
  readonly previousChecksum: number;
  /** The first revision of the segment before; 0 in the first one of a store. */
  readonly previousFirstRevision: number;
}

/**
 * One segment of the log: where it is, how much of it may be read, and the one open file that its writer and all of
 * its readers share.
 */
export class Segment {
  readonly path: string;
  readonly name: SegmentName;
  /** Only one of the newest form is written. */
  readonly formatVersion: number;
  readonly previousChecksum: number;
  readonly previousFirstRevision: number;
  readonly index = new SegmentIndex();

  /** The length of the file. */
  fileBytes = 0;
  /** Readers may read up to here; `undefined` in a segment that was not read yet: to the end of its content. */
  readableEnd: number | undefined;
  /** The segment that follows; it is set once nothing more is written to this one. */
  next: Segment | undefined;
  isRemoved = false;

  readonly #disk: Disk;
  #file: Promise<DiskFile> | undefined;
  #userCount = 0;

  constructor(disk: Disk, description: SegmentDescription) {
    this.#disk = disk;
    this.name = description.name;
    this.path = `${description.directory}/${formatSegmentName(description.name)}`;
    this.formatVersion = description.formatVersion;
    this.previousChecksum = description.previousChecksum;
    this.previousFirstRevision = description.previousFirstRevision;
  }

  /** The first revision that a record in here may have. */
  get firstRevision(): number {
    return this.name.firstRevision;
  }

  /**
   * The open file; each call is paid back by one of `release`. Who writes comes first, since the mode is that of the
   * first caller.
   */
  async acquire(mode: 'read' | 'readWrite'): Promise<DiskFile> {
    this.#userCount++;
    const opening = (this.#file ??= this.#disk.open(this.path, mode));
    try {
      return await opening;
    } catch (error) {
      this.#userCount--;
      // Another caller may have opened it since.
      if (this.#file === opening) this.#file = undefined;
      throw error;
    }
  }

  /** The file that was just made and is open for writing: the same as `acquire`, but that it needs no descriptor. */
  adopt(file: DiskFile): void {
    assert(this.#file === undefined, 'a segment has one open file');
    this.#userCount++;
    this.#file = Promise.resolve(file);
  }

  /** The last one to release the file closes it. */
  async release(): Promise<void> {
    this.#userCount--;
    const file = this.#file;
    if (this.#userCount > 0 || file === undefined) return;
    this.#file = undefined;
    await (await file).close();
  }
}

/**
 * The segments of a log as one row: appending a new one and removing old ones, each in the order of steps that leaves no gap
 * whenever the process ends.
 */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { assert } from '../../errors.ts';
import { damageError } from '../frames/damage.ts';
import { chunkBytes, FORMAT_VERSION, type SegmentName } from '../frames/format.ts';
import { HeldDirectory } from './held-directory.ts';
import { NextSegment, type SegmentBegin } from './next-segment.ts';
import { frameSeed, type SegmentStart } from './segment-header.ts';
import type { AppendPosition } from './segment-writer.ts';
import { Segment } from './segment.ts';

/** An id is the first revision that a segment may hold, by which its file is named. */
export interface LogStats {
  /** The length of all segments, zeros ahead of use included. */
  readonly bytes: number;
  readonly segmentCount: number;
  /** Of the segment that is written. */
  readonly activeSegmentId: number;
  readonly oldestSegmentId: number;
}

/** What a reading of what lies behind a revision begins with. */
export type StartBehind =
  /** The revision's own record; of revision 0, all that there ever was. */
  | 'record'
  /** What came first behind a state of that revision, which was put here as a whole: some notes may be in that alone. */
  | 'state'
  /** Some of it was removed. */
  | 'removed';

/** A segment that was just made. */
export interface NewSegment {
  readonly segment: Segment;
  /** Acquired for writing. */
  readonly file: DiskFile;
  readonly position: AppendPosition;
}

/** A segment that lacks nothing but its name. */
export interface SealedSegment {
  readonly next: NextSegment;
  readonly segment: Segment;
  readonly begin: SegmentBegin;
}

/** The segments of a log in order: the oldest are removed, the newest is written, each is linked to the next. */
export class SegmentRow {
  readonly storeId: Uint8Array;
  /** What the checksums of the store's frames begin from. */
  readonly seed: number;
  readonly #disk: Disk;
  readonly #directory: HeldDirectory;
  readonly #segments: Segment[];
  /** Removals run one after the other. */
  #removal: Promise<void> = Promise.resolve();
  /** No longer in the row, and not known to be gone from the folder: it goes before any other. */
  #leaving: Segment | undefined;
  /** After a flush of the folder has failed it is not known which names are durable: nothing more is removed. */
  #removalFailure: Error | undefined;

  constructor(disk: Disk, directory: string, storeId: Uint8Array, segments: Segment[]) {
    this.#disk = disk;
    this.#directory = new HeldDirectory(disk, directory);
    this.storeId = storeId;
    this.seed = frameSeed(storeId);
    this.#segments = segments;
  }

  get newest(): Segment {
    const newest = this.#segments.at(-1);
    assert(newest !== undefined, 'a log has a segment');
    return newest;
  }

  /** The first revision of the oldest segment. */
  get oldestRevision(): number {
    return this.#segments[0]?.firstRevision ?? 1;
  }

  stats(): LogStats {
    return {
      bytes: this.#segments.reduce((sum, segment) => sum + segment.fileBytes, 0),
      segmentCount: this.#segments.length,
      activeSegmentId: this.newest.firstRevision,
      oldestSegmentId: this.oldestRevision,
    };
  }

  /** The first revision of the longest row of newest segments that have `bytes` together at most, or of the newest. */
  oldestRevisionWithin(bytes: number): number {
    let left = bytes - this.newest.fileBytes;
    let oldest = this.newest;
    for (const segment of this.#segments.slice(0, -1).reverse()) {
      left -= segment.fileBytes;
      if (left < 0) break;
      oldest = segment;
    }
    return oldest.firstRevision;
  }

  /** The segment that holds a revision, or will; `undefined` when it was removed. */
  holderOf(revision: number): Segment | undefined {
    return this.#segments.findLast((segment) => segment.firstRevision <= revision);
  }

  /**
   * The segments to read where the state after `revision` is known: from the one that holds it on, since notes may
   * follow it there.
   */
  after(revision: number): readonly Segment[] {
    const holder = this.#segments.findLastIndex((segment) => segment.firstRevision <= revision);
    if (holder >= 0) return this.#segments.slice(holder);
    const oldest = this.#segments[0];
    if (oldest === undefined || oldest.firstRevision === revision + 1) return this.#segments;
    const missing =
      oldest.firstRevision === revision + 2
        ? `revision ${revision + 1} is missing`
        : `revisions ${revision + 1} to ${oldest.firstRevision - 1} are missing`;
    throw damageError(oldest.path, 0, `${missing}: the log begins later`, revision);
  }

  /** What of that is left. */
  startBehind(revision: number): StartBehind {
    const [oldest] = this.#segments;
    if (oldest === undefined || oldest.firstRevision > revision + 1) return 'removed';
    if (oldest.firstRevision <= revision) return 'record';
    // A segment before this one may have had the first of the notes.
    if (oldest.previousFirstRevision !== 0) return 'removed';
    return revision === 0 ? 'record' : 'state';
  }

  /** Of those the first; `undefined` when something of what lies behind the revision was removed. */
  firstBehind(revision: number): Segment | undefined {
    return this.startBehind(revision) === 'removed' ? undefined : this.after(revision)[0];
  }

  /** Prepares the segment that follows the newest one when the log has come to `revision`. */
  prepare(revision: number, segmentBytes: number): Promise<NextSegment> {
    const previous = this.#segments.at(-1);
    const firstRevision = revision + 1;
    const part = previous?.firstRevision === firstRevision ? previous.name.part + 1 : 0;
    return this.#prepare({ firstRevision, part }, segmentBytes);
  }

  /**
   * Seals a segment that was prepared.
   * @param previousChecksum the header checksum of the last frame so far; 0 when there is none.
   */
  async seal(next: NextSegment, previousChecksum: number): Promise<SealedSegment> {
    const segment = new Segment(this.#disk, {
      directory: this.#directory.path,
      name: next.name,
      formatVersion: FORMAT_VERSION,
      previousChecksum,
      previousFirstRevision: this.#segments.at(-1)?.firstRevision ?? 0,
    });
    return { next, segment, begin: await next.seal(this.#startOf(segment)) };
  }

  /** Makes a sealed segment the newest one, durably. */
  async place({ next, segment, begin }: SealedSegment): Promise<NewSegment> {
    await next.place();
    const previous = this.#segments.at(-1);
    this.#segments.push(segment);
    if (previous !== undefined) previous.next = segment;
    return adopted(segment, next, begin);
  }

  /**
   * Makes the newest segment anew, which holds no batch and is open nowhere. The flush of the folder may have
   * failed when it was made, and then no later one makes its name durable.
   */
  async remakeNewest(segmentBytes: number): Promise<NewSegment> {
    const { newest } = this;
    const next = await this.#prepare(newest.name, segmentBytes);
    const begin = await next.seal(this.#startOf(newest));
    await next.place();
    return adopted(newest, next, begin);
  }

  #prepare(name: SegmentName, segmentBytes: number): Promise<NextSegment> {
    return NextSegment.prepare(this.#disk, this.#directory, name, chunkBytes(segmentBytes));
  }

  #startOf(segment: Segment): SegmentStart {
    const { previousChecksum, previousFirstRevision, firstRevision } = segment;
    return {
      formatVersion: FORMAT_VERSION,
      storeId: this.storeId,
      firstRevision,
      previousChecksum,
      previousFirstRevision,
    };
  }

  /**
   * Removes, oldest first, the segments before the one that holds `revision`; never the newest. One that the disk does
   * not remove is tried again the next time.
   */
  removeBeforeHolderOf(revision: number): Promise<void> {
    const removal = this.#removal.then(() => this.#removeBeforeHolderOf(revision));
    this.#removal = removal.catch(() => {});
    return removal;
  }

  /** Waits for the removals under way, and closes the folder. */
  async close(): Promise<void> {
    await this.#removal;
    await this.#directory.close();
  }

  async #removeBeforeHolderOf(revision: number): Promise<void> {
    if (this.#removalFailure !== undefined) throw this.#removalFailure;
    for (;;) {
      this.#leaving ??= this.#takeOldestBefore(revision);
      if (this.#leaving === undefined) return;
      await this.#disk.remove(this.#leaving.path);
      // One by one: were a later removal durable before an earlier one, a segment would be missing in the row.
      const directory = await this.#directory.hold();
      await directory.sync().catch((error: unknown) => {
        this.#removalFailure = error as Error;
        throw error;
      });
      this.#leaving = undefined;
    }
  }

  /** Takes the oldest segment out of the row if it is not the newest and stands before the holder of `revision`. */
  #takeOldestBefore(revision: number): Segment | undefined {
    const [oldest, next] = this.#segments;
    if (oldest === undefined || next === undefined || next.firstRevision > revision) return undefined;
    oldest.isRemoved = true;
    return this.#segments.shift();
  }
}

function adopted(segment: Segment, next: NextSegment, begin: SegmentBegin): NewSegment {
  segment.fileBytes = next.fileBytes;
  segment.adopt(next.file);
  const position = {
    offset: begin.end,
    previousChecksum: begin.headerChecksum,
    revision: segment.firstRevision - 1,
    provenOffset: 0,
    batchEnd: 0,
  };
  return { segment, file: next.file, position };
}

import type { Disk, DiskFile } from '../disk/disk.ts';
import { assert } from '../errors.ts';
import { chunkBytes } from './format.ts';
import { damageError } from './damage.ts';
import { createSegmentFile, frameSeed } from './segment-header.ts';
import type { AppendPosition } from './segment-writer.ts';
import { Segment } from './segment.ts';

/** A segment that was just made. */
export interface NewSegment {
  readonly segment: Segment;
  /** Acquired for writing. */
  readonly file: DiskFile;
  readonly position: AppendPosition;
}

/** The segments of a log in order: the oldest are removed, the newest is written, each is linked to the next. */
export class SegmentRow {
  readonly storeId: Uint8Array;
  /** What the checksums of the store's frames begin from. */
  readonly seed: number;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #segments: Segment[];
  /** Removals run one after the other. */
  #removal: Promise<void> = Promise.resolve();
  /** No longer in the row, and not known to be gone from the folder: it goes before any other. */
  #leaving: Segment | undefined;
  /** After a flush of the folder has failed nobody knows which names are durable: nothing more is removed. */
  #removalFailure: Error | undefined;

  constructor(disk: Disk, directory: string, storeId: Uint8Array, segments: Segment[]) {
    this.#disk = disk;
    this.#directory = directory;
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

  /** `bytes`: the length of all files. */
  stats(): { bytes: number; segmentCount: number } {
    const bytes = this.#segments.reduce((sum, segment) => sum + segment.fileBytes, 0);
    return { bytes, segmentCount: this.#segments.length };
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
   * The segments to read for whoever knows the state after `revision`: from the one that holds it on, since notes may
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

  /**
   * Makes the segment that follows the newest one.
   * @param revision the highest in the log so far.
   * @param previousChecksum the header checksum of the last frame so far; 0 when there is none.
   */
  async begin(revision: number, previousChecksum: number, segmentBytes: number): Promise<NewSegment> {
    const previous = this.#segments.at(-1);
    const firstRevision = revision + 1;
    const part = previous?.firstRevision === firstRevision ? previous.name.part + 1 : 0;
    const segment = new Segment(this.#disk, {
      directory: this.#directory,
      name: { firstRevision, part },
      previousChecksum,
      previousFirstRevision: previous?.firstRevision ?? 0,
    });
    const made = await this.#make(segment, segmentBytes);
    this.#segments.push(segment);
    if (previous !== undefined) previous.next = segment;
    return made;
  }

  /**
   * Makes the newest segment anew, which holds no batch and which nobody has open. The flush of the folder may have
   * failed when it was made, and then no later one makes its name durable.
   */
  remakeNewest(segmentBytes: number): Promise<NewSegment> {
    return this.#make(this.newest, segmentBytes);
  }

  async #make(segment: Segment, segmentBytes: number): Promise<NewSegment> {
    const { storeId } = this;
    const { name, previousChecksum, previousFirstRevision, firstRevision } = segment;
    const start = { storeId, firstRevision, previousChecksum, previousFirstRevision };
    segment.fileBytes = chunkBytes(segmentBytes);
    const made = await createSegmentFile(this.#disk, this.#directory, name, start, segment.fileBytes);
    const file = await segment.acquire('readWrite');
    const position = {
      offset: made.end,
      previousChecksum: made.headerChecksum,
      revision: firstRevision - 1,
      provenOffset: 0,
      batchEnd: 0,
    };
    return { segment, file, position };
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

  /** Waits for the removals under way. */
  settle(): Promise<void> {
    return this.#removal;
  }

  async #removeBeforeHolderOf(revision: number): Promise<void> {
    if (this.#removalFailure !== undefined) throw this.#removalFailure;
    for (;;) {
      this.#leaving ??= this.#takeOldestBefore(revision);
      if (this.#leaving === undefined) return;
      await this.#disk.remove(this.#leaving.path);
      // One by one: were a later removal durable before an earlier one, a segment would be missing in the row.
      await this.#disk.syncDirectory(this.#directory).catch((error: unknown) => {
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

/**
 * Verifies the segments of a log, each by itself, so that damage in one does not hide what is in the others: headers,
 * names, checksums, the chain from frame to frame and from segment to segment, the revisions of the records.
 */
import type { Disk } from '../../disk/disk.ts';
import { damageError, LogDamageError } from '../../wal/frames/damage.ts';
import type { SegmentName } from '../../wal/frames/format.ts';
import { checkFollows, listLog, misnamedError, openSegment } from '../../wal/log-directory.ts';
import { NewestName } from '../../wal/segments/newest-segment.ts';
import { frameSeed, type SegmentStart } from '../../wal/segments/segment-header.ts';
import type { TornTail } from '../../wal/segments/segment-end.ts';
import { Segment } from '../../wal/segments/segment.ts';
import type { OnProgress } from '../../progress.ts';
import { type ChainLink, linkBefore, readBatches, recordsOf } from '../segment-reader.ts';

/**
 * What is wrong with a segment, by when a start would come upon it:
 *
 * - `open`: when it looks at all segments, needed or not;
 * - `link`: when it comes from the segment before;
 * - `read`: when it reads this one.
 */
export interface SegmentDamage {
  readonly stage: 'open' | 'link' | 'read';
  readonly error: LogDamageError;
  /** The revisions concerned, both inclusive; `undefined`: all that follow. */
  readonly fromRevision: number;
  readonly toRevision: number | undefined;
}

export interface VerifiedSegment {
  readonly path: string;
  readonly firstRevision: number;
  /** All records up to this one are whole. */
  readonly lastRevision: number;
  readonly bytes: number;
  readonly damages: readonly SegmentDamage[];
}

export interface VerifiedLog {
  /** `undefined` when no header could be read. */
  readonly storeId: Uint8Array | undefined;
  readonly segments: readonly VerifiedSegment[];
  /** Files that are called as segments are, but not quite: a start refuses them. */
  readonly misnamed: readonly LogDamageError[];
  /** The newest segment, when it is known to have been there and is not. */
  readonly missingNewest: LogDamageError | undefined;
  /** Names of files that the next start removes. */
  readonly unfinished: readonly string[];
  readonly recordCount: number;
  readonly noteCount: number;
  readonly torn: TornTail | undefined;
}

export async function verifyLog(
  disk: Disk,
  directory: string,
  newestNamePath: string,
  onProgress: OnProgress,
): Promise<VerifiedLog> {
  const listing = await listLog(disk, directory);
  const newestName = await NewestName.read(disk, newestNamePath);
  const rows = await openAll(disk, directory, listing.segments);
  const storeId = rows.find(({ start }) => start !== undefined)?.start?.storeId;
  const verifier = new RowVerifier(storeId, totalBytesOf(rows), onProgress);
  for (const opened of rows) await verifier.verify(opened);
  return {
    storeId,
    segments: verifier.segments,
    misnamed: listing.misnamed.map((fileName) => misnamedError(`${directory}/${fileName}`)),
    missingNewest: newestName.missing(directory, listing.segments.at(-1)),
    unfinished: listing.unfinished,
    recordCount: verifier.recordCount,
    noteCount: verifier.noteCount,
    torn: verifier.torn,
  };
}

/** A segment with its header, or why that can't be read. */
interface Opened {
  readonly segment: Segment;
  readonly start: SegmentStart | undefined;
  readonly error: LogDamageError | undefined;
}

async function openAll(disk: Disk, directory: string, names: readonly SegmentName[]): Promise<Opened[]> {
  const rows: Opened[] = [];
  for (const name of names) {
    const opened = await open(disk, directory, name);
    const previous = rows.at(-1)?.segment;
    // Also one whose header is broken says that nothing was written to the one before any more.
    if (previous !== undefined) previous.next = opened.segment;
    rows.push(opened);
  }
  return rows;
}

async function open(disk: Disk, directory: string, name: SegmentName): Promise<Opened> {
  try {
    return { ...(await openSegment(disk, directory, name)), error: undefined };
  } catch (error) {
    if (!(error instanceof LogDamageError)) throw error;
    const segment = new Segment(disk, {
      directory,
      name,
      formatVersion: 0,
      previousChecksum: 0,
      previousFirstRevision: 0,
    });
    return { segment, start: undefined, error };
  }
}

function totalBytesOf(rows: readonly Opened[]): number {
  return rows.reduce((sum, { segment }) => sum + segment.fileBytes, 0);
}

class RowVerifier {
  readonly segments: VerifiedSegment[] = [];
  recordCount = 0;
  noteCount = 0;
  torn: TornTail | undefined;
  readonly #storeId: Uint8Array | undefined;
  readonly #totalBytes: number;
  readonly #onProgress: OnProgress;
  #doneBytes = 0;
  #previous: Segment | undefined;
  /** How the segment before ended; `undefined` when there is none or it is damaged. */
  #link: ChainLink | undefined;

  constructor(storeId: Uint8Array | undefined, totalBytes: number, onProgress: OnProgress) {
    this.#storeId = storeId;
    this.#totalBytes = totalBytes;
    this.#onProgress = onProgress;
  }

  async verify({ segment, start, error }: Opened): Promise<void> {
    const damages: SegmentDamage[] = [];
    const toRevision = segment.next && segment.next.firstRevision - 1;
    const note = (stage: SegmentDamage['stage'], damage: LogDamageError | undefined): void => {
      if (damage === undefined) return;
      damages.push({ stage, error: damage, fromRevision: damage.wholeRevision + 1, toRevision });
    };
    note('open', error);
    let lastRevision = segment.firstRevision - 1;
    if (start === undefined) {
      this.#link = undefined;
    } else if (!this.#isOfStore(start)) {
      note('open', this.#wrongPlace(segment, start, undefined));
      this.#link = undefined;
    } else {
      const missing = this.#wrongPlace(segment, start, this.#previous);
      if (missing !== undefined) damages.push(this.#missing(missing, segment.firstRevision - 1));
      if (damages.length === 0) note('link', this.#brokenLink(segment));
      const outcome = await this.#readFrames(segment);
      note('read', outcome.error);
      lastRevision = outcome.lastRevision;
    }
    this.#previous = start === undefined ? undefined : segment;
    this.#doneBytes += segment.fileBytes;
    const { path, firstRevision, fileBytes: bytes } = segment;
    this.segments.push({ path, firstRevision, lastRevision, bytes, damages });
  }

  #isOfStore(start: SegmentStart): boolean {
    return this.#storeId !== undefined && Buffer.from(start.storeId).equals(this.#storeId);
  }

  #wrongPlace(
    segment: Segment,
    start: SegmentStart,
    previous: Segment | undefined,
  ): LogDamageError | undefined {
    try {
      checkFollows(segment, start, previous, this.#storeId ?? start.storeId);
      return undefined;
    } catch (error) {
      if (error instanceof LogDamageError) return error;
      throw error;
    }
  }

  /** What the segments up to the last one that was verified lack of the revisions up to `toRevision`. */
  #missing(error: LogDamageError, toRevision: number): SegmentDamage {
    const fromRevision = Math.min((this.segments.at(-1)?.lastRevision ?? 0) + 1, toRevision);
    return { stage: 'open', error, fromRevision, toRevision };
  }

  #brokenLink(segment: Segment): LogDamageError | undefined {
    const link = this.#link;
    const expected = linkBefore(segment);
    if (link === undefined) return undefined;
    if (link.checksum === expected.checksum && link.revision === expected.revision) return undefined;
    return damageError(
      segment.path,
      0,
      'the segment does not follow the end of the one before: one of the two is of another history',
      Math.min(link.revision, expected.revision),
    );
  }

  async #readFrames(
    segment: Segment,
  ): Promise<{ readonly lastRevision: number; readonly error: LogDamageError | undefined }> {
    this.#link = undefined;
    let lastRevision = segment.firstRevision - 1;
    const seed = frameSeed(this.#storeId ?? new Uint8Array(0));
    const batches = readBatches(segment, seed, linkBefore(segment));
    try {
      for (;;) {
        const next = await batches.next();
        if (next.done === true) {
          this.#link = next.value;
          this.torn ??= next.value.torn;
          return { lastRevision, error: undefined };
        }
        for (const { record } of recordsOf(next.value)) {
          if (record.revision === 0) this.noteCount++;
          else lastRevision = record.revision;
          this.recordCount++;
        }
        this.#onProgress({
          work: 'verifying the log',
          doneBytes: this.#doneBytes + next.value.offset,
          totalBytes: this.#totalBytes,
        });
      }
    } catch (error) {
      if (!(error instanceof LogDamageError)) throw error;
      return { lastRevision: error.wholeRevision, error };
    } finally {
      await batches.return({ checksum: 0, revision: 0, torn: undefined });
    }
  }
}

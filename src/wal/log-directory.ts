/** Finding the segments of a log in its directory. */
import type { Disk } from '../disk/disk.ts';
import { damageError, type LogDamageError } from './frames/damage.ts';
import { formatSegmentName, isTemporaryName, parseSegmentName, type SegmentName } from './frames/format.ts';
import { readSegmentStart, type SegmentStart } from './segments/segment-header.ts';
import { SegmentRow } from './segments/segment-row.ts';
import { Segment } from './segments/segment.ts';

/** What lies in the directory of a log, by the names of the files. */
export interface LogListing {
  /** In the order of the log. */
  readonly segments: readonly SegmentName[];
  /** Files that were to become segments when their writer was stopped. */
  readonly unfinished: readonly string[];
  /** Files that are called as segments are, but not quite. */
  readonly misnamed: readonly string[];
}

/**
 * Finds the segments, verifies their headers and that each follows the one before. Removes what was left of a segment
 * that was being made. `undefined` when there is none.
 */
export async function openSegments(disk: Disk, directory: string): Promise<SegmentRow | undefined> {
  const { segments: names, unfinished, misnamed } = await listLog(disk, directory);
  for (const fileName of misnamed) throw misnamedError(`${directory}/${fileName}`);
  const segments: Segment[] = [];
  let first: SegmentStart | undefined;
  for (const name of names) {
    const { segment, start } = await openSegment(disk, directory, name);
    first ??= start;
    checkFollows(segment, start, segments.at(-1), first.storeId);
    const previous = segments.at(-1);
    if (previous !== undefined) previous.next = segment;
    segments.push(segment);
  }
  for (const fileName of unfinished) await disk.remove(`${directory}/${fileName}`);
  return first && new SegmentRow(disk, directory, first.storeId, segments);
}

export async function listLog(disk: Disk, directory: string): Promise<LogListing> {
  const segments: SegmentName[] = [];
  const unfinished: string[] = [];
  const misnamed: string[] = [];
  for (const fileName of await disk.list(directory)) {
    const name = parseSegmentName(fileName);
    if (name !== undefined) segments.push(name);
    else if (isTemporaryName(fileName)) unfinished.push(fileName);
    else if (fileName.endsWith('.log')) misnamed.push(fileName);
  }
  segments.sort((a, b) => a.firstRevision - b.firstRevision || a.part - b.part);
  return { segments, unfinished: unfinished.sort(), misnamed: misnamed.sort() };
}

export function misnamedError(path: string): LogDamageError {
  return damageError(path, 0, 'no segment of the log has such a name', 0);
}

/** Reads and verifies the header of a segment. @throws StoreError `damaged`. */
export async function openSegment(
  disk: Disk,
  directory: string,
  name: SegmentName,
): Promise<{ segment: Segment; start: SegmentStart }> {
  const path = `${directory}/${formatSegmentName(name)}`;
  const file = await disk.open(path, 'read');
  try {
    const start = await readSegmentStart(file, path, name);
    const { formatVersion, previousChecksum, previousFirstRevision } = start;
    const segment = new Segment(disk, {
      directory,
      name,
      formatVersion,
      previousChecksum,
      previousFirstRevision,
    });
    segment.fileBytes = await file.size();
    return { segment, start };
  } finally {
    await file.close();
  }
}

/**
 * Whether a segment can follow the one before, as far as their headers tell. The checksums of the frames link the
 * segments too; those are looked at when the frames are read.
 * @throws StoreError `damaged`.
 */
export function checkFollows(
  segment: Segment,
  start: SegmentStart,
  previous: Segment | undefined,
  storeId: Uint8Array,
): void {
  const { firstRevision, part } = segment.name;
  const damage = (what: string): Error => damageError(segment.path, 0, what, firstRevision - 1);
  if (!Buffer.from(storeId).equals(start.storeId)) throw damage('the segment belongs to another store');
  if (previous === undefined) return;
  if (start.previousFirstRevision !== previous.firstRevision) {
    throw damageError(
      segment.path,
      0,
      `the segment before it, of revision ${start.previousFirstRevision}, is missing`,
      previous.firstRevision - 1,
    );
  }
  const expectedPart = firstRevision === previous.firstRevision ? previous.name.part + 1 : 0;
  if (part !== expectedPart)
    throw damageError(segment.path, 0, 'the segment before it is missing', firstRevision - 1);
}

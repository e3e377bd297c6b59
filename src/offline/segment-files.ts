/** Finding segments wherever an operator keeps them: in a data directory, in a folder, as files. */
import { basename, dirname } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { StoreError } from '../errors.ts';
import { dataDirectory } from '../store/directory/data-directory.ts';
import { formatSegmentName, parseSegmentName, type SegmentName } from '../wal/frames/format.ts';
import { checkFollows, listLog, misnamedError, openSegment } from '../wal/log-directory.ts';
import { frameSeed } from '../wal/segments/segment-header.ts';
import type { Segment } from '../wal/segments/segment.ts';
import { kindOf } from './file-system.ts';

export interface SegmentFile {
  readonly directory: string;
  readonly name: SegmentName;
}

/** Segments that follow each other. */
export interface OpenedRow {
  readonly storeId: Uint8Array;
  /** What the checksums of their frames begin from. */
  readonly seed: number;
  readonly segments: readonly Segment[];
}

/** The segments at a path, in the order of the log. @throws StoreError `invalidArgument` when it is no such place. */
export async function segmentFilesAt(disk: Disk, path: string): Promise<SegmentFile[]> {
  switch (await kindOf(path)) {
    case undefined:
      throw new StoreError('invalidArgument', `there is no ${path}`);
    case 'file': {
      const name = parseSegmentName(basename(path));
      if (name === undefined) {
        throw new StoreError(
          'invalidArgument',
          `${path} is not called as a segment of a log is, such as ${formatSegmentName({ firstRevision: 1, part: 0 })}`,
        );
      }
      return [{ directory: dirname(path), name }];
    }
    case 'folder': {
      const { log } = dataDirectory(path);
      return inFolder(disk, (await kindOf(log)) === 'folder' ? log : path);
    }
  }
}

async function inFolder(disk: Disk, directory: string): Promise<SegmentFile[]> {
  const { segments, misnamed } = await listLog(disk, directory);
  for (const fileName of misnamed) throw misnamedError(`${directory}/${fileName}`);
  return segments.map((name) => ({ directory, name }));
}

/** Those from the one on that holds `revision`, or the first that comes later. */
export function filesFrom(files: readonly SegmentFile[], revision: number): SegmentFile[] {
  const holder = files.findLastIndex(({ name }) => name.firstRevision <= revision);
  return files.slice(Math.max(0, holder));
}

/** Reads the headers. @throws StoreError `damaged` when the files do not follow each other. */
export async function openRow(disk: Disk, files: readonly SegmentFile[]): Promise<OpenedRow | undefined> {
  const segments: Segment[] = [];
  let storeId: Uint8Array | undefined;
  for (const { directory, name } of files) {
    const { segment, start } = await openSegment(disk, directory, name);
    storeId ??= start.storeId;
    const previous = segments.at(-1);
    checkFollows(segment, start, previous, storeId);
    if (previous !== undefined) previous.next = segment;
    segments.push(segment);
  }
  return storeId && { storeId, seed: frameSeed(storeId), segments };
}

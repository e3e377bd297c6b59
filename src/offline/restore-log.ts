/** The log of a restored store: the records that follow the backup, copied as they are into segments of the new store. */
import type { SnapshotHeaderShape } from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { defaults, fixed } from '../limits.ts';
import { formatSegmentName } from '../wal/frames/format.ts';
import { Log } from '../wal/log.ts';
import type { TornTail } from '../wal/segments/segment-end.ts';
import type { OnProgress } from '../progress.ts';
import { filesFrom, openRow, type OpenedRow, type SegmentFile } from './segment-files.ts';
import { type PlacedRecord, readRow, recordsOf } from './segment-reader.ts';

export interface CopyRequest {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Where the log is made; there must be none. */
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** The log to copy from; `undefined`: the new log begins without a record. */
  readonly row: OpenedRow | undefined;
  readonly backup: SnapshotHeaderShape;
  /** Where to stop: behind this revision, or before the first record that is later than this time. */
  readonly revision: number | undefined;
  readonly timeMs: number | undefined;
}

export interface CopiedLog {
  /** The newest revision of the restored store. */
  readonly revision: number;
  /** When it was committed; `undefined`: no revision was copied. */
  readonly timeMs: number | undefined;
  readonly torn: TornTail | undefined;
  /** Whether all of the log was copied: it does not show what came after. */
  readonly hasLogEnded: boolean;
}

/** So much of the copy may wait to be written, and one record more. */
const UNFLUSHED_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Opens the segments that follow a backup, up to the one that holds `revision` if one is wanted.
 * @throws StoreError `invalidArgument` when they are not those of its store, or what comes first is missing; `damaged`.
 */
export async function openLogOf(
  disk: Disk,
  backup: SnapshotHeaderShape,
  files: readonly SegmentFile[],
  revision = fixed.integerMax,
): Promise<OpenedRow> {
  const needed = filesFrom(inOrder(files), backup.revision).filter(
    ({ name }, index) => index === 0 || name.firstRevision <= revision,
  );
  const row = await openRow(disk, needed);
  const first = row?.segments[0];
  if (row === undefined || first === undefined) throw refusal('there is no segment of a log to restore from');
  if (!Buffer.from(row.storeId).equals(backup.storeId)) {
    throw refusal('the log is of another store than the backup');
  }
  if (first.firstRevision > backup.revision + 1) {
    throw refusal(
      `the backup is of revision ${backup.revision}, but the log begins at revision ${first.firstRevision}; give the segments between too`,
    );
  }
  return row;
}

type CopyEnd = Pick<CopiedLog, 'torn' | 'hasLogEnded'>;

const AT_GOAL: CopyEnd = { torn: undefined, hasLogEnded: false };

/** @throws StoreError `damaged`, `invalidArgument` when the log does not lead to the goal. */
export async function copyLog(request: CopyRequest, onProgress: OnProgress): Promise<CopiedLog> {
  const copy = await LogCopy.create(request);
  try {
    const end =
      request.row === undefined ? AT_GOAL : await copyToGoal(request, request.row, copy, onProgress);
    checkReached(request.revision, copy.revision);
    await copy.close();
    return { revision: copy.revision, timeMs: copy.timeMs, ...end };
  } catch (error) {
    // What went wrong first is what counts.
    await copy.close().catch(() => undefined);
    throw error;
  }
}

function inOrder(files: readonly SegmentFile[]): SegmentFile[] {
  const sorted = [...files].sort(
    (a, b) => a.name.firstRevision - b.name.firstRevision || a.name.part - b.name.part,
  );
  for (const [index, { directory, name }] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next?.name.firstRevision !== name.firstRevision || next.name.part !== name.part) continue;
    throw refusal(
      `the segment ${formatSegmentName(name)} is given twice, in ${directory} and in ${next.directory}; give the longer one only`,
    );
  }
  return sorted;
}

async function copyToGoal(
  { backup, revision }: CopyRequest,
  row: OpenedRow,
  copy: LogCopy,
  onProgress: OnProgress,
): Promise<CopyEnd> {
  try {
    return await copyRow(row, backup, copy, onProgress);
  } catch (error) {
    // Damage behind the goal does no harm.
    if (isStoreError(error, 'damaged') && copy.revision === revision && !copy.isBehindBackup) return AT_GOAL;
    throw error;
  }
}

async function copyRow(
  { segments, seed }: OpenedRow,
  backup: SnapshotHeaderShape,
  copy: LogCopy,
  onProgress: OnProgress,
): Promise<CopyEnd> {
  const totalBytes = segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  let doneBytes = 0;
  const batches = readRow(segments, seed);
  try {
    for (;;) {
      const next = await batches.next();
      if (next.done === true) {
        const { revision, torn } = next.value;
        if (revision >= backup.revision) return { torn, hasLogEnded: true };
        throw refusal(
          `the log ends at revision ${revision}, before the backup, which is of revision ${backup.revision}`,
        );
      }
      const { buffer, start, end } = next.value;
      for (const placed of recordsOf(next.value)) {
        if (!(await copy.add(buffer, placed))) return AT_GOAL;
      }
      doneBytes += end - start;
      onProgress({ work: 'restoring the log', doneBytes, totalBytes });
    }
  } finally {
    await batches.return({ checksum: 0, revision: 0, torn: undefined });
  }
}

function checkReached(wanted: number | undefined, reached: number): void {
  if (wanted === undefined || wanted === reached) return;
  throw refusal(`the log ends at revision ${reached}, before revision ${wanted}`);
}

class LogCopy {
  /** Of the newest copied record, or of the backup. */
  revision: number;
  timeMs: number | undefined;
  readonly #log: Log;
  readonly #revisionMax: number;
  readonly #timeMsMax: number;
  /** Whether the records have not come to the backup's own revision yet: what stands before it is in the backup. */
  isBehindBackup: boolean;
  #unflushedBytes = 0;

  static async create(request: CopyRequest): Promise<LogCopy> {
    const { disk, clock, directory, storeId, backup } = request;
    const options = {
      disk,
      clock,
      directory,
      segmentBytes: defaults.segmentBytes,
      unflushedBytesMax: fixed.frameBytesMax,
      // Until all of it is flushed at the end, nothing depends on it.
      fsync: 'never' as const,
      fsyncIntervalMs: defaults.fsyncIntervalMs,
      onDurable: () => undefined,
      // Every later call fails with it.
      onFailure: () => undefined,
      // A folder that is being filled goes on in one segment as well as in two.
      onSegmentDelayed: () => undefined,
      checkOwned: () => Promise.resolve(),
    };
    return new LogCopy(request, await Log.create(options, storeId, backup.revision));
  }

  private constructor({ backup, row, revision, timeMs }: CopyRequest, log: Log) {
    this.#log = log;
    this.revision = backup.revision;
    this.#revisionMax = revision ?? fixed.integerMax;
    this.#timeMsMax = timeMs ?? fixed.integerMax;
    this.isBehindBackup = (row?.segments[0]?.firstRevision ?? Infinity) <= backup.revision;
  }

  /** @returns false when the goal lies before this record. */
  async add(buffer: Buffer, { record, start, end }: PlacedRecord): Promise<boolean> {
    if (this.isBehindBackup) {
      this.isBehindBackup = record.revision < this.revision;
      return true;
    }
    if (record.revision > this.#revisionMax || record.timeMs > this.#timeMsMax) return false;
    // It goes on alone, also where the log is of a node of a cluster.
    if (tellsPlace(record)) return true;
    const offset = this.#log.reserve(end - start);
    buffer.copy(this.#log.buffer, offset, start, end);
    this.#log.commit(record.revision);
    if (record.revision !== 0) {
      this.revision = record.revision;
      this.timeMs = record.timeMs;
    }
    this.#unflushedBytes += end - start;
    if (this.#unflushedBytes >= UNFLUSHED_BYTES_MAX) {
      await this.#log.flush();
      this.#unflushedBytes = 0;
    }
    return true;
  }

  /** Brings all of it to the disk. */
  close(): Promise<void> {
    return this.#log.close();
  }
}

function tellsPlace({ effects }: PlacedRecord['record']): boolean {
  return effects[0]?.effect.case === 'place';
}

function refusal(why: string): StoreError {
  return new StoreError('invalidArgument', why);
}

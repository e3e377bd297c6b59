/**
 * `kelp restore`: makes a data directory of a backup and, if wanted, of the log that follows it.
 *
 * What comes out is another history than that of the original store, which may have gone on: so it has a store id of its
 * own, and no segment or snapshot of the original fits in there. Revisions keep their numbers.
 *
 * All is made in the folder `restoring` of the data directory. A start refuses a directory that has this folder, so
 * whatever ends a restore early, half of a store is never taken for one. The folders move to their places at the end, and
 * the folder goes last.
 *
 * For an engine on disk the directory is the same, but for the file that names the engine: that loads the snapshot as it is first
 * started, and removes it.
 */
import { systemClock, systemRandom, type Clock, type Random } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { StoreError } from '../errors.ts';
import { SnapshotWriter } from '../snapshot/writer.ts';
import { encodeSnapshotHeader } from '../store/checkpoints/checkpoint.ts';
import { dataDirectory, isPassedOver, type DataDirectory } from '../store/directory/data-directory.ts';
import { writeEngineFile } from '../store/directory/engine-file.ts';
import type { EngineName } from '../engine-names.ts';
import { publicStoreId } from '../store/directory/store-id.ts';
import { STORE_ID_BYTES } from '../wal/frames/format.ts';
import type { TornTail } from '../wal/segments/segment-end.ts';
import { backupInfo, openBackup } from './backup-file.ts';
import { kindOf, moveFolder, removeEmptyFolder, removeFolder } from './file-system.ts';
import type { OnProgress } from '../progress.ts';
import { copyLog, openLogOf, type CopiedLog } from './restore-log.ts';
import { type OpenedRow, type SegmentFile, segmentFilesAt } from './segment-files.ts';
import { takeLock, whileLogsUnused } from './unused-directory.ts';
import type { VerifyingSnapshot } from './verify/verify-snapshot.ts';

export interface RestoreRequest {
  readonly backupPath: string;
  /** An empty folder, or none; it is made. */
  readonly dataDir: string;
  /** Data directories, folders of segments or segments: the log of the same store, from the backup's revision on. */
  readonly logPaths: readonly string[];
  /** The revision to restore; with the log it may be a later one than the backup's. */
  readonly revision?: number;
  /** Restores what had been committed by then: milliseconds since 1970-01-01 UTC. */
  readonly timeMs?: number;
  /** The one that the directory is for; left out: `memory`. */
  readonly engine?: EngineName;
  readonly disk?: Disk;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface RestoreResult {
  /** Of the restored store, as `kelp status` will show it. */
  readonly storeId: string;
  readonly engine: EngineName;
  readonly revision: number;
  readonly backupRevision: number;
  /** When the newest revision of the log was committed, or the backup was begun. */
  readonly timeMs: number;
  readonly versionCount: number;
  readonly leaseCount: number;
  readonly accessCount: number;
  /** What a crash had left of a write under way at the end of the log; it was left out. */
  readonly torn: TornTail | undefined;
  /** Whether the log has nothing beyond what was restored; false without a log. */
  readonly hasLogEnded: boolean;
}

/**
 * @throws StoreError `damaged` (the backup or the log), `invalidArgument` (the data directory is not empty, the revision
 * can't be had, ...), `locked`; a `DiskError`. Then the data directory is as empty as before, but for its lock file.
 */
export async function restore(request: RestoreRequest, onProgress: OnProgress): Promise<RestoreResult> {
  const { backupPath, dataDir, disk = nodeDisk } = request;
  await checkEmpty(disk, dataDir);
  const backup = await openBackup(disk, backupPath, onProgress);
  try {
    checkGoal(request, backup);
    return await withLogFiles(disk, request.logPaths, async (files) => {
      const row =
        request.logPaths.length === 0
          ? undefined
          : await openLogOf(disk, backup.header, files, request.revision);
      await disk.makeDirectory(dataDir);
      const lock = await takeLock(disk, dataDir);
      try {
        await checkEmpty(disk, dataDir);
        return await restoreLocked(request, disk, backup, row, onProgress);
      } finally {
        await lock.release();
      }
    });
  } finally {
    await backup.close();
  }
}

async function checkEmpty(disk: Disk, dataDir: string): Promise<void> {
  const kind = await kindOf(dataDir);
  if (kind === 'file') throw new StoreError('invalidArgument', `${dataDir} is a file, not a folder`);
  const { lock, restoring } = dataDirectory(dataDir);
  const names = (await disk.list(dataDir)).filter((name) => !isPassedOver(name));
  const paths = names.map((name) => `${dataDir}/${name}`);
  if (paths.includes(restoring)) {
    throw new StoreError(
      'invalidArgument',
      `a restore into ${dataDir} was broken off; remove what is in the directory and try again`,
    );
  }
  const inTheWay = paths.filter((path) => path !== lock).sort()[0];
  if (inTheWay === undefined) return;
  throw new StoreError(
    'invalidArgument',
    `${dataDir} is not empty, there is ${inTheWay}; a restore never overwrites anything`,
  );
}

/** What can be said of the wish before anything is read. */
function checkGoal({ revision, timeMs, logPaths }: RestoreRequest, { header }: VerifyingSnapshot): void {
  const refusal = (why: string): StoreError => new StoreError('invalidArgument', why);
  if (revision !== undefined && revision < header.revision) {
    throw refusal(
      `the backup is of revision ${header.revision}, later than ${revision}; take an older backup`,
    );
  }
  if (timeMs !== undefined && timeMs < header.timeMs) {
    const time = new Date(header.timeMs).toISOString();
    throw refusal(`the backup is of ${time}, later than wanted; take an older backup`);
  }
  if (logPaths.length > 0) return;
  if (timeMs !== undefined) throw refusal('only with the log that follows the backup can a time be reached');
  if (revision !== undefined && revision > header.revision) {
    throw refusal(
      `the backup is of revision ${header.revision}; to get to revision ${revision}, give the log that follows it`,
    );
  }
}

/** Keeps servers away from the data directories that the paths lie in. */
function withLogFiles<Result>(
  disk: Disk,
  paths: readonly string[],
  work: (files: readonly SegmentFile[]) => Promise<Result>,
): Promise<Result> {
  return whileLogsUnused(disk, paths, async () => {
    const files: SegmentFile[] = [];
    for (const path of paths) files.push(...(await segmentFilesAt(disk, path)));
    return work(files);
  });
}

async function restoreLocked(
  request: RestoreRequest,
  disk: Disk,
  backup: VerifyingSnapshot,
  row: OpenedRow | undefined,
  onProgress: OnProgress,
): Promise<RestoreResult> {
  const { dataDir, engine = 'memory', clock = systemClock, random = systemRandom } = request;
  const final = dataDirectory(dataDir);
  const made = dataDirectory(final.restoring);
  const storeId = random.bytes(STORE_ID_BYTES);
  await disk.makeDirectory(made.snapshots);
  try {
    await copySnapshot(disk, made.snapshots, backup, storeId);
    const copied = await copyLog(
      {
        disk,
        clock,
        directory: made.log,
        storeId,
        row,
        backup: backup.header,
        revision: request.revision,
        timeMs: request.timeMs,
      },
      onProgress,
    );
    if (engine !== 'memory') await writeEngineFile(disk, final.engine, engine);
    await putInPlace(disk, dataDir, made, final);
    return result(storeId, engine, backup, copied);
  } catch (error) {
    // What went wrong first is what counts; a folder that stays is refused by name.
    for (const path of [final.engine, `${final.engine}.tmp`]) await disk.remove(path).catch(() => undefined);
    await removeFolder(final.restoring).catch(() => undefined);
    throw error;
  }
}

/** Copies the blocks as they are, verified, under a header that names the new store. */
async function copySnapshot(
  disk: Disk,
  directory: string,
  backup: VerifyingSnapshot,
  storeId: Uint8Array,
): Promise<void> {
  const { header } = backup;
  const writer = await SnapshotWriter.create(
    disk,
    directory,
    header.revision,
    // What comes out goes on alone, whatever the backup is of.
    encodeSnapshotHeader({ ...header, storeId, place: undefined }),
  );
  try {
    for (let block = await backup.next(); block !== undefined; block = await backup.next()) {
      await writer.write(block.bytes, block.itemCount);
    }
    await writer.finish();
  } catch (error) {
    await writer.abort().catch(() => undefined);
    throw error;
  }
}

async function putInPlace(
  disk: Disk,
  dataDir: string,
  made: DataDirectory,
  final: DataDirectory,
): Promise<void> {
  await moveFolder(made.snapshots, final.snapshots);
  await moveFolder(made.log, final.log);
  // Only when the names are durable may the folder go that says that they are not.
  await disk.syncDirectory(dataDir);
  await removeEmptyFolder(final.restoring);
  await disk.syncDirectory(dataDir);
}

function result(
  storeId: Uint8Array,
  engine: EngineName,
  backup: VerifyingSnapshot,
  copied: CopiedLog,
): RestoreResult {
  const { revision: backupRevision, timeMs, versionCount, leaseCount, accessCount } = backupInfo(backup);
  return {
    storeId: publicStoreId(storeId),
    engine,
    revision: copied.revision,
    backupRevision,
    timeMs: copied.timeMs ?? timeMs,
    versionCount,
    leaseCount,
    accessCount,
    torn: copied.torn,
    hasLogEnded: copied.hasLogEnded,
  };
}

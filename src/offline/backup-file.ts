/** Backups as files: a backup is a snapshot, see `docs/format.md`. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DiskError, type Disk, type DiskFile } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { StoreError } from '../errors.ts';
import { publicStoreId } from '../store/directory/store-id.ts';
import { isNothing, kindOf } from './file-system.ts';
import type { OnProgress } from './progress.ts';
import { VerifyingSnapshot } from './verify-snapshot.ts';

/** What a whole backup is of. */
export interface BackupInfo {
  /** As `kelp status` shows it. */
  readonly storeId: string;
  readonly revision: number;
  /** When it was begun: milliseconds since 1970-01-01 UTC. */
  readonly timeMs: number;
  readonly bytes: number;
  /** The versions of keys: one for each key in a backup; other snapshots may hold older ones too. */
  readonly versionCount: number;
  readonly leaseCount: number;
}

/**
 * Writes the bytes of a backup to a file: under a temporary name, flushed, read again and verified, then renamed. What
 * goes wrong leaves no file.
 * @throws StoreError `invalidArgument` when there is such a file already or no such folder, `damaged` when the bytes are no whole backup;
 * a `DiskError`; whatever reading `pieces` throws.
 */
export async function writeBackupFile(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  onProgress: OnProgress,
  disk: Disk = nodeDisk,
): Promise<BackupInfo> {
  await refuseExisting(path);
  const unfinished = `${path}.tmp`;
  const file = await createEmpty(disk, unfinished);
  try {
    try {
      await fill(file, path, pieces, onProgress);
    } finally {
      await file.close();
    }
    const info = await verifyBackupFile(unfinished, onProgress, disk);
    // It may have come meanwhile, and renaming would replace it.
    await refuseExisting(path);
    await disk.rename(unfinished, path);
    await disk.syncDirectory(dirname(path));
    return info;
  } catch (error) {
    await disk.remove(unfinished).catch(() => undefined);
    throw error;
  }
}

/** Verifies a backup, or any snapshot. @throws StoreError `damaged`, `invalidArgument`. */
export async function verifyBackupFile(
  path: string,
  onProgress: OnProgress,
  disk: Disk = nodeDisk,
): Promise<BackupInfo> {
  const backup = await openBackup(disk, path, onProgress);
  try {
    await backup.verify();
    return backupInfo(backup);
  } finally {
    await backup.close();
  }
}

export async function openBackup(
  disk: Disk,
  path: string,
  onProgress: OnProgress,
): Promise<VerifyingSnapshot> {
  try {
    return await VerifyingSnapshot.open(disk, path, onProgress);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'notFound') throw error;
    throw new StoreError('invalidArgument', `there is no backup ${path}`, { cause: error });
  }
}

/** Of a backup that was read to its end. */
export function backupInfo({ header, counts }: VerifyingSnapshot): BackupInfo {
  return {
    storeId: publicStoreId(header.storeId),
    revision: header.revision,
    timeMs: header.timeMs,
    ...counts,
  };
}

async function refuseExisting(path: string): Promise<void> {
  if ((await kindOf(path)) === undefined) return;
  throw new StoreError('invalidArgument', `${path} exists; a backup never overwrites a file`);
}

async function createEmpty(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.create(path);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    if (isNothing(error.cause)) {
      const message = `there is no folder ${dirname(path)}; make it first`;
      throw new StoreError('invalidArgument', message, { cause: error });
    }
    if (error.code !== 'exists') throw error;
    const { mtime } = await stat(path).catch(() => ({ mtime: undefined }));
    const lastWrite = mtime === undefined ? '' : `, last written to at ${mtime.toISOString()}`;
    throw new StoreError(
      'invalidArgument',
      `${path} exists${lastWrite}: another backup is being written there, or one was killed before it could remove it; if none is running, remove the file and try again`,
      { cause: error },
    );
  }
}

async function fill(
  file: DiskFile,
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  onProgress: OnProgress,
): Promise<void> {
  let bytes = 0;
  for await (const piece of pieces) {
    await file.write(piece, bytes);
    bytes += piece.length;
    onProgress({ work: `writing ${path}`, doneBytes: bytes, totalBytes: 0 });
  }
  await file.sync();
}

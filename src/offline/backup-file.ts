/** Backups as files: a backup is a snapshot, see `docs/format.md`. */
import { DiskError, type Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { StoreError } from '../errors.ts';
import { publicStoreId } from '../store/directory/store-id.ts';
import type { OnProgress } from '../progress.ts';
import { VerifyingSnapshot } from './verify/verify-snapshot.ts';
import { writeWholeFile } from './whole-file.ts';

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
  /** Users, roles and tokens; older versions of them as of keys. */
  readonly accessCount: number;
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
  return writeWholeFile({
    disk,
    path,
    what: 'backup',
    mayReplace: false,
    fill: async (append) => {
      let doneBytes = 0;
      for await (const piece of pieces) {
        await append(piece);
        doneBytes += piece.length;
        onProgress({ work: `writing ${path}`, doneBytes, totalBytes: 0 });
      }
    },
    check: (unfinishedPath) => verifyBackupFile(unfinishedPath, onProgress, disk),
  });
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

/** Keeps servers away from a data directory while a tool works with its files. */
import { DiskError, type Disk, type DiskLock } from '../disk/disk.ts';
import { StoreError } from '../errors.ts';
import { dataDirectory } from '../store/data-directory.ts';

/**
 * Runs `work` while no server has the directory. A directory without a lock file was never a server's: none is made
 * there, and should a server come meanwhile, what was read is void.
 * @throws StoreError `locked`.
 */
export async function whileUnused<Result>(
  disk: Disk,
  dataDir: string,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!(await hasLockFile(disk, dataDir))) {
    const result = await work();
    if (!(await hasLockFile(disk, dataDir))) return result;
    throw new StoreError('locked', `a server has begun to use ${dataDir} meanwhile; stop it and try again`);
  }
  const lock = await takeLock(disk, dataDir);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Makes the lock file if need be. @throws StoreError `locked`. */
export async function takeLock(disk: Disk, dataDir: string): Promise<DiskLock> {
  try {
    return await disk.lock(dataDirectory(dataDir).lock);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'locked') throw error;
    throw new StoreError(
      'locked',
      `a server is using ${dataDir}, and its files change while they would be read; stop it, or use a copy`,
      { cause: error },
    );
  }
}

export async function hasLockFile(disk: Disk, dataDir: string): Promise<boolean> {
  const { lock } = dataDirectory(dataDir);
  return (await disk.list(dataDir)).some((name) => `${dataDir}/${name}` === lock);
}

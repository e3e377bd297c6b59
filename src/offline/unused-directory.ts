/** Keeps servers away from a data directory while a tool works with its files. */
import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { lockDirectoryForReading } from '../disk/directory-lock.ts';
import { DiskError, type Disk, type DiskLock } from '../disk/disk.ts';
import { StoreError } from '../errors.ts';
import { dataDirectory } from '../store/data-directory.ts';
import { kindOf } from './file-system.ts';

/**
 * Runs `work`, which reads, while no server has the directory. A directory without a lock file was never a server's: none
 * is made there, and should a server come meanwhile, what was read is void.
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
  const lock = await lockForReading(disk, dataDir);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/**
 * The same for logs: data directories, folders of segments or segments. Of the last two, no server may have the data
 * directory that they lie in, since the log of a running server changes under its reader.
 */
export async function whileLogsUnused<Result>(
  disk: Disk,
  paths: readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  const dataDirs = await dataDirectoriesOf(paths);
  const locked = dataDirs.reduce<() => Promise<Result>>(
    (inner, dataDir) => () => whileUnused(disk, dataDir, inner),
    work,
  );
  return locked();
}

/** Each once, however it is written: a lock can't be taken twice. */
async function dataDirectoriesOf(paths: readonly string[]): Promise<string[]> {
  const dataDirByRealPath = new Map<string, string>();
  for (const path of paths) {
    const kind = await kindOf(path);
    if (kind === undefined) continue;
    // A link may lie in a data directory, or lead into one.
    for (const place of [resolve(path), await realpath(path)]) {
      const folder = kind === 'folder' ? place : dirname(place);
      const parent = dirname(folder);
      const isLog = dataDirectory(parent).log === folder;
      for (const dataDir of [...(kind === 'folder' ? [folder] : []), ...(isLog ? [parent] : [])]) {
        dataDirByRealPath.set(await realpath(dataDir), dataDir);
      }
    }
  }
  return [...dataDirByRealPath.values()];
}

/** Makes the lock file if need be. @throws StoreError `locked`. */
export async function takeLock(disk: Disk, dataDir: string): Promise<DiskLock> {
  try {
    return await disk.lock(dataDirectory(dataDir).lock);
  } catch (error) {
    throw inUse(dataDir, error);
  }
}

/** Needs no permission to write. @throws StoreError `locked`. */
async function lockForReading(disk: Disk, dataDir: string): Promise<DiskLock> {
  const { lock } = dataDirectory(dataDir);
  try {
    return await disk.lock(lock).catch((error: unknown) => {
      if (!(error instanceof DiskError) || error.code !== 'noPermission') throw error;
      return lockDirectoryForReading(lock);
    });
  } catch (error) {
    throw inUse(dataDir, error);
  }
}

function inUse(dataDir: string, error: unknown): unknown {
  if (!(error instanceof DiskError) || error.code !== 'locked') return error;
  return new StoreError(
    'locked',
    `a server is using ${dataDir}, and its files change while they would be read; stop it, or use a copy`,
    { cause: error },
  );
}

export async function hasLockFile(disk: Disk, dataDir: string): Promise<boolean> {
  const { lock } = dataDirectory(dataDir);
  return (await disk.list(dataDir)).some((name) => `${dataDir}/${name}` === lock);
}

/** Keeps servers away from a data directory while a tool works with its files. */
import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { lockDirectoryForReading } from '../disk/directory-lock.ts';
import { DiskError, type Disk, type DiskLock } from '../disk/disk.ts';
import { StoreError } from '../errors.ts';
import { dataDirectory } from '../store/directory/data-directory.ts';
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
  const paths = await lockFiles(disk, dataDir);
  if (paths.length === 0) {
    const result = await work();
    if ((await lockFiles(disk, dataDir)).length === 0) return result;
    throw new StoreError('locked', `a server has begun to use ${dataDir} meanwhile; stop it and try again`);
  }
  return whileLocked(disk, dataDir, paths, work);
}

/** Those of a store that are there: one of them may have been removed by hand while a server has the directory. */
async function lockFiles(disk: Disk, dataDir: string): Promise<string[]> {
  const { lock, innerLock, log } = dataDirectory(dataDir);
  const paths: string[] = [];
  if ((await disk.list(dataDir)).some((name) => `${dataDir}/${name}` === lock)) paths.push(lock);
  if ((await disk.list(log)).some((name) => `${log}/${name}` === innerLock)) paths.push(innerLock);
  return paths;
}

async function whileLocked<Result>(
  disk: Disk,
  dataDir: string,
  [path, ...rest]: readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  if (path === undefined) return work();
  const lock = await lockForReading(disk, dataDir, path);
  try {
    return await whileLocked(disk, dataDir, rest, work);
  } finally {
    await lock.release();
  }
}

/**
 * Like `whileUnused`, of logs: data directories, folders of segments or segments. Of the last two, no server may have the data
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

/** Takes the lock of a directory that is to become a store's. @throws StoreError `locked`. */
export async function takeLock(disk: Disk, dataDir: string): Promise<DiskLock> {
  try {
    return await disk.lock(dataDirectory(dataDir).lock);
  } catch (error) {
    throw inUse(dataDir, error);
  }
}

/** Needs no permission to write. @throws StoreError `locked`. */
async function lockForReading(disk: Disk, dataDir: string, path: string): Promise<DiskLock> {
  try {
    return await disk.lock(path).catch((error: unknown) => {
      if (!(error instanceof DiskError) || error.code !== 'noPermission') throw error;
      return lockDirectoryForReading(path);
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

/** Taking a data directory: only an empty one or a store's own, only for one process, and only if it is whole. */
import { basename, dirname } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { Disk, DiskLock } from '../../disk/disk.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { revisionOf, isUnfinishedName } from '../../snapshot/file-names.ts';
import { isTemporaryName, parseSegmentName } from '../../wal/frames/format.ts';
import { NewestName } from '../../wal/segments/newest-segment.ts';
import { type DataDirectory, isPassedOver } from './data-directory.ts';
import type { OperatorEvent } from '../operator-event.ts';

export interface TakeContext {
  readonly disk: Disk;
  readonly clock: Clock;
  onEvent(event: OperatorEvent): void;
}

/**
 * Takes the directory for this process alone; makes it, and the folders in it, if need be.
 * @throws StoreError `invalidArgument` when it is something else's, before anything is made in it; `damaged`. A `DiskError`.
 */
export async function takeDirectory(
  context: TakeContext,
  dataDir: string,
  directory: DataDirectory,
): Promise<readonly DiskLock[]> {
  const { disk, clock } = context;
  await disk.makeDirectory(dataDir);
  await checkOurs(disk, dataDir, directory);
  const isUnlocked = await isStoreWithoutLocks(disk, directory);
  const locks = [await disk.lock(directory.lock)];
  try {
    await checkRestored(disk, dataDir, directory);
    await disk.makeDirectory(directory.log);
    await disk.makeDirectory(directory.snapshots);
    locks.push(await disk.lock(directory.innerLock));
    if (isUnlocked) {
      const waitMs = fixed.unlockedStoreWaitMs;
      context.onEvent({ kind: 'locksMissing', waitMs });
      await new Promise<void>((resolve) => void clock.setTimer(waitMs, resolve));
    }
    // A process before may have been killed between giving a file its name and making the name durable. What is found
    // now is built upon, so a loss of power must not take it away any more.
    for (const path of [dataDir, directory.log, directory.snapshots]) await disk.syncDirectory(path);
    return locks;
  } catch (error) {
    for (const lock of locks.reverse()) await lock.release();
    throw error;
  }
}

/**
 * Refuses a directory that is neither empty nor a store's. A first start may have been killed at any step, so what it makes,
 * whole or in part, is no obstacle; nor is anything in a directory that has a part of a log or a snapshot.
 */
async function checkOurs(disk: Disk, dataDir: string, directory: DataDirectory): Promise<void> {
  const foreign = await foreignPath(disk, dataDir, directory);
  if (foreign === undefined || (await holdsStore(disk, directory))) return;
  throw new StoreError(
    'invalidArgument',
    `the directory ${dataDir} is not empty, and no store: there is ${foreign}. Give a directory of its own to the store, such as ${dataDir}/kelp; nothing was changed`,
  );
}

/** The first in the order of names, so that the same directory always gives the same answer. */
async function foreignPath(
  disk: Disk,
  dataDir: string,
  directory: DataDirectory,
): Promise<string | undefined> {
  const { lock, log, snapshots, newestSegment, engine, base, restoring, reset } = directory;
  const own = new Set([
    lock,
    log,
    snapshots,
    newestSegment,
    `${newestSegment}.tmp`,
    engine,
    `${engine}.tmp`,
    restoring,
    reset,
  ]);
  const paths = await pathsIn(disk, dataDir);
  // The engine is named before it has its folder, in which it knows its files itself.
  if (paths.includes(engine)) own.add(base);
  return (
    paths.find((path) => !own.has(path)) ??
    (await foreignIn(
      disk,
      log,
      paths,
      (name) => parseSegmentName(withoutAside(name)) !== undefined || isTemporaryName(name),
    )) ??
    (await foreignIn(disk, snapshots, paths, isSnapshotFile))
  );
}

async function foreignIn(
  disk: Disk,
  folder: string,
  paths: readonly string[],
  isOwn: (name: string) => boolean,
): Promise<string | undefined> {
  if (!paths.includes(folder)) return undefined;
  return (await pathsIn(disk, folder)).find((path) => !isOwn(path.slice(folder.length + 1)));
}

async function pathsIn(disk: Disk, folder: string): Promise<string[]> {
  const names = await disk.list(folder);
  return names
    .filter((name) => !isPassedOver(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function isSnapshotFile(name: string): boolean {
  return revisionOf(withoutAside(name)) !== undefined || isUnfinishedName(name);
}

/** What a file was called before it was set aside as damaged. */
function withoutAside(name: string): string {
  return name.replace(/\.damaged$/, '');
}

/** Also one of which the most is lost: that is to be told as damage. */
async function holdsStore(disk: Disk, { log, snapshots, newestSegment }: DataDirectory): Promise<boolean> {
  const hasSegment = (await disk.list(log)).some((name) => parseSegmentName(name) !== undefined);
  if (hasSegment || (await disk.list(snapshots)).some((name) => revisionOf(name) !== undefined)) return true;
  return (await NewestName.read(disk, newestSegment)).isKnown;
}

/**
 * A store has its lock files from its first start on. Where both are missing, a hand has removed them, or has copied the
 * rest; and in the first case their owner may be alive. It notices soon, and stops: so long the newcomer has to wait.
 */
async function isStoreWithoutLocks(disk: Disk, directory: DataDirectory): Promise<boolean> {
  const { lock, innerLock } = directory;
  for (const path of [lock, innerLock]) {
    if ((await disk.list(dirname(path))).includes(basename(path))) return false;
  }
  return holdsStore(disk, directory);
}

/** What was left of a store that was being made or replaced, a part of one or nothing of it, must not pass for a store. */
async function checkRestored(disk: Disk, dataDir: string, directory: DataDirectory): Promise<void> {
  const names = await disk.list(dataDir);
  const paths = names.map((name) => `${dataDir}/${name}`);
  if (paths.includes(directory.reset)) {
    throw new StoreError(
      'damaged',
      `${dataDir} is of a node of a cluster whose state was being replaced; start it with the shared log of its cluster`,
    );
  }
  if (!paths.includes(directory.restoring)) return;
  throw new StoreError(
    'damaged',
    `the restore into ${dataDir} was broken off; remove what is in the directory and restore the backup again`,
  );
}

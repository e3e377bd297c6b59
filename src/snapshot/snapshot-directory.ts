/** The snapshots of one directory as a whole: which there are, and which may go. */
import type { Disk } from '../disk/disk.ts';
import { assert } from '../errors.ts';
import { isUnfinishedName, revisionOf, snapshotPath } from './file-names.ts';

export interface SnapshotInfo {
  readonly revision: number;
  /** The length of the file. */
  readonly bytes: number;
}

/** The finished snapshots, the newest first. Nothing is said of their contents. Rejects with a `DiskError`. */
export async function listSnapshots(disk: Disk, directory: string): Promise<SnapshotInfo[]> {
  const snapshots: SnapshotInfo[] = [];
  for (const revision of await revisionsNewestFirst(disk, directory)) {
    const file = await disk.open(snapshotPath(directory, revision), 'read');
    try {
      snapshots.push({ revision, bytes: await file.size() });
    } finally {
      await file.close();
    }
  }
  return snapshots;
}

/**
 * Removes all snapshots but the newest `keepNewest` (at least 1). A crash may bring removed ones back, until the
 * directory is next made durable. Rejects with a `DiskError`.
 */
export async function removeSnapshots(disk: Disk, directory: string, keepNewest: number): Promise<void> {
  assert(keepNewest >= 1, 'at least one snapshot is kept');
  const revisions = await revisionsNewestFirst(disk, directory);
  // The oldest go first: whenever this ends, what is left are the newest.
  for (const revision of revisions.slice(keepNewest).reverse()) {
    await disk.remove(snapshotPath(directory, revision));
  }
}

/**
 * Takes a snapshot that can't be read out of the row of those that are kept, without destroying it: its name gets the
 * ending `.damaged`, and nothing looks at it any more. Rejects with a `DiskError`.
 */
export async function setSnapshotAside(disk: Disk, directory: string, revision: number): Promise<void> {
  const path = snapshotPath(directory, revision);
  await disk.rename(path, `${path}.damaged`);
}

/** Removes what writers that a crash ended have left. No writer may be at work in the directory. */
export async function removeUnfinishedSnapshots(disk: Disk, directory: string): Promise<void> {
  for (const name of await disk.list(directory)) {
    if (isUnfinishedName(name)) await disk.remove(`${directory}/${name}`);
  }
}

async function revisionsNewestFirst(disk: Disk, directory: string): Promise<number[]> {
  const names = await disk.list(directory);
  const revisions = names.map(revisionOf).filter((revision) => revision !== undefined);
  return revisions.sort((a, b) => b - a);
}

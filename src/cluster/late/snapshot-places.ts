/** At which places of the shared log the snapshots on a node's disk are: up to which batch they have its records. */
import { readSnapshotHeader, type SnapshotPlaceShape } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Disk } from '../../disk/disk.ts';
import { StoreError } from '../../errors.ts';
import { openSnapshot } from '../../snapshot/reader.ts';
import { listSnapshots } from '../../snapshot/snapshot-directory.ts';

/** @returns the position that the newest one covers; 0: there is none. Rejects when it can't be read. */
export async function newestSnapshotPosition(disk: Disk, directory: string): Promise<number> {
  const [newest] = await listSnapshots(disk, directory);
  if (newest === undefined) return 0;
  return (await snapshotPlace(disk, directory, newest.revision))?.position ?? 0;
}

/** @returns the place of the newest one that can be read; `undefined`: there is none. */
export async function newestReadablePlace(
  disk: Disk,
  directory: string,
): Promise<SnapshotPlaceShape | undefined> {
  for (const { revision } of await listSnapshots(disk, directory)) {
    try {
      return await snapshotPlace(disk, directory, revision);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'damaged')) throw error;
    }
  }
  return undefined;
}

async function snapshotPlace(
  disk: Disk,
  directory: string,
  revision: number,
): Promise<SnapshotPlaceShape | undefined> {
  const reader = await openSnapshot(disk, directory, revision);
  try {
    const header = Buffer.from(reader.header);
    return readSnapshotHeader(header, 0, header.length).place;
  } finally {
    await reader.close();
  }
}

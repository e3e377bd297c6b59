/** Up to which batch of the shared log the snapshots on a node's disk have its records. */
import { readSnapshotHeader } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Disk } from '../../disk/disk.ts';
import { StoreError } from '../../errors.ts';
import { openSnapshot } from '../../snapshot/reader.ts';
import { listSnapshots } from '../../snapshot/snapshot-directory.ts';

/** @returns the position that the newest one covers; 0: there is none. Rejects when it can't be read. */
export async function newestSnapshotPosition(disk: Disk, directory: string): Promise<number> {
  const [newest] = await listSnapshots(disk, directory);
  return newest === undefined ? 0 : await snapshotPosition(disk, directory, newest.revision);
}

/** @returns the position that the newest one covers that can be read; 0: there is none. */
export async function newestReadablePosition(disk: Disk, directory: string): Promise<number> {
  for (const { revision } of await listSnapshots(disk, directory)) {
    try {
      return await snapshotPosition(disk, directory, revision);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'damaged')) throw error;
    }
  }
  return 0;
}

async function snapshotPosition(disk: Disk, directory: string, revision: number): Promise<number> {
  const reader = await openSnapshot(disk, directory, revision);
  try {
    const header = Buffer.from(reader.header);
    return readSnapshotHeader(header, 0, header.length).place?.position ?? 0;
  } finally {
    await reader.close();
  }
}

/**
 * Whether what is damaged on the disk of a node may give way to what the others have.
 *
 * What a node's disk holds is a copy of what lies in the shared log and in the snapshots of the other nodes. But a directory may have been
 * given to a node by mistake, and be damaged: one of a store that is alone, or of another cluster, has the only copy of its data. So at
 * least one of its files must tell the id of this cluster's store, which no other store has, not even one that was restored of its backups.
 */
import { isStoreError, type StoreError } from '../../errors.ts';
import { readSnapshotHeader } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Disk } from '../../disk/disk.ts';
import { openSnapshot } from '../../snapshot/reader.ts';
import { listSnapshots } from '../../snapshot/snapshot-directory.ts';
import { type DataDirectory, dataDirectory } from '../../store/directory/data-directory.ts';
import { LostStateError } from '../../store/recovery/lost-state.ts';
import { LogDamageError, LogFormatError } from '../../wal/frames/damage.ts';
import { listLog, openSegment } from '../../wal/log-directory.ts';

/** What a store could not be opened for. */
export interface StateDamage {
  readonly error: StoreError<'damaged'>;
  /** The file that is damaged; `undefined`: what is missing has no name. */
  readonly path: string | undefined;
}

/**
 * @returns `undefined`: it is no damage, or what is whole and was written by another version, or the directory may be that of another store.
 * Rejects with a `DiskError`.
 */
export async function replaceableDamage(
  error: unknown,
  disk: Disk,
  dataDir: string,
  storeId: Uint8Array,
): Promise<StateDamage | undefined> {
  const isDamage =
    error instanceof LostStateError ||
    (error instanceof LogDamageError && !(error instanceof LogFormatError));
  if (!isDamage || !(await isOfStore(disk, dataDirectory(dataDir), storeId))) return undefined;
  return { error, path: error.path };
}

async function isOfStore(
  disk: Disk,
  { log, snapshots }: DataDirectory,
  storeId: Uint8Array,
): Promise<boolean> {
  const isIts = (id: Uint8Array): boolean => Buffer.compare(id, storeId) === 0;
  for (const name of (await listLog(disk, log)).segments) {
    const id = await unlessDamaged(async () => (await openSegment(disk, log, name)).start.storeId);
    if (id !== undefined && isIts(id)) return true;
  }
  for (const { revision } of await listSnapshots(disk, snapshots)) {
    const id = await unlessDamaged(() => idOfSnapshot(disk, snapshots, revision));
    if (id !== undefined && isIts(id)) return true;
  }
  return false;
}

async function idOfSnapshot(disk: Disk, directory: string, revision: number): Promise<Uint8Array> {
  const reader = await openSnapshot(disk, directory, revision);
  try {
    const header = Buffer.from(reader.header);
    return readSnapshotHeader(header, 0, header.length).storeId;
  } finally {
    await reader.close();
  }
}

async function unlessDamaged<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    return undefined;
  }
}

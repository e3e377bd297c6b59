/**
 * Puts the snapshot of another node in place of the state of this one, whose next batch is no longer in the shared log, or which is damaged.
 *
 * 1. The snapshot is written beside what is there, under a temporary name, and verified block by block.
 * 2. The mark is made: from here on what was there is of no use.
 * 3. Segments and snapshots are removed.
 * 4. A log is made that goes on behind the revision of the snapshot.
 * 5. The snapshot gets its name.
 * 6. The mark is removed: the directory is that of a node which has come to the place of the snapshot.
 *
 * A crash before the mark leaves the old state, and one before its removal an empty directory (`clearReset`). Both start.
 */
import {
  readSnapshotHeader,
  type SnapshotHeaderShape,
  type SnapshotPlaceShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock } from '../../clock.ts';
import type { Disk } from '../../disk/disk.ts';
import { StoreError } from '../../errors.ts';
import { defaults } from '../../limits.ts';
import { isUnfinishedName } from '../../snapshot/file-names.ts';
import { openSnapshotStream, type SnapshotReader } from '../../snapshot/reader.ts';
import { SnapshotWriter } from '../../snapshot/writer.ts';
import { encodeSnapshotHeader } from '../../store/checkpoints/checkpoint.ts';
import { dataDirectory, type DataDirectory } from '../../store/directory/data-directory.ts';
import { takeDirectory } from '../../store/directory/take-directory.ts';
import type { OperatorEvent } from '../../store/operator-event.ts';
import { readHeader } from '../../store/recovery/snapshot-head.ts';
import type { LogPlace } from '../../wal/journal.ts';
import { Log } from '../../wal/log.ts';
import { isMarkedReset, markReset, removeState, unmarkReset } from './reset-mark.ts';
import { StreamSource } from './stream-source.ts';

export interface NodeDirectory {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly onEvent: (event: OperatorEvent) => void;
}

export interface Wanted {
  readonly storeId: Uint8Array;
  /** The snapshot has to cover what lies before this position of the shared log. */
  readonly position: number;
  /** What errors call it. */
  readonly name: string;
  /** It is that of a running server, at this address, which is followed by its revisions: those are the positions. */
  readonly serverAddress?: string;
  /** Rejects where the snapshot's place is not one of the shared log as it is. */
  readonly checkPlace?: (place: LogPlace) => Promise<void>;
  /** A file of the state that is replaced, which is set aside. */
  readonly damagedPath?: string | undefined;
}

/** Throws away the state, where the shared log has all that ever was. The store is not open. */
export async function dropState(node: NodeDirectory, damagedPath: string | undefined): Promise<void> {
  const { disk, dataDir } = node;
  const directory = dataDirectory(dataDir);
  const locks = await takeDirectory(node, dataDir, directory);
  try {
    await markReset(disk, dataDir, directory);
    await removeState(disk, dataDir, directory, { damagedPath });
    await unmarkReset(disk, dataDir, directory);
  } finally {
    for (const lock of [...locks].reverse()) await lock.release();
  }
}

/** Throws away what a crash has left of the replacing of a state. The store is not open. */
export async function clearReset({ disk, dataDir }: NodeDirectory): Promise<void> {
  const directory = dataDirectory(dataDir);
  if (!(await isMarkedReset(disk, dataDir, directory))) return;
  const lock = await disk.lock(directory.lock);
  try {
    await removeState(disk, dataDir, directory);
    await unmarkReset(disk, dataDir, directory);
  } finally {
    await lock.release();
  }
}

/**
 * The store is not open.
 * @returns the revision of the snapshot, and its length.
 * @throws StoreError `damaged` when the pieces are no snapshot, or not one that is wanted: then nothing has changed. A `DiskError`.
 */
export async function replaceState(
  node: NodeDirectory,
  wanted: Wanted,
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ readonly revision: number; readonly bytes: number }> {
  const directory = dataDirectory(node.dataDir);
  const locks = await takeDirectory(node, node.dataDir, directory);
  try {
    const reader = await openSnapshotStream(wanted.name, new StreamSource(pieces));
    try {
      return await replace(node, directory, wanted, reader);
    } finally {
      await reader.close();
    }
  } finally {
    for (const lock of [...locks].reverse()) await lock.release();
  }
}

async function replace(
  node: NodeDirectory,
  directory: DataDirectory,
  wanted: Wanted,
  reader: SnapshotReader,
): Promise<{ readonly revision: number; readonly bytes: number }> {
  const { disk, dataDir } = node;
  const header = headerOf(reader, wanted);
  const { revision, place } = header;
  await wanted.checkPlace?.(place);
  const writer = await SnapshotWriter.create(
    disk,
    directory.snapshots,
    revision,
    wanted.serverAddress === undefined ? reader.header : encodeSnapshotHeader(header),
  );
  try {
    for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
      await writer.write(next.block, next.itemCount);
      reader.giveBack(next);
    }
    await markReset(disk, dataDir, directory);
    await removeState(disk, dataDir, directory, {
      isKept: isUnfinishedName,
      damagedPath: wanted.damagedPath,
    });
    await makeLog(node, directory, wanted.storeId, revision);
    const info = await writer.finish();
    await unmarkReset(disk, dataDir, directory);
    return info;
  } catch (error) {
    // What went wrong first is what counts.
    await writer.abort().catch(() => undefined);
    throw error;
  }
}

function headerOf(
  reader: SnapshotReader,
  wanted: Wanted,
): SnapshotHeaderShape & { readonly place: SnapshotPlaceShape } {
  const { storeId, position, name, serverAddress } = wanted;
  const bytes = Buffer.from(reader.header);
  const { revision } = readSnapshotHeader(bytes, 0, bytes.length);
  const header = readHeader(name, reader.header, revision, storeId, name);
  const place =
    serverAddress === undefined
      ? header.place
      : { position: revision, epoch: 0, checksum: 0, writerAddress: serverAddress, revision };
  if (place !== undefined && place.position + 1 >= position) return { ...header, place };
  const text = `${name} ends at position ${place?.position ?? 0} of the shared log, which begins at ${position}`;
  throw new StoreError('damaged', `${text}: that node is late itself`);
}

async function makeLog(
  { disk, clock }: NodeDirectory,
  directory: DataDirectory,
  storeId: Uint8Array,
  revision: number,
): Promise<void> {
  const log = await Log.create(
    {
      disk,
      clock,
      directory: directory.log,
      newestNamePath: directory.newestSegment,
      segmentBytes: defaults.segmentBytes,
      unflushedBytesMax: defaults.unflushedBytesMax,
      fsync: 'interval',
      fsyncIntervalMs: defaults.fsyncIntervalMs,
      onDurable: () => undefined,
      // `close` fails with it.
      onFailure: () => undefined,
      onSegmentDelayed: () => undefined,
      checkOwned: () => Promise.resolve(),
    },
    storeId,
    revision,
  );
  await log.close();
}

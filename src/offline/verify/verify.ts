/**
 * `kelp verify`: every checksum, chain and count of a data directory, what is damaged, how much is whole, and what the
 * next start would do. It changes nothing, and memory is bounded by the longest frame and block.
 */
import type { Disk } from '../../disk/disk.ts';
import { nodeDisk } from '../../disk/node-disk.ts';
import { isStoreError, StoreError } from '../../errors.ts';
import { SnapshotDamageError } from '../../snapshot/damage.ts';
import { isUnfinishedName, snapshotPath } from '../../snapshot/file-names.ts';
import { listSnapshots } from '../../snapshot/snapshot-directory.ts';
import { dataDirectory, type DataDirectory } from '../../store/directory/data-directory.ts';
import { publicStoreId } from '../../store/directory/store-id.ts';
import { findEngine } from '../directory-engine.ts';
import { forecast, wholeRevision } from '../forecast.ts';
import {
  baseDamages,
  brokenOffRestore,
  logDamages,
  reachDamages,
  snapshotDamages,
  type VerifiedSnapshot,
} from './found-damages.ts';
import type { OnProgress } from '../../progress.ts';
import { whileUnused } from '../unused-directory.ts';
import { type VerifiedLog, verifyLog } from './verify-log.ts';
import { type VerifiedBase, verifyBase } from './verify-base.ts';
import type { BaseReport, Damage, Forecast, SnapshotReport, VerifyReport } from './verify-report.ts';
import { noCounts, VerifyingSnapshot } from './verify-snapshot.ts';

/**
 * Verifies a data directory that no server has open.
 * @throws StoreError `locked`, `invalidArgument` when there is no data directory.
 */
export async function verifyDirectory(
  dataDir: string,
  onProgress: OnProgress,
  disk: Disk = nodeDisk,
): Promise<VerifyReport> {
  const names = await disk.list(dataDir);
  const directory = dataDirectory(dataDir);
  const { log, newestSegment, snapshots, engine, base, restoring } = directory;
  const parts = [log, newestSegment, snapshots, engine, base, restoring];
  if (!names.some((name) => parts.includes(`${dataDir}/${name}`))) {
    throw new StoreError(
      'invalidArgument',
      `${dataDir} is no data directory: it has no log and no snapshots`,
    );
  }
  return whileUnused(disk, dataDir, () => verify(disk, dataDir, directory, onProgress));
}

async function verify(
  disk: Disk,
  dataDir: string,
  directory: DataDirectory,
  onProgress: OnProgress,
): Promise<VerifyReport> {
  const { engine, engineDamage } = await findEngine(disk, directory);
  const log = await verifyLog(disk, directory.log, directory.newestSegment, onProgress);
  const snapshots: VerifiedSnapshot[] = [];
  for (const { revision } of await listSnapshots(disk, directory.snapshots)) {
    snapshots.push(await verifySnapshot(disk, directory.snapshots, revision, log.storeId, onProgress));
  }
  const base =
    engine === undefined || engine === 'memory'
      ? undefined
      : await verifyBase({ disk, engine, folder: directory.base, storeId: log.storeId, onProgress });
  const isRestoring = (await disk.list(dataDir)).some((name) => `${dataDir}/${name}` === directory.restoring);
  const damages = [
    ...(isRestoring ? [brokenOffRestore(directory)] : []),
    ...(engineDamage === undefined ? [] : [engineDamage]),
    ...logDamages(log),
    ...snapshots.flatMap(snapshotDamages),
    ...baseDamages(base),
    ...reachDamages(log, snapshots, base),
  ];
  const oldest = log.segments[0];
  return {
    isWhole: damages.length === 0,
    wholeRevision: isRestoring ? 0 : wholeRevision(log, snapshots, base),
    engine,
    log: {
      storeId: log.storeId === undefined ? '' : publicStoreId(log.storeId),
      segmentCount: log.segments.length,
      bytes: log.segments.reduce((sum, { bytes }) => sum + bytes, 0),
      firstRevision: oldest?.firstRevision ?? 0,
      lastRevision: log.segments.at(-1)?.lastRevision ?? 0,
      recordCount: log.recordCount,
      noteCount: log.noteCount,
      torn: log.torn,
    },
    base: base && baseReport(base),
    snapshots: snapshots.map(snapshotReport),
    damages,
    notes: await notes(disk, directory, log, snapshots, base),
    recovery: nextStart(isRestoring, engineDamage, () => forecast(log, snapshots, base)),
  };
}

function nextStart(
  isRestoring: boolean,
  engineDamage: Damage | undefined,
  otherwise: () => Forecast,
): Forecast {
  if (isRestoring) return { kind: 'stops', why: 'a restore into the directory was broken off' };
  if (engineDamage === undefined) return otherwise();
  return { kind: 'stops', why: `${engineDamage.file}: ${engineDamage.what}` };
}

async function verifySnapshot(
  disk: Disk,
  folder: string,
  revision: number,
  storeId: Uint8Array | undefined,
  onProgress: OnProgress,
): Promise<VerifiedSnapshot> {
  const path = snapshotPath(folder, revision);
  const counts = noCounts();
  try {
    const snapshot = await VerifyingSnapshot.open(disk, path, onProgress, counts);
    try {
      const { header } = snapshot;
      if (header.revision !== revision) {
        throw new SnapshotDamageError(path, 0, `its name is not its revision, ${header.revision}`);
      }
      if (storeId !== undefined && !Buffer.from(storeId).equals(header.storeId)) {
        throw new SnapshotDamageError(path, 0, 'it belongs to another store than the log');
      }
      await snapshot.verify();
    } finally {
      await snapshot.close();
    }
    return { path, revision, counts, error: undefined };
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    return { path, revision, counts, error };
  }
}

function snapshotReport({ path, revision, counts, error }: VerifiedSnapshot): SnapshotReport {
  return { file: path, revision, isWhole: error === undefined, ...counts };
}

function baseReport({ revision, files, damages, leaseCount }: VerifiedBase): BaseReport {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { revision, bytes, isWhole: damages.length === 0, leaseCount, files };
}

async function notes(
  disk: Disk,
  directory: DataDirectory,
  log: VerifiedLog,
  snapshots: readonly VerifiedSnapshot[],
  base: VerifiedBase | undefined,
): Promise<string[]> {
  const oldest = log.segments[0]?.firstRevision ?? 0;
  const asides = (await disk.list(directory.snapshots)).filter((name) => name.endsWith('.damaged')).sort();
  const unfinished = (await disk.list(directory.snapshots)).filter(isUnfinishedName).sort();
  return [
    ...log.unfinished.map((name) => `${directory.log}/${name} was being made; the next start removes it`),
    ...unfinished.map((name) => `${directory.snapshots}/${name} was being made; the next start removes it`),
    ...asides.map(
      (name) => `${directory.snapshots}/${name} was set aside as damaged; nothing needs it any more`,
    ),
    ...(base?.leftOver ?? []).map((path) => `${path} is not needed any more; the next start removes it`),
    ...(base === undefined || base.revision === 0 ? [] : snapshots).map(
      ({ path }) => `${path} is in the files of the engine; the next start removes it`,
    ),
    ...snapshots
      .slice(1)
      .filter(({ revision }) => oldest > revision + 1)
      .map(({ path }) => `${path} can not stand in for a newer one: the log begins at revision ${oldest}`),
  ];
}

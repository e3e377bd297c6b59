/**
 * `kelp verify`: every checksum, chain and count of a data directory, what is damaged, how much is whole, and what the
 * next start would do. It changes nothing, and memory is bounded by the longest frame and block.
 */
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { SnapshotDamageError } from '../snapshot/damage.ts';
import { isUnfinishedName, snapshotPath } from '../snapshot/file-names.ts';
import { listSnapshots } from '../snapshot/snapshot-directory.ts';
import { dataDirectory, type DataDirectory } from '../store/directory/data-directory.ts';
import { readEngineFile } from '../store/directory/engine-file.ts';
import type { EngineName } from '../engine-names.ts';
import { publicStoreId } from '../store/directory/store-id.ts';
import { type CheckedSnapshot, forecast, wholeRevision } from './forecast.ts';
import type { OnProgress } from '../progress.ts';
import { whileUnused } from './unused-directory.ts';
import { type VerifiedLog, verifyLog } from './verify-log.ts';
import type { Damage, Forecast, SnapshotReport, VerifyReport } from './verify-report.ts';
import { noCounts, type SnapshotCounts, VerifyingSnapshot } from './verify-snapshot.ts';

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
  const parts = [directory.log, directory.newestSegment, directory.snapshots, directory.restoring];
  if (!names.some((name) => parts.includes(`${dataDir}/${name}`))) {
    throw new StoreError(
      'invalidArgument',
      `${dataDir} is no data directory: it has no log and no snapshots`,
    );
  }
  return whileUnused(disk, dataDir, () => verify(disk, dataDir, directory, onProgress));
}

/** A snapshot as verified. */
interface VerifiedSnapshot extends CheckedSnapshot {
  readonly path: string;
  readonly counts: SnapshotCounts;
}

async function verify(
  disk: Disk,
  dataDir: string,
  directory: DataDirectory,
  onProgress: OnProgress,
): Promise<VerifyReport> {
  const { engine, engineDamage } = await engineOf(disk, directory);
  const log = await verifyLog(disk, directory.log, directory.newestSegment, onProgress);
  const snapshots: VerifiedSnapshot[] = [];
  for (const { revision } of await listSnapshots(disk, directory.snapshots)) {
    snapshots.push(await verifySnapshot(disk, directory.snapshots, revision, log.storeId, onProgress));
  }
  const isRestoring = (await disk.list(dataDir)).some((name) => `${dataDir}/${name}` === directory.restoring);
  const damages = [
    ...(isRestoring ? [brokenOffRestore(directory)] : []),
    ...(engineDamage === undefined ? [] : [engineDamage]),
    ...logDamages(log),
    ...snapshots.flatMap(snapshotDamages),
    ...reachDamages(log, snapshots),
  ];
  const oldest = log.segments[0];
  return {
    isWhole: damages.length === 0,
    wholeRevision: isRestoring ? 0 : wholeRevision(log, snapshots),
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
    snapshots: snapshots.map(snapshotReport),
    damages,
    notes: await notes(disk, directory, log, snapshots),
    recovery: nextStart(isRestoring, engineDamage, () => forecast(log, snapshots)),
  };
}

interface FoundEngine {
  readonly engine: EngineName | undefined;
  readonly engineDamage: Damage | undefined;
}

async function engineOf(disk: Disk, { engine: file }: DataDirectory): Promise<FoundEngine> {
  try {
    return { engine: await readEngineFile(disk, file), engineDamage: undefined };
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    const what = 'it names no engine that this version knows';
    return {
      engine: undefined,
      engineDamage: { file, offset: 0, what, fromRevision: 1, toRevision: undefined },
    };
  }
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

function brokenOffRestore({ restoring }: DataDirectory): Damage {
  const what = 'a restore was broken off; remove what is in the directory and restore the backup again';
  return { file: restoring, offset: 0, what, fromRevision: 1, toRevision: undefined };
}

function logDamages({ misnamed, segments, missingNewest }: VerifiedLog): Damage[] {
  const all = [
    ...misnamed.map((error) => ({ error, fromRevision: 1, toRevision: undefined })),
    ...segments.flatMap(({ damages }) => damages),
    ...(missingNewest === undefined
      ? []
      : [{ error: missingNewest, fromRevision: missingNewest.wholeRevision + 1, toRevision: undefined }]),
  ];
  return all.map(({ error, fromRevision, toRevision }) => {
    const { path: file, offset, what } = error;
    return { file, offset, what, fromRevision, toRevision };
  });
}

function snapshotDamages({ path, revision, error }: VerifiedSnapshot): Damage[] {
  if (error === undefined) return [];
  const place = error instanceof SnapshotDamageError ? error : { offset: 0, what: error.message };
  const { offset, what } = place;
  return [{ file: path, offset, what, fromRevision: revision, toRevision: revision }];
}

/** What lies between the state to begin with and the log. */
function reachDamages({ segments }: VerifiedLog, snapshots: readonly VerifiedSnapshot[]): Damage[] {
  const [oldest] = segments;
  const newest = snapshots[0];
  if (oldest === undefined) {
    if (newest === undefined) return [];
    const what = 'the log is missing';
    return [{ file: newest.path, offset: 0, what, fromRevision: newest.revision + 1, toRevision: undefined }];
  }
  const begin = newest?.revision ?? 0;
  const end = segments.at(-1)?.lastRevision ?? 0;
  if (oldest.firstRevision > begin + 1) {
    const toRevision = oldest.firstRevision - 1;
    const what = `the log begins at revision ${oldest.firstRevision}: what comes before is missing`;
    return [{ file: oldest.path, offset: 0, what, fromRevision: begin + 1, toRevision }];
  }
  const isRead = segments.every(({ damages }) => damages.length === 0);
  if (newest !== undefined && end < begin && isRead) {
    const what = `the log ends at revision ${end}, before this snapshot`;
    return [{ file: newest.path, offset: 0, what, fromRevision: end + 1, toRevision: undefined }];
  }
  return [];
}

async function notes(
  disk: Disk,
  directory: DataDirectory,
  log: VerifiedLog,
  snapshots: readonly VerifiedSnapshot[],
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
    ...snapshots
      .slice(1)
      .filter(({ revision }) => oldest > revision + 1)
      .map(({ path }) => `${path} can not stand in for a newer one: the log begins at revision ${oldest}`),
  ];
}

/**
 * Brings a store back whose engine keeps its state on disk: the state of the newest checkpoint is there, with its notes, and the log
 * above it is replayed.
 *
 * What is not the state of this log is refused: one of another store, one above the end of the log (`Log.replay` says so), and one
 * below its beginning, since what lies between is missing.
 *
 * A directory that `kelp restore` has made holds a snapshot, and an engine of revision 0. The snapshot is loaded into the engine, and
 * removed. A crash on the way begins again: until the load is committed the engine stays at revision 0, and behind that the snapshot
 * is not looked at any more.
 *
 * A snapshot of revision 0 has leases at most, and an engine keeps nothing at that revision. So it stays, and is read by each start, until
 * there is a checkpoint.
 */
import type { DurableState } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { snapshotPath } from '../../snapshot/file-names.ts';
import { openSnapshot } from '../../snapshot/reader.ts';
import type { SnapshotInfo } from '../../snapshot/snapshot-directory.ts';
import type { Log } from '../../wal/log.ts';
import { checkSnapshotFormat } from '../checkpoints/checkpoint.ts';
import { decodeNotes, type ReadNotes } from '../checkpoints/checkpoint-notes.ts';
import { decode, refuse } from './decode.ts';
import { loadIntoBase } from './load-into-base.ts';
import { faultOfSnapshotHeader, SnapshotOrder } from './recorded-items.ts';
import type { RecoveryContext } from './recovery-context.ts';
import { Recovering, type RecoveredState } from './recovering.ts';
import { replayLog } from './replay-log.ts';

const WHAT = 'what the engine keeps on disk';

/** @throws StoreError `damaged`, and what the engine and the disk say. */
export async function recoverFromBase(
  context: RecoveryContext,
  durable: DurableState,
  log: Log,
  snapshots: readonly SnapshotInfo[],
): Promise<RecoveredState> {
  const { clock, disk, engine, snapshotDirectory } = context;
  const startMs = clock.monotonicMs();
  const newest = snapshots[0];
  const state = new Recovering(engine, clock);
  if (durable.revision === 0 && newest !== undefined) {
    if (newest.revision === 0) await loadWithoutKeys(context, state, log.storeId);
    else await loadIntoBase(context, durable, log.storeId, newest.revision);
  }
  if (durable.revision !== 0) await state.takeCheckpoint(checkedNotes(durable, log.storeId), durable);
  if (log.oldestRevision > durable.revision + 1) throw gapError(durable.revision, log.oldestRevision);
  await replayLog(context, log, state, startMs);
  // An engine whose state may not be durable may need them at the next start.
  if (durable.revision === 0 || durable.unsettled !== undefined) return state;
  // They are loaded, and would only take room.
  for (const { revision } of snapshots) await disk.remove(snapshotPath(snapshotDirectory, revision));
  return state;
}

/** What a snapshot of revision 0 has. */
async function loadWithoutKeys(
  context: RecoveryContext,
  state: Recovering,
  storeId: Uint8Array,
): Promise<void> {
  const { disk, snapshotDirectory } = context;
  const path = snapshotPath(snapshotDirectory, 0);
  const reader = await openSnapshot(disk, snapshotDirectory, 0);
  try {
    await state.loadSnapshot(reader, path, 0, storeId, (progress) => context.onProgress(progress));
  } finally {
    await reader.close();
  }
}

function checkedNotes({ notes, revision }: DurableState, storeId: Uint8Array): ReadNotes {
  const read = decode(WHAT, () => decodeNotes(notes));
  if (read === undefined) throw notedError('no notes of a checkpoint are with it');
  const { header, leases } = read;
  checkSnapshotFormat(header.formatVersion, WHAT);
  if (Buffer.compare(header.storeId, storeId) !== 0) {
    throw notedError(
      'it belongs to another store than the log. Put the files of the one or of the other back, or restore a backup into an empty directory',
    );
  }
  if (header.revision !== revision)
    throw notedError(`it is of revision ${revision}, and its notes of ${header.revision}`);
  refuse(WHAT, faultOfSnapshotHeader(header));
  const order = new SnapshotOrder(revision);
  for (const lease of leases) refuse(WHAT, order.faultOfLease(lease));
  return read;
}

function notedError(what: string): StoreError<'damaged'> {
  return new StoreError('damaged', `${WHAT} can not be used: ${what}`);
}

function gapError(revision: number, oldestRevision: number): StoreError<'damaged'> {
  return new StoreError(
    'damaged',
    `the engine keeps the state of revision ${revision}, and the log begins at revision ${oldestRevision}: what was written between is missing. Put the log segments or the files of the engine back, or restore a backup into an empty directory`,
  );
}

/**
 * Brings a store back from what is on disk: the newest snapshot that can be read, then every record of the log behind it.
 *
 * If the newest snapshot is damaged, the one before it and the longer log serve; if no snapshot is whole, the log alone
 * does, provided that it reaches back to the first revision. Damage that leaves no way to the whole state stops the start.
 */
import { isStoreError, type StoreError } from '../../errors.ts';
import { NewerSnapshotError, SnapshotDamageError } from '../../snapshot/damage.ts';
import { snapshotPath } from '../../snapshot/file-names.ts';
import { openSnapshot } from '../../snapshot/reader.ts';
import { setSnapshotAside, type SnapshotInfo } from '../../snapshot/snapshot-directory.ts';
import type { Log } from '../../wal/log.ts';
import { LostStateError } from './lost-state.ts';
import type { RecoveryContext } from './recovery-context.ts';
import { Recovering } from './recovering.ts';
import { replayLog } from './replay-log.ts';
import type { RecoveredState } from './recovering.ts';

export async function recover(
  context: RecoveryContext,
  log: Log,
  snapshots: readonly SnapshotInfo[],
): Promise<RecoveredState> {
  const startMs = context.clock.monotonicMs();
  const { state, damaged } = await loadNewestSnapshot(context, log, snapshots);
  await replayLog(context, log, state, startMs);
  // Only now is it certain that the store can do without them.
  for (const { revision } of damaged) {
    await setSnapshotAside(context.disk, context.snapshotDirectory, revision);
  }
  state.snapshots = snapshots.filter((snapshot) => !damaged.includes(snapshot));
  return state;
}

interface Loaded {
  readonly state: Recovering;
  /** Snapshots that could not be read on the way to this state. */
  readonly damaged: readonly SnapshotInfo[];
}

async function loadNewestSnapshot(
  context: RecoveryContext,
  log: Log,
  snapshots: readonly SnapshotInfo[],
): Promise<Loaded> {
  let firstDamage: SnapshotDamageError | undefined;
  const damaged: SnapshotInfo[] = [];
  let state = new Recovering(context.engine, context.clock);
  for (const snapshot of snapshots) {
    const { revision } = snapshot;
    const path = snapshotPath(context.snapshotDirectory, revision);
    try {
      const reader = await openSnapshot(context.disk, context.snapshotDirectory, revision);
      try {
        await state.loadSnapshot(reader, path, revision, log.storeId, (progress) =>
          context.onProgress(progress),
        );
      } finally {
        await reader.close();
      }
      return { state, damaged };
    } catch (error) {
      if (!isStoreError(error, 'damaged') || error instanceof NewerSnapshotError) throw error;
      const damage = toSnapshotDamage(error, path);
      firstDamage ??= damage;
      damaged.push(snapshot);
      context.onEvent({ kind: 'snapshotDamaged', revision, error: damage });
      state = new Recovering(await context.makeEngine(), context.clock);
    }
  }
  if (firstDamage !== undefined && log.oldestRevision > 1)
    throw missingSnapshot(firstDamage, log.oldestRevision);
  return { state, damaged };
}

/** What is wrong with a snapshot as a whole is told of its beginning. */
function toSnapshotDamage(error: StoreError<'damaged'>, path: string): SnapshotDamageError {
  if (error instanceof SnapshotDamageError) return error;
  return new SnapshotDamageError(path, 0, error.message, { cause: error });
}

function missingSnapshot(damage: SnapshotDamageError, oldestRevision: number): LostStateError {
  return new LostStateError(
    `${damage.message}. No other snapshot can take its place, and the log begins at revision ${oldestRevision}: what was ` +
      `written up to revision ${oldestRevision - 1} is known from snapshots only. Nothing was changed. Restore the file from a ` +
      `copy of the data directory`,
    damage.path,
    { cause: damage },
  );
}

/** Brings what the log holds behind a state into that state. */
import type { Log } from '../../wal/log.ts';
import type { RecoveryContext } from './recovery-context.ts';
import type { Recovering } from './recovering.ts';

/**
 * The log goes on behind it, and leases count from there.
 * @param state that of a snapshot or of a checkpoint, or the empty one.
 * @param startMs of the recovery, by the monotonic clock.
 */
export async function replayLog(
  context: RecoveryContext,
  log: Log,
  state: Recovering,
  startMs: number,
): Promise<void> {
  const begunRevision = state.revision;
  if (log.oldestRevision > begunRevision) state.isBehindSnapshot = false;
  let recordCount = 0;
  const { torn } = await log.replay(
    begunRevision,
    (buffer, start, end) => {
      recordCount++;
      state.replay(buffer, start, end);
    },
    (doneBytes, totalBytes) => context.onProgress({ phase: 'log', doneBytes, totalBytes }),
  );
  await state.finishLoad();
  if (torn !== undefined) context.onEvent({ kind: 'tornTailCut', ...torn });
  state.leases.setClock(state.leaseClockMs);
  const { revision, timeMs } = state;
  const durationMs = context.clock.monotonicMs() - startMs;
  context.onEvent({
    kind: 'recovered',
    revision,
    timeMs,
    snapshotRevision: begunRevision,
    recordCount,
    durationMs,
  });
}

/** Removes log segments that nothing needs any more. */
import type { Limits } from '../../limits.ts';
import type { Journal } from '../../wal/journal.ts';
import type { History } from '../history/history.ts';

export interface TrimContext {
  readonly log: Journal;
  readonly history: History;
  readonly limits: Pick<Limits, 'logRetentionBytes'>;
  /** Rejects once the data directory is no longer this store's: then nothing is removed there. */
  checkOwned(): Promise<void>;
}

/** @param keptRevision a recovery begins with the state of this revision, or a newer one. */
export async function trimLog(context: TrimContext, keptRevision: number): Promise<void> {
  const { log, history, limits } = context;
  const oldestWanted = Math.max(
    log.oldestRevisionWithin(limits.logRetentionBytes),
    history.agedRevision + 1,
    history.oldestWatchRevision,
  );
  await context.checkOwned();
  try {
    await log.removeBefore(Math.min(keptRevision + 1, oldestWanted));
  } finally {
    // Also of what could not be removed the log has let go.
    history.logStartsAt(log.oldestRevision);
  }
}

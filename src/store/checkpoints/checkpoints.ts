/**
 * What keeps the log short: snapshots of an engine in memory (`checkpointer.ts`), or checkpoints of one on disk
 * (`base-checkpointer.ts`). Both begin when the log, or what has changed, has grown, after an interval, on demand, and as the last
 * thing that a store does which is closed.
 */
import type { SnapshotInfo } from '../../snapshot/snapshot-directory.ts';

export interface Checkpoints {
  /** The snapshots on disk, the newest first; an engine on disk has none. */
  readonly snapshots: readonly SnapshotInfo[];
  /** What has been committed is durable, the log has grown, or history has moved: begins, or goes on with, what is due. */
  notice(): void;
  /** Once it resolves, a start needs nothing of the log that was committed before the call. Rejects with `snapshotFailed`. */
  snapshot(): Promise<SnapshotInfo>;
  /**
   * Does it a last time if that makes the next start quicker; what takes longer than `msMax` is given up. Begins none from then on.
   * Nothing is committed any more.
   */
  stop(msMax: number): Promise<void>;
  /** Once the log is closed: waits for what is at work, and closes the files of the engine. */
  end(): Promise<void>;
  /** Removes log segments that neither recovery nor a watch needs. */
  removeSegments(): Promise<void>;
}

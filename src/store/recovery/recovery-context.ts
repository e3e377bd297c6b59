/** What a recovery needs, and whom it tells. */
import type { Clock } from '../../clock.ts';
import type { Disk } from '../../disk/disk.ts';
import type { Engine } from '../../engine/engine.ts';
import type { OperatorEvent } from '../operator-event.ts';

/** How far a recovery has come: bytes of the snapshot or of the log. */
export interface RecoveryProgress {
  readonly phase: 'snapshot' | 'log';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface RecoveryContext {
  readonly disk: Disk;
  readonly snapshotDirectory: string;
  readonly clock: Clock;
  /** One that was just made or opened, ... */
  readonly engine: Engine;
  /** ... and another, empty one: what a damaged snapshot has been loaded into is of no use any more. */
  makeEngine(): Promise<Engine>;
  onProgress(progress: RecoveryProgress): void;
  onEvent(event: OperatorEvent): void;
}

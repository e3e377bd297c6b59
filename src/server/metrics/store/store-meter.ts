/** What the store tells as it happens, counted for the metrics: batches and flushes of the log, snapshots, checkpoints. */
import { systemClock } from '../../../clock.ts';
import { serverFixed } from '../../../limits.ts';
import type { OperatorEvent } from '../../../store/operator-event.ts';
import type { Flush, LogObserver, WrittenBatch } from '../../../wal/commit/log-observer.ts';
import { Histogram } from '../histogram.ts';

const MS_PER_SECOND = 1000;

export class StoreMeter implements LogObserver {
  /** In seconds. */
  readonly flushDurations = new Histogram(serverFixed.flushDurationBounds);
  readonly batchRecords = new Histogram(serverFixed.batchRecordsBounds);
  readonly batchBytes = new Histogram(serverFixed.batchBytesBounds);
  /** In seconds. */
  readonly snapshotDurations = new Histogram(serverFixed.snapshotDurationBounds);
  snapshotFailureCount = 0;
  /** When the newest snapshot or checkpoint was written, by the wall clock; 0: none since the start. */
  lastSnapshotMs = 0;
  /** Whether the last one could not be written. */
  hasSnapshotFailed = false;
  /** Of an engine on disk, in seconds. */
  readonly checkpointDurations = new Histogram(serverFixed.snapshotDurationBounds);
  checkpointFailureCount = 0;
  /** How often damage in files of the engine was told of. */
  damageCount = 0;

  batchWritten({ recordCount, bytes }: WrittenBatch): void {
    this.batchRecords.add(recordCount);
    this.batchBytes.add(bytes);
  }

  flushed({ durationMs }: Flush): void {
    this.flushDurations.add(durationMs / MS_PER_SECOND);
  }

  happened(event: OperatorEvent): void {
    switch (event.kind) {
      case 'snapshotWritten':
        this.snapshotDurations.add(event.durationMs / MS_PER_SECOND);
        this.#wrote();
        break;
      case 'snapshotFailed':
        this.snapshotFailureCount++;
        this.hasSnapshotFailed = true;
        break;
      case 'checkpointWritten':
        this.checkpointDurations.add(event.durationMs / MS_PER_SECOND);
        this.#wrote();
        break;
      case 'checkpointFailed':
        this.checkpointFailureCount++;
        this.hasSnapshotFailed = true;
        break;
      case 'storageDamaged':
        this.damageCount++;
        break;
      default:
    }
  }

  #wrote(): void {
    this.lastSnapshotMs = systemClock.nowMs();
    this.hasSnapshotFailed = false;
  }
}

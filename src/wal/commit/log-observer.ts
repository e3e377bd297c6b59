/**
 * What the log tells of its work as it does it, for metrics and traces. `observer` of `openStore` and of the log's own options is
 * told; without one nothing is measured.
 *
 *     flushed({ startMs, durationMs, sequence, recordCount, bytes })
 *
 * A flush covers the records after the one before, up to `sequence`: a span for a write begins where its call did and ends with
 * the first flush whose `sequence` is not below that of the write (`Decision.sequence`). Times are of the store's monotonic
 * clock, whose zero is the process's time origin unless a clock is injected.
 */

/** A batch of records that was written, flushed or not. */
export interface WrittenBatch {
  readonly recordCount: number;
  /** Of the frame. */
  readonly bytes: number;
}

export interface Flush {
  /** By the monotonic clock. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Of the last record that it made durable; 0: there was none. */
  readonly sequence: number;
  /** What was written since the flush before, and is durable now. */
  readonly recordCount: number;
  readonly bytes: number;
}

/** Is called from within the log's work: it must be quick, and may not throw. */
export interface LogObserver {
  batchWritten?(batch: WrittenBatch): void;
  /** A flush has ended well. */
  flushed?(flush: Flush): void;
}

/** The metrics of the store: what it holds, and what it did. There are none while it recovers. */
import type { Metric, OpenStoreFigures } from '../metric.ts';

type StoreMetric = Metric<OpenStoreFigures>;

export const stateMetrics: readonly StoreMetric[] = [
  {
    name: 'kelp_revision',
    type: 'gauge',
    help: 'The newest revision; its rate is that of transactions.',
    read: ({ status }) => status.revision,
  },
  {
    name: 'kelp_oldest_revision',
    type: 'gauge',
    help: 'The oldest that can be read; 0: all can.',
    read: ({ status }) => status.oldestRevision,
  },
  {
    name: 'kelp_oldest_watch_revision',
    type: 'gauge',
    help: 'The lowest at which a watch may start. A client that is away until its revision is below it begins anew.',
    read: ({ status }) => status.oldestWatchRevision,
  },
  {
    name: 'kelp_keys',
    type: 'gauge',
    help: 'The keys that are durable; those past their deadline count until they are removed.',
    read: ({ status }) => status.keyCount,
  },
  {
    name: 'kelp_leases',
    type: 'gauge',
    help: 'The leases that are durable, at most --leases-max.',
    read: ({ status }) => status.leaseCount,
  },
  {
    name: 'kelp_data_bytes',
    type: 'gauge',
    help: 'Keys and values in memory, in all kept versions, those too that are not durable.',
    read: ({ status }) => status.dataBytes,
  },
  {
    name: 'kelp_compressed_values_bytes',
    type: 'gauge',
    help: 'The values in memory that are kept compressed (--value-compression), as they are read.',
    read: ({ status }) => status.compressedPlainBytes,
  },
  {
    name: 'kelp_compressed_values_stored_bytes',
    type: 'gauge',
    help: 'What these values take in memory; the difference is saved.',
    read: ({ status }) => status.compressedStoredBytes,
  },
  {
    name: 'kelp_compression_values_total',
    type: 'counter',
    help: 'The values in memory that were long enough to be compressed; not_tried are those that did not look as if it saved enough.',
    labels: { outcome: 'kept, in_vain, not_tried' },
    read: ({ figures }) =>
      Object.entries(figures.compressionCounts).map(([outcome, value]) => ({ labels: { outcome }, value })),
  },
  {
    name: 'kelp_memory_used_bytes',
    type: 'gauge',
    help: 'What counts towards the limit: keys and values, indexes and leases.',
    read: ({ status }) => status.memoryBytes,
  },
  {
    name: 'kelp_memory_limit_bytes',
    type: 'gauge',
    help: 'Beyond this, writes that need memory are refused, or wait for a checkpoint where the engine has files (--memory-limit).',
    read: ({ status }) => status.memoryBytesMax,
  },
  {
    name: 'kelp_expired_keys_total',
    type: 'counter',
    help: 'The keys that were removed because their time to live was over.',
    read: ({ figures }) => figures.expiredKeyCount,
  },
  {
    name: 'kelp_evicted_keys_total',
    type: 'counter',
    help: 'The keys that went before their time to live was over since memory was full (--memory-policy).',
    read: ({ figures }) => figures.evictedKeyCount,
  },
  {
    name: 'kelp_expired_leases_total',
    type: 'counter',
    help: 'The leases that were ended because they were not renewed in time.',
    read: ({ figures }) => figures.expiredLeaseCount,
  },
];

export const diskMetrics: readonly StoreMetric[] = [
  {
    name: 'kelp_log_bytes',
    type: 'gauge',
    help: 'The write-ahead log on disk.',
    read: ({ status }) => status.logBytes,
  },
  {
    name: 'kelp_log_segments',
    type: 'gauge',
    help: 'The files of the write-ahead log.',
    read: ({ status }) => status.segmentCount,
  },
  {
    name: 'kelp_log_written_bytes_total',
    type: 'counter',
    help: 'The bytes of batches that were written to the log; zeros ahead of use do not count.',
    read: ({ meter }) => meter.batchBytes.sum,
  },
  {
    name: 'kelp_log_batch_records',
    type: 'histogram',
    help: 'The transactions and notes in one write of the log. With fsync always a flush follows each.',
    read: ({ meter }) => meter.batchRecords,
  },
  {
    name: 'kelp_log_batch_bytes',
    type: 'histogram',
    help: 'The bytes of one write of the log.',
    read: ({ meter }) => meter.batchBytes,
  },
  {
    name: 'kelp_log_fsync_duration_seconds',
    type: 'histogram',
    help: 'How long flushes of the log took.',
    read: ({ meter }) => meter.flushDurations,
  },
  {
    name: 'kelp_snapshots',
    type: 'gauge',
    help: 'The snapshots on disk.',
    read: ({ status }) => status.snapshotCount,
  },
  {
    name: 'kelp_snapshot_bytes',
    type: 'gauge',
    help: 'The bytes of all snapshots on disk.',
    read: ({ status }) => status.snapshotBytes,
  },
  {
    name: 'kelp_snapshot_revision',
    type: 'gauge',
    help: 'The revision of the newest snapshot, 0: none. While there are writes it moves at least each --snapshot-interval (1 h) or --snapshot-log-bytes of log (256 MiB).',
    read: ({ status }) => status.snapshotRevision,
  },
  {
    name: 'kelp_snapshot_duration_seconds',
    type: 'histogram',
    help: 'How long the snapshots took that were written; its count is theirs.',
    read: ({ meter }) => meter.snapshotDurations,
  },
  {
    name: 'kelp_snapshot_failures_total',
    type: 'counter',
    help: 'The snapshots that could not be written. No write is lost by it; the log grows, and the next start takes longer.',
    read: ({ meter }) => meter.snapshotFailureCount,
  },
];

export const watchMetrics: readonly StoreMetric[] = [
  {
    name: 'kelp_watchers',
    type: 'gauge',
    help: 'The open watches, at most --watchers-max.',
    read: ({ status }) => status.watcherCount,
  },
  {
    name: 'kelp_watchers_behind',
    type: 'gauge',
    help: 'Those that have not dealt with all that is visible: they catch up, or their clients read slowly.',
    read: ({ figures }) => figures.watchLag.behindCount,
  },
  {
    name: 'kelp_watch_lag_revisions',
    type: 'gauge',
    help: 'How many revisions the watch that is furthest behind has before it.',
    read: ({ figures }) => figures.watchLag.revisions,
  },
  {
    name: 'kelp_watch_lag_bytes',
    type: 'gauge',
    help: 'How much of the log these take, in steps of 256 KiB.',
    read: ({ figures }) => figures.watchLag.logBytes,
  },
  {
    name: 'kelp_watch_lag_seconds',
    type: 'gauge',
    help: 'How long ago the first of these was written.',
    read: ({ figures }) => figures.watchLag.ms / 1000,
  },
  {
    name: 'kelp_watch_events_sent_total',
    type: 'counter',
    help: 'The events and present entries that were handed to the readers of watches.',
    read: ({ figures }) => figures.watchEventsSent,
  },
  {
    name: 'kelp_watches_ended_total',
    type: 'counter',
    help: 'The watches that have ended: fell_behind are slow ones, for which what follows was no longer kept.',
    labels: { reason: 'requested, fell_behind, closed (the store), failed' },
    read: ({ figures }) =>
      Object.entries(figures.watchEndCounts).map(([reason, value]) => ({ labels: { reason }, value })),
  },
];

export const workMetrics: readonly StoreMetric[] = [
  {
    name: 'kelp_work_rests_total',
    type: 'counter',
    help: 'How often work had done as much as one turn of the event loop has time for, and went on in a later one.',
    labels: { work: 'calls, pipelines, long_reads, watches, expiry' },
    read: ({ figures, pipelineRestCount }) =>
      Object.entries({ ...figures.restCounts, pipelines: pipelineRestCount }).map(([work, value]) => ({
        labels: { work },
        value,
      })),
  },
  {
    name: 'kelp_work_budget_refusals_total',
    type: 'counter',
    help: 'The requests that were refused (ResourceExhausted) because they would look at or read more than one request may.',
    read: ({ figures }) => figures.budgetRefusalCount,
  },
];

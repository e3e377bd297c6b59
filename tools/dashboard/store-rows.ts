/** The log with its flushes and snapshots, and the watches. */
import type { RowDefinition } from './dashboard.ts';
import { buckets, quantile, rate, RATE_RANGE, series } from './expressions.ts';

export const logRow: RowDefinition = {
  title: 'Log, flushes and snapshots',
  panels: [
    {
      title: 'Flushes of the log',
      description:
        'How long fsync took. With fsync always, a put alone takes this long; those at once share one.',
      kind: 'heatmap',
      unit: 's',
      width: 12,
      targets: [[buckets('kelp_log_fsync_duration_seconds'), '{{le}}']],
    },
    {
      title: 'Time of a flush',
      description: 'The same as quantiles. It is the disk that this shows.',
      kind: 'timeseries',
      unit: 's',
      width: 6,
      targets: [
        [quantile(0.5, 'kelp_log_fsync_duration_seconds'), 'p50'],
        [quantile(0.9, 'kelp_log_fsync_duration_seconds'), 'p90'],
        [quantile(0.99, 'kelp_log_fsync_duration_seconds'), 'p99'],
      ],
    },
    {
      title: 'Transactions and flushes',
      description: 'The more transactions share a flush, the more of them the disk can take.',
      kind: 'timeseries',
      unit: 'cps',
      width: 6,
      targets: [
        [`sum(${rate('kelp_revision')})`, 'transactions'],
        [`sum(${rate('kelp_log_batch_records_count')})`, 'writes of the log'],
        [`sum(${rate('kelp_log_fsync_duration_seconds_count')})`, 'flushes'],
      ],
    },
    {
      title: 'Records in a write',
      description: 'Transactions and notes that go to the log at once.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [quantile(0.5, 'kelp_log_batch_records'), 'p50'],
        [quantile(0.99, 'kelp_log_batch_records'), 'p99'],
      ],
    },
    {
      title: 'Bytes in a write',
      description: 'As the log writes them.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 6,
      targets: [
        [quantile(0.5, 'kelp_log_batch_bytes'), 'p50'],
        [quantile(0.99, 'kelp_log_batch_bytes'), 'p99'],
      ],
    },
    {
      title: 'Written to the log',
      description: 'A second.',
      kind: 'timeseries',
      unit: 'Bps',
      width: 6,
      targets: [[`sum(${rate('kelp_log_written_bytes_total')})`, 'written']],
    },
    {
      title: 'Files',
      description: 'Segments of the log, and snapshots.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [`sum(${series('kelp_log_segments')})`, 'segments'],
        [`sum(${series('kelp_snapshots')})`, 'snapshots'],
      ],
    },
    {
      title: 'Since the newest snapshot',
      description:
        'Revisions that a start would have to read from the log; and those that can still be read as history.',
      kind: 'timeseries',
      unit: 'short',
      width: 8,
      targets: [
        [
          `${series('kelp_revision')} - ${series('kelp_snapshot_revision')}`,
          'behind the snapshot, {{instance}}',
        ],
        [`${series('kelp_revision')} - ${series('kelp_oldest_revision')}`, 'history, {{instance}}'],
      ],
    },
    {
      title: 'Snapshots',
      description: 'Written and failed. A failed one loses no write, but the log grows.',
      kind: 'timeseries',
      unit: 'short',
      width: 8,
      targets: [
        [`sum(increase(${series('kelp_snapshot_duration_seconds_count')}${RATE_RANGE}))`, 'written'],
        [`sum(increase(${series('kelp_snapshot_failures_total')}${RATE_RANGE}))`, 'failed'],
      ],
    },
    {
      title: 'Time of a snapshot',
      description: 'On average since the start; calls go on meanwhile.',
      kind: 'timeseries',
      unit: 's',
      width: 8,
      targets: [
        [
          `sum(${series('kelp_snapshot_duration_seconds_sum')}) / sum(${series('kelp_snapshot_duration_seconds_count')})`,
          'mean',
        ],
      ],
    },
  ],
};

export const watchRow: RowDefinition = {
  title: 'Watches',
  panels: [
    {
      title: 'Open watches',
      description: 'Those behind catch up from the log, or their clients read slowly.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [`sum(${series('kelp_watchers')})`, 'open'],
        [`sum(${series('kelp_watchers_behind')})`, 'behind'],
      ],
    },
    {
      title: 'Events sent',
      description: 'One change to a hundred watches is a hundred.',
      kind: 'timeseries',
      unit: 'cps',
      width: 6,
      targets: [[`sum(${rate('kelp_watch_events_sent_total')})`, 'events']],
    },
    {
      title: 'The watch furthest behind',
      description:
        'How long ago the first change was written that it has not dealt with. If it grows, its client does not keep up.',
      kind: 'timeseries',
      unit: 's',
      width: 6,
      targets: [[series('kelp_watch_lag_seconds'), '{{instance}}']],
    },
    {
      title: 'Its distance',
      description:
        'In the log, in steps of 256 KiB. What it still needs is kept no longer than --log-retention-bytes say.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 6,
      targets: [[series('kelp_watch_lag_bytes'), '{{instance}}']],
    },
    {
      title: 'Revisions before it',
      description: 'The same distance in revisions, and the oldest place at which a watch may start.',
      kind: 'timeseries',
      unit: 'short',
      width: 12,
      targets: [
        [series('kelp_watch_lag_revisions'), 'before the last watch, {{instance}}'],
        [
          `${series('kelp_revision')} - ${series('kelp_oldest_watch_revision')}`,
          'kept for watches, {{instance}}',
        ],
      ],
    },
    {
      title: 'Ended watches',
      description:
        'fell_behind: what they had to send next was no longer kept; their clients have lost their place.',
      kind: 'timeseries',
      unit: 'cps',
      width: 12,
      targets: [[`sum by (reason) (${rate('kelp_watches_ended_total')})`, '{{reason}}']],
    },
  ],
};

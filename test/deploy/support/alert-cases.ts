/**
 * What each alert is tried with: series of a server in trouble, and of one that is well. Values are in promtool's notation, a minute
 * apart: `0+6x30` is 0, 6, 12 and so on.
 */

export interface AlertCase {
  readonly alert: string;
  /** In minutes: there it fires, and not a minute before that its `for` is over. */
  readonly firesAt: number;
  /** Beside those of the rule and of the target. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly trouble: Readonly<Record<string, string>>;
  readonly health: Readonly<Record<string, string>>;
}

const target = 'job="kelpdb", instance="a:7379"';
/** Of another program that the same Prometheus knows. */
const stranger = 'job="web", instance="b:80"';

const of = (metric: string, labels = ''): string =>
  `${metric}{${target}${labels === '' ? '' : `, ${labels}`}}`;
const ofStranger = (metric: string): string => `${metric}{${stranger}}`;
const serving = { [of('kelp_serving')]: '1x300' };
const call = (code: string): string => of('kelp_calls_total', `door="grpc", method="Get", code="${code}"`);
const logins = (kind: string, outcome: string): string =>
  of('kelp_logins_total', `kind="${kind}", outcome="${outcome}"`);

/** Another node of the same cluster. */
const neighbour = 'job="kelpdb", instance="b:7379"';
const role = (name: string): string => of('kelp_cluster_role', `role="${name}"`);

/** The buckets of a histogram of which 100 values a minute came in, all within the bound `le`, of those given. */
function histogram(
  metric: string,
  bounds: readonly string[],
  le: string,
  labels = '',
): Record<string, string> {
  const first = bounds.indexOf(le);
  const separator = labels === '' ? '' : `${labels}, `;
  return Object.fromEntries(
    bounds.map((bound, index) => [
      of(`${metric}_bucket`, `${separator}le="${bound}"`),
      index < first ? '0x300' : '0+100x300',
    ]),
  );
}

const durations = ['0.001', '0.5', '1', '+Inf'];
const getDurations = (le: string): Record<string, string> =>
  histogram('kelp_call_duration_seconds', durations, le, 'door="grpc", method="Get"');
const flushes = ['0.001', '0.25', '0.5', '+Inf'];

export const alertCases: readonly AlertCase[] = [
  {
    alert: 'KelpDown',
    firesAt: 4,
    trouble: { [of('up')]: '1 1 1 0x300' },
    health: { [of('up')]: '1x300', [ofStranger('up')]: '0x300' },
  },
  {
    alert: 'KelpNotServing',
    firesAt: 3,
    trouble: { [of('kelp_serving')]: '1 0x300' },
    health: serving,
  },
  {
    alert: 'KelpRestarts',
    firesAt: 3,
    trouble: { ...serving, [of('process_start_time_seconds')]: '1 2 3 4x300' },
    health: {
      ...serving,
      [of('process_start_time_seconds')]: '1 2 3x300',
      [ofStranger('process_start_time_seconds')]: '1+1x300',
    },
  },
  {
    // The first failure makes the series: no rate has seen it rise.
    alert: 'KelpInternalErrors',
    firesAt: 4,
    labels: { door: 'grpc', method: 'Get', code: 'Internal' },
    trouble: { [call('Internal')]: '_x4 1x300' },
    health: { [call('Internal')]: '7x300', [call('NotFound')]: '0+5x300' },
  },
  {
    alert: 'KelpInternalErrors',
    firesAt: 21,
    labels: { door: 'grpc', method: 'Get', code: 'DataLoss' },
    trouble: { [call('DataLoss')]: '1x20 2x300' },
    health: { [call('Ok')]: '0+5x300' },
  },
  {
    alert: 'KelpCallsRefused',
    firesAt: 11,
    trouble: { [call('Ok')]: '0+90x300', [call('ResourceExhausted')]: '0+10x300' },
    health: {
      [call('Ok')]: '0+97x300',
      [call('ResourceExhausted')]: '0+3x300',
      [call('NotFound')]: '0+90x300',
    },
  },
  {
    alert: 'KelpLoginsRefused',
    firesAt: 11,
    trouble: { [logins('password', 'refused')]: '0+300x300', [logins('password', 'busy')]: '0+300x300' },
    health: { [logins('password', 'refused')]: '0+60x300', [logins('token', 'accepted')]: '0+6000x300' },
  },
  {
    alert: 'KelpCallsSlow',
    firesAt: 11,
    labels: { method: 'Get' },
    trouble: getDurations('1'),
    health: getDurations('0.5'),
  },
  {
    alert: 'KelpEventLoopLate',
    firesAt: 5,
    trouble: { ...serving, [of('nodejs_eventloop_lag_p99_seconds')]: '0.3x300' },
    health: {
      ...serving,
      [of('nodejs_eventloop_lag_p99_seconds')]: '0.2x300',
      [ofStranger('nodejs_eventloop_lag_p99_seconds')]: '3x300',
    },
  },
  {
    alert: 'KelpFlushesSlow',
    firesAt: 11,
    trouble: histogram('kelp_log_fsync_duration_seconds', flushes, '0.5'),
    health: histogram('kelp_log_fsync_duration_seconds', flushes, '0.25'),
  },
  nearLimit('KelpMemoryNearLimit', 15, 'kelp_memory_used_bytes', 'kelp_memory_limit_bytes'),
  nearLimit('KelpCallMemoryNearLimit', 5, 'kelp_call_memory_bytes', 'kelp_call_memory_limit_bytes'),
  {
    alert: 'KelpCallsNearLimit',
    firesAt: 5,
    trouble: {
      [of('kelp_calls_in_progress', 'door="grpc", method="Watch"')]: '50x300',
      [of('kelp_calls_in_progress', 'door="connect", method="Watch"')]: '45x300',
      [of('kelp_calls_limit')]: '100x300',
    },
    health: {
      [of('kelp_calls_in_progress', 'door="grpc", method="Watch"')]: '90x300',
      [of('kelp_calls_limit')]: '100x300',
    },
  },
  {
    alert: 'KelpConnectionsNearLimit',
    firesAt: 5,
    trouble: {
      [of('kelp_connections', 'protocol="http2"')]: '50x300',
      [of('kelp_connections', 'protocol="http1"')]: '45x300',
      [of('kelp_connections_limit')]: '100x300',
    },
    health: {
      [of('kelp_connections', 'protocol="http2"')]: '90x300',
      [of('kelp_connections_limit')]: '100x300',
    },
  },
  {
    alert: 'KelpFileDescriptorsScarce',
    firesAt: 10,
    trouble: { ...serving, [of('process_open_fds')]: '81x300', [of('process_max_fds')]: '100x300' },
    health: {
      ...serving,
      [of('process_open_fds')]: '80x300',
      [of('process_max_fds')]: '100x300',
      [ofStranger('process_open_fds')]: '99x300',
      [ofStranger('process_max_fds')]: '100x300',
    },
  },
  {
    alert: 'KelpSnapshotsFail',
    firesAt: 3,
    trouble: { [of('kelp_snapshot_failures_total')]: '0 0 0 1x300' },
    health: { [of('kelp_snapshot_failures_total')]: '1x300' },
  },
  {
    alert: 'KelpSnapshotOld',
    firesAt: 16,
    trouble: { [of('kelp_revision')]: '0+10x300', [of('kelp_snapshot_revision')]: '0x300' },
    health: { [of('kelp_revision')]: '10x300', [of('kelp_snapshot_revision')]: '5x300' },
  },
  {
    alert: 'KelpSnapshotOld',
    firesAt: 16,
    trouble: { [of('kelp_revision')]: '0+10x300', [of('kelp_snapshot_revision')]: '0x300' },
    // An engine on disk has no snapshots.
    health: {
      [of('kelp_revision')]: '0+10x300',
      [of('kelp_snapshot_revision')]: '0x300',
      [of('kelp_storage_revision')]: '0+10x300',
    },
  },
  {
    alert: 'KelpCheckpointsFail',
    firesAt: 3,
    trouble: { [of('kelp_checkpoint_failures_total')]: '0 0 0 1x300' },
    health: { [of('kelp_checkpoint_failures_total')]: '1x300' },
  },
  {
    alert: 'KelpCheckpointOld',
    firesAt: 16,
    trouble: { [of('kelp_revision')]: '0+10x300', [of('kelp_storage_revision')]: '0x300' },
    health: { [of('kelp_revision')]: '10x300', [of('kelp_storage_revision')]: '5x300' },
  },
  {
    alert: 'KelpStorageDamaged',
    firesAt: 3,
    trouble: { [of('kelp_storage_damage_total')]: '0 0 0 1x300' },
    health: { [of('kelp_storage_damage_total')]: '1x300' },
  },
  {
    alert: 'KelpStorageWasteful',
    firesAt: 60,
    trouble: {
      [of('kelp_storage_bytes')]: '3100000000x300',
      [of('kelp_storage_live_bytes')]: '1000000000x300',
    },
    // A small one has little to waste.
    health: { [of('kelp_storage_bytes')]: '900000000x300', [of('kelp_storage_live_bytes')]: '1000000x300' },
  },
  {
    alert: 'KelpAnswersHeld',
    firesAt: 5,
    trouble: { [of('kelp_held_answers_seconds')]: '6x300' },
    health: { [of('kelp_held_answers_seconds')]: '5x300' },
  },
  {
    alert: 'KelpWatchesFellBehind',
    firesAt: 3,
    labels: { reason: 'fell_behind' },
    trouble: { [of('kelp_watches_ended_total', 'reason="fell_behind"')]: '0 0 0 1x300' },
    health: {
      [of('kelp_watches_ended_total', 'reason="fell_behind"')]: '1x300',
      [of('kelp_watches_ended_total', 'reason="requested"')]: '0+10x300',
    },
  },
  {
    alert: 'KelpWatchLags',
    firesAt: 10,
    trouble: { [of('kelp_watch_lag_seconds')]: '61x300' },
    health: { [of('kelp_watch_lag_seconds')]: '60x300' },
  },
  {
    alert: 'KelpLogLinesDropped',
    firesAt: 3,
    trouble: { [of('kelp_log_lines_dropped_total')]: '0 0 0 5x300' },
    health: { [of('kelp_log_lines_dropped_total')]: '5x300' },
  },
  {
    alert: 'KelpSpansLost',
    firesAt: 16,
    trouble: { [of('kelp_trace_spans_lost_total')]: '0+5x300' },
    health: { [of('kelp_trace_spans_lost_total')]: '0 5x300' },
  },
  {
    alert: 'KelpNoWriter',
    firesAt: 4,
    trouble: { [role('writer')]: '1 1 1 0x300', [role('follower')]: '0 0 0 1x300' },
    // Another one is.
    health: { [role('writer')]: '0x300', [`kelp_cluster_role{${neighbour}, role="writer"}`]: '1x300' },
  },
  {
    alert: 'KelpNodeLags',
    firesAt: 2,
    trouble: { [of('kelp_cluster_lag_seconds')]: '11x300' },
    health: { [of('kelp_cluster_lag_seconds')]: '10x300', [of('kelp_cluster_log_silent_seconds')]: '10x300' },
  },
  {
    alert: 'KelpNodeLags',
    firesAt: 2,
    trouble: { [of('kelp_cluster_lag_seconds')]: '0x300', [of('kelp_cluster_log_silent_seconds')]: '11x300' },
    health: { [of('kelp_cluster_lag_seconds')]: '0x300' },
  },
  {
    alert: 'KelpSharedLogNearLimit',
    firesAt: 5,
    trouble: { [of('kelp_cluster_log_bytes')]: '76x300', [of('kelp_cluster_log_limit_bytes')]: '100x300' },
    health: { [of('kelp_cluster_log_bytes')]: '75x300', [of('kelp_cluster_log_limit_bytes')]: '100x300' },
  },
  {
    alert: 'KelpNodeMissing',
    firesAt: 8,
    trouble: { [role('writer')]: '1x300', [of('kelp_cluster_nodes')]: '3 3 3 2x300' },
    // It has become a follower, which knows itself alone.
    health: { [role('writer')]: '1 0x300', [of('kelp_cluster_nodes')]: '3 1x300' },
  },
  {
    alert: 'KelpTakeoversFrequent',
    firesAt: 5,
    trouble: { [of('kelp_cluster_epoch')]: '1 2 3 4 4 5x300' },
    health: { [of('kelp_cluster_epoch')]: '1 2 3 4x300' },
  },
];

function nearLimit(alert: string, firesAt: number, used: string, limit: string): AlertCase {
  return {
    alert,
    firesAt,
    trouble: { [of(used)]: '91x300', [of(limit)]: '100x300' },
    health: { [of(used)]: '90x300', [of(limit)]: '100x300' },
  };
}

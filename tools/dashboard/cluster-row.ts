/** The cluster: of servers that are alone these panels have no data. */
import type { RowDefinition } from './dashboard.ts';
import { quantile, rate, series } from './expressions.ts';

export const clusterRow: RowDefinition = {
  title: 'Is the cluster whole?',
  panels: [
    {
      title: 'Writers and nodes',
      description:
        'One node is the writer, and knows the others. Two writers for a moment are a takeover; none for a minute is an outage of writes.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [`sum(${series('kelp_cluster_role', 'role="writer"')})`, 'writers'],
        [`sum(${series('kelp_cluster_role', 'role="follower"')})`, 'followers'],
        [`max(${series('kelp_cluster_nodes')})`, 'nodes that the writer knows'],
      ],
    },
    {
      title: 'Epoch and takeovers',
      description:
        'How many writers there have been, and how many takeovers each node has won in the last hour.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [`max(${series('kelp_cluster_epoch')})`, 'epoch'],
        [`increase(${series('kelp_cluster_takeovers_total')}[1h])`, 'takeovers, {{instance}}'],
      ],
    },
    {
      title: 'Behind the shared log',
      description:
        'For how long a node has not held all of it, or has not heard of it. Beyond --ready-lag (10 s) the node is not ready.',
      kind: 'timeseries',
      unit: 's',
      width: 6,
      targets: [
        [series('kelp_cluster_lag_seconds'), 'behind, {{instance}}'],
        [series('kelp_cluster_log_silent_seconds'), 'no answer, {{instance}}'],
      ],
    },
    {
      title: 'Shared log',
      description: 'What it holds, as its writer counts, and what it may: beyond that writes are refused.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 6,
      targets: [
        [`max(${series('kelp_cluster_log_bytes')})`, 'held'],
        [`max(${series('kelp_cluster_log_limit_bytes')})`, 'limit'],
      ],
    },
    {
      title: 'Time of an append',
      description:
        'How long the shared log takes to store a batch: each write waits for one. It is the time of etcd and its disks.',
      kind: 'timeseries',
      unit: 's',
      width: 8,
      targets: [
        [quantile(0.5, 'kelp_cluster_append_duration_seconds'), 'p50'],
        [quantile(0.99, 'kelp_cluster_append_duration_seconds'), 'p99'],
      ],
    },
    {
      title: 'Passed on to the writer',
      description:
        'Calls at followers that are for the writer, by how they ended: notSent found none, lost ones may have taken effect.',
      kind: 'timeseries',
      unit: 'reqps',
      width: 8,
      targets: [[`sum by (outcome) (${rate('kelp_cluster_forwarded_calls_total')})`, '{{outcome}}']],
    },
    {
      title: 'Clients of Redis that are passed on',
      description:
        'Connections at followers that lead to the writer, and clients that were told CLUSTERDOWN.',
      kind: 'timeseries',
      unit: 'short',
      width: 8,
      targets: [
        [`sum(${series('kelp_cluster_redis_connections')})`, 'connections'],
        [
          `sum(${rate('kelp_cluster_redis_connections_total', 'outcome="notReached"')})`,
          'not reached, a second',
        ],
      ],
    },
  ],
};

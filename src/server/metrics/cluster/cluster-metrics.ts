/** The metrics of a node of a cluster. A server that is alone has no sample of them. */
import type { NodeStatus } from '../../../cluster/node.ts';
import type { Metric, OpenStoreFigures } from '../metric.ts';
import type { NodeMeter } from './node-meter.ts';

type ClusterMetric = Metric<OpenStoreFigures>;

const ROLES = ['writer', 'follower'] as const;

export const clusterMetrics: readonly ClusterMetric[] = [
  {
    name: 'kelp_cluster_role',
    type: 'gauge',
    help: '1 for what this node is in its cluster, 0 for the other. All metrics of the cluster have samples with --log or --follow alone: with the latter, batches are revisions, and the shared log is the server that is followed.',
    labels: { role: 'writer, follower' },
    read: ({ node }) =>
      node === undefined
        ? []
        : ROLES.map((role) => ({ labels: { role }, value: node.status.role === role ? 1 : 0 })),
  },
  figure(
    'kelp_cluster_epoch',
    'gauge',
    'How many writers there have been in the cluster, the present one included.',
    ({ epoch }) => epoch,
  ),
  figure(
    'kelp_cluster_position',
    'gauge',
    'The newest batch of the shared log that this node holds.',
    ({ position }) => position,
  ),
  figure(
    'kelp_cluster_log_position',
    'gauge',
    'The newest batch that this node knows to be in the shared log.',
    ({ logPosition }) => logPosition,
  ),
  figure(
    'kelp_cluster_lag_seconds',
    'gauge',
    'For how long this node has not held all of the shared log; 0: it holds it. Beyond --ready-lag it is not ready.',
    ({ lagMs }) => lagMs / 1000,
  ),
  figure(
    'kelp_cluster_log_silent_seconds',
    'gauge',
    'For how long the shared log has not answered this node; 0: it does. Beyond --ready-lag the node is not ready.',
    (_, { logSilentMs }) => logSilentMs / 1000,
  ),
  figure(
    'kelp_cluster_log_bytes',
    'gauge',
    'Of the writer: the bytes that the shared log takes, with 600 for each record that etcd needs beside its own; 0 at a follower.',
    ({ logBytes }) => logBytes,
  ),
  figure(
    'kelp_cluster_log_limit_bytes',
    'gauge',
    'What the shared log may hold: beyond that writes are refused.',
    ({ logBytesMax }) => logBytesMax,
  ),
  {
    name: 'kelp_cluster_append_duration_seconds',
    type: 'histogram',
    help: 'How long the shared log took to store a batch of this node as the writer: each write waits for one.',
    read: ({ node }) => node?.meter.appendDurations ?? [],
  },
  figure(
    'kelp_cluster_nodes',
    'gauge',
    'The nodes that have reported of late, this one included: the writer knows all, a follower itself alone.',
    ({ nodes }) => nodes.length,
  ),
  figure(
    'kelp_cluster_takeovers_total',
    'counter',
    'How often this node has become the writer.',
    ({ takeoverCount }) => takeoverCount,
  ),
  figure(
    'kelp_cluster_damages_total',
    'counter',
    'How often what this node has on its disk was damaged as it was opened, and was had from the others anew.',
    (_, { damageCount }) => damageCount,
  ),
  {
    name: 'kelp_cluster_read_barrier_duration_seconds',
    type: 'histogram',
    help: 'How long reads waited until it was known that this node holds all that was acknowledged; many reads share one such wait.',
    read: ({ node }) => node?.meter.barrierDurations ?? [],
  },
  figure(
    'kelp_cluster_read_barrier_failures_total',
    'counter',
    'Such waits that came to nothing, since the shared log did not answer or the node was overtaken: their reads failed.',
    (_, { barrierFailureCount }) => barrierFailureCount,
  ),
  {
    name: 'kelp_cluster_forwarded_calls_total',
    type: 'counter',
    help: 'The calls that this node has passed on to the writer, by how they ended: lost ones may have taken effect. Clients of Redis are passed on by connections.',
    labels: { outcome: 'answered, notSent, lost, canceled' },
    read: ({ node }) =>
      node === undefined
        ? []
        : Object.entries(node.meter.forwardedCounts).map(([outcome, value]) => ({
            labels: { outcome },
            value,
          })),
  },
  figure(
    'kelp_cluster_redis_connections',
    'gauge',
    'Clients of Redis whose connections this node passes on to the writer now.',
    (_, { relayedCount }) => relayedCount,
  ),
  {
    name: 'kelp_cluster_redis_connections_total',
    type: 'counter',
    help: 'Clients of Redis that were passed on to the writer, and those that were told CLUSTERDOWN since it was not reached.',
    labels: { outcome: 'passedOn, notReached' },
    read: ({ node }) =>
      node === undefined
        ? []
        : Object.entries(node.meter.relayCounts).map(([outcome, value]) => ({ labels: { outcome }, value })),
  },
];

function figure(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  read: (status: NodeStatus, meter: NodeMeter) => number,
): ClusterMetric {
  return {
    name,
    type,
    help,
    read: ({ node }) => (node === undefined ? [] : read(node.status, node.meter)),
  };
}

/** What fills it: memory, disk, connections, processor. */
import type { RowDefinition } from './dashboard.ts';
import { rate, series } from './expressions.ts';

export const fillRow: RowDefinition = {
  title: 'What fills it?',
  panels: [
    {
      title: 'Memory',
      description:
        'Used counts towards the limit: keys, values and history with their indexes. The process has more: heap, buffers, files of the system.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 12,
      targets: [
        [series('kelp_memory_used_bytes'), 'used, {{instance}}'],
        [series('kelp_memory_limit_bytes'), 'limit, {{instance}}'],
        [series('kelp_data_bytes'), 'keys and values, {{instance}}'],
        [series('process_resident_memory_bytes'), 'of the process, {{instance}}'],
        [series('nodejs_heap_size_used_bytes'), 'heap, {{instance}}'],
      ],
    },
    {
      title: 'Keys and leases',
      description: 'Those that are durable.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [series('kelp_keys'), 'keys, {{instance}}'],
        [series('kelp_leases'), 'leases, {{instance}}'],
      ],
    },
    {
      title: 'Expired',
      description: 'Keys and leases whose time was over.',
      kind: 'timeseries',
      unit: 'cps',
      width: 6,
      targets: [
        [`sum(${rate('kelp_expired_keys_total')})`, 'keys'],
        [`sum(${rate('kelp_expired_leases_total')})`, 'leases'],
      ],
    },
    {
      title: 'On disk',
      description:
        'Log and snapshots, or the files of the engine. The log goes down when a snapshot or a checkpoint has made its older part needless.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 6,
      targets: [
        [`sum(${series('kelp_log_bytes')})`, 'log'],
        [`sum(${series('kelp_snapshot_bytes')})`, 'snapshots'],
        [`sum(${series('kelp_storage_bytes')})`, 'files of the engine'],
      ],
      isStacked: true,
    },
    {
      title: 'Requests and replies in memory',
      description: 'What calls under way hold. At the limit, further ones wait or are refused.',
      kind: 'timeseries',
      unit: 'bytes',
      width: 6,
      targets: [
        [`sum(${series('kelp_call_memory_bytes')})`, 'held'],
        [`sum(${series('kelp_call_memory_limit_bytes')})`, 'limit'],
      ],
    },
    {
      title: 'Connections',
      description:
        'At the limit, further ones are refused. The rate is that of new ones: clients should keep theirs.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [`sum by (protocol) (${series('kelp_connections')})`, '{{protocol}}'],
        [`sum(${rate('kelp_connections_opened_total')})`, 'opened a second'],
        [`sum(${series('kelp_connections_limit')})`, 'limit'],
      ],
    },
    {
      title: 'File descriptors',
      description: 'Each connection takes one.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [series('process_open_fds'), 'open, {{instance}}'],
        [series('process_max_fds'), 'limit, {{instance}}'],
      ],
    },
    {
      title: 'Network',
      description: 'With all that protocols and TLS put around requests and replies.',
      kind: 'timeseries',
      unit: 'Bps',
      width: 8,
      targets: [
        [`sum(${rate('kelp_network_received_bytes_total')})`, 'received'],
        [`sum(${rate('kelp_network_sent_bytes_total')})`, 'sent'],
      ],
    },
    {
      title: 'Processor',
      description:
        'Cores in use. One thread serves calls, so about 1 is full; flushes and compression come beside.',
      kind: 'timeseries',
      unit: 'short',
      width: 8,
      targets: [
        [rate('process_cpu_seconds_total'), 'cores, {{instance}}'],
        [`sum by (instance) (${rate('nodejs_gc_duration_seconds_sum')})`, 'garbage collection, {{instance}}'],
      ],
    },
    {
      title: 'Long work',
      description: 'How often work had filled its turn of the event loop and went on in a later one.',
      kind: 'timeseries',
      unit: 'cps',
      width: 8,
      targets: [[`sum by (work) (${rate('kelp_work_rests_total')})`, '{{work}}']],
    },
  ],
};

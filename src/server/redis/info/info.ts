/**
 * INFO: what there is to tell of the server, in sections of lines `name:value`, as clients and exporters of Redis read it. Of
 * Redis' fields those are there that KelpDB has something true for; where one can only have one value here (`loading:0`), it has
 * that. What only KelpDB has stands under `# KelpDB`.
 */
import { arch, release, type as osType } from 'node:os';
import { machineMemoryBytes } from '../../../machine.ts';
import type { Door } from '../commands/door.ts';
import type { ClusterFacts } from '../commands/server-facts.ts';
import type { ClientSession } from '../commands/session-command.ts';
import { formatHuman } from './human-bytes.ts';

type Value = string | number;
type Section = readonly (readonly [name: string, value: Value])[];
type Sections = Readonly<Record<string, readonly [title: string, read: (door: Door) => Section]>>;

/** The version of Redis whose commands and replies these are. */
export const REDIS_VERSION = '7.0.15';

const seconds = (ms: number): number => Math.floor(ms / 1000);

function serverSection({ server, clock }: Door): Section {
  const uptimeSeconds = seconds(clock.nowMs() - server.startedAtMs);
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_mode', 'standalone'],
    ['os', `${osType()} ${release()} ${arch()}`],
    ['arch_bits', 64],
    ['process_id', process.pid],
    ['run_id', server.runId],
    ['tcp_port', server.port],
    ['server_time_usec', clock.nowMs() * 1000],
    ['uptime_in_seconds', uptimeSeconds],
    ['uptime_in_days', Math.floor(uptimeSeconds / 86_400)],
  ];
}

export function blockedCountOf(sessions: Iterable<ClientSession>): number {
  let count = 0;
  for (const session of sessions) if (session.isBlocked) count++;
  return count;
}

function clientSection({ sessions, server, tracking }: Door): Section {
  return [
    ['connected_clients', sessions.count],
    ['cluster_connections', 0],
    ['maxclients', server.connectionsMax],
    ['blocked_clients', blockedCountOf(sessions.all)],
    ['tracking_clients', tracking.clientCount],
  ];
}

function memorySection({ server }: Door): Section {
  const { memoryBytes, memoryBytesMax, dataBytes } = server.status();
  const rssBytes = process.memoryUsage.rss();
  const systemBytes = machineMemoryBytes();
  const both = (name: string, bytes: number): Section => [
    [name, bytes],
    [`${name}_human`, formatHuman(bytes)],
  ];
  return [
    ...both('used_memory', memoryBytes),
    ...both('used_memory_rss', rssBytes),
    ['used_memory_overhead', Math.max(0, memoryBytes - dataBytes)],
    ['used_memory_dataset', dataBytes],
    ...both('total_system_memory', systemBytes),
    ...both('maxmemory', memoryBytesMax),
    ['maxmemory_policy', server.memoryPolicy],
  ];
}

function persistenceSection({ server }: Door): Section {
  const { logBytes, snapshotBytes } = server.status();
  return [
    ['loading', 0],
    ['async_loading', 0],
    ['rdb_last_save_time', seconds(server.lastSnapshotMs)],
    ['rdb_last_bgsave_status', server.hasSnapshotFailed ? 'err' : 'ok'],
    ['aof_enabled', 1],
    ['aof_last_bgrewrite_status', server.hasSnapshotFailed ? 'err' : 'ok'],
    ['aof_last_write_status', server.hasFailed ? 'err' : 'ok'],
    ['aof_current_size', logBytes],
    ['aof_base_size', snapshotBytes],
  ];
}

function statsSection({ server, stats, channels, tracking }: Door): Section {
  const { keyCount, itemCount, prefixCount } = tracking.figures;
  const { openedCount, refusedCount, receivedBytes, sentBytes } = server.traffic();
  const { expiredKeyCount, evictedKeyCount } = server.figures();
  return [
    ['total_connections_received', openedCount],
    ['total_commands_processed', stats.callCount],
    ['total_net_input_bytes', receivedBytes],
    ['total_net_output_bytes', sentBytes],
    ['rejected_connections', refusedCount],
    ['expired_keys', expiredKeyCount],
    ['evicted_keys', evictedKeyCount],
    ['pubsub_channels', channels.nameCount('channel')],
    ['pubsub_patterns', channels.nameCount('pattern')],
    ['pubsubshard_channels', channels.nameCount('shard')],
    ['tracking_total_keys', keyCount],
    ['tracking_total_items', itemCount],
    ['tracking_total_prefixes', prefixCount],
    ['total_error_replies', stats.errorCount],
  ];
}

function replicationSection({ server }: Door): Section {
  const { cluster, runId } = server;
  const { revision, storeId } = server.status();
  const { masterFields, followerCount } = replicationOf(cluster, revision);
  return [
    ['role', masterFields.length === 0 ? 'master' : 'slave'],
    ...masterFields,
    ['connected_slaves', followerCount],
    ['master_failover_state', 'no-failover'],
    // All nodes of a cluster have one history, and so one id of it, as long as Redis has them.
    ['master_replid', cluster === undefined ? runId : storeId.padEnd(runId.length, '0')],
    ['master_repl_offset', revision],
    ['repl_backlog_active', 0],
  ];
}

/** What a follower tells of its writer: of Redis' fields those that clients and exporters look at. */
function replicationOf(
  cluster: ClusterFacts | undefined,
  revision: number,
): { readonly masterFields: Section; readonly followerCount: number } {
  if (cluster?.role !== 'follower') return { masterFields: [], followerCount: cluster?.followerCount ?? 0 };
  const { host, port } = masterOf(cluster);
  const masterFields: Section = [
    ['master_host', host],
    ['master_port', port],
    ['master_link_status', host === '' ? 'down' : 'up'],
    ['master_sync_in_progress', 0],
    ['slave_read_repl_offset', revision],
    ['slave_repl_offset', revision],
    ['slave_read_only', 1],
  ];
  return { masterFields, followerCount: 0 };
}

/** Where a follower's writer is; '' and 0: it is not known. */
export function masterOf({ writerAddress }: ClusterFacts): { readonly host: string; readonly port: number } {
  const at = writerAddress.lastIndexOf(':');
  if (at < 0) return { host: '', port: 0 };
  return {
    host: writerAddress.slice(0, at).replace(/^\[|\]$/g, ''),
    port: Number(writerAddress.slice(at + 1)),
  };
}

function cpuSection(): Section {
  const { user, system } = process.cpuUsage();
  return [
    ['used_cpu_sys', (system / 1e6).toFixed(6)],
    ['used_cpu_user', (user / 1e6).toFixed(6)],
  ];
}

function commandSection({ stats }: Door): Section {
  return [...stats.commands].map(([name, { callCount, micros, failedCount, refusedCount }]) => {
    const perCall = (micros / Math.max(1, callCount)).toFixed(2);
    return [
      `cmdstat_${name}`,
      `calls=${callCount},usec=${Math.round(micros)},usec_per_call=${perCall},rejected_calls=${refusedCount},failed_calls=${failedCount}`,
    ];
  });
}

function errorSection({ stats }: Door): Section {
  return [...stats.errorCounts].map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

function keyspaceSection({ server }: Door): Section {
  return server
    .keyCounts()
    .map(({ database, keyCount, expiringCount, meanTtlMs }) => [
      `db${database}`,
      `keys=${keyCount},expires=${expiringCount},avg_ttl=${meanTtlMs}`,
    ]);
}

function kelpSection({ server }: Door): Section {
  const status = server.status();
  return [
    ['kelpdb_version', server.version],
    ['store_id', status.storeId],
    ['revision', status.revision],
    ['incarnation', status.incarnation],
    ['oldest_revision', status.oldestRevision],
    ['fsync', server.fsync],
    ['log_bytes', status.logBytes],
    ['log_segments', status.segmentCount],
    ['snapshot_revision', status.snapshotRevision],
    ['snapshot_bytes', status.snapshotBytes],
    ['leases', status.leaseCount],
    ['watches', status.watcherCount],
  ];
}

const sections: Sections = {
  server: ['Server', serverSection],
  clients: ['Clients', clientSection],
  memory: ['Memory', memorySection],
  persistence: ['Persistence', persistenceSection],
  stats: ['Stats', statsSection],
  replication: ['Replication', replicationSection],
  cpu: ['CPU', cpuSection],
  modules: ['Modules', () => []],
  commandstats: ['Commandstats', commandSection],
  errorstats: ['Errorstats', errorSection],
  cluster: ['Cluster', () => [['cluster_enabled', 0]]],
  keyspace: ['Keyspace', keyspaceSection],
  kelpdb: ['KelpDB', kelpSection],
};

/** What comes without a name of a section; the others come with `all` and `everything`. */
const notInDefault: ReadonlySet<string> = new Set(['commandstats']);

/** @param names of sections, in lower case; none: the usual ones. Names that are none are passed over. */
export function infoText(door: Door, names: readonly string[]): string {
  const wantsAll = names.includes('all') || names.includes('everything');
  const wantsDefault = names.length === 0 || names.includes('default');
  const texts = Object.entries(sections)
    .filter(([name]) => wantsAll || names.includes(name) || (wantsDefault && !notInDefault.has(name)))
    .map(([, [title, read]]) => {
      const lines = read(door).map(([field, value]) => `${field}:${value}\r\n`);
      return `# ${title}\r\n${lines.join('')}`;
    });
  return texts.join('\r\n');
}

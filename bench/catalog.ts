/** Every case, in the order in which they run. A module is loaded by the process that runs the case alone. */
import { ENGINE_NAMES } from '../src/engine-names.ts';
import type { BenchCase } from './bench-case.ts';

export interface CatalogEntry {
  readonly name: string;
  /** One line for `--list`. */
  readonly about: string;
  /** `each`: runs for every number of keys that was asked for; `once`: has no use for keys. */
  readonly sizes: 'each' | 'once';
  /** Larger numbers of keys are left out, since it would take too long. */
  readonly keyCountMax?: number;
  /** Not in a default run: takes minutes, or gigabytes. `--filter` with its name or `--all` runs it. */
  readonly isOnDemand?: boolean;
  /** How many processes measure, one after the other; for what can be measured once in a process only. Default 1. */
  readonly processCount?: number;
  load(): Promise<BenchCase>;
}

export const catalog: readonly CatalogEntry[] = [
  {
    name: 'codec',
    about: 'the hot messages by the generated codecs and by protobuf-es',
    sizes: 'once',
    load: async () => (await import('./cases/codec-figures.ts')).codec,
  },
  {
    name: 'log',
    about: 'appends to the log alone',
    sizes: 'once',
    load: async () => (await import('./cases/log.ts')).log,
  },
  {
    name: 'map',
    about: 'a bare Map in process, for comparison',
    sizes: 'each',
    load: async () => (await import('./cases/map.ts')).map,
  },
  {
    name: 'engine-memory',
    about: 'the engine alone',
    sizes: 'each',
    load: async () => (await import('./cases/engine-alone.ts')).engineAlone,
  },
  {
    name: 'engine-cost',
    about: 'what an operation costs the engine and a Map of 1,000 keys',
    sizes: 'once',
    load: async () => (await import('./cases/engine-cost.ts')).engineCost,
  },
  {
    name: 'engine-growth',
    about: 'the longest calls while the engine alone grows, and reads once it has grown',
    sizes: 'each',
    isOnDemand: true,
    load: async () => (await import('./cases/engine-growth.ts')).engineGrowth,
  },
  {
    name: 'engine-delete',
    about: 'memory that the engine alone gives back after deletes',
    sizes: 'each',
    isOnDemand: true,
    processCount: 3,
    load: async () => (await import('./cases/engine-memory.ts')).engineDelete,
  },
  {
    name: 'engine-overwrite',
    about: 'memory of the engine alone after ten overwrites of every key',
    sizes: 'each',
    isOnDemand: true,
    processCount: 3,
    load: async () => (await import('./cases/engine-memory.ts')).engineOverwrite,
  },
  ...ENGINE_NAMES.map((engine): CatalogEntry => ({
    name: `engines-${engine}`,
    about: `the same work over each engine: ${engine}`,
    sizes: 'each',
    isOnDemand: true,
    load: async () => (await import('./cases/engines.ts')).engineOfStore(engine),
  })),
  {
    name: 'engines-level',
    about: 'the same work over LevelDB (classic-level)',
    sizes: 'each',
    isOnDemand: true,
    load: async () => (await import('./cases/engines.ts')).levelDatabase,
  },
  {
    name: 'store-get',
    about: 'reads by random key in process',
    sizes: 'each',
    load: async () => (await import('./cases/store-get.ts')).storeGet,
  },
  {
    name: 'store-put-never',
    about: 'writes by random key in process, left to the operating system to flush',
    sizes: 'each',
    load: async () => (await import('./cases/store-put.ts')).storePut('never'),
  },
  {
    name: 'store-put-interval',
    about: 'writes by random key in process, flushed every second',
    sizes: 'each',
    load: async () => (await import('./cases/store-put.ts')).storePut('interval'),
  },
  {
    name: 'store-put-always',
    about: 'writes by random key in process, flushed before they are acknowledged',
    sizes: 'each',
    load: async () => (await import('./cases/store-put.ts')).storePut('always'),
  },
  {
    name: 'store-deletes',
    about: 'deletes by random key in process',
    sizes: 'each',
    load: async () => (await import('./cases/store-deletes.ts')).storeDeletes,
  },
  {
    name: 'store-put-heap',
    about: 'JavaScript heap that a put in process takes',
    sizes: 'each',
    load: async () => (await import('./cases/store-put-heap.ts')).storePutHeap,
  },
  {
    name: 'store-mixed',
    about: 'nine reads for one write in process',
    sizes: 'each',
    load: async () => (await import('./cases/store-mixed.ts')).storeMixed,
  },
  {
    name: 'store-txn',
    about: 'transactions in process',
    sizes: 'each',
    load: async () => (await import('./cases/store-txn.ts')).storeTxn,
  },
  {
    name: 'store-scan',
    about: 'scans of all keys in process',
    sizes: 'each',
    load: async () => (await import('./cases/store-scan.ts')).storeScan,
  },
  {
    name: 'store-memory',
    about: 'memory that keys take besides themselves',
    sizes: 'each',
    processCount: 3,
    load: async () => (await import('./cases/store-memory.ts')).storeMemory,
  },
  {
    name: 'store-snapshot',
    about: 'snapshots, beside writers and alone',
    sizes: 'each',
    load: async () => (await import('./cases/store-snapshot.ts')).storeSnapshot,
  },
  {
    name: 'store-recovery',
    about: 'opening from a snapshot and from the log',
    sizes: 'each',
    processCount: 3,
    load: async () => (await import('./cases/store-recovery.ts')).storeRecovery,
  },
  {
    name: 'store-growth',
    about: 'longest pause while a store grows from nothing',
    sizes: 'each',
    isOnDemand: true,
    processCount: 3,
    load: async () => (await import('./cases/store-growth.ts')).storeGrowth,
  },
  {
    name: 'store-overwrite',
    about: 'memory after ten overwrites of every key',
    sizes: 'each',
    isOnDemand: true,
    processCount: 3,
    load: async () => (await import('./cases/store-overwrite.ts')).storeOverwrite,
  },
  {
    name: 'store-delete',
    about: 'memory given back after deletes',
    sizes: 'each',
    isOnDemand: true,
    processCount: 3,
    load: async () => (await import('./cases/store-delete.ts')).storeDelete,
  },
  {
    name: 'store-expiry',
    about: 'keys that share one deadline',
    sizes: 'each',
    isOnDemand: true,
    processCount: 3,
    load: async () => (await import('./cases/store-expiry.ts')).storeExpiry,
  },
  {
    name: 'watch',
    about: 'one writer, many watchers, in process',
    sizes: 'once',
    load: async () => (await import('./cases/watch.ts')).watch,
  },
  {
    name: 'watch-catch-up',
    about: 'writes beside ten watches that read the past from the log, in process',
    sizes: 'once',
    processCount: 3,
    load: async () => (await import('./cases/watch-catch-up.ts')).watchCatchUp,
  },
  {
    name: 'served',
    about: 'unary calls to a server',
    sizes: 'each',
    keyCountMax: 100_000,
    load: async () => (await import('./cases/served.ts')).served,
  },
  {
    name: 'served-calls',
    about: 'gets and durable puts by h2load, in plain text and over TLS, and of etcd',
    sizes: 'each',
    keyCountMax: 100_000,
    load: async () => (await import('./cases/served-calls.ts')).servedCalls,
  },
  {
    name: 'served-replicas',
    about: 'gets of one server, and of it and one or two that follow it, by turns',
    sizes: 'each',
    keyCountMax: 100_000,
    isOnDemand: true,
    load: async () => (await import('./cases/served-replicas.ts')).servedReplicas,
  },
  {
    name: 'served-access',
    about: 'gets with open access, of root, and of a user with one grant, by processor time of the server',
    sizes: 'each',
    keyCountMax: 100_000,
    load: async () => (await import('./cases/served-access.ts')).servedAccess,
  },
  {
    name: 'served-rest',
    about: 'gets over REST beside a bare HTTP server of Node, by processor time of the server',
    sizes: 'each',
    keyCountMax: 100_000,
    load: async () => (await import('./cases/served-rest.ts')).servedRest,
  },
  {
    name: 'served-client',
    about: 'what a call costs the process that makes it',
    sizes: 'each',
    keyCountMax: 100_000,
    load: async () => (await import('./cases/served-client.ts')).servedClient,
  },
  {
    name: 'served-catch-up',
    about: 'a get beside 30 watches of its own client that read the past',
    sizes: 'once',
    processCount: 3,
    load: async () => (await import('./cases/served-catch-up.ts')).servedCatchUp,
  },
  {
    name: 'served-pipeline',
    about: 'batches of gets and puts in one stream of a server',
    sizes: 'each',
    keyCountMax: 1_000_000,
    load: async () => (await import('./cases/served-pipeline.ts')).servedPipeline,
  },
  {
    name: 'served-fan-out',
    about: 'events of one key to 100 and 1,000 watchers, by processor time of the server, and of etcd',
    sizes: 'once',
    load: async () => (await import('./cases/served-fan-out.ts')).servedFanOut,
  },
  {
    name: 'served-memory',
    about: 'what an idle connection and an open watch take in a server, in etcd and in Redis',
    sizes: 'once',
    processCount: 3,
    load: async () => (await import('./cases/served-memory.ts')).servedMemory,
  },
  {
    name: 'served-watch',
    about: 'one writer, many watchers, through a server',
    sizes: 'once',
    load: async () => (await import('./cases/served-watch.ts')).servedWatch,
  },
  {
    name: 'served-watch-slow',
    about: 'writers beside 1,000 watchers of which 10 never read',
    sizes: 'once',
    load: async () => (await import('./cases/served-watch-slow.ts')).servedWatchSlow,
  },
  {
    name: 'durable-puts',
    about: 'durable puts in process beside those of Redis, by processor time',
    sizes: 'each',
    load: async () => (await import('./cases/durable-puts.ts')).durablePuts,
  },
  {
    name: 'redis',
    about: 'Redis on the same work',
    sizes: 'each',
    load: async () => (await import('./cases/redis.ts')).redis,
  },
  {
    name: 'redis-front',
    about: 'the Redis door beside Redis, by turns, command by command',
    sizes: 'each',
    load: async () => (await import('./cases/redis-front.ts')).redisFront,
  },
  {
    name: 'redis-bullmq',
    about: "jobs of BullMQ's queues at the Redis door and at Redis, by turns",
    sizes: 'once',
    load: async () => (await import('./cases/redis-bullmq.ts')).redisBullmq,
  },
  {
    name: 'redis-types',
    about: 'collections beside those of Redis: memory, pops of a queue, a long reply, a delete',
    sizes: 'each',
    isOnDemand: true,
    load: async () => (await import('./cases/redis-types.ts')).redisTypes,
  },
  {
    name: 'etcd-front',
    about: 'the etcd door beside etcd, by turns: Range, Put, memory of watches',
    sizes: 'each',
    load: async () => (await import('./cases/etcd-front.ts')).etcdFront,
  },
  {
    name: 'etcd-memory',
    about: 'what the built server and etcd take with the same keys: filled, at rest, started again',
    sizes: 'each',
    isOnDemand: true,
    load: async () => (await import('./cases/etcd-memory.ts')).etcdMemory,
  },
  {
    name: 'etcd',
    about: 'etcd on the same work',
    sizes: 'each',
    keyCountMax: 100_000,
    load: async () => (await import('./cases/etcd.ts')).etcd,
  },
  {
    name: 'replication-puts',
    about: 'durable puts over an etcd of three members, beside a local log and that etcd, by turns',
    sizes: 'once',
    isOnDemand: true,
    load: async () => (await import('./cases/replication-puts.ts')).replicationPuts,
  },
  {
    name: 'replication-reads',
    about: 'linearizable and local reads at nodes of a cluster, and of its etcd, by turns',
    sizes: 'once',
    isOnDemand: true,
    load: async () => (await import('./cases/replication-reads.ts')).replicationReads,
  },
  {
    name: 'replication-lag',
    about: 'how far followers of a cluster are behind while puts come',
    sizes: 'once',
    isOnDemand: true,
    load: async () => (await import('./cases/replication-lag.ts')).replicationLag,
  },
  {
    name: 'replication-failover',
    about: 'for how long no put is acknowledged when a node or a member of etcd is killed or halted',
    sizes: 'once',
    isOnDemand: true,
    load: async () => (await import('./cases/replication-failover.ts')).replicationFailover,
  },
];

/** Puts the Redis door of a server together: its connections, what stands beside them, and what commands know of the server. */
import type { Clock, Random } from '../../clock.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { countKeys } from '../../types/keys/keyspace.ts';
import { DATABASE_COUNT } from '../../types/databases/database-keys.ts';
import type { View } from '../../store/views/view.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { RedisMeter } from '../metrics/redis/redis-meter.ts';
import type { StoreMeter } from '../metrics/store/store-meter.ts';
import type { Traffic } from '../metrics/calls/traffic.ts';
import type { ServerConfig } from '../config/config.ts';
import type { ListenAddress } from '../config/option-values.ts';
import type { AclUsers } from './acl/acl-users.ts';
import type { LoginGate } from './connection/connection-context.ts';
import type { ClusterFacts, DatabaseCount, ServerFacts } from './commands/server-facts.ts';
import type { RedisCluster } from './cluster/cluster-door.ts';
import { DoorServices } from './door-services.ts';
import { blockedCountOf } from './info/info.ts';
import { NO_CLASSES, parseEventClasses } from './keyspace/event-classes.ts';
import { RedisDoor } from './redis-door.ts';
import { redisRows } from './redis-rows.ts';
import type { ScriptLogLevel } from './scripting/redis-library.ts';

export interface RedisOptions {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logins: LoginGate;
  /** Where what users may do in a second is limited. */
  readonly rates: RateLimits | undefined;
  /** Left out: the store is alone. */
  readonly cluster?: RedisCluster | undefined;
  readonly config: Pick<
    ServerConfig,
    'dataDir' | 'engine' | 'fsync' | 'limits' | 'serverLimits' | 'memoryBytesMax'
  >;
  readonly address: ListenAddress | undefined;
  /** Letters of keyspace events that are told from the start. */
  readonly eventClasses: string;
  readonly traffic: Traffic;
  /** For the metrics of the server; INFO has counts of its own, which clients may set back. */
  readonly meter: RedisMeter;
  /** Of KelpDB. */
  readonly version: string;
  readonly userNames: () => readonly string[];
  /** For ACL. */
  readonly users: AclUsers;
  readonly snapshots: Pick<StoreMeter, 'lastSnapshotMs' | 'hasSnapshotFailed'>;
  readonly shutDown: () => void;
  readonly onDefect: (command: string, error: unknown) => void;
  /** What scripts have to say to the log (`redis.log`). */
  readonly onScriptLog: (level: ScriptLogLevel, text: string) => void;
}

export function openRedis(options: RedisOptions): RedisDoor {
  const { store, clock, random, logins, config, meter, onDefect } = options;
  const { seam } = store;
  let door: RedisDoor | undefined;
  const services = new DoorServices({
    seam,
    clock,
    random,
    server: serverFacts(options),
    users: options.users,
    eventClasses: parseEventClasses(options.eventClasses) ?? NO_CLASSES,
    connections: () => {
      if (door === undefined) throw new Error('the door is not open');
      return door;
    },
    onDefect,
    onScriptLog: options.onScriptLog,
  });
  const { stats } = services;
  door = new RedisDoor({
    store: seam,
    clock,
    rows: [...redisRows, ...services.rows],
    logins,
    meter: {
      ran: (name, count) => {
        stats.ran(name, count);
        meter.ran(name, count);
      },
      failed: (text, command) => {
        stats.failed(text, command);
        meter.failed(text, command);
      },
      refused: (text, command) => {
        stats.refused(text, command);
        meter.refused(text);
      },
      defect: onDefect,
    },
    valueBytesMax: config.limits.valueBytesMax,
    rates: options.rates,
    cluster: options.cluster,
    patience: config.serverLimits,
    cursorSeed: random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32,
  });
  services.watch(door.hooks);
  const connections = door;
  meter.watch(() => ({ blockedCount: blockedCountOf(connections.all), ...services.gauges }));
  return door;
}

function serverFacts(options: RedisOptions): ServerFacts {
  const { store, clock, random, config, address, traffic, version } = options;
  let hasFailed = false;
  void store.failed.then(() => {
    hasFailed = true;
  });
  let counted: readonly DatabaseCount[] = [];
  return {
    version,
    runId: Buffer.from(random.bytes(20)).toString('hex'),
    port: address !== undefined && 'port' in address ? address.port : 0,
    dataDir: config.dataDir,
    startedAtMs: clock.nowMs(),
    fsync: config.fsync,
    engine: config.engine,
    valueBytesMax: config.limits.valueBytesMax,
    connectionsMax: config.serverLimits.connectionsMax,
    memoryBytesMax: config.memoryBytesMax,
    get memoryPolicy() {
      return store.seam.memoryPolicy;
    },
    set memoryPolicy(policy) {
      store.seam.memoryPolicy = policy;
    },
    get hasFailed() {
      return hasFailed;
    },
    status: () => store.seam.status(),
    get cluster() {
      return options.cluster && factsOf(options.cluster);
    },
    figures: () => store.figures(),
    keyCounts: () => {
      // Within a transaction, and once the log has failed, there is no other one: what was counted last.
      if (!hasFailed && !store.seam.isDeciding)
        counted = store.seam.decide(countAll).result.map((count) => withTtl(count, store, clock.nowMs()));
      return counted;
    },
    traffic: () => ({
      openedCount: traffic.connections.redis.openedCount,
      refusedCount: traffic.droppedCount,
      receivedBytes: traffic.bytes.redis.receivedBytes,
      sentBytes: traffic.bytes.redis.sentBytes,
    }),
    get lastSnapshotMs() {
      return options.snapshots.lastSnapshotMs;
    },
    get hasSnapshotFailed() {
      return options.snapshots.hasSnapshotFailed;
    },
    snapshot: () => store.snapshot(),
    shutDown: options.shutDown,
    userNames: options.userNames,
  };
}

function factsOf({ view, followerCount }: RedisCluster): ClusterFacts {
  return { role: view.role, writerAddress: view.writerRedisAddress, followerCount: followerCount() };
}

function countAll(view: View): KeyCount[] {
  const counts: KeyCount[] = [];
  for (let database = 0; database < DATABASE_COUNT; database++) {
    const keyCount = countKeys(view, database);
    if (keyCount > 0) counts.push({ database, keyCount });
  }
  return counts;
}

function withTtl({ database, keyCount }: KeyCount, { seam }: KvStore, nowMs: number): DatabaseCount {
  const { count, sumMs } = seam.deadlineSums(database);
  const meanMs = count === 0 ? 0 : Number(sumMs / BigInt(count));
  // Keys past their deadline, which may be there still, are not among those that were counted.
  return {
    database,
    keyCount,
    expiringCount: Math.min(count, keyCount),
    meanTtlMs: Math.max(0, meanMs - nowMs),
  };
}

type KeyCount = Pick<DatabaseCount, 'database' | 'keyCount'>;

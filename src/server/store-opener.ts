/**
 * Opens what the server serves, with all that is told of it on the way: a store that is alone, or that of a node of a cluster; and decides
 * whether it may be served.
 */
import type { Logger } from 'pino';
import { Access } from '../access/access.ts';
import { isAccessKey } from '../access/records/access-keys.ts';
import { type Clock, systemClock, systemRandom } from '../clock.ts';
import { type NodeAddress, formatNodeAddress } from '../cluster/node-address.ts';
import type { ClusterNode, Peers } from '../cluster/node.ts';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { FollowedServer } from '../cluster/replica/followed-server.ts';
import { openReplica } from '../cluster/replica/open-replica.ts';
import { type NodeOptions, type OpenedNode, openNode as openRealNode } from '../cluster/open-node.ts';
import type { FsyncPolicy } from '../api.ts';
import { openUncheckedStore } from '../kv/open-store.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { cluster as limits } from '../limits.ts';
import { SharedLogError } from '../shared-log/shared-log-error.ts';
import type { SharedLog } from '../shared-log/shared-log.ts';
import type { StoreOptions } from '../store/store-options.ts';
import { fromKeyText } from '../store/views/keys.ts';
import type { LogObserver } from '../wal/commit/log-observer.ts';
import { recoveringError } from './calls/call-error.ts';
import type { SafeStart } from './access/safe-start.ts';
import type { ServerConfig } from './config/config.ts';
import type { ClusterConfig } from './config/cluster-config.ts';
import type { ServerState } from './health/server-state.ts';
import { ClusterLog } from './logging/cluster-log.ts';
import { logOperatorEvent, recoveryLog } from './logging/operator-log.ts';
import type { Measures } from './measures.ts';
import { MeteredNode } from './metrics/cluster/node-meter.ts';
import { TimedLog } from './metrics/cluster/timed-log.ts';
import type { Opened } from './store-life.ts';
import type { ServerTraces } from './tracing/server-traces.ts';

/** How the other nodes are known by their certificates. */
export interface PeerTls {
  /** Authorities in PEM form; `undefined`: those that Node trusts. */
  readonly ca: Buffer | undefined;
}

/** What the command gives to a node, or to a server that follows another one: it lies above the server. */
export type NodeParts = LogParts | FollowerParts;

interface LogParts {
  /** Called for each node that is opened. */
  readonly openSharedLog: () => SharedLog;
  readonly openFollowed?: undefined;
  readonly peers: Peers;
  /** What TLS takes to the other nodes, asked for with each connection; `undefined`: they speak plain text. */
  readonly peerTls: (() => PeerTls) | undefined;
  /** What this node shows to the others where access is closed, so that they believe what it says of its clients. */
  readonly peerToken?: string | undefined;
  /** In place of the real one; for tests. */
  readonly openNode?: (options: NodeOptions, signal: AbortSignal) => Promise<OpenedNode>;
}

interface FollowerParts {
  /** Called whenever the store is opened. */
  readonly openFollowed: () => FollowedServer;
  /** Nothing is passed on. */
  readonly peerTls?: undefined;
  readonly peerToken?: undefined;
}

export interface OpenerDependencies {
  readonly logger: Logger;
  readonly version: string;
  readonly nodeParts?: NodeParts | undefined;
  readonly storeOptions?: Pick<StoreOptions, 'clock' | 'random' | 'disk' | 'makeEngine'>;
  readonly passwordCost?: number;
}

/** What is told of it. */
export interface Onlookers {
  readonly state: ServerState;
  readonly measures: Measures;
  readonly traces: ServerTraces;
}

export class StoreOpener {
  readonly #config: ServerConfig;
  readonly #dependencies: OpenerDependencies;
  readonly #onlookers: Onlookers;
  readonly #clock: Clock;
  #startMs = 0;

  constructor(config: ServerConfig, dependencies: OpenerDependencies, onlookers: Onlookers) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#onlookers = onlookers;
    this.#clock = dependencies.storeOptions?.clock ?? systemClock;
  }

  async open(address: NodeAddress, signal: AbortSignal): Promise<Opened> {
    const { cluster: config } = this.#config;
    const { nodeParts: parts } = this.#dependencies;
    this.#startMs = performance.now();
    const store = this.#storeOptions();
    if (config === undefined) return { store: await openUncheckedStore(store), node: undefined };
    if (parts === undefined) throw new Error('a node of a cluster needs a way to its shared log');
    const { failoverAfterMs } = config;
    const { measures } = this.#onlookers;
    measures.nodeMeter.opened();
    const log = new ClusterLog(
      this.#dependencies.logger,
      parts.openFollowed === undefined ? 'sharedLog' : 'server',
    );
    const onEvent = (event: ClusterEvent): void => {
      measures.nodeMeter.happened(event);
      log.happened(event);
    };
    if (parts.openFollowed !== undefined) {
      const followed = { store, server: parts.openFollowed(), address: address.http, onEvent };
      const { store: replica, node } = await openReplica(followed, signal);
      return { store: replica, node: new MeteredNode(node, measures.nodeMeter) };
    }
    const { openSharedLog, peers, openNode = openRealNode } = parts;
    const options: NodeOptions = {
      store,
      sharedLog: new TimedLog(openSharedLog(), measures.nodeMeter.appendDurations),
      peers,
      address: formatNodeAddress(address),
      failoverAfterMs,
      onEvent,
    };
    const opened = await openNode(options, signal).catch((error: unknown) => {
      throw isMissingLog(error) ? missingLogError(config.log, error) : error;
    });
    return { store: opened.store, node: new MeteredNode(opened.node, measures.nodeMeter) };
  }

  /** The access of a store that may be served. Rejects with why it may not be. */
  async settle(
    { store, node }: Opened,
    safeStart: SafeStart | undefined,
    signal: AbortSignal,
  ): Promise<Access> {
    const { logger, passwordCost, storeOptions } = this.#dependencies;
    const { random = systemRandom } = storeOptions ?? {};
    if (node !== undefined) await untilInformed(store, node, signal);
    const access = new Access({ store, clock: this.#clock, random, passwordCost });
    if (node !== undefined) {
      followAccess(store, access);
      await this.#untilRootIsDecided(node, access, signal);
    }
    await safeStart?.settle(access, logger);
    return access;
  }

  /** The root that is asked for is made by the writer; a follower waits for that, since access would be open without it. */
  async #untilRootIsDecided(node: ClusterNode, access: Access, signal: AbortSignal): Promise<void> {
    if (this.#config.access.rootPasswordFile === undefined) return;
    let why: Error | undefined;
    void node.ended.then((reason) => {
      why = reason;
    });
    while (!access.table.isClosed && node.role !== 'writer') {
      await new Promise<void>((resolve) => systemClock.setTimer(limits.lagCheckMs, resolve));
      if (signal.aborted) throw recoveringError();
      if (why !== undefined) throw why;
    }
  }

  tellReady(store: KvStore, served: object): void {
    const { dataDir, engine, fsync, cluster, limits: storeLimits } = this.#config;
    const { logger, version } = this.#dependencies;
    const { txnBytesMax, valueBytesMax } = storeLimits;
    const recoveryMs = Math.round(performance.now() - this.#startMs);
    const { visibleRevision: revision } = store.seam;
    const durable = durability(cluster, fsync, { txnBytesMax, valueBytesMax });
    logger.info({ ...served, dataDir, engine, ...durable, version, revision, recoveryMs }, 'ready');
  }

  #storeOptions(): StoreOptions {
    const { cluster, dataDir, engine, fsync, limits: storeLimits } = this.#config;
    const { memoryBytesMax, memoryPolicy, valueCompression } = this.#config;
    const { logger, storeOptions } = this.#dependencies;
    const { state, measures, traces } = this.#onlookers;
    const logProgress = recoveryLog(logger);
    return {
      ...storeOptions,
      dataDir,
      engine,
      // A node's writes are durable once the shared log has them.
      ...(cluster === undefined && { fsync }),
      limits: storeLimits,
      memoryBytesMax,
      memoryPolicy,
      valueCompression,
      onRecoveryProgress: (progress) => {
        state.reportRecovery(progress);
        logProgress(progress);
      },
      onEvent: (event) => {
        measures.storeMeter.happened(event);
        logOperatorEvent(logger, event, cluster !== undefined);
      },
      observer: observers(measures.storeMeter, traces),
      keyObserver: measures.prefixes,
    };
  }
}

/**
 * What other nodes have been told is known here before it is decided by it. What follows a server that is lost shows what it has, if that is
 * anything; else it waits for that server, for ever.
 */
async function untilInformed(store: KvStore, node: ClusterNode, signal: AbortSignal): Promise<void> {
  if (!node.isReadOnly) return await node.readBarrier(signal);
  let hasEnded = false;
  void node.ended.then(() => {
    hasEnded = true;
  });
  while (store.visibleRevision === 0) {
    try {
      return await node.readBarrier(signal);
    } catch (error) {
      if (signal.aborted) throw recoveringError();
      if (hasEnded) throw error;
      await new Promise<void>((resolve) => systemClock.setTimer(limits.lagCheckMs, resolve));
    }
  }
}

/** What makes writes durable, or where they come from, for the log. */
function durability(cluster: ClusterConfig | undefined, fsync: FsyncPolicy, inBatches: object): object {
  if (cluster === undefined) return { fsync };
  return cluster.follow === undefined
    ? { log: cluster.log, ...inBatches }
    : { follow: cluster.follow.address };
}

function isMissingLog(error: unknown): error is SharedLogError {
  return error instanceof SharedLogError && error.code === 'notInitialized';
}

/** A node never makes the log by itself: one that was wiped would be taken for that of a new cluster. */
function missingLogError(log: string, cause: Error): Error {
  return new Error(
    `there is no shared log at ${log}. If the cluster is new, make it, once for all nodes: kelp cluster init --log ${log}. If there was one it is lost, and docs/replication.md says what to do`,
    { cause },
  );
}

/** Where a node is reached: as its operator says, or else where it listens. */
export function advertisedAddress(
  config: Pick<ClusterConfig, 'advertise' | 'advertiseRedis'> | undefined,
  bound: NodeAddress,
): NodeAddress {
  const http = config?.advertise ?? bound.http;
  if (bound.redis === '') return { http, redis: '' };
  const [host, port] = [
    http.slice(0, http.lastIndexOf(':')),
    bound.redis.slice(bound.redis.lastIndexOf(':')),
  ];
  // A socket of a file has no port, and is reached by none of the others.
  const redis = config?.advertiseRedis ?? (/^:\d+$/.test(port) ? host + port : '');
  return { http, redis };
}

/** Changes of access that another node has made come with the records that are followed. */
function followAccess(store: KvStore, access: Access): void {
  store.seam.onVisible((_, changes) => {
    const keys = changes.map(({ key }) => fromKeyText(key)).filter(isAccessKey);
    if (keys.length > 0) access.table.refresh(keys);
  });
}

/** All are told of all. */
function observers(...each: readonly LogObserver[]): LogObserver {
  return {
    batchWritten: (batch) => each.forEach((observer) => observer.batchWritten?.(batch)),
    flushed: (flush) => each.forEach((observer) => observer.flushed?.(flush)),
  };
}

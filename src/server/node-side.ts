/**
 * The side of a server that a cluster sees: where it is reached, what its doors know of the other nodes, and what its services tell of
 * itself. Of a server that is alone all of it is `undefined`.
 */
import type { Logger } from 'pino';
import { systemClock } from '../clock.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { NodeAddress } from '../cluster/node-address.ts';
import type { ClusterNode } from '../cluster/node.ts';
import type { ClusterDoors } from './cluster/cluster-doors.ts';
import { PeerConnections } from './cluster/peer-connections.ts';
import { ReadGate } from './cluster/read-gate.ts';
import { writerWaitMsOf } from './cluster/writer-watch.ts';
import type { ServerConfig } from './config/config.ts';
import { NodeWatch } from './health/node-watch.ts';
import type { ServerState } from './health/server-state.ts';
import type { NodeMeter } from './metrics/cluster/node-meter.ts';
import type { RedisCluster } from './redis/cluster/cluster-door.ts';
import type { ServedNode } from './services/service-parts.ts';
import type { StoreLife } from './store-life.ts';
import { type NodeParts, advertisedAddress } from './store-opener.ts';

export interface NodeSideOptions {
  readonly config: Pick<ServerConfig, 'cluster' | 'redis'>;
  readonly nodeParts: NodeParts | undefined;
  readonly state: ServerState;
  readonly meter: NodeMeter;
  readonly logger: Logger;
  /** Where the server listens, once it does. */
  readonly bound: () => NodeAddress;
}

export class NodeSide {
  readonly #options: NodeSideOptions;
  readonly #life: () => StoreLife;
  /** What the doors know of the cluster. */
  readonly doors: ClusterDoors | undefined;
  #watch: NodeWatch | undefined;

  constructor(options: NodeSideOptions, life: () => StoreLife, doors: ClusterDoors | undefined) {
    this.#options = options;
    this.#life = life;
    this.doors = doors ?? this.#makeDoors();
  }

  /** Where clients and other nodes reach this one. */
  get address(): NodeAddress {
    const { config, bound } = this.#options;
    return advertisedAddress(config.cluster, bound());
  }

  /** Throws while the node is being opened. */
  get served(): ServedNode | undefined {
    if (this.#options.config.cluster === undefined) return undefined;
    const { node } = this.#life();
    return node && { node, address: this.address.http };
  }

  redis(node: ClusterNode): RedisCluster {
    const { logger, nodeParts, config, meter } = this.#options;
    const { cluster, redis } = config;
    const peerTls = redis?.hasTls === true ? nodeParts?.peerTls : undefined;
    return {
      view: node,
      writerTls: () => peerTls?.(),
      token: nodeParts?.peerToken,
      meter,
      followerCount: () => node.status().nodes.length - 1,
      writerWaitMs: writerWaitMsOf(cluster?.failoverAfterMs ?? 0),
      onUnreachable: (address, error) =>
        logger.warn({ address, why: error?.message }, 'the writer was not reached for a client of Redis'),
    };
  }

  /** Looks after a node that is served, until `unwatch`. */
  watch(node: ClusterNode): void {
    const { config, state, logger, meter } = this.#options;
    if (config.cluster === undefined) return;
    const { readyLagMs } = config.cluster;
    const logSilentMs = (): number => meter.logSilentMs;
    const parts = { state, logger, clock: systemClock, readyLagMs, logSilentMs };
    this.#watch = new NodeWatch(parts, () => node.status());
  }

  unwatch(): void {
    this.#watch?.stop();
  }

  /** The server stops: calls that wait for a writer are told so, that they may be made elsewhere. */
  stopWaiting(): void {
    this.doors?.peers.watch.stopWaiting();
  }

  close(): void {
    this.doors?.peers.close();
  }

  #makeDoors(): ClusterDoors | undefined {
    const { config, nodeParts, meter } = this.#options;
    if (config.cluster === undefined || nodeParts === undefined) return undefined;
    const view = (): ClusterView | undefined => this.#life().view;
    const peers = new PeerConnections({
      clock: systemClock,
      tls: nodeParts.peerTls,
      token: nodeParts.peerToken,
      writerAddress: () => view()?.writerAddress ?? '',
      writerWaitMs: writerWaitMsOf(config.cluster.failoverAfterMs),
      onEnded: (outcome) => meter.forwardedCounts[outcome]++,
    });
    return { view, gate: new ReadGate(view, systemClock), peers };
  }
}

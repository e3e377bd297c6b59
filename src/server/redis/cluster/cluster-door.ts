/**
 * `ClusterDoor`: what connections of a node of a cluster ask of it. At the writer, whether what they have read was the newest; at a
 * follower, a connection to the writer, which is cut when another node becomes that.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../../clock.ts';
import type { ClusterView } from '../../../cluster/cluster-view.ts';
import { serverFixed } from '../../../limits.ts';
import { connectWriter, type WriterTls } from './connect-writer.ts';
import type { Prelude } from './prelude.ts';
import { type BarrierWaiter, SharedBarrier } from './shared-barrier.ts';

/** What a server knows of its cluster; without one it is alone. */
export interface RedisCluster {
  readonly view: ClusterView;
  /** How the writer's port for Redis is reached; asked for each connection. `undefined`: in plain text. */
  readonly writerTls: () => WriterTls | undefined;
  /** Of the followers that the writer knows; 0 at a follower. */
  readonly followerCount: () => number;
  /** The writer was not reached where it says that it is; no error: it is a follower by now, or takes too long. */
  readonly onUnreachable: (address: string, error: Error | undefined) => void;
}

/** A connection that is passed on. */
export interface PassedOn {
  /** Of the writer. */
  readonly address: string;
  /** There is another writer. */
  cut(): void;
}

export class ClusterDoor {
  readonly #cluster: RedisCluster;
  readonly #clock: Clock;
  readonly #barrier: SharedBarrier;
  readonly #passedOn = new Set<PassedOn>();
  #checkTimer: Timer | undefined;

  constructor(cluster: RedisCluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#barrier = new SharedBarrier(cluster.view, (run) => clock.yieldNow(run));
  }

  get isFollower(): boolean {
    return this.#cluster.view.role === 'follower';
  }

  /** '': it is not known now. */
  get writerAddress(): string {
    return this.#cluster.view.writerRedisAddress;
  }

  /** Asks, for what was read before this call, whether this node still is the writer. */
  wait(waiter: BarrierWaiter): void {
    this.#barrier.wait(waiter);
  }

  /** Rejects with a `ReplyError` for the client. */
  async connect(address: string, prelude: Prelude, signal: AbortSignal): Promise<Socket> {
    return await connectWriter({
      ...prelude,
      address,
      tls: this.#cluster.writerTls(),
      clock: this.#clock,
      signal,
      onUnreachable: (error) => this.#cluster.onUnreachable(address, error),
    });
  }

  /** A connection is passed on from now on. */
  add(passedOn: PassedOn): void {
    this.#passedOn.add(passedOn);
    this.#checkLater();
  }

  remove(passedOn: PassedOn): void {
    this.#passedOn.delete(passedOn);
    if (this.#passedOn.size > 0) return;
    this.#checkTimer?.cancel();
    this.#checkTimer = undefined;
  }

  #checkLater(): void {
    this.#checkTimer ??= this.#clock.setTimer(serverFixed.redisClientCheckMs, () => {
      this.#checkTimer = undefined;
      for (const one of this.#passedOn) if (!this.isFollower || one.address !== this.writerAddress) one.cut();
      if (this.#passedOn.size > 0) this.#checkLater();
    });
  }
}

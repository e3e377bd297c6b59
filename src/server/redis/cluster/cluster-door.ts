/**
 * `ClusterDoor`: what connections of a node of a cluster ask of it. At the writer, whether what they have read was the newest; at a
 * follower, who is the writer, again and again while it matters, and a connection to it.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../../clock.ts';
import type { ClusterView } from '../../../cluster/cluster-view.ts';
import { WriterWatch } from '../../cluster/writer-watch.ts';
import type { NodeMeter } from '../../metrics/cluster/node-meter.ts';
import { connectWriter, type WriterTls } from './connect-writer.ts';
import { introductionOf, type Prelude } from './prelude.ts';
import { type BarrierWaiter, SharedBarrier } from './shared-barrier.ts';

/** What a server knows of its cluster; without one it is alone. */
export interface RedisCluster {
  readonly view: ClusterView;
  /** How the writer's port for Redis is reached; asked for each connection. `undefined`: in plain text. */
  readonly writerTls: () => WriterTls | undefined;
  /** What this node shows to the writer, to be believed whose connections it passes on; `undefined`: it has nothing. */
  readonly token: string | undefined;
  /** Of the followers that the writer knows; 0 at a follower. */
  readonly followerCount: () => number;
  /** For how long a client waits for a writer that is known and reached: longer than another node takes to become it. */
  readonly writerWaitMs: number;
  /**
   * A client has waited in vain for the writer that is known; no error: it does not answer. Told once, until a writer is reached or there
   * is another one.
   */
  readonly onUnreachable: (address: string, error: Error | undefined) => void;
  /** Counts, for the metrics. */
  readonly meter: Pick<NodeMeter, 'relayedCount' | 'relayCounts'>;
}

export class ClusterDoor {
  readonly #cluster: RedisCluster;
  readonly #barrier: SharedBarrier;
  /** Of the connections that are passed on, or wait for a writer. */
  readonly watch: WriterWatch;
  /** Of a writer that was told of as not reached. */
  #toldAddress = '';

  constructor(cluster: RedisCluster, clock: Clock) {
    this.#cluster = cluster;
    this.watch = new WriterWatch(clock, cluster.writerWaitMs);
    this.#barrier = new SharedBarrier(cluster.view, (run) => clock.yieldNow(run));
  }

  get isFollower(): boolean {
    return this.#cluster.view.role === 'follower';
  }

  /** Nothing is passed on: see `ClusterView.isReadOnly`. */
  get isReadOnly(): boolean {
    return this.#cluster.view.isReadOnly;
  }

  /** '': it is not known now. */
  get writerAddress(): string {
    return this.#cluster.view.writerRedisAddress;
  }

  /** Whether the writer can be told whose certificate a client has. */
  get hasToken(): boolean {
    return this.#cluster.token !== undefined;
  }

  /** What the writer is told of a client before that one says anything; a writer that does not believe it goes on all the same. */
  introduction(client: { readonly address: string; readonly peer: object }): readonly (readonly Buffer[])[] {
    const { token } = this.#cluster;
    return token === undefined ? [] : introductionOf(token, client);
  }

  /** Asks, for what was read before this call, whether this node still is the writer. */
  wait(waiter: BarrierWaiter): void {
    this.#barrier.wait(waiter);
  }

  /** Rejects with a `WriterUnreachableError`, or with a `ReplyError` for the client. */
  async connect(
    address: string,
    introduction: readonly (readonly Buffer[])[],
    prelude: Prelude,
    signal: AbortSignal,
  ): Promise<Socket> {
    const writer = await connectWriter({
      ...prelude,
      introduction,
      address,
      tls: this.#cluster.writerTls(),
      signal,
    });
    this.#toldAddress = '';
    return writer;
  }

  unreachable(address: string, error: Error | undefined): void {
    if (address === this.#toldAddress) return;
    this.#toldAddress = address;
    this.#cluster.onUnreachable(address, error);
  }

  /** A connection is passed on to the writer. */
  relayBegan(): void {
    this.#cluster.meter.relayedCount++;
    this.#cluster.meter.relayCounts.passedOn++;
  }

  relayEnded(): void {
    this.#cluster.meter.relayedCount--;
  }

  /** A client was told that there is no writer. */
  notReached(): void {
    this.#cluster.meter.relayCounts.notReached++;
  }
}

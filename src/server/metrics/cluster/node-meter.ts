/** What is counted of a node of a cluster, over all times that its store is opened. */
import type { ClusterEvent } from '../../../cluster/cluster-event.ts';
import type { ClusterNode, NodeReport, NodeStatus } from '../../../cluster/node.ts';
import type { Role } from '../../../cluster/cluster-view.ts';
import { serverFixed } from '../../../limits.ts';
import { Histogram } from '../histogram.ts';

const silences = new Set<ClusterEvent['kind']>(['logUnreachable', 'serverUnreachable', 'serverRefused']);

/** How a call that was passed on ended, as far as the follower is concerned. */
export type ForwardingOutcome =
  /** The writer has answered, be it by an error. */
  | 'answered'
  /** It has not come to a writer. */
  | 'notSent'
  /** It was sent, and there is no answer. */
  | 'lost'
  /** It was not waited for any more: by its client, or as the server stops. */
  | 'canceled';

/** What has become of a client of Redis that was for the writer. */
export type RelayOutcome = 'passedOn' | 'notReached';

export class NodeMeter {
  /** How long reads have waited until it was known that this node holds all that was acknowledged; many share one such wait. */
  readonly barrierDurations = new Histogram(serverFixed.flushDurationBounds);
  barrierFailureCount = 0;
  /** Of batches, as their writer. */
  readonly appendDurations = new Histogram(serverFixed.flushDurationBounds);
  /** Connections of Redis that are passed on now, ... */
  relayedCount = 0;
  /** ... those that ever were, and those whose writer was not reached. */
  readonly relayCounts: Record<RelayOutcome, number> = { passedOn: 0, notReached: 0 };
  takeoverCount = 0;
  /** Calls that were passed on to the writer, and are over. */
  readonly forwardedCounts: Record<ForwardingOutcome, number> = {
    answered: 0,
    notSent: 0,
    lost: 0,
    canceled: 0,
  };
  /** How often the state on disk was damaged, and had to be replaced. */
  damageCount = 0;
  /** Since when the shared log does not answer, by the clock of `performance`; `undefined`: it does. */
  #silentSinceMs: number | undefined;

  /** For how long the shared log has not answered; 0: it does. */
  get logSilentMs(): number {
    return this.#silentSinceMs === undefined ? 0 : performance.now() - this.#silentSinceMs;
  }

  happened({ kind }: ClusterEvent): void {
    if (kind === 'tookOver') this.takeoverCount++;
    else if (kind === 'stateDamaged') this.damageCount++;
    else if (silences.has(kind)) this.#silentSinceMs ??= performance.now();
    else if (kind === 'logReachable' || kind === 'serverReachable') this.#silentSinceMs = undefined;
  }

  /** Another node is opened: it tells anew what it finds. */
  opened(): void {
    this.#silentSinceMs = undefined;
  }

  async timed(barrier: Promise<void>): Promise<void> {
    const startMs = performance.now();
    try {
      await barrier;
    } catch (error) {
      this.barrierFailureCount++;
      throw error;
    }
    this.barrierDurations.add((performance.now() - startMs) / 1000);
  }
}

/** A node whose barriers are timed, and which counts takeovers beyond its own life. */
export class MeteredNode implements ClusterNode {
  readonly #node: ClusterNode;
  readonly #meter: NodeMeter;

  constructor(node: ClusterNode, meter: NodeMeter) {
    this.#node = node;
    this.#meter = meter;
  }

  get role(): Role {
    return this.#node.role;
  }

  get isReadOnly(): boolean {
    return this.#node.isReadOnly;
  }

  get writerAddress(): string {
    return this.#node.writerAddress;
  }

  get writerRedisAddress(): string {
    return this.#node.writerRedisAddress;
  }

  get ended(): Promise<Error> {
    return this.#node.ended;
  }

  readBarrier(signal?: AbortSignal): Promise<void> {
    return this.#meter.timed(this.#node.readBarrier(signal));
  }

  reached(revision: number, signal?: AbortSignal): Promise<void> {
    return this.#node.reached(revision, signal);
  }

  status(): NodeStatus {
    return { ...this.#node.status(), takeoverCount: this.#meter.takeoverCount };
  }

  takeReport(report: NodeReport, nonce: string): void {
    this.#node.takeReport(report, nonce);
  }

  handOver(successorAddress?: string): Promise<void> {
    return this.#node.handOver(successorAddress);
  }

  close(): Promise<void> {
    return this.#node.close();
  }
}

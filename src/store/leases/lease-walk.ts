/**
 * The leases as they were at one instant, in the order of their ids and some at a time, while they go on changing.
 *
 * What the table is about to change of a lease that the walk has not come to is kept as it was; a lease that was granted since is
 * left out. So a walk costs at most a copy of each lease that changes before it is shown.
 */
import { LeaseOrder } from './lease-order.ts';

/** What is written of a lease. */
export interface LeaseCopy {
  readonly leaseId: number;
  readonly ttlMs: number;
  /** By the lease clock. */
  readonly deadlineMs: number;
  readonly owner: string;
}

/** What a walk goes over. */
export interface WalkedLeases {
  /** The first ids above `afterId`, so many at most. */
  idsAfter(afterId: number, limit: number): number[];
  get(leaseId: number): LeaseCopy | undefined;
  /** The walk need be told of no more changes. */
  closed(): void;
}

export class LeaseWalk {
  readonly #leases: WalkedLeases;
  /** Those up to here were shown, or are not there. */
  #afterId = 0;
  /** As they were, of leases that have changed since, ... */
  readonly #keptById = new Map<number, LeaseCopy>();
  /** ... and their ids. */
  readonly #keptIds = new LeaseOrder();
  /** Granted since, and still there. */
  readonly #grantedIds = new Set<number>();

  constructor(leases: WalkedLeases) {
    this.#leases = leases;
  }

  /** @returns the next ones, of so many that are looked at; `undefined` behind the last. */
  next(limit: number): LeaseCopy[] | undefined {
    const ids = new Set(this.#leases.idsAfter(this.#afterId, limit));
    for (const leaseId of this.#keptIds.after(this.#afterId, limit)) ids.add(leaseId);
    if (ids.size === 0) return undefined;
    const copies: LeaseCopy[] = [];
    for (const leaseId of [...ids].sort((a, b) => a - b).slice(0, limit)) {
      const lease = this.#take(leaseId);
      if (lease !== undefined) copies.push(lease);
      this.#afterId = leaseId;
    }
    return copies;
  }

  /** A lease is granted. */
  granted(leaseId: number): void {
    if (leaseId > this.#afterId && !this.#keptById.has(leaseId)) this.#grantedIds.add(leaseId);
  }

  /** A lease is about to be renewed, or ended. */
  changing({ leaseId, ttlMs, deadlineMs, owner }: LeaseCopy): void {
    if (leaseId <= this.#afterId || this.#grantedIds.has(leaseId) || this.#keptById.has(leaseId)) return;
    this.#keptById.set(leaseId, { leaseId, ttlMs, deadlineMs, owner });
    this.#keptIds.add(leaseId);
  }

  /** A lease has ended. */
  ended(leaseId: number): void {
    this.#grantedIds.delete(leaseId);
  }

  close(): void {
    this.#leases.closed();
  }

  #take(leaseId: number): LeaseCopy | undefined {
    const kept = this.#keptById.get(leaseId);
    if (kept !== undefined) {
      this.#keptById.delete(leaseId);
      this.#keptIds.remove(leaseId);
      return kept;
    }
    if (this.#grantedIds.delete(leaseId)) return undefined;
    const lease = this.#leases.get(leaseId);
    return lease && { leaseId, ttlMs: lease.ttlMs, deadlineMs: lease.deadlineMs, owner: lease.owner };
  }
}

/**
 * What one transaction changes of leases: grants, renewals and ends over the lease table, which stays as it is until the
 * transaction is committed.
 */
import { assert, StoreError } from '../../errors.ts';
import { fixed, limitName, type Limits } from '../../limits.ts';
import type { LeaseView } from '../views/view.ts';
import type { LeaseChange } from './lease-change.ts';
import type { LeaseTable } from './lease-table.ts';

const NO_CHANGES: readonly LeaseChange[] = [];

/** Invariant: `#lastById` has the last change of each lease that is changed; `#before` what it had in its place at each change. */
export class LeaseDraft {
  readonly #table: LeaseTable;
  readonly #limits: Pick<Limits, 'leasesMax'>;
  #changes: LeaseChange[] | undefined;
  #before: (LeaseChange | undefined)[] = [];
  readonly #lastById = new Map<number, LeaseChange>();
  /** The grants among the changes. */
  #grantedCount = 0;

  constructor(table: LeaseTable, limits: Pick<Limits, 'leasesMax'>) {
    this.#table = table;
    this.#limits = limits;
  }

  /** In their order. */
  get changes(): readonly LeaseChange[] {
    return this.#changes ?? NO_CHANGES;
  }

  /** Drops the changes. */
  end(): void {
    if (this.#changes === undefined) return;
    this.#changes = undefined;
    this.#before = [];
    this.#lastById.clear();
    this.#grantedCount = 0;
  }

  rollBack(changeCount: number): void {
    while (this.changes.length > changeCount) {
      const change = this.#changes?.pop();
      const before = this.#before.pop();
      if (change?.kind === 'grant') this.#grantedCount--;
      if (before !== undefined) this.#lastById.set(before.leaseId, before);
      else if (change !== undefined) this.#lastById.delete(change.leaseId);
    }
  }

  get(leaseId: number): LeaseView | undefined {
    const change = this.#lastOf(leaseId);
    const lease = change ?? this.#table.get(leaseId);
    if (lease === undefined || change?.kind === 'end') return undefined;
    const remainingMs = Math.max(0, lease.deadlineMs - this.#table.clockMs());
    return { leaseId, ttlMs: lease.ttlMs, remainingMs, owner: lease.owner };
  }

  /** Whether the transaction has ended it. */
  hasEnded(leaseId: number): boolean {
    return this.#lastOf(leaseId)?.kind === 'end';
  }

  grant(leaseId: number, ttlMs: number, owner: string): void {
    assert(leaseId > 0 && this.get(leaseId) === undefined, 'a lease is granted with an id that is free');
    // Grants come into the lease table before ends.
    assert(!this.hasEnded(leaseId), 'the id of a lease that a transaction has ended is free after it');
    if (this.#table.size + this.#grantedCount >= this.#limits.leasesMax) {
      throw new StoreError(
        'limitReached',
        `there are ${this.#table.size} leases; no more are allowed (${limitName('leasesMax')}). Revoke some, or share leases between keys`,
      );
    }
    this.#add({ kind: 'grant', leaseId, ttlMs, deadlineMs: this.#table.clockMs() + ttlMs, owner });
  }

  renew(leaseId: number): void {
    const { ttlMs, owner } = this.#present(leaseId);
    this.#add({ kind: 'renew', leaseId, ttlMs, deadlineMs: this.#table.clockMs() + ttlMs, owner });
  }

  remove(leaseId: number): void {
    this.#present(leaseId);
    this.#add({ kind: 'end', leaseId, ttlMs: 0, deadlineMs: 0, owner: '' });
  }

  #lastOf(leaseId: number): LeaseChange | undefined {
    return this.#changes === undefined ? undefined : this.#lastById.get(leaseId);
  }

  #present(leaseId: number): LeaseView {
    const lease = this.get(leaseId);
    assert(lease !== undefined, `lease ${leaseId} exists`);
    return lease;
  }

  #add(change: LeaseChange): void {
    if (this.changes.length >= fixed.txnOperationsMax) {
      throw new StoreError(
        'limitReached',
        `a transaction changes at most ${fixed.txnOperationsMax} leases; use several`,
      );
    }
    this.#before.push(this.#lastById.get(change.leaseId));
    this.#lastById.set(change.leaseId, change);
    if (change.kind === 'grant') this.#grantedCount++;
    (this.#changes ??= []).push(change);
  }
}

export function leaseNotFound(leaseId: number): StoreError<'leaseNotFound'> {
  return new StoreError('leaseNotFound', `there is no lease ${leaseId}; it may have expired`);
}

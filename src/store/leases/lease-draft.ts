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

export class LeaseDraft {
  readonly #table: LeaseTable;
  readonly #limits: Pick<Limits, 'leasesMax'>;
  #changes: LeaseChange[] | undefined;

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
    this.#changes = undefined;
  }

  rollBack(changeCount: number): void {
    if (this.#changes !== undefined) this.#changes.length = changeCount;
  }

  get(leaseId: number): LeaseView | undefined {
    const change = this.#lastOf(leaseId);
    const lease = change ?? this.#table.get(leaseId);
    if (lease === undefined || change?.kind === 'end') return undefined;
    const remainingMs = Math.max(0, lease.deadlineMs - this.#table.clockMs());
    return { leaseId, ttlMs: lease.ttlMs, remainingMs };
  }

  /** Whether the transaction has ended it. */
  hasEnded(leaseId: number): boolean {
    return this.#lastOf(leaseId)?.kind === 'end';
  }

  grant(leaseId: number, ttlMs: number): void {
    assert(leaseId > 0 && this.get(leaseId) === undefined, 'a lease is granted with an id that is free');
    // Grants come into the lease table before ends.
    assert(!this.hasEnded(leaseId), 'the id of a lease that a transaction has ended is free after it');
    const granted = this.changes.filter(({ kind }) => kind === 'grant').length;
    if (this.#table.size + granted >= this.#limits.leasesMax) {
      throw new StoreError(
        'limitReached',
        `there are ${this.#table.size} leases; no more are allowed (${limitName('leasesMax')}). Revoke some, or share leases between keys`,
      );
    }
    this.#add({ kind: 'grant', leaseId, ttlMs, deadlineMs: this.#table.clockMs() + ttlMs });
  }

  renew(leaseId: number): void {
    const { ttlMs } = this.#present(leaseId);
    this.#add({ kind: 'renew', leaseId, ttlMs, deadlineMs: this.#table.clockMs() + ttlMs });
  }

  remove(leaseId: number): void {
    this.#present(leaseId);
    this.#add({ kind: 'end', leaseId, ttlMs: 0, deadlineMs: 0 });
  }

  #lastOf(leaseId: number): LeaseChange | undefined {
    return this.#changes?.findLast((made) => made.leaseId === leaseId);
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
    (this.#changes ??= []).push(change);
  }
}

export function leaseNotFound(leaseId: number): StoreError<'leaseNotFound'> {
  return new StoreError('leaseNotFound', `there is no lease ${leaseId}; it may have expired`);
}

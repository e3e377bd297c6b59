/** One change of a lease: what a draft makes, the log keeps, and the lease table applies. */
export interface LeaseChange {
  readonly kind: 'grant' | 'renew' | 'end';
  readonly leaseId: number;
  readonly ttlMs: number;
  /** By the lease clock. */
  readonly deadlineMs: number;
  /** The user that granted it; '': none did. */
  readonly owner: string;
}

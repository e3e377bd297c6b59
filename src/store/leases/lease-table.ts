/**
 * The leases of a store: their deadlines, their owners and the keys attached to them, as of the newest sequenced transaction.
 *
 * Deadlines count by the lease clock: the milliseconds that the store has been running in all its lives. It stands still
 * while the store is down, so a lease keeps over a restart exactly the time that remained.
 *
 * Invariants: a key is in the set of a lease exactly when its newest version names that lease; every lease has one place
 * in the deadline heap, at a deadline that is not above its own (renewing moves a lease only when it comes up).
 */
import type { Clock } from '../../clock.ts';
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { LeaseChange } from './lease-change.ts';
import type { KeyText } from '../views/keys.ts';
import { LeaseOrder } from './lease-order.ts';
import { type LeaseCopy, LeaseWalk } from './lease-walk.ts';

export interface LeaseState {
  readonly leaseId: number;
  readonly ttlMs: number;
  /** By the lease clock. */
  deadlineMs: number;
  /** The user that granted it; '': none did, so it is everybody's. */
  readonly owner: string;
  readonly keys: Set<KeyText>;
  /** The bytes of all keys. */
  keyBytes: number;
}

/** What is read of leases beside transactions. */
export interface LeaseReads {
  get(leaseId: number): LeaseState | undefined;
  /** Leases with an id above `afterId`, in the order of their ids. */
  list(afterId: number, limit: number): LeaseState[];
  /** The lease clock now, in whole milliseconds. */
  clockMs(): number;
}

/** What undoes changes of leases, in the order in which they were made. */
export type UndoLeases = (() => void)[];

/** Undoes them, the last one first. */
export function undoLeases(undo: UndoLeases = []): void {
  for (const undoOne of undo.toReversed()) undoOne();
}

interface HeapItem {
  readonly lease: LeaseState;
  readonly deadlineMs: number;
}

/** What a lease takes, and a key of one beside its text, in the table and in the heap; measured. */
const LEASE_OBJECT_BYTES = 500;
const KEY_OBJECT_BYTES = 100;
/** Of an owner's name; leases that come from disk have a copy each. */
const OWNER_CHARACTER_BYTES = 2;

/** Items of the heap that may belong to leases that are gone, however few leases there are. */
const HEAP_SLACK = 64;

export class LeaseTable implements LeaseReads {
  readonly #clock: Clock;
  readonly #leaseById = new Map<number, LeaseState>();
  /** A binary heap: the earliest deadline first. */
  readonly #heap: HeapItem[] = [];
  readonly #order = new LeaseOrder();
  readonly #walks = new Set<LeaseWalk>();
  #memoryBytes = 0;
  /** The lease clock at the instant `#anchorMonotonicMs`. */
  #anchorMs = 0;
  #anchorMonotonicMs: number;
  #isStanding = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#anchorMonotonicMs = clock.monotonicMs();
  }

  get size(): number {
    return this.#leaseById.size;
  }

  /** The memory of all leases and of the keys that are attached to them, by an estimate. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** The lease clock now, in whole milliseconds. */
  clockMs(): number {
    if (this.#isStanding) return this.#anchorMs;
    return this.#anchorMs + Math.floor(this.#clock.monotonicMs() - this.#anchorMonotonicMs);
  }

  /** A store that follows another: the clock stands, at this at least, until `setClock`. */
  standAt(clockMs: number): void {
    this.#anchorMs = Math.max(clockMs, this.#anchorMs);
    this.#isStanding = true;
  }

  /** Recovery: the clock was at least here, and runs on from here. */
  setClock(clockMs: number): void {
    this.#anchorMs = Math.max(clockMs, this.#anchorMs);
    this.#isStanding = false;
    this.#anchorMonotonicMs = this.#clock.monotonicMs();
  }

  get(leaseId: number): LeaseState | undefined {
    return this.#leaseById.get(leaseId);
  }

  /** Makes a lease; its id must be free. */
  grant({ leaseId, ttlMs, deadlineMs, owner }: LeaseCopy): void {
    assert(!this.#leaseById.has(leaseId), `lease ${leaseId} is granted twice`);
    const lease: LeaseState = { leaseId, ttlMs, deadlineMs, owner, keys: new Set(), keyBytes: 0 };
    this.#leaseById.set(leaseId, lease);
    this.#memoryBytes += memoryBytesOf(lease);
    this.#order.add(leaseId);
    for (const walk of this.#walks) walk.granted(leaseId);
    this.#push({ lease, deadlineMs });
  }

  /**
   * Moves the deadline of a lease to a later time. An earlier one, or a lease that is gone, changes nothing: recovery meets
   * such renewals when a snapshot is newer than the note in the log.
   */
  renew(leaseId: number, deadlineMs: number): void {
    const lease = this.#leaseById.get(leaseId);
    if (lease === undefined || lease.deadlineMs >= deadlineMs) return;
    for (const walk of this.#walks) walk.changing(lease);
    lease.deadlineMs = deadlineMs;
  }

  remove(leaseId: number): void {
    const lease = this.#leaseById.get(leaseId);
    if (lease === undefined) return;
    for (const walk of this.#walks) {
      walk.changing(lease);
      walk.ended(leaseId);
    }
    this.#leaseById.delete(leaseId);
    this.#memoryBytes -= memoryBytesOf(lease);
    this.#order.remove(leaseId);
    // Leases that ended before their deadline must not fill the heap.
    if (this.#heap.length > 2 * this.#leaseById.size + HEAP_SLACK) this.#rebuildHeap();
  }

  /** The newest version of a key names another lease than the one before; 0 is none. */
  move(key: KeyText, fromLeaseId: number, toLeaseId: number): void {
    const from = this.#leaseById.get(fromLeaseId);
    if (from?.keys.delete(key) === true) {
      from.keyBytes -= key.length;
      this.#memoryBytes -= KEY_OBJECT_BYTES + key.length;
    }
    if (toLeaseId === 0) return;
    const lease = this.#leaseById.get(toLeaseId);
    assert(lease !== undefined, `a key is attached to lease ${toLeaseId}, which does not exist`);
    lease.keys.add(key);
    lease.keyBytes += key.length;
    this.#memoryBytes += KEY_OBJECT_BYTES + key.length;
  }

  /** Grants, renews and ends, in their order. @returns `undo`, which is given what undoes each as it is done. */
  applyAll(changes: readonly LeaseChange[], undo: UndoLeases = []): UndoLeases {
    for (const change of changes) undo.push(this.#apply(change));
    return undo;
  }

  /** `move`; `undo` is given what undoes it. */
  applyMove(key: KeyText, fromLeaseId: number, toLeaseId: number, undo: UndoLeases): void {
    this.move(key, fromLeaseId, toLeaseId);
    undo.push(() => this.move(key, toLeaseId, fromLeaseId));
  }

  #apply(change: LeaseChange): () => void {
    const { kind, leaseId, deadlineMs } = change;
    const lease = this.#leaseById.get(leaseId);
    switch (kind) {
      case 'grant':
        this.grant(change);
        return () => this.remove(leaseId);
      case 'renew': {
        const before = lease?.deadlineMs ?? 0;
        this.renew(leaseId, deadlineMs);
        return () => {
          if (lease !== undefined) lease.deadlineMs = before;
        };
      }
      case 'end':
        this.remove(leaseId);
        return () => {
          if (lease !== undefined) this.#bringBack(lease);
        };
    }
  }

  #bringBack(lease: LeaseState): void {
    this.#leaseById.set(lease.leaseId, lease);
    this.#memoryBytes += memoryBytesOf(lease);
    this.#order.add(lease.leaseId);
    for (const walk of this.#walks) walk.granted(lease.leaseId);
    this.#push({ lease, deadlineMs: lease.deadlineMs });
  }

  /** The earliest deadline by the lease clock; a lease may prove to have been renewed when it comes up. */
  nextDeadlineMs(): number | undefined {
    return this.#heap[0]?.deadlineMs;
  }

  /**
   * A lease whose deadline is at or before `clockMs`, the earliest first; it stays until it is removed. While many that were renewed
   * have to be moved there may be none, and `nextDeadlineMs` tells that there is more to look at.
   */
  due(clockMs: number): LeaseState | undefined {
    for (let moves = 0; moves < fixed.leasesMovedMax; moves++) {
      const top = this.#heap[0];
      if (top === undefined || top.deadlineMs > clockMs) return undefined;
      const lease = top.lease;
      const isCurrent = this.#leaseById.get(lease.leaseId) === lease;
      if (isCurrent && lease.deadlineMs === top.deadlineMs) return lease;
      this.#pop();
      if (isCurrent) this.#push({ lease, deadlineMs: lease.deadlineMs });
    }
    return undefined;
  }

  /** Leases with an id above `afterId`, in the order of their ids. */
  list(afterId: number, limit: number): LeaseState[] {
    return this.#order.after(afterId, limit).flatMap((id) => this.#leaseById.get(id) ?? []);
  }

  /** A walk over the leases as they are now; to be closed. */
  openWalk(): LeaseWalk {
    const walk: LeaseWalk = new LeaseWalk({
      idsAfter: (afterId, limit) => this.#order.after(afterId, limit),
      get: (leaseId) => this.#leaseById.get(leaseId),
      closed: () => void this.#walks.delete(walk),
    });
    this.#walks.add(walk);
    return walk;
  }

  #rebuildHeap(): void {
    this.#heap.length = 0;
    for (const lease of this.#leaseById.values()) this.#push({ lease, deadlineMs: lease.deadlineMs });
  }

  #push(item: HeapItem): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isEarlier(item, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const item = heap.pop();
    if (item === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const leftItem = heap[left];
      if (leftItem === undefined) break;
      const rightItem = heap[left + 1];
      const useRight = rightItem !== undefined && isEarlier(rightItem, leftItem);
      const child = useRight ? rightItem : leftItem;
      if (!isEarlier(child, item)) break;
      heap[at] = child;
      at = useRight ? left + 1 : left;
    }
    heap[at] = item;
  }
}

function memoryBytesOf({ owner, keys, keyBytes }: LeaseState): number {
  return LEASE_OBJECT_BYTES + owner.length * OWNER_CHARACTER_BYTES + keys.size * KEY_OBJECT_BYTES + keyBytes;
}

/** By the deadline; leases that share one go in the order of their ids. */
function isEarlier(a: HeapItem, b: HeapItem): boolean {
  return a.deadlineMs === b.deadlineMs ? a.lease.leaseId < b.lease.leaseId : a.deadlineMs < b.deadlineMs;
}

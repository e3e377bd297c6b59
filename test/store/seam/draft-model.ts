/**
 * What a store and its transactions mean, in the plainest form: maps of entries by key, copied whole for each transaction and
 * each savepoint, sorted anew for each question. Keys are texts of one character for each byte.
 */
import type { DeleteReason, EventType } from '../../../src/api.ts';
import type { PutOptions } from '../../../src/store/views/view.ts';

export interface ModelEntry {
  readonly value: string;
  readonly kind: number;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly revision: number;
  readonly leaseId: number;
  readonly ttlMs: number;
  readonly expireTimeMs: number;
}

export interface ModelChange {
  readonly key: string;
  readonly type: EventType;
  readonly reason: DeleteReason | undefined;
  readonly replacedExpired: boolean;
}

export interface ModelRange {
  readonly start: string;
  readonly end: string | undefined;
}

interface Stage {
  /** Those whose deadline has not passed. */
  readonly entries: Map<string, ModelEntry>;
  /** What will be told of each key, in the order in which they were first written. */
  readonly changes: Map<string, Omit<ModelChange, 'key'>>;
  /** The times to live. */
  readonly leases: Map<number, number>;
  readonly endedLeases: Set<number>;
  leaseChangeCount: number;
}

export class StoreModel {
  /** Overdue ones, too. */
  entries = new Map<string, ModelEntry>();
  leases = new Map<number, number>();
  revision = 0;

  begin(instantMs: number): DraftModel {
    return new DraftModel(this, instantMs);
  }

  present(instantMs: number): Map<string, ModelEntry> {
    return new Map([...this.entries].filter(([, entry]) => !isOver(entry, instantMs)));
  }

  /** Removes what is overdue, each key in a transaction of its own, as the store's expiry does. */
  expire(instantMs: number): string[] {
    const overdue = [...this.entries].filter(([, entry]) => isOver(entry, instantMs));
    overdue.sort(([a, x], [b, y]) => x.expireTimeMs - y.expireTimeMs || byKey(a, b));
    for (const [key] of overdue) this.entries.delete(key);
    this.revision += overdue.length;
    return overdue.map(([key]) => key);
  }

  keysOfLease(leaseId: number): string[] {
    return [...this.entries]
      .filter(([, entry]) => entry.leaseId === leaseId)
      .map(([key]) => key)
      .sort(byKey);
  }
}

export class DraftModel {
  readonly #base: StoreModel;
  readonly #instantMs: number;
  #stage: Stage;

  constructor(base: StoreModel, instantMs: number) {
    this.#base = base;
    this.#instantMs = instantMs;
    this.#stage = {
      entries: base.present(instantMs),
      changes: new Map(),
      leases: new Map(base.leases),
      endedLeases: new Set(),
      leaseChangeCount: 0,
    };
  }

  get replyRevision(): number {
    return this.#base.revision + Number(this.#stage.changes.size > 0);
  }

  get hasChanged(): boolean {
    return this.#stage.changes.size > 0 || this.#stage.leaseChangeCount > 0;
  }

  get changes(): ModelChange[] {
    return [...this.#stage.changes].map(([key, change]) => ({ key, ...change }));
  }

  get leases(): ReadonlyMap<number, number> {
    return this.#stage.leases;
  }

  canGrant(leaseId: number): boolean {
    return !this.#stage.leases.has(leaseId) && !this.#stage.endedLeases.has(leaseId);
  }

  read(key: string): ModelEntry | undefined {
    return this.#stage.entries.get(key);
  }

  list({ start, end }: ModelRange): [string, ModelEntry][] {
    return [...this.#stage.entries]
      .filter(([key]) => key >= start && (end === undefined || key < end))
      .sort(([a], [b]) => byKey(a, b));
  }

  put(
    key: string,
    value: string,
    { ttlMs = 0, leaseId = 0, kind = 0, expireTimeMs }: PutOptions,
  ): ModelEntry {
    const { entries, changes } = this.#stage;
    const before = entries.get(key);
    const revision = this.#base.revision + 1;
    const entry: ModelEntry = {
      value,
      kind,
      createRevision: before?.createRevision ?? revision,
      modRevision: revision,
      version: (before?.version ?? 0) + 1,
      revision,
      leaseId,
      ttlMs,
      expireTimeMs: expireTimeMs ?? this.#deadline(ttlMs),
    };
    entries.set(key, entry);
    changes.set(key, { type: 'put', reason: undefined, replacedExpired: this.#wasOverdue(key) });
    return entry;
  }

  touch(key: string, ttlMs: number): ModelEntry | undefined {
    const { entries, changes } = this.#stage;
    const before = entries.get(key);
    if (before === undefined) return undefined;
    const entry = {
      ...before,
      revision: this.#base.revision + 1,
      ttlMs,
      expireTimeMs: this.#deadline(ttlMs),
    };
    entries.set(key, entry);
    const { type = 'touch', replacedExpired = false } = changes.get(key) ?? {};
    changes.set(key, { type, reason: undefined, replacedExpired });
    return entry;
  }

  delete(key: string, reason: DeleteReason, endingLeaseId?: number): ModelEntry | undefined {
    const { entries, changes, endedLeases } = this.#stage;
    const before = entries.get(key);
    if (before === undefined) return undefined;
    entries.delete(key);
    const stored = this.#base.entries.get(key);
    if (stored !== undefined && !this.#wasOverdue(key))
      changes.set(key, { type: 'delete', reason, replacedExpired: false });
    // What is overdue below must not outlive its lease.
    else if (stored !== undefined && (stored.leaseId === endingLeaseId || endedLeases.has(stored.leaseId)))
      changes.set(key, expired);
    else changes.delete(key);
    return before;
  }

  grantLease(leaseId: number, ttlMs: number): void {
    this.#stage.leases.set(leaseId, ttlMs);
    this.#stage.leaseChangeCount++;
  }

  renewLease(): void {
    this.#stage.leaseChangeCount++;
  }

  endLease(leaseId: number, reason: DeleteReason): number {
    const { entries, changes, leases, endedLeases } = this.#stage;
    const keys = new Set(this.#base.keysOfLease(leaseId));
    for (const [key, entry] of entries) if (entry.leaseId === leaseId) keys.add(key);
    let count = 0;
    for (const key of [...keys].sort(byKey)) {
      if (entries.get(key)?.leaseId === leaseId) {
        this.delete(key, reason, leaseId);
        count++;
      } else if (!changes.has(key)) changes.set(key, expired);
    }
    leases.delete(leaseId);
    endedLeases.add(leaseId);
    this.#stage.leaseChangeCount++;
    return count;
  }

  savepoint(): Stage {
    return copyOf(this.#stage);
  }

  rollBack(savepoint: Stage): void {
    this.#stage = copyOf(savepoint);
  }

  commit(): void {
    const base = this.#base;
    const { entries, changes, leases } = this.#stage;
    for (const key of changes.keys()) {
      const entry = entries.get(key);
      if (entry === undefined) base.entries.delete(key);
      else base.entries.set(key, entry);
    }
    base.leases = leases;
    base.revision = this.replyRevision;
  }

  #wasOverdue(key: string): boolean {
    const stored = this.#base.entries.get(key);
    return stored !== undefined && isOver(stored, this.#instantMs);
  }

  #deadline(ttlMs: number): number {
    return ttlMs === 0 ? 0 : this.#instantMs + ttlMs;
  }
}

const expired = { type: 'delete', reason: 'expired', replacedExpired: false } as const;

function copyOf({ entries, changes, leases, endedLeases, leaseChangeCount }: Stage): Stage {
  return {
    entries: new Map(entries),
    changes: new Map(changes),
    leases: new Map(leases),
    endedLeases: new Set(endedLeases),
    leaseChangeCount,
  };
}

function isOver({ expireTimeMs }: ModelEntry, instantMs: number): boolean {
  return expireTimeMs !== 0 && expireTimeMs <= instantMs;
}

export function byKey(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

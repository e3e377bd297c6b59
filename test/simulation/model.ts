/**
 * What a store must hold: every transaction in order, and the state that follows from them, in the plainest data there
 * is. A transaction can be taken back, as a crash does with those that were not durable.
 */
import type { DeleteReason, DeletedRange, Entry, EventType } from '../../src/api.ts';
import type { TrueEvent, WatchTruth } from '../support/watch-validator.ts';

export interface ModelEntry extends Entry {
  /** 0: none. */
  readonly ttlMs: number;
}

export interface ModelChange extends TrueEvent {
  readonly type: EventType;
  readonly reason: DeleteReason | undefined;
  readonly before: ModelEntry | undefined;
  /** `undefined`: deleted. */
  readonly after: ModelEntry | undefined;
}

export interface ModelTransaction {
  readonly changes: readonly ModelChange[];
  readonly granted: ModelLease | undefined;
  readonly ended: ModelLease | undefined;
  /** By the monotonic clock of its process, when it was committed. */
  readonly atMs: number;
}

export interface ModelLease {
  readonly leaseId: number;
  readonly ttlMs: number;
  /** By the monotonic clock of the process that runs. */
  deadlineMs: number;
  /** The latest that the store has acknowledged. */
  acknowledgedDeadlineMs: number;
}

export interface Instant {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

interface KeyVersion {
  readonly revision: number;
  readonly entry: ModelEntry | undefined;
}

export class Model implements WatchTruth {
  readonly #transactions: ModelTransaction[] = [];
  /** For each key ever written, from the oldest to the newest. */
  readonly #versionsByKey = new Map<string, KeyVersion[]>();
  readonly leaseById = new Map<number, ModelLease>();

  /** The newest. */
  get revision(): number {
    return this.#transactions.length;
  }

  transaction(revision: number): ModelTransaction {
    const transaction = this.#transactions[revision - 1];
    if (transaction === undefined) throw new Error(`the model has no revision ${revision}`);
    return transaction;
  }

  eventsAt(revision: number): readonly ModelChange[] {
    return this.transaction(revision).changes;
  }

  /** @returns its revision. */
  commit(transaction: ModelTransaction): number {
    this.#transactions.push(transaction);
    const { revision } = this;
    for (const { key, after } of transaction.changes) {
      const versions = this.#versionsByKey.get(key);
      if (versions === undefined) this.#versionsByKey.set(key, [{ revision, entry: after }]);
      else versions.push({ revision, entry: after });
    }
    if (transaction.granted) this.leaseById.set(transaction.granted.leaseId, transaction.granted);
    if (transaction.ended) this.leaseById.delete(transaction.ended.leaseId);
    return revision;
  }

  /** Takes everything above `revision` back. */
  truncate(revision: number): void {
    while (this.revision > revision) {
      const transaction = this.transaction(this.revision);
      for (const { key } of transaction.changes) this.#versionsByKey.get(key)?.pop();
      if (transaction.granted) this.leaseById.delete(transaction.granted.leaseId);
      if (transaction.ended) this.leaseById.set(transaction.ended.leaseId, transaction.ended);
      this.#transactions.pop();
    }
  }

  read(key: string, revision = this.revision): ModelEntry | undefined {
    return this.#versionsByKey.get(key)?.findLast((version) => version.revision <= revision)?.entry;
  }

  /**
   * The entries of a range in key order.
   * @param instantMs those whose deadline has come by then are left out; 0: none.
   */
  entriesAt(revision: number, range: DeletedRange = {}, instantMs = 0): ModelEntry[] {
    const entries: ModelEntry[] = [];
    for (const key of this.#versionsByKey.keys()) {
      const entry = isInRange(range, key) ? this.read(key, revision) : undefined;
      if (entry !== undefined && !isExpired(entry, instantMs)) entries.push(entry);
    }
    return entries.sort((a, b) => compareKeys(a.key, b.key));
  }

  /** In key order. */
  keysOfLease(leaseId: number): string[] {
    return this.entriesAt(this.revision).flatMap((entry) => (entry.leaseId === leaseId ? [entry.key] : []));
  }
}

export function isExpired({ expireTimeMs }: Entry, instantMs: number): boolean {
  return expireTimeMs !== 0 && expireTimeMs <= instantMs;
}

/** By the bytes of their UTF-8. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(bytesOf(a), bytesOf(b));
}

export function isInRange(range: DeletedRange, key: string): boolean {
  if ('all' in range) return true;
  const { prefix = '', start = '', end = '' } = range;
  if (range.key !== undefined && range.key !== '') return key === range.key;
  if (!key.startsWith(prefix)) return false;
  return (start === '' || compareKeys(key, start) >= 0) && (end === '' || compareKeys(key, end) < 0);
}

const bytesByText = new Map<string, Buffer>();

function bytesOf(text: string): Buffer {
  const known = bytesByText.get(text);
  if (known !== undefined) return known;
  const bytes = Buffer.from(text, 'utf8');
  bytesByText.set(text, bytes);
  return bytes;
}

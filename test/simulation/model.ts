/**
 * What a store must hold: every record of its log in order, and the state that follows from them, in the plainest data
 * there is. A record is a transaction, which takes a revision, or a note of a lease, which takes none. Records can be taken
 * back, as a crash does with those that were not durable.
 */
import type { DeleteReason, DeletedRange, Entry, EventType } from '../../src/api.ts';
import type { Content } from './collections/content.ts';
import type { TrueEvent, WatchTruth } from '../support/watch-validator.ts';
import { textKey } from '../support/text-key.ts';

export interface ModelEntry extends Entry {
  /** 0: none. */
  readonly ttlMs: number;
  /** Of a collection, whose value is empty. */
  readonly content?: Content;
}

export interface ModelChange extends TrueEvent {
  readonly type: EventType;
  readonly reason: DeleteReason | undefined;
  /** The entry before the transaction; `undefined` also for a put when that was past its deadline. */
  readonly before: ModelEntry | undefined;
  /** `undefined`: deleted. */
  readonly after: ModelEntry | undefined;
}

export interface ModelRecord {
  /** At least one in a transaction that clients can see, none in a note. */
  readonly changes: readonly ModelChange[];
  /** A transaction that changes no key: it has begun a collection and given it up. */
  readonly isUnseen?: boolean;
  readonly granted: ModelLease | undefined;
  readonly ended: ModelLease | undefined;
  /** By the wall time of the store, when it was committed. */
  readonly timeMs: number;
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
  readonly #records: ModelRecord[] = [];
  /** For each revision the sequence number of its record. */
  readonly #sequences: number[] = [];
  /** For each key ever written, from the oldest to the newest. */
  readonly #versionsByKey = new Map<string, KeyVersion[]>();
  readonly leaseById = new Map<number, ModelLease>();

  /** The newest. */
  get revision(): number {
    return this.#sequences.length;
  }

  /** How many records there are, notes among them. */
  get sequence(): number {
    return this.#records.length;
  }

  /** The sequence number of the record that took a revision; 0 for revision 0. */
  sequenceOf(revision: number): number {
    if (revision === 0) return 0;
    const sequence = this.#sequences[revision - 1];
    if (sequence === undefined) throw new Error(`the model has no revision ${revision}`);
    return sequence;
  }

  /** The latest wall time of the records up to a revision; 0: there is none. */
  latestMs(revision: number): number {
    const records = this.#records.slice(0, this.sequenceOf(revision));
    return records.reduce((latest, { timeMs }) => Math.max(latest, timeMs), 0);
  }

  transaction(revision: number): ModelRecord {
    return this.#record(this.sequenceOf(revision));
  }

  eventsAt(revision: number): readonly ModelChange[] {
    return this.transaction(revision).changes;
  }

  /** @returns its revision, or the newest one for a note. */
  commit(record: ModelRecord): number {
    this.#records.push(record);
    if (takesRevision(record)) this.#sequences.push(this.sequence);
    const { revision } = this;
    for (const { key, after } of record.changes) {
      const versions = this.#versionsByKey.get(key);
      if (versions === undefined) this.#versionsByKey.set(key, [{ revision, entry: after }]);
      else versions.push({ revision, entry: after });
    }
    if (record.granted) this.leaseById.set(record.granted.leaseId, record.granted);
    if (record.ended) this.leaseById.delete(record.ended.leaseId);
    return revision;
  }

  /** Takes every transaction above `revision` back, with the notes behind it. Those right after `revision` stay. */
  truncate(revision: number): void {
    while (this.revision > revision) this.takeBackLast();
  }

  /** Takes the newest record back. */
  takeBackLast(): void {
    const record = this.#record(this.sequence);
    for (const { key } of record.changes) this.#versionsByKey.get(key)?.pop();
    if (record.granted) this.leaseById.delete(record.granted.leaseId);
    if (record.ended) this.leaseById.set(record.ended.leaseId, record.ended);
    if (takesRevision(record)) this.#sequences.pop();
    this.#records.pop();
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

  /** In key order, with those that are past their own deadline and not removed yet. */
  keysOfLease(leaseId: number): string[] {
    return this.entriesAt(this.revision).flatMap((entry) => (entry.leaseId === leaseId ? [entry.key] : []));
  }

  #record(sequence: number): ModelRecord {
    const record = this.#records[sequence - 1];
    if (record === undefined) throw new Error(`the model has no record ${sequence}`);
    return record;
  }
}

function takesRevision({ changes, isUnseen }: ModelRecord): boolean {
  return changes.length > 0 || isUnseen === true;
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
  if (!key.startsWith(textKey(prefix))) return false;
  return (
    (start === '' || compareKeys(key, textKey(start)) >= 0) &&
    (end === '' || compareKeys(key, textKey(end)) < 0)
  );
}

const bytesByText = new Map<string, Buffer>();

function bytesOf(text: string): Buffer {
  const known = bytesByText.get(text);
  if (known !== undefined) return known;
  const bytes = Buffer.from(text, 'utf8');
  bytesByText.set(text, bytes);
  return bytes;
}

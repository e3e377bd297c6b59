/** Transactions of the model that a simulated store is compared with. */
import type { DeleteReason, DeletedRange } from '../../src/api.ts';
import { compareKeys, isExpired, isInRange, type Model, type ModelChange, type ModelEntry } from './model.ts';
import type { Content } from './collections/content.ts';
import { Refusal } from './refusal.ts';

/** What a put gives a key. */
interface Put extends Pick<ModelEntry, 'value' | 'ttlMs' | 'leaseId' | 'expireTimeMs'> {
  readonly content: Content | undefined;
}

const NO_BYTES = new Uint8Array(0);

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/**
 * A transaction of the model while it is put together; each operation sees those before it. Of several writes of a key the
 * last one counts. A key that is past its deadline is not there.
 */
export class Transaction {
  /** In the order in which the keys were first written; a key that is as absent as before has none. */
  readonly #changeByKey = new Map<string, ModelChange>();
  readonly #model: Model;
  readonly #nowMs: number;

  constructor(model: Model, nowMs: number) {
    this.#model = model;
    this.#nowMs = nowMs;
  }

  get changes(): ModelChange[] {
    return [...this.#changeByKey.values()];
  }

  read(key: string): ModelEntry | undefined {
    const change = this.#changeByKey.get(key);
    return change === undefined ? this.#before(key) : change.after;
  }

  /** The entries of a range in key order. */
  entries(range: DeletedRange): ModelEntry[] {
    const known = this.#model.entriesAt(this.#model.revision, range).map(({ key }) => key);
    const written = [...this.#changeByKey.keys()].filter((key) => isInRange(range, key));
    const keys = [...new Set([...known, ...written])].sort(compareKeys);
    return keys.flatMap((key) => this.read(key) ?? []);
  }

  put(key: string, value: Uint8Array, ttlMs: number, leaseId: number, content?: Content): void {
    this.#put(key, { value, content, ttlMs, leaseId, expireTimeMs: this.#deadline(ttlMs) });
  }

  /** Makes a key hold what another one does, as long as that. */
  putLike(key: string, { value, content, ttlMs, leaseId, expireTimeMs }: ModelEntry): void {
    this.#put(key, { value, content, ttlMs, leaseId, expireTimeMs });
  }

  /** Makes or changes a collection, which lives on as it did. */
  putContent(key: string, content: Content): void {
    const { ttlMs, leaseId, expireTimeMs } = this.read(key) ?? { ttlMs: 0, leaseId: 0, expireTimeMs: 0 };
    this.#put(key, { value: NO_BYTES, content, ttlMs, leaseId, expireTimeMs });
  }

  /** Gives an entry another time to live. */
  touch(key: string, ttlMs: number): ModelEntry {
    const before = this.#before(key);
    if (before === undefined) throw new Error(`the model touches ${key}, which is not there`);
    const after = { ...before, ttlMs, expireTimeMs: this.#deadline(ttlMs) };
    this.#set({ type: 'touch', key, reason: undefined, replacedExpired: false, before, after });
    return after;
  }

  /** Deletes an entry; without one it does nothing. @returns it. */
  delete(key: string, reason: DeleteReason = 'requested'): ModelEntry | undefined {
    const current = this.read(key);
    const before = this.#before(key);
    if (current === undefined) return undefined;
    if (before === undefined) this.#changeByKey.delete(key);
    else this.#set({ type: 'delete', key, reason, replacedExpired: false, before, after: undefined });
    return current;
  }

  /** Removes an entry that is past its deadline. */
  expire(key: string): void {
    const before = this.#model.read(key);
    const after = undefined;
    this.#set({ type: 'delete', key, reason: 'expired', replacedExpired: false, before, after });
  }

  increment(key: string, delta: bigint, ttlMs: number): bigint {
    const before = this.read(key);
    if (before?.type !== undefined) throw new Refusal('wrongType');
    const text = before === undefined ? '0' : Buffer.from(before.value).toString('latin1');
    const sum = (/^-?\d{1,19}$/.test(text) ? BigInt(text) : INT64_MAX + 1n) + delta;
    if (sum - delta > INT64_MAX || sum - delta < INT64_MIN) throw new Refusal('notAnInteger');
    if (sum > INT64_MAX || sum < INT64_MIN) throw new Refusal('integerOverflow');
    const value = Buffer.from(sum.toString());
    if (before === undefined) this.put(key, value, ttlMs, 0);
    else this.putLike(key, { ...before, value });
    return sum;
  }

  #put(key: string, { value, content, ttlMs, leaseId, expireTimeMs }: Put): void {
    const current = this.read(key);
    if (leaseId !== 0 && leaseId !== current?.leaseId && !this.#model.leaseById.has(leaseId))
      throw new Refusal('leaseNotFound');
    const modRevision = this.#model.revision + 1;
    const createRevision = current?.createRevision ?? modRevision;
    const version = (current?.version ?? 0) + 1;
    const plain = { key, value, createRevision, modRevision, version, leaseId, expireTimeMs, ttlMs };
    const after = content === undefined ? plain : { ...plain, content, type: content.type };
    const before = this.#before(key);
    const replacedExpired = before === undefined && this.#model.read(key) !== undefined;
    this.#set({ type: 'put', key, reason: undefined, replacedExpired, before, after });
  }

  /** A key that has a change keeps its place. */
  #set(change: ModelChange): void {
    this.#changeByKey.set(change.key, change);
  }

  /** The entry before the transaction. */
  #before(key: string): ModelEntry | undefined {
    const entry = this.#model.read(key);
    return entry === undefined || isExpired(entry, this.#nowMs) ? undefined : entry;
  }

  #deadline(ttlMs: number): number {
    return ttlMs === 0 ? 0 : this.#nowMs + ttlMs;
  }
}

import type { DeleteReason } from '../../src/api.ts';
import type { Model, ModelChange, ModelEntry } from './model.ts';
import { Refusal } from './refusal.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A transaction of the model while it is put together; each operation sees those before it. */
export class Transaction {
  readonly changes: ModelChange[] = [];
  readonly #model: Model;
  readonly #nowMs: number;

  constructor(model: Model, nowMs: number) {
    this.#model = model;
    this.#nowMs = nowMs;
  }

  read(key: string): ModelEntry | undefined {
    const change = this.changes.findLast((made) => made.key === key);
    return change === undefined ? this.#model.read(key) : change.after;
  }

  put(key: string, value: Uint8Array, ttlMs: number, leaseId: number): void {
    this.#put(key, value, ttlMs, leaseId, ttlMs === 0 ? 0 : this.#nowMs + ttlMs);
  }

  delete(key: string, reason: DeleteReason): void {
    this.changes.push({ type: 'delete', key, reason, before: this.read(key), after: undefined });
  }

  increment(key: string, delta: bigint, ttlMs: number): bigint {
    const before = this.read(key);
    const text = before === undefined ? '0' : Buffer.from(before.value).toString('latin1');
    const sum = (/^-?\d{1,19}$/.test(text) ? BigInt(text) : INT64_MAX + 1n) + delta;
    if (sum - delta > INT64_MAX || sum - delta < INT64_MIN) throw new Refusal('notAnInteger');
    if (sum > INT64_MAX || sum < INT64_MIN) throw new Refusal('integerOverflow');
    const value = Buffer.from(sum.toString());
    if (before === undefined) this.put(key, value, ttlMs, 0);
    else this.#put(key, value, before.ttlMs, before.leaseId, before.expireTimeMs);
    return sum;
  }

  #put(key: string, value: Uint8Array, ttlMs: number, leaseId: number, expireTimeMs: number): void {
    const before = this.read(key);
    if (leaseId !== 0 && leaseId !== before?.leaseId && !this.#model.leaseById.has(leaseId))
      throw new Refusal('leaseNotFound');
    const modRevision = this.#model.revision + 1;
    const createRevision = before?.createRevision ?? modRevision;
    const version = (before?.version ?? 0) + 1;
    const after = { key, value, createRevision, modRevision, version, leaseId, expireTimeMs, ttlMs };
    this.changes.push({ type: 'put', key, reason: undefined, before, after });
  }
}

/**
 * One transaction while it is being put together: reads the newest state (visible or not), sees its own changes, and
 * collects them. Nothing is changed until the whole draft is committed; a draft that throws is simply dropped.
 */
import type { Engine } from '../../engine/engine.ts';
import type { Change, Version } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import { fixed, type Limits } from '../../limits.ts';
import { toKeyText, type KeyText } from './keys.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import type { MemoryLimit } from '../history/memory-limit.ts';
import type { DeleteReason, EventType } from '../../api.ts';

/** A change of one key, with what log, lease table and watches need to know of it besides the engine. */
export interface PlannedChange extends Change {
  readonly type: EventType;
  /** Only for a delete. */
  readonly reason: DeleteReason | undefined;
  readonly previousLeaseId: number;
  /** A put on a key whose deadline had passed, which counts as absent. */
  readonly replacedExpired: boolean;
}

/** Reads the newest version of all. */
export const NEWEST = fixed.integerMax;

const NO_BYTES = new Uint8Array(0);
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL = /^-?\d{1,19}$/;

export interface DraftContext {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly limits: Limits;
  readonly memory: MemoryLimit;
}

export class Draft {
  readonly changes: PlannedChange[] = [];
  readonly #context: DraftContext;
  readonly #revision: number;
  readonly #nowMs: number;
  /** The changes by key; only kept for a transaction of several operations. */
  readonly #changeByKey: Map<KeyText, PlannedChange> | undefined;
  readonly #bytesMax: number;
  #bytes = 0;
  /** The part of `#bytes` that is keys. */
  #keyBytes = 0;

  /**
   * @param revision that the transaction takes if it changes anything.
   * @param isSingle whether there is but one operation, so that nothing has to see an earlier one.
   * @param bytesMax of keys and values in all changes.
   */
  constructor(
    context: DraftContext,
    revision: number,
    nowMs: number,
    isSingle: boolean,
    bytesMax = context.limits.txnBytesMax,
  ) {
    this.#context = context;
    this.#revision = revision;
    this.#nowMs = nowMs;
    this.#changeByKey = isSingle ? undefined : new Map();
    this.#bytesMax = bytesMax;
  }

  /** The entry as the next operation sees it, with its value. */
  read(key: Uint8Array): Version | undefined {
    const changed = this.#changeByKey?.get(toKeyText(key));
    if (changed !== undefined) return changed.deleted ? undefined : changed;
    return this.#context.engine.read(key, NEWEST);
  }

  /** Like `read`, but the value may be empty. */
  readMeta(key: Uint8Array): Version | undefined {
    const changed = this.#changeByKey?.get(toKeyText(key));
    if (changed !== undefined) return changed.deleted ? undefined : changed;
    return this.#context.engine.readMeta(key, NEWEST);
  }

  /**
   * @param current what `read` or `readMeta` says now.
   * @param expireTimeMs its deadline; left out: `ttlMs` from now.
   */
  put(
    key: Uint8Array,
    value: Uint8Array,
    ttlMs: number,
    leaseId: number,
    current: Version | undefined,
    expireTimeMs = this.#deadline(ttlMs),
  ): PlannedChange {
    const valueBytesMax = this.#context.limits.valueBytesMax;
    if (value.length > valueBytesMax) {
      throw new StoreError(
        'invalidArgument',
        `the value is ${value.length} bytes long; at most ${valueBytesMax} are allowed (value-bytes-max)`,
      );
    }
    if (leaseId !== 0 && leaseId !== current?.leaseId) this.#checkLease(leaseId, key.length);
    this.#context.memory.admit(this.#bytes + key.length + value.length);
    return this.#add({
      type: 'put',
      key,
      value,
      revision: this.#revision,
      deleted: false,
      kind: 0,
      createRevision: current?.createRevision ?? this.#revision,
      modRevision: this.#revision,
      version: (current?.version ?? 0) + 1,
      leaseId,
      ttlMs,
      expireTimeMs,
      reason: undefined,
      previousLeaseId: current?.leaseId ?? 0,
      replacedExpired: false,
    });
  }

  delete(key: Uint8Array, reason: DeleteReason, current: Version): PlannedChange {
    return this.#add({
      type: 'delete',
      key,
      value: NO_BYTES,
      revision: this.#revision,
      deleted: true,
      kind: 0,
      createRevision: 0,
      modRevision: 0,
      version: 0,
      leaseId: 0,
      ttlMs: 0,
      expireTimeMs: 0,
      reason,
      previousLeaseId: current.leaseId,
      replacedExpired: false,
    });
  }

  /** Gives the entry another time to live; 0 is none. */
  touch(key: Uint8Array, ttlMs: number, current: Version): PlannedChange {
    this.#context.memory.admit(this.#bytes + key.length + current.value.length);
    return this.#add({
      type: 'touch',
      key,
      value: current.value,
      revision: this.#revision,
      deleted: false,
      kind: current.kind,
      createRevision: current.createRevision,
      modRevision: current.modRevision,
      version: current.version,
      leaseId: current.leaseId,
      ttlMs,
      expireTimeMs: this.#deadline(ttlMs),
      reason: undefined,
      previousLeaseId: current.leaseId,
      replacedExpired: false,
    });
  }

  /** Adds to a number; the new value is returned. A key that exists keeps its time to live and its lease. */
  increment(key: Uint8Array, delta: bigint, ttlMs: number): bigint {
    const current = this.read(key);
    const sum = (current === undefined ? 0n : parseInteger(current.value)) + delta;
    if (sum < INT64_MIN || sum > INT64_MAX) {
      throw new StoreError('integerOverflow', `the sum ${sum} is outside of a signed 64-bit integer`);
    }
    const value = Buffer.from(sum.toString(), 'latin1');
    if (current === undefined) this.put(key, value, ttlMs, 0, current);
    else this.put(key, value, current.ttlMs, current.leaseId, current, current.expireTimeMs);
    return sum;
  }

  #add(change: PlannedChange): PlannedChange {
    this.#bytes += change.key.length + change.value.length;
    this.#keyBytes += change.key.length;
    if (this.#bytes > this.#bytesMax) {
      throw new StoreError(
        'limitReached',
        `the transaction has more than ${this.#bytesMax} bytes of keys and values (txn-bytes-max); split it`,
      );
    }
    if (this.changes.length >= fixed.txnChangesMax) {
      throw new StoreError(
        'limitReached',
        `the transaction changes more than ${fixed.txnChangesMax} keys; split it into smaller ranges`,
      );
    }
    this.changes.push(change);
    this.#changeByKey?.set(toKeyText(change.key), change);
    return change;
  }

  #deadline(ttlMs: number): number {
    return ttlMs === 0 ? 0 : this.#nowMs + ttlMs;
  }

  #checkLease(leaseId: number, keyBytes: number): void {
    const lease = this.#context.leases.get(leaseId);
    if (lease === undefined) throw leaseNotFound(leaseId);
    if (this.#context.leases.memoryBytes + this.#keyBytes + keyBytes > fixed.leaseTableBytesMax) {
      throw new StoreError(
        'limitReached',
        `the keys of all leases take ${fixed.leaseTableBytesMax} bytes of memory; no more are allowed. Give keys a time to live of their own`,
      );
    }
    if (lease.keys.size + this.changes.length >= fixed.leaseKeysMax) {
      throw new StoreError(
        'limitReached',
        `lease ${leaseId} has ${lease.keys.size} keys; at most ${fixed.leaseKeysMax} may be attached to one lease`,
      );
    }
    if (lease.keyBytes + this.#keyBytes + keyBytes > fixed.leaseKeyBytesMax) {
      throw new StoreError(
        'limitReached',
        `the keys of lease ${leaseId} have ${lease.keyBytes} bytes; at most ${fixed.leaseKeyBytesMax} are allowed. Use several leases`,
      );
    }
  }
}

export function leaseNotFound(leaseId: number): StoreError {
  return new StoreError('leaseNotFound', `there is no lease ${leaseId}; it may have expired`);
}

function parseInteger(value: Uint8Array): bigint {
  const text = value.length <= 20 ? Buffer.from(value).toString('latin1') : '';
  const number = DECIMAL.test(text) ? BigInt(text) : undefined;
  if (number === undefined || number < INT64_MIN || number > INT64_MAX) {
    throw new StoreError('notAnInteger', 'the value is not the decimal text of a signed 64-bit integer');
  }
  return number;
}

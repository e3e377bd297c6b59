/**
 * What each call must do, one call at a time: the contract of the store in plain words, over the model. It commits what
 * the store must commit, in the same transactions, and tells what the store must answer.
 */
import { bytesOf } from '../../src/arguments/value.ts';
import type { StoreErrorCode } from '../../src/errors.ts';
import type { Condition, DeleteReason, DeletedRange, Entry, Lease } from '../../src/api.ts';
import { type Instant, isExpired, type Model, type ModelChange, type ModelEntry } from './model.ts';
import type { Operation } from './operation.ts';
import { Refusal } from './refusal.ts';
import { Transaction } from './transaction.ts';

/** A call is answered with a value or with an error. */
export type Answer =
  { readonly value: unknown } | { readonly code: StoreErrorCode; readonly details: object | undefined };

export class SequentialStore {
  readonly model: Model;
  /** When the call that runs was made. */
  #instant: Instant = { nowMs: 0, monotonicMs: 0 };

  constructor(model: Model) {
    this.model = model;
  }

  run(operation: Operation, instant: Instant): Answer {
    this.#instant = instant;
    try {
      return { value: this.#run(operation) };
    } catch (error) {
      if (error instanceof Refusal) return { code: error.code, details: error.details };
      throw error;
    }
  }

  #run(operation: Operation): unknown {
    const { model } = this;
    switch (operation.kind) {
      case 'put': {
        const { key, value, options } = operation;
        const before = this.#settled(key);
        if (options.condition !== undefined) checkCondition(options.condition, before);
        const transaction = this.#begin();
        transaction.put(key, value, options.ttlMs ?? 0, options.leaseId ?? 0);
        return { revision: this.#commit(transaction), previous: shown(options.returnPrevious, before) };
      }
      case 'delete': {
        const { key, options } = operation;
        const before = this.#settled(key);
        if (options.condition !== undefined) checkCondition(options.condition, before);
        const revision = before === undefined ? model.revision : this.#delete([key], 'requested');
        const previous = shown(options.returnPrevious, before);
        return { revision, deleted: before !== undefined, previous };
      }
      case 'deleteRange': {
        this.#settleRange(operation.range);
        const keys = model.entriesAt(model.revision, operation.range).map(({ key }) => key);
        const revision = keys.length === 0 ? model.revision : this.#delete(keys, 'requested');
        return { revision, deletedCount: keys.length };
      }
      case 'increment': {
        this.#settled(operation.key);
        const transaction = this.#begin();
        const value = transaction.increment(operation.key, operation.delta, operation.ttlMs);
        return { value, revision: this.#commit(transaction) };
      }
      case 'touch': {
        const before = this.#settled(operation.key);
        if (before === undefined) throw new Refusal('keyNotFound');
        const ttlMs = operation.ttlMs ?? before.ttlMs;
        if (operation.ttlMs === undefined && ttlMs === 0) throw new Refusal('noTimeToLive');
        const entry = { ...this.#touch(before, ttlMs), value: new Uint8Array(0) };
        return { revision: model.revision, entry: withoutTtl(entry) };
      }
      case 'refresh': {
        const before = this.#settled(operation.key);
        if (before === undefined || before.ttlMs === 0)
          return { entry: before && withoutTtl(before), revision: model.revision };
        const entry = this.#touch(before, before.ttlMs);
        return { entry: withoutTtl(entry), revision: model.revision };
      }
      case 'txn':
        return this.#txn(operation);
      case 'grantLease':
        return this.#grantLease(operation.ttlMs, operation.leaseId);
      case 'renewLease': {
        const lease = this.#lease(operation.leaseId);
        lease.deadlineMs = this.#instant.monotonicMs + lease.ttlMs;
        return { ttlMs: lease.ttlMs };
      }
      case 'revokeLease':
        return this.#endLease(operation.leaseId, 'leaseRevoked');
      case 'getLease':
        return this.#getLease(operation.leaseId);
      case 'listLeases': {
        const ids = [...model.leaseById.keys()].sort((a, b) => a - b);
        return { leases: ids.map((id) => ({ ...this.#shownLease(id), keys: [] })), nextPageToken: '' };
      }
    }
  }

  #txn({ request }: Operation & { readonly kind: 'txn' }): unknown {
    const { model } = this;
    const succeeded = (request.compares ?? []).every((compare) => {
      const range = 'key' in compare.subject ? { key: compare.subject.key } : compare.subject.range;
      this.#settleRange(range);
      const { operand, relation } = compare;
      const entries = model.entriesAt(model.revision, range);
      if (operand.kind === 'exists') return (entries.length > 0 === operand.value) === (relation === 'equal');
      const subjects = 'key' in compare.subject ? [entries[0]] : entries;
      return subjects.every((entry) => {
        if (operand.kind !== 'value')
          return isRelated((entry?.[operand.kind] ?? 0) - operand.value, relation);
        if (entry === undefined) return relation === 'notEqual';
        return isRelated(Buffer.compare(entry.value, bytesOf(operand.value)), relation);
      });
    });
    const operations = (succeeded ? request.success : request.failure) ?? [];
    for (const operation of operations)
      this.#settleRange(operation.kind === 'deleteRange' ? operation.range : { key: operation.key });
    const transaction = this.#begin();
    const results = operations.map((operation) => {
      const { kind } = operation;
      switch (operation.kind) {
        case 'get': {
          const entry = transaction.read(operation.key);
          return { kind, entry: entry && withoutTtl(entry) };
        }
        case 'put': {
          const { key, value, ttlMs = 0, leaseId = 0, returnPrevious } = operation;
          const before = transaction.read(key);
          transaction.put(key, bytesOf(value), ttlMs, leaseId);
          return { kind, previous: shown(returnPrevious, before) };
        }
        case 'delete': {
          const before = transaction.read(operation.key);
          if (before !== undefined) transaction.delete(operation.key, 'requested');
          return { kind, deleted: before !== undefined, previous: shown(operation.returnPrevious, before) };
        }
        case 'deleteRange': {
          const keys = model.entriesAt(model.revision, operation.range).map(({ key }) => key);
          for (const key of keys) transaction.delete(key, 'requested');
          return { kind, deletedCount: keys.length };
        }
        case 'increment':
          return {
            kind,
            value: transaction.increment(operation.key, BigInt(operation.delta), operation.ttlMs ?? 0),
          };
      }
    });
    const revision = transaction.changes.length === 0 ? model.revision : this.#commit(transaction);
    return { succeeded, results, revision };
  }

  #grantLease(ttlMs: number, leaseId: number): unknown {
    const { model } = this;
    if (model.leaseById.has(leaseId)) throw new Refusal('leaseExists');
    const deadlineMs = this.#instant.monotonicMs + ttlMs;
    const granted = { leaseId, ttlMs, deadlineMs, acknowledgedDeadlineMs: deadlineMs };
    const atMs = this.#instant.monotonicMs;
    const revision = model.commit({ changes: [], granted, ended: undefined, atMs });
    return { leaseId, ttlMs, revision };
  }

  #endLease(leaseId: number, reason: DeleteReason): unknown {
    const { model } = this;
    const ended = this.#lease(leaseId);
    for (const key of model.keysOfLease(leaseId)) this.#settled(key);
    const transaction = this.#begin();
    for (const key of model.keysOfLease(leaseId)) transaction.delete(key, reason);
    const { changes } = transaction;
    const atMs = this.#instant.monotonicMs;
    const revision = model.commit({ changes, granted: undefined, ended, atMs });
    return { revision, deletedCount: changes.length };
  }

  #getLease(leaseId: number): Lease {
    this.#lease(leaseId);
    for (const key of this.model.keysOfLease(leaseId)) this.#settled(key);
    return this.#shownLease(leaseId);
  }

  #shownLease(leaseId: number): Lease {
    const { ttlMs, deadlineMs } = this.#lease(leaseId);
    const keys = this.model.keysOfLease(leaseId);
    const remainingMs = Math.max(0, deadlineMs - this.#instant.monotonicMs);
    return { leaseId, ttlMs, remainingMs, keyCount: keys.length, keys };
  }

  #lease(leaseId: number): NonNullable<ReturnType<Model['leaseById']['get']>> {
    const lease = this.model.leaseById.get(leaseId);
    if (lease === undefined) throw new Refusal('leaseNotFound');
    return lease;
  }

  /** The entry as it is now; one whose deadline has come is removed first, in a transaction of its own. */
  #settled(key: string): ModelEntry | undefined {
    const entry = this.model.read(key);
    if (entry === undefined || !isExpired(entry, this.#instant.nowMs)) return entry;
    this.#delete([key], 'expired');
    return undefined;
  }

  #settleRange(range: DeletedRange): void {
    for (const { key } of this.model.entriesAt(this.model.revision, range)) this.#settled(key);
  }

  #delete(keys: readonly string[], reason: DeleteReason): number {
    const transaction = this.#begin();
    for (const key of keys) transaction.delete(key, reason);
    return this.#commit(transaction);
  }

  #touch(before: ModelEntry, ttlMs: number): ModelEntry {
    const expireTimeMs = ttlMs === 0 ? 0 : this.#instant.nowMs + ttlMs;
    const after = { ...before, ttlMs, expireTimeMs };
    const changes: ModelChange[] = [{ type: 'touch', key: before.key, reason: undefined, before, after }];
    const atMs = this.#instant.monotonicMs;
    this.model.commit({ changes, granted: undefined, ended: undefined, atMs });
    return after;
  }

  #begin(): Transaction {
    return new Transaction(this.model, this.#instant.nowMs);
  }

  #commit({ changes }: Transaction): number {
    const atMs = this.#instant.monotonicMs;
    return this.model.commit({ changes, granted: undefined, ended: undefined, atMs });
  }
}

function checkCondition(condition: Condition, before: ModelEntry | undefined): void {
  const currentModRevision = before?.modRevision ?? 0;
  const holds =
    condition.kind === 'modRevisionEquals'
      ? currentModRevision === condition.modRevision
      : (before === undefined) === (condition.kind === 'mustNotExist');
  if (!holds) throw new Refusal('conditionFailed', { currentModRevision });
}

function shown(isAsked: boolean | undefined, entry: ModelEntry | undefined): Entry | undefined {
  return isAsked === true && entry !== undefined ? withoutTtl(entry) : undefined;
}

export function withoutTtl(entry: ModelEntry): Entry {
  const { key, value, createRevision, modRevision, version, leaseId, expireTimeMs } = entry;
  return { key, value, createRevision, modRevision, version, leaseId, expireTimeMs };
}

function isRelated(order: number, relation: 'equal' | 'notEqual' | 'less' | 'greater'): boolean {
  if (relation === 'less') return order < 0;
  if (relation === 'greater') return order > 0;
  return (order === 0) === (relation === 'equal');
}

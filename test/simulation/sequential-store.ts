/**
 * What each call must do, one call at a time: the contract of the store in plain words, over the model. It commits what
 * the store must commit, in the same records, and tells what the store must answer.
 */
import { bytesOf } from '../../src/arguments/value.ts';
import type { StoreErrorCode } from '../../src/errors.ts';
import type { Condition, DeletedRange, Entry, Lease } from '../../src/api.ts';
import type { Instant, Model, ModelEntry, ModelLease } from './model.ts';
import type { Operation } from './operation.ts';
import { Refusal } from './refusal.ts';
import { Transaction } from './transaction.ts';
import { keyOperation } from '../support/key-operations.ts';
import { modelSteps } from './collections/model-steps.ts';
import { textKey } from '../support/text-key.ts';

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
    const transaction = new Transaction(model, this.#instant.nowMs);
    switch (operation.kind) {
      case 'put': {
        const { key, value, options } = operation;
        const before = transaction.read(key);
        if (options.condition !== undefined) checkCondition(options.condition, before);
        transaction.put(key, value, options.ttlMs ?? 0, options.leaseId ?? 0);
        return { revision: this.#commit(transaction), previous: shown(options.returnPrevious, before) };
      }
      case 'delete': {
        const { key, options } = operation;
        const before = transaction.read(key);
        if (options.condition !== undefined) checkCondition(options.condition, before);
        transaction.delete(key);
        const previous = shown(options.returnPrevious, before);
        return { revision: this.#commit(transaction), deleted: before !== undefined, previous };
      }
      case 'deleteRange': {
        const deletedCount = deleteRange(transaction, operation.range);
        const revision = this.#commit(transaction);
        return { firstRevision: revision, revision, deletedCount };
      }
      case 'count':
        return { count: transaction.entries(operation.range).length, revision: model.revision };
      case 'increment': {
        const value = transaction.increment(textKey(operation.key), operation.delta, operation.ttlMs);
        return { value, revision: this.#commit(transaction) };
      }
      case 'touch': {
        const before = transaction.read(textKey(operation.key));
        if (before === undefined) throw new Refusal('keyNotFound');
        const ttlMs = operation.ttlMs ?? before.ttlMs;
        if (operation.ttlMs === undefined && ttlMs === 0) throw new Refusal('noTimeToLive');
        const entry = { ...transaction.touch(operation.key, ttlMs), value: new Uint8Array(0) };
        return { revision: this.#commit(transaction), entry: withoutTtl(entry) };
      }
      case 'refresh': {
        const before = transaction.read(textKey(operation.key));
        const isRefreshed = before !== undefined && before.ttlMs !== 0;
        const entry = isRefreshed ? transaction.touch(operation.key, before.ttlMs) : before;
        return { entry: entry && withoutTtl(entry), revision: this.#commit(transaction) };
      }
      case 'txn':
        return this.#txn(operation, transaction);
      case 'collections': {
        const results = modelSteps(transaction, operation.steps);
        this.#commit(transaction);
        return results;
      }
      case 'grantLease':
        return this.#grantLease(operation.ttlMs, operation.leaseId);
      case 'renewLease': {
        const lease = this.#lease(operation.leaseId);
        lease.deadlineMs = this.#instant.monotonicMs + lease.ttlMs;
        return { ttlMs: lease.ttlMs };
      }
      case 'revokeLease':
        return this.#revokeLease(operation.leaseId, transaction);
      case 'getLease':
        return this.#shownLease(operation.leaseId);
      case 'listLeases': {
        const ids = [...model.leaseById.keys()].sort((a, b) => a - b);
        return { leases: ids.map((id) => ({ ...this.#shownLease(id), keys: [] })), nextPageToken: '' };
      }
    }
  }

  #txn({ request }: Operation & { readonly kind: 'txn' }, transaction: Transaction): unknown {
    const succeeded = (request.compares ?? []).every((compare) => {
      const range = 'key' in compare.subject ? { key: compare.subject.key } : compare.subject.range;
      const { operand, relation } = compare;
      const entries = transaction.entries(range);
      if (operand.kind === 'exists') return (entries.length > 0 === operand.value) === (relation === 'equal');
      const subjects = 'key' in compare.subject ? [entries[0]] : entries;
      return subjects.every((entry) => {
        if (operand.kind !== 'value')
          return isRelated((entry?.[operand.kind] ?? 0) - operand.value, relation);
        if (entry?.type !== undefined || entry === undefined) return relation === 'notEqual';
        return isRelated(Buffer.compare(entry.value, bytesOf(operand.value)), relation);
      });
    });
    const operations = ((succeeded ? request.success : request.failure) ?? []).map(keyOperation);
    const results = operations.map((operation) => {
      const { kind } = operation;
      switch (operation.kind) {
        case 'get': {
          const entry = transaction.read(textKey(operation.key));
          return { kind, entry: entry && withoutTtl(entry) };
        }
        case 'put': {
          const { value, ttlMs = 0, leaseId = 0, returnPrevious } = operation;
          const key = textKey(operation.key);
          const before = transaction.read(key);
          transaction.put(key, bytesOf(value), ttlMs, leaseId);
          return { kind, previous: shown(returnPrevious, before) };
        }
        case 'delete': {
          const before = transaction.delete(textKey(operation.key));
          return { kind, deleted: before !== undefined, previous: shown(operation.returnPrevious, before) };
        }
        case 'deleteRange':
          return { kind, deletedCount: deleteRange(transaction, operation.range) };
        case 'increment':
          return {
            kind,
            value: transaction.increment(
              textKey(operation.key),
              BigInt(operation.delta),
              operation.ttlMs ?? 0,
            ),
          };
      }
    });
    return { succeeded, results, revision: this.#commit(transaction) };
  }

  /** A grant is a note. */
  #grantLease(ttlMs: number, leaseId: number): unknown {
    const { model } = this;
    if (model.leaseById.has(leaseId)) throw new Refusal('leaseExists');
    const deadlineMs = this.#instant.monotonicMs + ttlMs;
    const granted = { leaseId, ttlMs, deadlineMs, acknowledgedDeadlineMs: deadlineMs };
    const timeMs = this.#instant.nowMs;
    const revision = model.commit({ changes: [], granted, ended: undefined, timeMs });
    return { leaseId, ttlMs, revision };
  }

  /** One revision for all keys, or a note when there is none. */
  #revokeLease(leaseId: number, transaction: Transaction): unknown {
    const { model } = this;
    const ended = this.#lease(leaseId);
    let deletedCount = 0;
    for (const key of model.keysOfLease(leaseId)) {
      if (transaction.delete(key, 'leaseRevoked') === undefined) transaction.expire(key);
      else deletedCount++;
    }
    const { changes } = transaction;
    const timeMs = this.#instant.nowMs;
    const revision = model.commit({ changes, granted: undefined, ended, timeMs });
    return { firstRevision: revision, revision, deletedCount };
  }

  #shownLease(leaseId: number): Lease {
    const { ttlMs, deadlineMs } = this.#lease(leaseId);
    const keys = this.model.keysOfLease(leaseId);
    const remainingMs = Math.max(0, deadlineMs - this.#instant.monotonicMs);
    return { leaseId, ttlMs, remainingMs, keyCount: keys.length, keys };
  }

  #lease(leaseId: number): ModelLease {
    const lease = this.model.leaseById.get(leaseId);
    if (lease === undefined) throw new Refusal('leaseNotFound');
    return lease;
  }

  /** @returns the revision, or the newest one when nothing has changed. */
  #commit({ changes }: Transaction): number {
    if (changes.length === 0) return this.model.revision;
    const timeMs = this.#instant.nowMs;
    return this.model.commit({ changes, granted: undefined, ended: undefined, timeMs });
  }
}

/** @returns how many entries it has deleted. */
function deleteRange(transaction: Transaction, range: DeletedRange): number {
  const entries = transaction.entries(range);
  for (const { key } of entries) transaction.delete(key);
  return entries.length;
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
  const { ttlMs: _, content: __, ...shown } = entry;
  return shown;
}

function isRelated(order: number, relation: 'equal' | 'notEqual' | 'less' | 'greater'): boolean {
  if (relation === 'less') return order < 0;
  if (relation === 'greater') return order > 0;
  return (order === 0) === (relation === 'equal');
}

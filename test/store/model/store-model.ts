/**
 * The store in its most naive form: one call after the other, whole copies of the state for every revision, ranges by
 * looking at every key. What it answers is what a store must answer; its events are what a watch must say.
 */
import { bytesOf } from '../../../src/arguments/value.ts';
import type { StoreErrorCode } from '../../../src/errors.ts';
import type {
  Compare,
  Condition,
  DeleteReason,
  DeletedRange,
  KeyOperation,
  PutOptions,
  TxnRequest,
} from '../../../src/api.ts';
import { textOf } from './readable.ts';
import { keyOperation } from '../../support/key-operations.ts';
import { textKey } from '../../support/text-key.ts';

export interface ModelEntry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly leaseId: number;
  readonly expireTimeMs: number;
  readonly ttlMs: number;
}

export interface ModelEvent {
  readonly type: 'put' | 'delete' | 'touch';
  readonly key: string;
  readonly reason: DeleteReason | undefined;
  readonly replacedExpired: boolean;
  readonly entry: ModelEntry | undefined;
  readonly previous: ModelEntry | undefined;
}

interface ModelLease {
  readonly ttlMs: number;
  remainingMs: number;
}

type State = ReadonlyMap<string, ModelEntry>;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** An answer that is an error. */
export class ModelError extends Error {
  readonly code: StoreErrorCode;
  readonly details: unknown;

  constructor(code: StoreErrorCode, details?: unknown) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

export class StoreModel {
  nowMs: number;
  oldestRevision = 0;
  readonly leases = new Map<number, ModelLease>();
  /** By revision; the first is the empty store. */
  readonly #states: State[] = [new Map()];
  /** By revision, from 1. */
  readonly events: ModelEvent[][] = [];

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  get revision(): number {
    return this.#states.length - 1;
  }

  /** Keys that a deadline has passed but that were not removed count. */
  get keyCount(): number {
    return this.#newest.size;
  }

  get(key: string, revision = 0): unknown {
    const entry = this.#stateAt(revision).get(key);
    return { entry: entry && answered(entry), revision: revision || this.revision };
  }

  scan(range: DeletedRange, revision: number, reverse: boolean): unknown {
    const state = this.#stateAt(revision);
    const keys = keysIn(state, range);
    if (reverse) keys.reverse();
    return keys.map((key) => answered(this.#entry(state, key)));
  }

  exists(keys: readonly string[]): boolean[] {
    return keys.map((key) => this.#stateAt(0).has(key));
  }

  put(key: string, value: string, options: PutOptions): unknown {
    const draft = new Draft(this);
    const current = draft.get(key);
    checkCondition(options.condition, current);
    this.#checkLease(options.leaseId);
    const previous = options.returnPrevious === true && current ? answered(current) : undefined;
    draft.put(key, value, options.ttlMs ?? 0, options.leaseId ?? 0);
    this.#commit(draft);
    return { revision: this.revision, previous };
  }

  delete(key: string, condition: Condition | undefined, returnPrevious: boolean): unknown {
    const draft = new Draft(this);
    checkCondition(condition, draft.get(key));
    const current = draft.delete(key, 'requested');
    this.#commit(draft);
    return {
      revision: this.revision,
      deleted: current !== undefined,
      previous: returnPrevious && current !== undefined ? answered(current) : undefined,
    };
  }

  /** The keys of the model are so few that their deletion in parts is one part. */
  deleteRange(range: DeletedRange): unknown {
    const draft = new Draft(this);
    const deletedCount = draft.deleteRange(range);
    this.#commit(draft);
    return { firstRevision: this.revision, revision: this.revision, deletedCount };
  }

  increment(key: string, delta: bigint, ttlMs: number): unknown {
    const draft = new Draft(this);
    const value = draft.increment(key, delta, ttlMs);
    this.#commit(draft);
    return { value, revision: this.revision };
  }

  touch(key: string, ttlMs: number | undefined): unknown {
    const draft = new Draft(this);
    const current = draft.get(key);
    if (current === undefined) throw new ModelError('keyNotFound');
    if (ttlMs === undefined && current.ttlMs === 0) throw new ModelError('noTimeToLive');
    const entry = draft.touch(current, ttlMs ?? current.ttlMs);
    this.#commit(draft);
    return { revision: this.revision, entry: { ...answered(entry), value: '' } };
  }

  refresh(key: string): unknown {
    const draft = new Draft(this);
    const current = draft.get(key);
    const entry = current !== undefined && current.ttlMs > 0 ? draft.touch(current, current.ttlMs) : current;
    this.#commit(draft);
    return { entry: entry && answered(entry), revision: this.revision };
  }

  txn(request: TxnRequest): unknown {
    const { compares = [], success = [], failure = [] } = request;
    const draft = new Draft(this);
    const succeeded = compares.every((compare) => holds(draft, compare));
    const results = (succeeded ? success : failure).map((operation) =>
      this.#run(draft, keyOperation(operation)),
    );
    this.#commit(draft);
    return { succeeded, results, revision: this.revision };
  }

  grantLease(leaseId: number, ttlMs: number): unknown {
    if (this.leases.has(leaseId)) throw new ModelError('leaseExists');
    this.leases.set(leaseId, { ttlMs, remainingMs: ttlMs });
    return { leaseId, ttlMs, revision: this.revision };
  }

  renewLease(leaseId: number): unknown {
    const lease = this.#lease(leaseId);
    lease.remainingMs = lease.ttlMs;
    return { ttlMs: lease.ttlMs };
  }

  /** Keys of the lease that are past their own deadline go with it, uncounted. */
  revokeLease(leaseId: number, reason: DeleteReason = 'leaseRevoked'): unknown {
    this.#lease(leaseId);
    const draft = new Draft(this);
    let deletedCount = 0;
    for (const key of this.#keysOf(leaseId)) {
      if (draft.delete(key, reason) === undefined) draft.expire(key);
      else deletedCount++;
    }
    this.leases.delete(leaseId);
    this.#commit(draft);
    return { firstRevision: this.revision, revision: this.revision, deletedCount };
  }

  getLease(leaseId: number): unknown {
    const { ttlMs, remainingMs } = this.#lease(leaseId);
    const keys = this.#keysOf(leaseId);
    return { leaseId, ttlMs, remainingMs, keyCount: keys.length, keys };
  }

  compact(revision: number): unknown {
    const details = {
      requestedRevision: revision,
      oldestRevision: this.oldestRevision,
      newestRevision: this.revision,
    };
    if (revision < this.oldestRevision) throw new ModelError('revisionCompacted', details);
    if (revision > this.revision) throw new ModelError('revisionFuture', details);
    this.oldestRevision = revision;
    return { oldestRevision: revision };
  }

  /** The time until the next deadline of a lease or a key; `Infinity` when there is none. */
  nextDeadlineMs(): number {
    const keys = [...this.#newest.values()].flatMap(({ expireTimeMs }) =>
      expireTimeMs > 0 ? [expireTimeMs] : [],
    );
    const leases = [...this.leases.values()].map(({ remainingMs }) => remainingMs);
    return Math.max(0, Math.min(...keys.map((key) => key - this.nowMs), ...leases));
  }

  /** Lets time pass up to a deadline or less, and removes what is due: keys first, then leases. */
  advance(ms: number): void {
    this.nowMs += ms;
    for (const lease of this.leases.values()) lease.remainingMs -= ms;
    const due = [...this.#newest.values()].filter((entry) => this.isDead(entry));
    due.sort((a, b) => a.expireTimeMs - b.expireTimeMs || byBytes(a.key, b.key));
    for (const { key } of due) this.#commit(new Draft(this).expire(key));
    const ended = [...this.leases].filter(([, { remainingMs }]) => remainingMs <= 0);
    for (const [leaseId] of ended.sort(([a], [b]) => a - b)) this.revokeLease(leaseId, 'leaseExpired');
  }

  get newest(): State {
    return this.#newest;
  }

  get #newest(): State {
    return this.#states.at(-1) ?? new Map();
  }

  /** The state that a read sees: at the newest revision without the dead. */
  #stateAt(revision: number): State {
    const details = {
      requestedRevision: revision,
      oldestRevision: this.oldestRevision,
      newestRevision: this.revision,
    };
    if (revision > this.revision) throw new ModelError('revisionFuture', details);
    if (revision === 0) return new Map([...this.#newest].filter(([, entry]) => !this.isDead(entry)));
    if (revision < this.oldestRevision) throw new ModelError('revisionCompacted', details);
    return this.#states[revision] ?? new Map();
  }

  isDead({ expireTimeMs }: ModelEntry): boolean {
    return expireTimeMs > 0 && expireTimeMs <= this.nowMs;
  }

  #keysOf(leaseId: number): string[] {
    return keysIn(this.#newest, {}).filter((key) => this.#newest.get(key)?.leaseId === leaseId);
  }

  #entry(state: State, key: string): ModelEntry {
    const entry = state.get(key);
    if (entry === undefined) throw new Error(`the model has no entry ${key}`);
    return entry;
  }

  #lease(leaseId: number): ModelLease {
    const lease = this.leases.get(leaseId);
    if (lease === undefined) throw new ModelError('leaseNotFound');
    return lease;
  }

  #checkLease(leaseId = 0): void {
    if (leaseId !== 0) this.#lease(leaseId);
  }

  #commit(draft: Draft): void {
    const { events } = draft;
    if (events.length === 0) return;
    this.#states.push(draft.state);
    this.events.push(events);
  }

  #run(draft: Draft, operation: KeyOperation): unknown {
    const { kind } = operation;
    if (kind === 'deleteRange') return { kind, deletedCount: draft.deleteRange(operation.range) };
    const key = textKey(operation.key);
    const current = draft.get(key);
    const before = current && answered(current);
    switch (kind) {
      case 'get':
        return { kind, entry: before };
      case 'increment':
        return { kind, value: draft.increment(key, BigInt(operation.delta), operation.ttlMs ?? 0) };
      case 'delete':
        draft.delete(key, 'requested');
        return {
          kind,
          deleted: current !== undefined,
          previous: operation.returnPrevious === true ? before : undefined,
        };
      case 'put':
        this.#checkLease(operation.leaseId);
        draft.put(key, textOf(bytesOf(operation.value)), operation.ttlMs ?? 0, operation.leaseId ?? 0);
        return { kind, previous: operation.returnPrevious === true ? before : undefined };
    }
  }
}

/** A transaction on a copy of the newest state. Of several writes of a key the last one counts. */
class Draft {
  /** With the dead, which count as absent. */
  readonly state: Map<string, ModelEntry>;
  /** In the order in which keys were first written. */
  readonly #eventByKey = new Map<string, ModelEvent>();
  readonly #model: StoreModel;

  constructor(model: StoreModel) {
    this.#model = model;
    this.state = new Map(model.newest);
  }

  get events(): ModelEvent[] {
    return [...this.#eventByKey.values()];
  }

  get(key: string): ModelEntry | undefined {
    return this.#alive(this.state.get(key));
  }

  /** The keys of a range that are there. */
  keys(range: DeletedRange): string[] {
    return keysIn(this.state, range).filter((key) => this.get(key) !== undefined);
  }

  put(
    key: string,
    value: string,
    ttlMs: number,
    leaseId: number,
    expireTimeMs = this.#deadline(ttlMs),
  ): ModelEntry {
    const current = this.get(key);
    const revision = this.#model.revision + 1;
    const entry = {
      key,
      value,
      createRevision: current?.createRevision ?? revision,
      modRevision: revision,
      version: (current?.version ?? 0) + 1,
      leaseId,
      expireTimeMs,
      ttlMs,
    };
    return this.#change('put', entry);
  }

  touch(current: ModelEntry, ttlMs: number): ModelEntry {
    return this.#change('touch', { ...current, ttlMs, expireTimeMs: this.#deadline(ttlMs) });
  }

  /** @returns the entry that it has deleted. */
  delete(key: string, reason: DeleteReason): ModelEntry | undefined {
    const current = this.get(key);
    if (current === undefined) return undefined;
    const before = this.#model.newest.get(key);
    const previous = this.#alive(before);
    if (previous !== undefined) this.#remove(key, reason, previous);
    else {
      // All is as it was, a dead entry too.
      this.#eventByKey.delete(key);
      if (before === undefined) this.state.delete(key);
      else this.state.set(key, before);
    }
    return current;
  }

  /** @returns how many entries it has deleted. */
  deleteRange(range: DeletedRange): number {
    const keys = this.keys(range);
    for (const key of keys) this.delete(key, 'requested');
    return keys.length;
  }

  /** Removes a dead entry. */
  expire(key: string): this {
    this.#remove(key, 'expired', this.state.get(key));
    return this;
  }

  increment(key: string, delta: bigint, ttlMs: number): bigint {
    const current = this.get(key);
    const text = current?.value ?? '0';
    if (!/^-?[0-9]+$/.test(text) || !isInt64(BigInt(text))) throw new ModelError('notAnInteger');
    const sum = BigInt(text) + delta;
    if (!isInt64(sum)) throw new ModelError('integerOverflow');
    if (current === undefined) this.put(key, `${sum}`, ttlMs, 0);
    else this.put(key, `${sum}`, current.ttlMs, current.leaseId, current.expireTimeMs);
    return sum;
  }

  #change(type: 'put' | 'touch', entry: ModelEntry): ModelEntry {
    const { key } = entry;
    const before = this.#model.newest.get(key);
    const previous = this.#alive(before);
    const replacedExpired = before !== undefined && previous === undefined;
    this.#eventByKey.set(key, { type, key, reason: undefined, replacedExpired, entry, previous });
    this.state.set(key, entry);
    return entry;
  }

  #remove(key: string, reason: DeleteReason, previous: ModelEntry | undefined): void {
    const entry = undefined;
    this.#eventByKey.set(key, { type: 'delete', key, reason, replacedExpired: false, entry, previous });
    this.state.delete(key);
  }

  #alive(entry: ModelEntry | undefined): ModelEntry | undefined {
    return entry === undefined || this.#model.isDead(entry) ? undefined : entry;
  }

  #deadline(ttlMs: number): number {
    return ttlMs === 0 ? 0 : this.#model.nowMs + ttlMs;
  }
}

function holds(draft: Draft, { subject, relation, operand }: Compare): boolean {
  const keys = draft.keys('key' in subject ? { key: subject.key } : subject.range);
  if (operand.kind === 'exists') return (keys.length > 0 === operand.value) === (relation === 'equal');
  const related = (entry: ModelEntry | undefined): boolean => {
    if (operand.kind === 'value') {
      if (entry === undefined) return relation === 'notEqual';
      return isRelated(byBytes(entry.value, textOf(bytesOf(operand.value))), relation);
    }
    return isRelated((entry?.[operand.kind] ?? 0) - operand.value, relation);
  };
  if ('key' in subject) return related(draft.get(textKey(subject.key)));
  return keys.every((key) => related(draft.get(key)));
}

/** An entry as the store answers it. */
export function answered({ ttlMs: _ttlMs, ...entry }: ModelEntry): Omit<ModelEntry, 'ttlMs'> {
  return entry;
}

function isInt64(number: bigint): boolean {
  return number >= INT64_MIN && number <= INT64_MAX;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function keysIn(state: State, range: DeletedRange): string[] {
  return [...state.keys()].filter((key) => isIn(range, key)).sort(byBytes);
}

function isIn(range: DeletedRange, candidate: string): boolean {
  if ('all' in range) return true;
  const { key, prefix, start, end } = range;
  if (key !== undefined) return candidate === key;
  if (prefix !== undefined) return candidate.startsWith(textKey(prefix));
  if (start !== undefined && byBytes(candidate, textKey(start)) < 0) return false;
  return end === undefined || byBytes(candidate, textKey(end)) < 0;
}

function isRelated(order: number, relation: Compare['relation']): boolean {
  return { equal: order === 0, notEqual: order !== 0, less: order < 0, greater: order > 0 }[relation];
}

function checkCondition(condition: Condition | undefined, current: ModelEntry | undefined): void {
  const currentModRevision = current?.modRevision ?? 0;
  const holds = {
    none: true,
    mustExist: current !== undefined,
    mustNotExist: current === undefined,
    modRevisionEquals:
      condition?.kind === 'modRevisionEquals' && condition.modRevision === currentModRevision,
  };
  if (!holds[condition?.kind ?? 'none']) throw new ModelError('conditionFailed', { currentModRevision });
}

/** The keys of the generated calls. */
export const KEYS: readonly string[] = ['a', 'ab', 'b', 'ba', '\uffff', '\u{10000}'];

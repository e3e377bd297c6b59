/**
 * The store in its most naive form: one call after the other, whole copies of the state for every revision, ranges by
 * looking at every key. What it answers is what a store must answer; its events are what a watch must say.
 */
import { bytesOf } from '../../src/arguments/value.ts';
import type { StoreErrorCode } from '../../src/errors.ts';
import type {
  Compare,
  Condition,
  DeleteReason,
  DeletedRange,
  Operation,
  PutOptions,
  TxnRequest,
} from '../../src/api.ts';
import { textOf } from './readable.ts';

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
    this.#settle({ key });
    const current = this.#newest.get(key);
    checkCondition(options.condition, current);
    this.#checkLease(options.leaseId);
    const previous = options.returnPrevious === true && current ? answered(current) : undefined;
    this.#commit(new Draft(this).put(key, value, options.ttlMs ?? 0, options.leaseId ?? 0));
    return { revision: this.revision, previous };
  }

  delete(key: string, condition: Condition | undefined, returnPrevious: boolean): unknown {
    this.#settle({ key });
    const current = this.#newest.get(key);
    checkCondition(condition, current);
    if (current === undefined) return { revision: this.revision, deleted: false, previous: undefined };
    this.#commit(new Draft(this).delete(key, 'requested'));
    return {
      revision: this.revision,
      deleted: true,
      previous: returnPrevious ? answered(current) : undefined,
    };
  }

  deleteRange(range: DeletedRange): unknown {
    this.#settle(range);
    const keys = keysIn(this.#newest, range);
    const draft = new Draft(this);
    for (const key of keys) draft.delete(key, 'requested');
    this.#commit(draft);
    return { revision: this.revision, deletedCount: keys.length };
  }

  increment(key: string, delta: bigint, ttlMs: number): unknown {
    this.#settle({ key });
    const draft = new Draft(this);
    const value = draft.increment(key, delta, ttlMs);
    this.#commit(draft);
    return { value, revision: this.revision };
  }

  touch(key: string, ttlMs: number | undefined): unknown {
    this.#settle({ key });
    const current = this.#newest.get(key);
    if (current === undefined) throw new ModelError('keyNotFound');
    if (ttlMs === undefined && current.ttlMs === 0) throw new ModelError('noTimeToLive');
    this.#commit(new Draft(this).touch(key, ttlMs ?? current.ttlMs));
    return { revision: this.revision, entry: { ...answered(this.#entry(this.#newest, key)), value: '' } };
  }

  refresh(key: string): unknown {
    this.#settle({ key });
    const current = this.#newest.get(key);
    if (current !== undefined && current.ttlMs > 0) {
      this.#commit(new Draft(this).touch(key, current.ttlMs));
    }
    const entry = this.#newest.get(key);
    return { entry: entry && answered(entry), revision: this.revision };
  }

  txn(request: TxnRequest): unknown {
    const { compares = [], success = [], failure = [] } = request;
    for (const branch of [success, failure]) checkWrittenOnce(branch);
    const succeeded = compares.every((compare) => this.#holds(compare));
    const operations = succeeded ? success : failure;
    for (const operation of operations) this.#settle(rangeOf(operation));
    const draft = new Draft(this);
    const results = operations.map((operation) => this.#run(draft, operation));
    this.#commit(draft);
    return { succeeded, results, revision: this.revision };
  }

  grantLease(leaseId: number, ttlMs: number): unknown {
    if (this.leases.has(leaseId)) throw new ModelError('leaseExists');
    this.leases.set(leaseId, { ttlMs, remainingMs: ttlMs });
    this.#take(new Map(this.#newest), []);
    return { leaseId, ttlMs, revision: this.revision };
  }

  renewLease(leaseId: number): unknown {
    const lease = this.#lease(leaseId);
    lease.remainingMs = lease.ttlMs;
    return { ttlMs: lease.ttlMs };
  }

  revokeLease(leaseId: number, reason: DeleteReason = 'leaseRevoked'): unknown {
    this.#settleLease(leaseId);
    const keys = this.#keysOf(leaseId);
    const draft = new Draft(this);
    for (const key of keys) draft.delete(key, reason);
    this.leases.delete(leaseId);
    this.#take(draft.state, draft.events);
    return { revision: this.revision, deletedCount: keys.length };
  }

  getLease(leaseId: number): unknown {
    this.#settleLease(leaseId);
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
    const due = [...this.#newest.values()].filter((entry) => this.#isDead(entry));
    due.sort((a, b) => a.expireTimeMs - b.expireTimeMs || byBytes(a.key, b.key));
    for (const { key } of due) this.#commit(new Draft(this).delete(key, 'expired'));
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
    if (revision === 0) return new Map([...this.#newest].filter(([, entry]) => !this.#isDead(entry)));
    if (revision < this.oldestRevision) throw new ModelError('revisionCompacted', details);
    return this.#states[revision] ?? new Map();
  }

  #isDead({ expireTimeMs }: ModelEntry): boolean {
    return expireTimeMs > 0 && expireTimeMs <= this.nowMs;
  }

  /** Removes the dead keys of a range, each at a revision of its own. */
  #settle(range: DeletedRange): void {
    for (const key of keysIn(this.#newest, range)) {
      if (this.#isDead(this.#entry(this.#newest, key))) this.#commit(new Draft(this).delete(key, 'expired'));
    }
  }

  #settleLease(leaseId: number): void {
    this.#lease(leaseId);
    for (const key of this.#keysOf(leaseId)) this.#settle({ key });
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
    if (draft.events.length > 0) this.#take(draft.state, draft.events);
  }

  #take(state: State, events: ModelEvent[]): void {
    this.#states.push(state);
    this.events.push(events);
  }

  #holds({ subject, relation, operand }: Compare): boolean {
    const range = 'key' in subject ? { key: subject.key } : subject.range;
    this.#settle(range);
    const keys = keysIn(this.#newest, range);
    if (operand.kind === 'exists') return (keys.length > 0 === operand.value) === (relation === 'equal');
    const related = (entry: ModelEntry | undefined): boolean => {
      if (operand.kind === 'value') {
        if (entry === undefined) return relation === 'notEqual';
        return isRelated(byBytes(entry.value, textOf(bytesOf(operand.value))), relation);
      }
      return isRelated((entry?.[operand.kind] ?? 0) - operand.value, relation);
    };
    if ('key' in subject) return related(this.#newest.get(subject.key));
    return keys.every((key) => related(this.#newest.get(key)));
  }

  #run(draft: Draft, operation: Operation): unknown {
    const { kind } = operation;
    if (kind === 'deleteRange') {
      const keys = keysIn(draft.state, operation.range);
      for (const key of keys) draft.delete(key, 'requested');
      return { kind, deletedCount: keys.length };
    }
    const current = draft.state.get(operation.key);
    const before = current && answered(current);
    switch (kind) {
      case 'get':
        return { kind, entry: before };
      case 'increment':
        return { kind, value: draft.increment(operation.key, BigInt(operation.delta), operation.ttlMs ?? 0) };
      case 'delete':
        if (current !== undefined) draft.delete(operation.key, 'requested');
        return {
          kind,
          deleted: current !== undefined,
          previous: operation.returnPrevious === true ? before : undefined,
        };
      case 'put':
        this.#checkLease(operation.leaseId);
        draft.put(
          operation.key,
          textOf(bytesOf(operation.value)),
          operation.ttlMs ?? 0,
          operation.leaseId ?? 0,
        );
        return { kind, previous: operation.returnPrevious === true ? before : undefined };
    }
  }
}

/** A transaction on a copy of the newest state. */
class Draft {
  readonly state: Map<string, ModelEntry>;
  readonly events: ModelEvent[] = [];
  readonly #model: StoreModel;

  constructor(model: StoreModel) {
    this.#model = model;
    this.state = new Map(model.newest);
  }

  put(
    key: string,
    value: string,
    ttlMs: number,
    leaseId: number,
    expireTimeMs = this.#deadline(ttlMs),
  ): this {
    const current = this.state.get(key);
    const revision = this.#model.revision + 1;
    return this.#change('put', {
      key,
      value,
      createRevision: current?.createRevision ?? revision,
      modRevision: revision,
      version: (current?.version ?? 0) + 1,
      leaseId,
      expireTimeMs,
      ttlMs,
    });
  }

  touch(key: string, ttlMs: number): this {
    const current = this.state.get(key);
    if (current === undefined) throw new Error(`the model touches ${key}, which is not there`);
    return this.#change('touch', { ...current, ttlMs, expireTimeMs: this.#deadline(ttlMs) });
  }

  delete(key: string, reason: DeleteReason): this {
    this.events.push({ type: 'delete', key, reason, entry: undefined, previous: this.state.get(key) });
    this.state.delete(key);
    return this;
  }

  increment(key: string, delta: bigint, ttlMs: number): bigint {
    const current = this.state.get(key);
    const text = current?.value ?? '0';
    if (!/^-?[0-9]+$/.test(text) || !isInt64(BigInt(text))) throw new ModelError('notAnInteger');
    const sum = BigInt(text) + delta;
    if (!isInt64(sum)) throw new ModelError('integerOverflow');
    if (current === undefined) this.put(key, `${sum}`, ttlMs, 0);
    else this.put(key, `${sum}`, current.ttlMs, current.leaseId, current.expireTimeMs);
    return sum;
  }

  #change(type: 'put' | 'touch', entry: ModelEntry): this {
    this.events.push({ type, key: entry.key, reason: undefined, entry, previous: this.state.get(entry.key) });
    this.state.set(entry.key, entry);
    return this;
  }

  #deadline(ttlMs: number): number {
    return ttlMs === 0 ? 0 : this.#model.nowMs + ttlMs;
  }
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
  if (prefix !== undefined) return candidate.startsWith(prefix);
  if (start !== undefined && byBytes(candidate, start) < 0) return false;
  return end === undefined || byBytes(candidate, end) < 0;
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

function rangeOf(operation: Operation): DeletedRange {
  return operation.kind === 'deleteRange' ? operation.range : { key: operation.key };
}

/** The generated ranges and keys come from a small set, so overlaps show on one of these. */
function checkWrittenOnce(operations: readonly Operation[]): void {
  const writes = operations.filter(({ kind }) => kind !== 'get').map(rangeOf);
  for (const key of POSSIBLE_KEYS) {
    if (writes.filter((range) => isIn(range, key)).length > 1) throw new ModelError('invalidArgument');
  }
}

/** The keys of the generated calls. */
export const KEYS: readonly string[] = ['a', 'ab', 'b', 'ba', '\uffff', '\u{10000}'];

/** Together with keys that no call uses but that lie in two ranges where these overlap. */
const POSSIBLE_KEYS: readonly string[] = [...KEYS, 'a\0', 'b\0', 'c', '\u{10000}\0'];

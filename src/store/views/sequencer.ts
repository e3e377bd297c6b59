/**
 * Runs every write: decides by the newest state (visible or not) whether it goes ahead, and commits it. All of it is
 * synchronous, so calls take effect one after the other in the order in which they are made.
 *
 * A key past its deadline counts as absent. Before a write looks at such a key, its removal is committed as a transaction
 * of its own, so that the log and the watches show an expiry and then the write, never a put onto a dead key.
 */
import { bytesOf } from '../../arguments/value.ts';
import type { Random } from '../../clock.ts';
import type { EngineRange } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { assert, StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Committer } from '../commit/committer.ts';
import { Draft, leaseNotFound, NEWEST, type DraftContext } from './draft.ts';
import { leaseEffect, leaseEndEffect } from '../commit/effects.ts';
import { toEntry } from '../entries.ts';
import { fromKeyText, keyScratch } from './keys.ts';
import type { LeaseState } from '../leases/lease-table.ts';
import { toDeletedRange } from './range.ts';
import type * as api from '../../api.ts';
import { checkCount, checkTtl } from '../validate.ts';

export interface SequencerContext extends DraftContext {
  readonly committer: Committer;
  readonly random: Random;
  nowMs(): number;
  /** A deadline was set; the first removal may now be due earlier. */
  deadlineSet(inMs: number): void;
}

/** Bounds how many keys one operation goes through, since nothing else runs meanwhile. */
export class VisitBudget {
  #left = fixed.txnCompareVisitsMax;

  spend(): void {
    if (this.#left-- > 0) return;
    throw new StoreError(
      'limitReached',
      `the ranges of the compares hold more than ${fixed.txnCompareVisitsMax} keys; compare smaller ranges`,
    );
  }
}

export class Sequencer {
  readonly #context: SequencerContext;
  /** The wall time of the operation that runs: one instant for all that it looks at. */
  #nowMs = 0;

  constructor(context: SequencerContext) {
    this.#context = context;
  }

  get lastRevision(): number {
    return this.#context.committer.lastRevision;
  }

  /** Begins an operation: reads the clock. */
  begin(): void {
    this.#nowMs = this.#context.nowMs();
  }

  put(keyText: string, value: api.Value, options: api.PutOptions): api.PutResult {
    this.begin();
    const key = keyScratch.encode(keyText);
    const ttlMs = checkTtl(options.ttlMs);
    const leaseId = checkCount(options.leaseId, 'leaseId');
    const returnPrevious = options.returnPrevious === true;
    const current = this.#current(key, returnPrevious);
    if (options.condition !== undefined) checkCondition(options.condition, current);
    const draft = this.draft(true);
    draft.put(key, bytesOf(value), ttlMs, leaseId, current);
    const previous = returnPrevious && current !== undefined ? toEntry(keyText, current) : undefined;
    options.admit?.(previous);
    return { revision: this.commit(draft), previous };
  }

  delete(keyText: string, options: api.DeleteOptions): api.DeleteResult {
    this.begin();
    const key = keyScratch.encode(keyText);
    const returnPrevious = options.returnPrevious === true;
    const current = this.#current(key, returnPrevious);
    if (options.condition !== undefined) checkCondition(options.condition, current);
    if (current === undefined) return { revision: this.lastRevision, deleted: false, previous: undefined };
    const draft = this.draft(true);
    draft.delete(key, 'requested', current);
    const previous = returnPrevious ? toEntry(keyText, current) : undefined;
    options.admit?.(previous);
    return { revision: this.commit(draft), deleted: true, previous };
  }

  deleteRange(range: api.DeletedRange): api.DeleteRangeResult {
    this.begin();
    const engineRange = toDeletedRange(range);
    this.settleRange(engineRange);
    const draft = this.draft(true);
    const deletedCount = this.deleteRangeIn(draft, engineRange);
    return { revision: deletedCount === 0 ? this.lastRevision : this.commit(draft), deletedCount };
  }

  increment(keyText: string, delta: bigint | number, ttl: number | undefined): api.IncrementResult {
    this.begin();
    const key = keyScratch.encode(keyText);
    const ttlMs = checkTtl(ttl);
    this.settleKey(key);
    const draft = this.draft(true);
    const value = draft.increment(key, BigInt(delta), ttlMs);
    return { value, revision: this.commit(draft) };
  }

  /** @param ttl 0 takes the time to live away, left out starts the entry's own anew. */
  touch(keyText: string, ttl: number | undefined): api.TouchResult {
    this.begin();
    const key = keyScratch.encode(keyText);
    const ttlMs = ttl === 0 ? 0 : checkTtl(ttl);
    const current = this.#current(key, true);
    if (current === undefined) throw new StoreError('keyNotFound', 'there is no such key to touch');
    if (ttl === undefined && current.ttlMs === 0) {
      throw new StoreError('noTimeToLive', 'the key has no time to live that could start anew; give one');
    }
    const draft = this.draft(true);
    const change = draft.touch(key, ttl === undefined ? current.ttlMs : ttlMs, current);
    const entry = toEntry(keyText, { ...change, value: new Uint8Array(0) });
    return { revision: this.commit(draft), entry };
  }

  /** Reads the newest state and, if the entry has a time to live of its own, starts it anew. */
  getRefreshing(keyText: string, admit: api.GetOptions['admit']): api.GetResult {
    this.begin();
    const key = keyScratch.encode(keyText);
    const current = this.#current(key, true);
    if (current === undefined) return { entry: undefined, revision: this.lastRevision };
    const draft = this.draft(true);
    const isRefreshed = current.ttlMs !== 0;
    const entry = toEntry(keyText, isRefreshed ? draft.touch(key, current.ttlMs, current) : current);
    admit?.(entry);
    return { entry, revision: isRefreshed ? this.commit(draft) : this.lastRevision };
  }

  grantLease(ttlMs: number, wantedId: number): api.LeaseGrant {
    const { leases, limits, committer } = this.#context;
    if (!Number.isSafeInteger(ttlMs) || ttlMs < fixed.leaseTtlMsMin || ttlMs > fixed.ttlMsMax) {
      throw new StoreError(
        'invalidArgument',
        `the time to live of a lease is ${fixed.leaseTtlMsMin} ms to 100 years, not ${ttlMs} ms`,
      );
    }
    checkCount(wantedId, 'leaseId');
    if (leases.get(wantedId) !== undefined) {
      throw new StoreError('leaseExists', `lease ${wantedId} exists already`);
    }
    if (leases.size >= limits.leasesMax) {
      throw new StoreError(
        'limitReached',
        `there are ${leases.size} leases; no more are allowed (leases-max). Revoke some, or share leases between keys`,
      );
    }
    const leaseId = wantedId === 0 ? this.#freeLeaseId() : wantedId;
    const deadlineMs = leases.clockMs() + ttlMs;
    const revision = committer.commit([], [leaseEffect(leaseId, ttlMs, deadlineMs)]);
    leases.grant(leaseId, ttlMs, deadlineMs);
    this.#context.deadlineSet(ttlMs);
    return { leaseId, ttlMs, revision };
  }

  renewLease(leaseId: number): { readonly ttlMs: number } {
    const { ttlMs } = this.lease(leaseId);
    const { leases, committer } = this.#context;
    const deadlineMs = leases.clockMs() + ttlMs;
    committer.note([leaseEffect(leaseId, ttlMs, deadlineMs)]);
    leases.renew(leaseId, deadlineMs);
    return { ttlMs };
  }

  /** Ends a lease and deletes its keys, in one revision. */
  endLease(leaseId: number, reason: 'leaseExpired' | 'leaseRevoked'): api.DeleteRangeResult {
    this.begin();
    const lease = this.lease(leaseId);
    this.#settleLease(lease);
    const { engine, leases, committer } = this.#context;
    const draft = this.draft(true, fixed.leaseKeyBytesMax);
    for (const text of [...lease.keys].sort()) {
      const key = fromKeyText(text);
      const current = engine.readMeta(key, NEWEST);
      assert(current?.leaseId === leaseId, 'a key in the set of a lease names that lease');
      draft.delete(key, reason, current);
    }
    const revision = committer.commit(draft.changes, [leaseEndEffect(leaseId)]);
    leases.remove(leaseId);
    return { revision, deletedCount: draft.changes.length };
  }

  /** A lease without the keys whose own deadline has passed. */
  settledLease(leaseId: number): LeaseState {
    this.begin();
    const lease = this.lease(leaseId);
    this.#settleLease(lease);
    return lease;
  }

  lease(leaseId: number): LeaseState {
    checkCount(leaseId, 'leaseId');
    const lease = this.#context.leases.get(leaseId);
    if (lease === undefined) throw leaseNotFound(leaseId);
    return lease;
  }

  /**
   * Within an operation: removes a key if its deadline has passed, in a transaction of its own.
   * @returns whether it was removed.
   */
  settleKey(key: Uint8Array): boolean {
    const current = this.#context.engine.readMeta(key, NEWEST);
    if (current === undefined || current.expireTimeMs === 0 || current.expireTimeMs > this.#nowMs) {
      return false;
    }
    const draft = this.draft(true);
    draft.delete(key, 'expired', current);
    this.commit(draft);
    return true;
  }

  /** Within an operation: removes the keys of a range whose deadline has passed, each in a transaction of its own, in key order. */
  settleRange(range: EngineRange, budget?: VisitBudget): void {
    const nowMs = this.#nowMs;
    const firstDeadlineMs = this.#context.engine.nextDeadlineMs();
    if (firstDeadlineMs === undefined || firstDeadlineMs > nowMs) return;
    const expired: Uint8Array[] = [];
    this.#visitRange(range, (key, version) => {
      budget?.spend();
      if (version.expireTimeMs !== 0 && version.expireTimeMs <= nowMs) expired.push(key);
    });
    for (const key of expired) this.settleKey(key);
  }

  #settleLease(lease: LeaseState): void {
    const firstDeadlineMs = this.#context.engine.nextDeadlineMs();
    if (firstDeadlineMs === undefined || firstDeadlineMs > this.#nowMs) return;
    for (const text of [...lease.keys].sort()) this.settleKey(fromKeyText(text));
  }

  /** An empty transaction at the next revision. */
  draft(isSingle: boolean, bytesMax?: number): Draft {
    return new Draft(this.#context, this.lastRevision + 1, this.#nowMs, isSingle, bytesMax);
  }

  commit(draft: Draft): number {
    const revision = this.#context.committer.commit(draft.changes);
    for (const change of draft.changes) {
      if (change.expireTimeMs !== 0) this.#context.deadlineSet(change.ttlMs);
    }
    return revision;
  }

  /** Deletes in `draft` every key of a range; @returns how many. */
  deleteRangeIn(draft: Draft, range: EngineRange): number {
    let count = 0;
    this.#visitRange(range, (key, version) => {
      draft.delete(key, 'requested', version);
      count++;
    });
    return count;
  }

  /** Whether `holds` is true of every entry that exists in a range; `isEmpty` tells whether there was none. */
  everyInRange(
    range: EngineRange,
    budget: VisitBudget,
    holds: (version: Version) => boolean,
  ): { readonly isEmpty: boolean; readonly every: boolean } {
    let isEmpty = true;
    let every = true;
    this.#context.engine.scan(range, NEWEST, { reverse: false, visitsMax: fixed.integerMax }, (version) => {
      budget.spend();
      isEmpty = false;
      every = holds(version);
      return every;
    });
    return { isEmpty, every };
  }

  #visitRange(range: EngineRange, visit: (key: Uint8Array, version: Version) => void): void {
    const options = { reverse: false, visitsMax: fixed.integerMax };
    this.#context.engine.scan(range, NEWEST, options, (shown) => {
      visit(shown.copyKey(), shown);
      return true;
    });
  }

  /** The newest version, once a passed deadline is settled; with its value only if asked for. */
  #current(key: Uint8Array, withValue: boolean): Version | undefined {
    const { engine } = this.#context;
    const current = withValue ? engine.read(key, NEWEST) : engine.readMeta(key, NEWEST);
    if (current === undefined || current.expireTimeMs === 0) return current;
    return this.settleKey(key) ? undefined : current;
  }

  #freeLeaseId(): number {
    for (;;) {
      const bytes = Buffer.from(this.#context.random.bytes(8));
      const id = Number(bytes.readBigUInt64LE() & BigInt(fixed.integerMax));
      if (id !== 0 && this.#context.leases.get(id) === undefined) return id;
    }
  }
}

function checkCondition(condition: api.Condition, current: Version | undefined): void {
  const currentModRevision = current?.modRevision ?? 0;
  switch (condition.kind) {
    case 'mustNotExist':
      if (current === undefined) return;
      throw new StoreError('conditionFailed', 'the key exists', { currentModRevision });
    case 'mustExist':
      if (current !== undefined) return;
      throw new StoreError('conditionFailed', 'the key does not exist', { currentModRevision });
    case 'modRevisionEquals': {
      const wanted = checkCount(condition.modRevision, 'modRevision');
      if (currentModRevision === wanted) return;
      throw new StoreError(
        'conditionFailed',
        `the key's mod_revision is ${currentModRevision}, not ${wanted}`,
        { currentModRevision },
      );
    }
  }
}

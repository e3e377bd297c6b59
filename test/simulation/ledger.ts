/**
 * Keeps the account of one simulated store over all its lives: what was sequenced (from the recording engine), what
 * should have been (from the model), what was answered, and what may therefore never be lost.
 */
import type { Change } from '../../src/engine/version.ts';
import { valueTypeOf } from '../../src/store/collections/kinds.ts';
import { isUserKey } from '../../src/store/views/regions.ts';
import { NO_BYTES } from '../../src/wire/bytes.ts';
import { StoreError } from '../../src/errors.ts';
import type { CountResult, Store } from '../../src/api.ts';
import { describe, isSame } from './describe.ts';
import {
  type Instant,
  isExpired,
  Model,
  type ModelChange,
  type ModelEntry,
  type ModelLease,
} from './model.ts';
import { countOf } from './collections/content.ts';
import { GivenIds } from './collections/given-ids.ts';
import { callStore, type Operation } from './operation.ts';
import { type Answer, SequentialStore } from './sequential-store.ts';
import type { Trace } from './trace.ts';

/** A version as the engine was given it. */
interface Recorded {
  readonly revision: number;
  readonly key: string;
  /** `undefined`: deleted. */
  readonly version: RecordedVersion | undefined;
  readonly instant: Instant;
  /** Of a transaction that changes no key. */
  readonly isEmpty?: boolean;
}

/** Of a collection there is the count of its elements in place of its content, which is not all in the version. */
interface RecordedVersion extends Omit<ModelEntry, 'key' | 'content'> {
  readonly count: number;
}

/** What a call has done, and was to do. */
interface Run {
  /** `undefined`: the log had failed, or the store was closed. */
  readonly expected: Answer | undefined;
  readonly isRefused: boolean;
  readonly hasChanged: boolean;
  readonly hasClock: boolean;
  /** Of the model behind it. */
  readonly revision: number;
  readonly sequence: number;
}

export class Ledger {
  readonly model = new Model();
  readonly ids = new GivenIds();
  readonly #sequential = new SequentialStore(this.model);
  readonly #trace: Trace;
  readonly #instant: () => Instant;
  #recorded: Recorded[] = [];
  /** Those at which elements, or what is to be swept, have changed. */
  readonly #elementRevisions = new Set<number>();
  #callCount = 0;
  #openCalls = 0;
  #openCollectionCalls = 0;
  /** When the last process that had recovered the store ended, by its own clock. */
  #endedAtMs = 0;
  #isRecovered = false;
  /** The first that the last process that had recovered the store could write. */
  #firstRevision = 1;
  #areRenewalsLost = false;
  /** Somebody was told of this revision: an answer was computed from it, or a watch has shown it. */
  seenRevision = 0;
  /** The same of records, notes among them: what was computed from one is not lost with it. */
  seenSequence = 0;
  /** What is on disk whatever the policy: recovered, or in a snapshot. */
  flushedRevision = 0;
  /** The highest revision whose compaction was answered: no read goes below it any more, and no watch begins there. */
  compactedRevision = 0;
  /** The lease clock of the running process had come at least here when something of it was made durable. */
  evidenceMs = 0;
  /** The log has failed: nothing may be committed any more. */
  hasFailed = false;
  /** It is not known yet what a new process has found: what it does meanwhile comes behind that. */
  isRecovering = false;
  /** The store is being closed: calls may be refused. */
  isClosing = false;
  /** The calls that the store may not have run yet. */
  #unchecked = 0;
  /** The first call of a turn is run as it is made. */
  #isCalling = false;
  /** `limitReached` may come at any time. */
  isTight = false;

  constructor(trace: Trace, instant: () => Instant) {
    this.#trace = trace;
    this.#instant = instant;
  }

  /** The calls that have not been answered. */
  get openCallCount(): number {
    return this.#openCalls;
  }

  /** Takes down what the engine is given. */
  record(change: Change): void {
    const { revision } = change;
    this.ids.record(change);
    if (!isUserKey(change.key)) {
      this.#elementRevisions.add(revision);
      return;
    }
    const key = Buffer.from(change.key).toString('utf8');
    this.#recorded.push({ revision, key, version: versionOf(change), instant: this.#instant() });
  }

  /** A checkpoint begins at a revision. One that nothing has changed was taken for it. */
  sealed(revision: number): void {
    const newest = Math.max(
      this.model.revision,
      this.#recorded.at(-1)?.revision ?? 0,
      ...this.#elementRevisions,
    );
    if (revision > newest)
      this.#recorded.push({ revision, key: '', version: undefined, instant: this.#instant(), isEmpty: true });
  }

  saw(revision: number): void {
    // The store may have taken it by itself, since the model was last brought to where the store is.
    if (revision > this.model.revision) this.settle();
    this.seenRevision = Math.max(this.seenRevision, revision);
    this.#sawRecord(this.model.sequenceOf(revision));
  }

  /** Makes the call and checks what it did when the store has done it, and later what it answers. */
  async call(store: Store, operation: Operation): Promise<void> {
    const isOfCollections = operation.kind === 'collections';
    // Of two that change as many elements of a key in one turn, it could not be told which one a full log has refused.
    if (isOfCollections && this.isTight && this.#openCollectionCalls > 0) return;
    this.settle();
    const number = ++this.#callCount;
    const seenBefore = this.seenRevision;
    const instant = this.#instant();
    this.#trace.add(() => `#${number} ${describe(operation)}`);
    this.#isCalling = true;
    const answered = toAnswer(callStore(store, operation));
    this.#isCalling = false;
    this.#openCalls++;
    this.#openCollectionCalls += Number(isOfCollections);
    const { expected, isRefused, hasChanged, hasClock, revision, sequence } = await this.#whenRun(
      operation,
      instant,
    );
    const answer = await answered;
    this.#openCalls--;
    this.#openCollectionCalls -= Number(isOfCollections);
    this.#trace.add(() => `#${number} answers ${describe(answer)}`);
    // Once the log has failed they are those of the last durable record, whichever that is.
    if (this.hasFailed && isOfLeases(operation)) return;
    if (this.hasFailed && operation.kind === 'count' && 'value' in answer)
      return this.#checkVisibleCount(operation, answer.value as CountResult, seenBefore, instant);
    // The log had no room for elements that no key has any more.
    const mayBeUnseen = operation.kind === 'collections' && !hasChanged && this.isTight;
    if (mayBeUnseen && 'code' in answer && answer.code === 'limitReached') return;
    if ('code' in answer && this.#isExcused(answer.code, isRefused, hasChanged)) return;
    if (expected === undefined || isRefused) {
      if (isRefused) throw new Error(`#${number} changed nothing and was answered: ${describe(answer)}`);
      if ('value' in answer && (!this.hasFailed || !isReading(operation)))
        throw new Error(`#${number} was answered after the log had failed or the store was closed`);
      return;
    }
    if (!isSame(answer, expected)) {
      throw new Error(
        `#${number} ${describe(operation)} answers\n${describe(answer)}\nand should\n${describe(expected)}`,
      );
    }
    this.saw(revision);
    // A count waits for what it has counted, not for notes, which change nothing of that.
    if (operation.kind !== 'count') this.#sawRecord(sequence);
    if (hasClock) this.evidenceMs = Math.max(this.evidenceMs, instant.monotonicMs);
    if ('value' in answer) this.#noteRenewal(operation, instant);
  }

  /** Of several calls in a turn the store runs all but the first a little later, in their order. */
  #whenRun(operation: Operation, instant: Instant): Promise<Run> {
    this.#unchecked++;
    // The store's own microtask was asked for by the turn's first call, which came before.
    return Promise.resolve().then(() => {
      this.#unchecked--;
      return this.#check(operation, instant, this.#unchecked === 0);
    });
  }

  /** Whether there are calls of this turn that the store may not have run yet. */
  get hasUnchecked(): boolean {
    return this.#unchecked > 0;
  }

  #check(operation: Operation, instant: Instant, isLast: boolean): Run {
    this.#takeEmpty();
    const { model } = this;
    const revisionBefore = model.revision;
    const sequenceBefore = model.sequence;
    const leaseCountBefore = model.leaseById.size;
    const isStopped = this.hasFailed || this.isClosing;
    const expected = isStopped ? undefined : this.#sequential.run(operation, instant);
    if (mayGiveUp(operation) && model.revision === revisionBefore) this.#takeUnseen(instant);
    const isRefused = this.#compareRecorded(revisionBefore, operation, isLast);
    const { revision, sequence } = model;
    // A record that is written while there are leases notes their clock.
    const hasClock = sequence > sequenceBefore && leaseCountBefore > 0 && model.leaseById.size > 0;
    const hasCommitted = sequence > sequenceBefore || operation.kind === 'renewLease';
    const hasChanged = !isRefused && expected !== undefined && 'value' in expected && hasCommitted;
    return { expected, isRefused, hasChanged, hasClock, revision, sequence };
  }

  /** A collection that was begun and given up takes a revision if it had grown out of its packed form, which the model does not know. */
  #takeUnseen({ nowMs: timeMs }: Instant): void {
    const { model } = this;
    const revision = model.revision + 1;
    const isSeen = this.#recorded.some((recorded) => recorded.revision === revision);
    if (isSeen || !this.#elementRevisions.delete(revision)) return;
    model.commit({ changes: [], isUnseen: true, granted: undefined, ended: undefined, timeMs });
  }

  /** Brings the model to where the store is: what was committed since, was committed by the store itself. */
  settle(): void {
    // What was recorded may be of calls that are to be checked yet.
    if (this.#unchecked > 0 || this.isRecovering) return;
    while (this.#recorded.length > 0) this.#settleOne();
  }

  /** A snapshot has brought everything up to `revision` to disk. */
  flushed(revision: number): void {
    this.saw(revision);
    this.flushedRevision = Math.max(this.flushedRevision, revision);
  }

  /** The store has dropped what is older than `revision`, by a call that was answered. */
  compacted(revision: number): void {
    this.compactedRevision = Math.max(this.compactedRevision, revision);
  }

  /** The store was closed, by a call at this time: all that was taken is on disk, and so is the lease clock. */
  closed(monotonicMs: number): void {
    this.settle();
    this.flushed(this.model.revision);
    this.#sawRecord(this.model.sequence);
    this.evidenceMs = Math.max(this.evidenceMs, monotonicMs);
  }

  /**
   * The log has failed. Where it has been stopped within a call, for a read that failed behind the log, nothing of this turn is ever written:
   * calls are checked by the end of the turn, and the batch is written behind it.
   */
  failed(): void {
    this.hasFailed = true;
    if (this.#unchecked === 0 && !this.#isCalling) return;
    this.#recorded = [];
    for (const revision of this.#elementRevisions)
      if (revision > this.model.revision) this.#elementRevisions.delete(revision);
  }

  /** The process has ended; what it had not brought to an end is nobody's business any more. */
  processEnded(monotonicMs: number): void {
    this.settle();
    this.#elementRevisions.clear();
    if (this.#isRecovered) {
      this.#endedAtMs = monotonicMs;
      this.#areRenewalsLost = false;
    }
    this.#isRecovered = false;
    this.#openCalls = 0;
    this.#openCollectionCalls = 0;
    this.hasFailed = false;
    this.isClosing = false;
  }

  /** The power went, with a policy under which answers do not wait for the disk. */
  unflushedLost(): void {
    // But for the first transaction of a life, which is flushed whatever the policy.
    this.seenRevision = Math.max(this.flushedRevision, Math.min(this.seenRevision, this.#firstRevision));
    this.seenSequence = this.model.sequenceOf(this.seenRevision);
    this.compactedRevision = 0;
    this.evidenceMs = 0;
    // Renewals may be lost, too.
    this.#areRenewalsLost = true;
  }

  /** The store goes on from here, and all of this is on disk. */
  recovered(revision: number, monotonicMs: number): void {
    this.ids.recovered(revision);
    this.evidenceMs = monotonicMs;
    this.#isRecovered = true;
    this.seenRevision = revision;
    this.seenSequence = this.model.sequence;
    this.flushedRevision = revision;
    this.#firstRevision = revision + 1;
  }

  /** What a lease may have left after a restart. */
  remainingBounds(lease: ModelLease): { readonly leastMs: number; readonly mostMs: number } {
    const { ttlMs, deadlineMs, acknowledgedDeadlineMs } = lease;
    return {
      leastMs: this.#areRenewalsLost ? 0 : Math.max(0, acknowledgedDeadlineMs - this.#endedAtMs),
      mostMs: Math.min(ttlMs, Math.max(0, deadlineMs - this.evidenceMs)),
    };
  }

  /** It is of a state that was visible between the call, made at an instant, and now. */
  #checkVisibleCount(
    { range }: Extract<Operation, { kind: 'count' }>,
    { count, revision }: CountResult,
    seenBefore: number,
    { nowMs }: Instant,
  ): void {
    if (revision < seenBefore || revision > this.model.revision)
      throw new Error(`a count shows revision ${revision} when ${seenBefore} had been seen`);
    // The instant at which the state was pinned is not known, and keys may have become overdue meanwhile.
    const countAt = (instantMs: number): number => this.model.entriesAt(revision, range, instantMs).length;
    if (count > countAt(nowMs) || count < countAt(this.#instant().nowMs))
      throw new Error(`${count} keys are counted in ${describe(range)} at revision ${revision}`);
    this.saw(revision);
  }

  #isExcused(code: string, isRefused: boolean, hasChanged: boolean): boolean {
    // The one says that the call may have taken effect, the other that it has not.
    if (code === 'storageFailed') return this.hasFailed && hasChanged;
    if (code === 'readOnly') return this.hasFailed && !hasChanged;
    if (code === 'closed') return this.isClosing;
    // A call that only reads may be refused as well.
    if (code === 'readFailed') return this.isTight && !hasChanged;
    return isRefused && code === 'limitReached';
  }

  /**
   * Holds what the call has committed against what the model says.
   * @param isLast whether no other call of its turn follows.
   * @returns whether the store refused a part of it, at its own right.
   */
  #compareRecorded(revisionBefore: number, operation: Operation, isLast: boolean): boolean {
    const { model } = this;
    const recorded = this.#recorded;
    let at = 0;
    for (let revision = revisionBefore + 1; revision <= model.revision; revision++) {
      const { changes } = model.transaction(revision);
      const [first] = changes;
      const next = recorded[at];
      // What a later call of the turn has made may stand in its place.
      const isMissing = next === undefined || (first !== undefined && !isMade(first, next));
      if (first !== undefined && isMissing && this.isTight) {
        model.truncate(revision - 1);
        this.#recorded = recorded.slice(at);
        return true;
      }
      for (const change of changes) {
        const made = recorded[at++];
        if (made?.revision === revision && isMade(change, made)) continue;
        throw new Error(
          `${describe(operation)} commits\n${describe(made)}\nand should, at revision ${revision},\n${change.key} ${describe(change.after)}`,
        );
      }
    }
    this.#recorded = recorded.slice(at);
    this.#takeEmpty();
    const [extra] = this.#recorded;
    if (extra !== undefined && isLast)
      throw new Error(`${describe(operation)} also commits ${describe(extra)}, and should not`);
    return false;
  }

  /** Transactions without a change come where they were taken. */
  #takeEmpty(): void {
    for (;;) {
      const [first] = this.#recorded;
      if (first?.isEmpty !== true) return;
      this.#recorded = this.#recorded.slice(1);
      const { model } = this;
      if (first.revision !== model.revision + 1)
        throw new Error(`revision ${first.revision} was taken for a checkpoint after ${model.revision}`);
      const { nowMs: timeMs } = first.instant;
      model.commit({ changes: [], isUnseen: true, granted: undefined, ended: undefined, timeMs });
    }
  }

  /** Explains one transaction that no call has made: a key or a lease whose deadline has come. */
  #settleOne(): void {
    this.#takeEmpty();
    const [first] = this.#recorded;
    if (first === undefined) return;
    const { model } = this;
    const made = this.#recorded.filter(({ revision }) => revision === first.revision);
    this.#recorded = this.#recorded.slice(made.length);
    const { instant } = first;
    if (first.revision !== model.revision + 1)
      throw new Error(`revision ${first.revision} comes after ${model.revision}`);
    const before = model.read(first.key);
    if (before === undefined) throw new Error(`the store deletes ${first.key}, which is not there`);
    // Each lease has a key without a deadline.
    const hasExpired = made.length === 1 && isExpired(before, instant.nowMs);
    const ended = hasExpired ? undefined : this.#dueLease(before.leaseId, made, instant);
    const changes = made.map(({ key, version }): ModelChange => {
      if (version !== undefined) throw new Error(`the store writes ${key} by itself: ${describe(version)}`);
      const entry = model.read(key);
      const isOverdue = entry !== undefined && isExpired(entry, instant.nowMs);
      const reason = isOverdue ? 'expired' : 'leaseExpired';
      return { type: 'delete', key, reason, replacedExpired: false, before: entry, after: undefined };
    });
    this.#trace.add(() => `the store removes ${describe(changes.map(({ key, reason }) => [key, reason]))}`);
    model.commit({ changes, granted: undefined, ended, timeMs: instant.nowMs });
  }

  #dueLease(leaseId: number, made: readonly Recorded[], instant: Instant): ModelLease {
    const lease = this.model.leaseById.get(leaseId);
    const keys = made.map(({ key }) => key);
    if (lease === undefined) throw new Error(`the store removes ${describe(keys)} without a reason`);
    if (lease.deadlineMs > instant.monotonicMs) {
      throw new Error(`lease ${leaseId} ends ${lease.deadlineMs - instant.monotonicMs} ms early`);
    }
    const expected = this.model.keysOfLease(leaseId);
    if (!isSame(keys, expected))
      throw new Error(`lease ${leaseId} ends with ${describe(keys)}, not with ${describe(expected)}`);
    return lease;
  }

  #sawRecord(sequence: number): void {
    this.seenSequence = Math.max(this.seenSequence, sequence);
  }

  #noteRenewal(operation: Operation, { monotonicMs }: Instant): void {
    if (operation.kind !== 'renewLease') return;
    this.evidenceMs = Math.max(this.evidenceMs, monotonicMs);
    const lease = this.model.leaseById.get(operation.leaseId);
    if (lease === undefined) return;
    lease.acknowledgedDeadlineMs = Math.max(lease.acknowledgedDeadlineMs, monotonicMs + lease.ttlMs);
  }
}

function versionOf(change: Change): RecordedVersion | undefined {
  if (change.deleted) return undefined;
  const { createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs } = change;
  // The bytes are the caller's again afterwards.
  const type = valueTypeOf(change.kind);
  const value = type === undefined ? new Uint8Array(change.value) : NO_BYTES;
  const count = type === undefined ? 0 : countOf(change);
  const recorded = { value, createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs, count };
  return type === undefined ? recorded : { ...recorded, type };
}

function isMade({ key, after }: ModelChange, made: Recorded): boolean {
  if (made.key !== key || after === undefined || made.version === undefined)
    return made.key === key && after === made.version;
  const { key: _, content, ...expected } = after;
  return isSame(made.version, { ...expected, count: content?.items.length ?? 0 });
}

function isReading({ kind }: Operation): boolean {
  // What changes nothing goes on after a failure, whatever the call is; a lease is always changed.
  return kind !== 'grantLease' && kind !== 'renewLease' && kind !== 'revokeLease';
}

/** A read of leases, which is answered after a failure, too. */
function isOfLeases({ kind }: Operation): boolean {
  return kind === 'getLease' || kind === 'listLeases';
}

export async function toAnswer(call: Promise<unknown>): Promise<Answer> {
  try {
    return { value: await call };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { code, details } = error as StoreError;
    return { code, details };
  }
}

/** Whether it may begin a collection and give it up again. */
function mayGiveUp(operation: Operation): boolean {
  return operation.kind === 'collections' && operation.steps.length > 1;
}

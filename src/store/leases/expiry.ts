/**
 * Removes keys, elements of collections and leases whose deadline has passed, some at a time between other work, in the order of
 * their deadlines (keys with the same one in key order). Elements of a collection that follow each other go together. While a deadline exists the clock is looked at every
 * `fixed.expiryCheckMsMax` at least, since the wall clock may jump.
 *
 * A lease is not ended at the instant at which its time is found to be over. Node runs timers before it reads sockets, so
 * after a pause (SIGSTOP, a machine that was suspended or swaps, work that held the event loop) the renewals that came in
 * time wait there unread. First they are let in (`#letInputIn`): a lease that is renewed meanwhile goes on as if it had been
 * in time, and until it is ended it is there for all.
 */
import type { Clock, Timer } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import { isStoreError, isUnreadable } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { LeaseTable } from './lease-table.ts';
import { TimeSlice } from '../../time-slice.ts';
import { collectionIdOf, isElementKey } from '../collections/collection-keys.ts';

const REMOVALS_PER_LOOK = 16;

export interface ExpiryContext {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly leases: LeaseTable;
  /** Deletes a key if its deadline has passed, in a transaction of its own. */
  expireKey(key: Uint8Array): void;
  /** Deletes elements of one collection whose deadlines have passed, with what follows from it, in a transaction of its own. */
  expireElements(keys: readonly Uint8Array[]): void;
  /** Ends a lease whose time is over, with its keys, in a transaction of its own. */
  expireLease(leaseId: number): void;
  /** Wall time that does not go back. */
  nowMs(): number;
  /** Writes the lease clock into the log. */
  noteLeaseClock(): void;
}

export class Expiry {
  readonly #context: ExpiryContext;
  readonly #slice: TimeSlice;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  #lastNoteMs: number;
  /** Leases whose deadline is at or before this, by the lease clock, have had their chance. */
  #endableMs = -Infinity;
  #isLettingIn = false;
  /** Whether the next run comes without a timer. */
  #isYielding = false;
  #isStopped = false;
  /** Whether the last run met damage. */
  #isHindered = false;
  /** How often more was due than one turn has time for. */
  restCount = 0;

  constructor(context: ExpiryContext) {
    this.#context = context;
    this.#slice = new TimeSlice(context.clock, REMOVALS_PER_LOOK);
    this.#lastNoteMs = context.clock.monotonicMs();
  }

  /** Something has a deadline `inMs` from now. */
  notice(inMs: number): void {
    const delayMs = Math.min(inMs, fixed.expiryCheckMsMax);
    const atMs = this.#context.clock.monotonicMs() + delayMs;
    if (this.#isStopped || atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#context.clock.setTimer(delayMs, () => this.#run());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #run(): void {
    if (this.#isStopped) return;
    this.#isHindered = false;
    try {
      const isMoreDue = this.#removeDue();
      this.#noteLeaseClock();
      this.#timerAtMs = Infinity;
      if (isMoreDue) this.#yield();
      else if (!this.#isHindered) this.#scheduleNext();
    } catch (error) {
      // A failed or closed log: nothing will be removed any more.
      if (isStoreError(error, 'readOnly') || isStoreError(error, 'closed')) return this.stop();
      if (isStoreError(error, 'storageFailed') || isStoreError(error, 'notWriter')) return this.stop();
      // A full log buffer: try again a little later.
      if (isStoreError(error, 'limitReached')) {
        this.#timerAtMs = Infinity;
        this.#scheduleNext();
        return;
      }
      this.#checkUnreadable(error);
      this.#timerAtMs = Infinity;
    }
    // It is told of by then; what can be removed is.
    if (this.#isHindered) this.notice(fixed.expiryCheckMsMax);
  }

  /** A key or lease can't be removed since files of the engine are damaged, or can't be read. Throws anything else. */
  #checkUnreadable(error: unknown): void {
    if (!isUnreadable(error)) throw error;
    this.#isHindered = true;
  }

  #yield(): void {
    this.restCount++;
    this.#isYielding = true;
    this.#context.clock.yieldNow(() => {
      this.#isYielding = false;
      this.#run();
    });
  }

  /** Removes up to `fixed.expiryBatchMax`; @returns whether there may be more. */
  #removeDue(): boolean {
    const { engine, leases } = this.#context;
    const lease = leases.due(this.#endableMs);
    if (lease !== undefined) {
      this.#context.expireLease(lease.leaseId);
      return true;
    }
    const overdue = this.#isLettingIn ? undefined : leases.due(leases.clockMs());
    if (overdue !== undefined) this.#letInputIn(leases.clockMs() - overdue.deadlineMs);
    const keys = engine.due(this.#context.nowMs(), fixed.expiryBatchMax);
    this.#slice.begin();
    for (let index = 0, end = 0; index < keys.length; index = end) {
      end = endOfGroup(keys, index);
      try {
        this.#expire(keys, index, end);
      } catch (error) {
        this.#checkUnreadable(error);
      }
      let isOver = false;
      for (let at = index; at < end; at++) isOver = this.#slice.isOver() || isOver;
      if (isOver) return true;
    }
    return keys.length === fixed.expiryBatchMax && !this.#isHindered;
  }

  /** @param end behind `index`: behind several where they are elements of one collection. */
  #expire(keys: readonly Uint8Array[], index: number, end: number): void {
    const key = keys[index];
    if (key === undefined) return;
    if (isElementKey(key)) this.#context.expireElements(keys.slice(index, end));
    else this.#context.expireKey(key);
  }

  /**
   * Gives renewals that wait in sockets the time to come in: some turns of the event loop, each of which reads what is
   * there. If the lease is found so late that the loop must have stood still, also some time before that: for clients that
   * have to connect again, and for what takes more than reading. Both are bounded, so a loop that is always late ends leases
   * all the same.
   */
  #letInputIn(lateMs: number): void {
    const { clock } = this.#context;
    this.#isLettingIn = true;
    if (lateMs < fixed.leaseLateMs) this.#takeTurns();
    else clock.setTimer(fixed.leaseGraceMs, () => this.#takeTurns());
  }

  /** Afterwards those leases may be ended whose time is over now. */
  #takeTurns(): void {
    const { clock, leases } = this.#context;
    const endableMs = leases.clockMs();
    const turn = (left: number): void => {
      if (left > 0) return clock.yieldNow(() => turn(left - 1));
      this.#isLettingIn = false;
      this.#endableMs = endableMs;
      if (!this.#isYielding) this.#run();
    };
    turn(fixed.leaseTurns);
  }

  #noteLeaseClock(): void {
    const { clock, leases } = this.#context;
    if (leases.size === 0 || clock.monotonicMs() - this.#lastNoteMs < fixed.leaseClockNoteMs) return;
    this.#lastNoteMs = clock.monotonicMs();
    this.#context.noteLeaseClock();
  }

  #scheduleNext(): void {
    const { engine, leases } = this.#context;
    const keyDeadlineMs = engine.nextDeadlineMs();
    if (keyDeadlineMs !== undefined) this.notice(Math.max(1, keyDeadlineMs - this.#context.nowMs()));
    if (this.#isLettingIn) return;
    const leaseDeadlineMs = leases.nextDeadlineMs();
    if (leaseDeadlineMs !== undefined) this.notice(Math.max(1, leaseDeadlineMs - leases.clockMs()));
  }
}

/** Behind a key; behind elements of one collection that follow each other, as many as may go together. */
function endOfGroup(keys: readonly Uint8Array[], start: number): number {
  const first = keys[start];
  if (first === undefined || !isElementKey(first)) return start + 1;
  const id = collectionIdOf(first);
  let end = start + 1;
  for (const endMax = start + fixed.expiredElementsMax; end < endMax; end++) {
    const key = keys[end];
    if (key === undefined || !isElementKey(key) || collectionIdOf(key) !== id) break;
  }
  return end;
}

/**
 * The times that calls, connections and the like are bounded by, on one timer: one that is over before costs two links of a
 * list and no timer.
 *
 * Entries stand in lists by the time at which they are due, rounded up: to a 128th of how far away it was when it was set, and
 * at least to `STEP_MS_MIN`. So there are few lists, however many entries, and a call ends late by less than a hundredth.
 *
 * Invariants: an empty list stands in `#listByDueMs` no more, unless it is the newest; the timer is set for the list that is
 * due first, or for one that was.
 */
import type { Clock, Timer } from './clock.ts';

/** Something that ends at some time unless it is over before. It is in one list at most. */
export abstract class Timed {
  /** Of `Deadlines`. */
  list: DueList | undefined = undefined;
  previous: Timed | undefined = undefined;
  next: Timed | undefined = undefined;

  /** The time is over; the entry is in no list any more. */
  abstract expire(): void;
}

interface DueList {
  readonly dueMs: number;
  first: Timed | undefined;
}

/** The least step of rounding, which is the least time that a deadline may be late by. */
const STEP_MS_MIN = 4;
const STEPS = 128;

export class Deadlines {
  readonly #clock: Clock;
  readonly #listByDueMs = new Map<number, DueList>();
  /** The list of the entry that was set last: calls that come together end in the same one. */
  #newest: DueList = { dueMs: Number.NaN, first: undefined };
  /** Most are as far away as the one before. */
  #lastDelayMs = Number.NaN;
  #lastStepMs = 0;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is kept beside the entries. */
  get listCount(): number {
    return this.#listByDueMs.size;
  }

  /** Sets when an entry ends; one that is set already is set anew. */
  set(entry: Timed, delayMs: number): void {
    this.cancel(entry);
    if (delayMs !== this.#lastDelayMs) {
      this.#lastDelayMs = delayMs;
      this.#lastStepMs = stepOf(delayMs);
    }
    const step = this.#lastStepMs;
    const dueMs = Math.ceil((this.#clock.monotonicMs() + delayMs) / step) * step;
    const list = this.#newest.dueMs === dueMs ? this.#newest : this.#listAt(dueMs);
    const { first } = list;
    entry.list = list;
    entry.next = first;
    if (first !== undefined) first.previous = entry;
    list.first = entry;
  }

  /** An entry that is not set stays so. */
  cancel(entry: Timed): void {
    const { list, previous, next } = entry;
    if (list === undefined) return;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else list.first = next;
    entry.list = entry.previous = entry.next = undefined;
    // The newest is likely to be used again at once, and goes when another takes its place.
    if (list.first === undefined && list !== this.#newest) this.#drop(list);
  }

  #drop(list: DueList): void {
    if (this.#listByDueMs.get(list.dueMs) === list) this.#listByDueMs.delete(list.dueMs);
  }

  #listAt(dueMs: number): DueList {
    const before = this.#newest;
    if (before.first === undefined) this.#drop(before);
    let list = this.#listByDueMs.get(dueMs);
    if (list === undefined) {
      list = { dueMs, first: undefined };
      this.#listByDueMs.set(dueMs, list);
      if (dueMs < this.#timerDueMs) this.#setTimer(dueMs);
    }
    this.#newest = list;
    return list;
  }

  #setTimer(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - this.#clock.monotonicMs(), () => this.#expire());
  }

  #expire(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    let nextDueMs = Number.POSITIVE_INFINITY;
    const due: DueList[] = [];
    for (const [dueMs, list] of this.#listByDueMs) {
      if (dueMs <= nowMs) due.push(list);
      else nextDueMs = Math.min(nextDueMs, dueMs);
    }
    for (const list of due) {
      this.#listByDueMs.delete(list.dueMs);
      if (list === this.#newest) this.#newest = { dueMs: Number.NaN, first: undefined };
      for (let entry = list.first; entry !== undefined; entry = list.first) {
        this.cancel(entry);
        entry.expire();
      }
    }
    // What expired may have set others.
    if (nextDueMs < this.#timerDueMs) this.#setTimer(nextDueMs);
  }
}

/** A power of two, so that the steps of all distances fall together and lists are shared. */
function stepOf(delayMs: number): number {
  const step = 2 ** Math.floor(Math.log2(delayMs / STEPS));
  return step > STEP_MS_MIN ? step : STEP_MS_MIN;
}

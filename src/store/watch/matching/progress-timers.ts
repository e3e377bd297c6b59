/**
 * The times at which watches that were told nothing for a while are to say how far they are. All with the same interval share a
 * timer, since they are due in the order in which they began to wait: to begin anew, which each event brings about, costs some
 * links of a list.
 *
 * Invariants: a list is in the order of `dueMs`; its timer is set for the entry that was first when it was set, or an earlier one;
 * there is no list without entries.
 */
import type { Clock, Timer } from '../../../clock.ts';

/** A watch that waits, or did so not long ago. It is in one list at most. */
export abstract class ProgressEntry {
  /** Of `ProgressTimers`. */
  list: IntervalList | undefined = undefined;
  previous: ProgressEntry | undefined = undefined;
  next: ProgressEntry | undefined = undefined;
  dueMs = 0;

  /** It was not begun anew for its interval, and is in no list any more. */
  abstract progressDue(): void;
}

interface IntervalList {
  readonly intervalMs: number;
  first: ProgressEntry | undefined;
  last: ProgressEntry | undefined;
  timer: Timer | undefined;
}

export class ProgressTimers {
  readonly #clock: Clock;
  readonly #listByInterval = new Map<number, IntervalList>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The interval of an entry begins, or begins anew. It is always the same one. */
  begin(entry: ProgressEntry, intervalMs: number): void {
    const list = entry.list ?? this.#listOf(intervalMs);
    if (entry.list !== undefined) unlink(entry, list);
    entry.dueMs = this.#clock.monotonicMs() + intervalMs;
    entry.list = list;
    entry.previous = list.last;
    if (list.last === undefined) list.first = entry;
    else list.last.next = entry;
    list.last = entry;
    if (list.timer === undefined) this.#setTimer(list, intervalMs);
  }

  cancel(entry: ProgressEntry): void {
    const { list } = entry;
    if (list === undefined) return;
    unlink(entry, list);
    if (list.first !== undefined) return;
    list.timer?.cancel();
    this.#listByInterval.delete(list.intervalMs);
  }

  #listOf(intervalMs: number): IntervalList {
    let list = this.#listByInterval.get(intervalMs);
    if (list === undefined) {
      list = { intervalMs, first: undefined, last: undefined, timer: undefined };
      this.#listByInterval.set(intervalMs, list);
    }
    return list;
  }

  #setTimer(list: IntervalList, delayMs: number): void {
    list.timer = this.#clock.setTimer(delayMs, () => this.#expire(list));
  }

  #expire(list: IntervalList): void {
    const nowMs = this.#clock.monotonicMs();
    list.timer = undefined;
    for (let { first } = list; first !== undefined && first.dueMs <= nowMs; { first } = list) {
      this.cancel(first);
      first.progressDue();
    }
    if (list.first !== undefined) this.#setTimer(list, list.first.dueMs - nowMs);
  }
}

function unlink(entry: ProgressEntry, list: IntervalList): void {
  const { previous, next } = entry;
  if (previous === undefined) list.first = next;
  else previous.next = next;
  if (next === undefined) list.last = previous;
  else next.previous = previous;
  entry.list = entry.previous = entry.next = undefined;
}

/**
 * The clock of a store: the wall time that it shows never goes back, from one of its lives to the next either. This is the one place that decides which
 * instant is now; deadlines of keys are compared with it and made from it, in reads, writes, watches and expiry alike.
 *
 * A read that has left a key out since its deadline had passed must not be followed by one that shows the key again. So
 * when the wall clock steps back, the time that is shown goes on from where it was, but at `CATCH_UP_RATE` of the pace of
 * the monotonic clock, until the wall clock has come up to it; from then on it is the wall clock again. Meanwhile a time to
 * live lasts a seventh longer at most. Time that stood still until then would be worse: after a step forward of a year that
 * was made by mistake and taken back, no key would expire for a year.
 *
 * Example: the wall clock goes from 12:00 back to 11:00. It shows 12:00 and on, an eighth slower, and is at 19:00 when the
 * wall clock is.
 *
 * A step forward is believed at once: deadlines are points of the wall clock, and which of two times is the right one
 * can't be known.
 *
 * Each record of the log has the time at which it was decided, and the next life goes on from the latest that recovery has
 * met. So a key that was overdue at a durable write is not shown again after a crash, removed or not. What no record is
 * behind is no more certain than an unflushed write: a key may be left out of reads for the moment that its removal takes to
 * be durable.
 *
 * In a store that follows another (`follow`) time stands at the newest record that it has applied: what the writer showed then is shown
 * here, whatever this machine's clock says. When it becomes the writer (`lead`), time goes on from there as after a start. What it shows as
 * the writer is hidden by the time of its newest durable record (`replication/recorded-time.ts`).
 *
 * Ages and limits of time have nothing to do with this: they count by `monotonicMs`.
 */
import type { Clock, Timer } from '../clock.ts';
import { fixed } from '../limits.ts';
import type { OperatorEvent } from './operator-event.ts';

const CATCH_UP_RATE = 7 / 8;

export class SteadyClock implements Clock {
  readonly #clock: Clock;
  #shownMs = -Infinity;
  /** Where the wall clock was found to have stepped back; `undefined` while it is what is shown. */
  #step: { readonly shownMs: number; readonly monotonicMs: number } | undefined;

  #isFollowing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An earlier life has come at least to this time: that is shown at the least, from now on. */
  continueFrom(shownMs: number): void {
    this.#shownMs = Math.max(this.#shownMs, shownMs);
    // A wall clock that is behind is noticed now, so that time goes on from here.
    if (!this.#isFollowing) this.nowMs();
  }

  /** Time stands from now on, and moves by `continueFrom` alone. */
  follow(): void {
    this.#isFollowing = true;
    this.#shownMs = Math.max(this.#shownMs, 0);
    this.#step = { shownMs: this.#shownMs, monotonicMs: 0 };
  }

  /** Time goes on by itself again. @returns how far the wall clock is behind what is shown; not above 0: it is not. */
  lead(): number {
    this.#isFollowing = false;
    this.#step = undefined;
    return this.#shownMs - this.#clock.nowMs();
  }

  nowMs(): number {
    const wallMs = this.#clock.nowMs();
    if (this.#step === undefined && wallMs >= this.#shownMs) {
      this.#shownMs = wallMs;
      return wallMs;
    }
    if (this.#isFollowing) return this.#shownMs;
    const monotonicMs = this.#clock.monotonicMs();
    const step = (this.#step ??= { shownMs: this.#shownMs, monotonicMs });
    const slowMs = step.shownMs + Math.floor((monotonicMs - step.monotonicMs) * CATCH_UP_RATE);
    if (wallMs >= slowMs) this.#step = undefined;
    this.#shownMs = Math.max(wallMs, slowMs);
    return this.#shownMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#clock.setTimer(delayMs, callback);
  }

  yieldNow(callback: () => void): void {
    this.#clock.yieldNow(callback);
  }
}

/** The time that the store shows goes on from one life to the next, or from the records that it has applied. */
export function goOnFrom(shownMs: number, clock: SteadyClock, onEvent: (event: OperatorEvent) => void): void {
  clock.follow();
  clock.continueFrom(shownMs);
  const behindMs = clock.lead();
  if (behindMs >= fixed.clockBehindEventMsMin) onEvent({ kind: 'clockBehind', behindMs });
}

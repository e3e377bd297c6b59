/**
 * Bounds how long a piece of background work holds the event loop: counts alone do not, since code that runs for the
 * first time takes twenty times as long as later, and so does what meets a cold cache or a busy machine.
 */
import type { Clock } from './clock.ts';
import { fixed } from './limits.ts';

export class TimeSlice {
  readonly #clock: Clock;
  readonly #asksPerLook: number;
  #asks = 0;
  #endMs = 0;

  /** @param asksPerLook how often `isOver` may be asked before the clock is read again. */
  constructor(clock: Clock, asksPerLook: number) {
    this.#clock = clock;
    this.#asksPerLook = asksPerLook;
  }

  begin(): void {
    this.#asks = 0;
    this.#endMs = this.#clock.monotonicMs() + fixed.timeSliceMs;
  }

  /** Whether the work should let others run; to be asked after each of its steps. */
  isOver(): boolean {
    return ++this.#asks % this.#asksPerLook === 0 && this.#clock.monotonicMs() >= this.#endMs;
  }
}

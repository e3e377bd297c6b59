/**
 * How late timers of the event loop are, for a person who looks: counted only while somebody asks, since a timer that is always set
 * would keep a processor awake for nothing. What a scrape tells is measured apart (`event-loop-lag.ts`), since each scrape begins anew.
 */
import type { Clock, Timer } from '../../../clock.ts';
import { serverFixed } from '../../../limits.ts';
import { Histogram } from '../histogram.ts';

const { loopDelayEveryMs, loopDelayAskedMs, callDurationBounds } = serverFixed;
const MS_PER_SECOND = 1000;

export class LoopDelay {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'setTimer'>;
  /** In seconds, by the bounds of calls. */
  readonly #delays = new Histogram(callDurationBounds);
  #timer: Timer | undefined;
  #askedAtMs = 0;

  constructor(clock: Pick<Clock, 'monotonicMs' | 'setTimer'>) {
    this.#clock = clock;
  }

  /** Counts so far, by bound, one more beyond all. Goes on counting until it was not asked for `loopDelayAskedMs`. */
  get counts(): Readonly<Float64Array> {
    this.#askedAtMs = this.#clock.monotonicMs();
    if (this.#timer === undefined) this.#arm();
    return this.#delays.counts;
  }

  #arm(): void {
    const dueMs = this.#clock.monotonicMs() + loopDelayEveryMs;
    this.#timer = this.#clock.setTimer(loopDelayEveryMs, () => {
      const nowMs = this.#clock.monotonicMs();
      this.#delays.add(Math.max(0, nowMs - dueMs) / MS_PER_SECOND);
      this.#timer = undefined;
      if (nowMs - this.#askedAtMs < loopDelayAskedMs) this.#arm();
    });
  }
}

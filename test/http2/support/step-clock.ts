/** Time that stands still, and turns of the event loop that a test takes one by one: all within one call. */
import type { Clock, Timer } from '../../../src/clock.ts';

interface Waiting {
  readonly atMs: number;
  readonly callback: () => void;
}

export class StepClock implements Clock {
  #ms = 0;
  #turns: (() => void)[] = [];
  #timers: readonly Waiting[] = [];

  nowMs(): number {
    return 1_000_000 + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  /** The timers that are set and not due. */
  get timerCount(): number {
    return this.#timers.length;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.#ms + delayMs, callback };
    this.#timers = [...this.#timers, timer];
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  yieldNow(callback: () => void): void {
    this.#turns.push(callback);
  }

  /** Runs what waits for the end of this turn. @returns whether there was anything. */
  turn(): boolean {
    const turns = this.#turns;
    this.#turns = [];
    for (const callback of turns) callback();
    return turns.length > 0;
  }

  /** Takes turns until nothing waits for one; fails when that has no end. */
  settle(): void {
    for (let count = 0; this.turn(); count++) {
      if (count === 100_000) throw new Error('the turns have no end');
    }
  }

  advance(ms: number): void {
    this.#ms += ms;
    for (;;) {
      const due = this.#timers.find(({ atMs }) => atMs <= this.#ms);
      if (due === undefined) return;
      this.#timers = this.#timers.filter((other) => other !== due);
      due.callback();
    }
  }
}

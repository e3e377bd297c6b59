/** A clock for tests that decide when time passes. */
import type { Clock, Timer } from '../../src/clock.ts';

interface Waiting {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time stands still until a test moves it. Input, output and `yieldNow` go on without it. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #waiting: Waiting[] = [];
  #yieldCount = 0;

  constructor(nowMs = 1_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), callback };
    this.#waiting.push(timer);
    return {
      cancel: () => {
        this.#waiting = this.#waiting.filter((other) => other !== timer);
      },
    };
  }

  yieldNow(callback: () => void): void {
    this.#yieldCount++;
    setImmediate(() => {
      this.#yieldCount--;
      callback();
    });
  }

  /** Lets time pass, and runs the timers that are due, each at its own instant. */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms;
    for (let timer = this.#nextUntil(untilMs); timer !== undefined; timer = this.#nextUntil(untilMs)) {
      const due = timer;
      this.#pass(Math.max(0, due.atMs - this.#monotonicMs));
      this.#waiting = this.#waiting.filter((other) => other !== due);
      due.callback();
    }
    this.#pass(untilMs - this.#monotonicMs);
  }

  /** Lets time pass in a process that has the time: what a timer sets off is done before the next one is due. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    for (let timer = this.#nextUntil(untilMs); timer !== undefined; timer = this.#nextUntil(untilMs)) {
      this.advance(Math.max(0, timer.atMs - this.#monotonicMs));
      await this.settled();
    }
    this.advance(untilMs - this.#monotonicMs);
    await this.settled();
  }

  /** The process stands still for so long: the timers that became due meanwhile run late, all at the end. */
  pause(ms: number): void {
    this.#pass(ms);
    this.advance(0);
  }

  /** Sets the wall clock forwards or backwards; no time passes. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  /** Drops all timers, as the end of a process does. */
  dropTimers(): void {
    this.#waiting = [];
  }

  /** Waits until nothing more happens by itself: no `yieldNow` and no work of promises is left. */
  async settled(): Promise<void> {
    do {
      await new Promise(setImmediate);
    } while (this.#yieldCount > 0);
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    this.#monotonicMs += ms;
  }

  #nextUntil(untilMs: number): Waiting | undefined {
    let next: Waiting | undefined;
    for (const timer of this.#waiting) {
      if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }
}

/**
 * A process on a simulated machine: what it has under way comes back to it while it runs. A paused one gets all of that when it goes on,
 * and one that was killed never.
 */
import type { Clock, Timer } from '../../../src/clock.ts';
import type { Schedule } from '../../support/schedule.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** How the clocks of a machine differ from the world's. */
export interface Skew {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Yields of the event loop, and calls of the disk. */
const YIELD_MS = 0.02;
const DISK_MS_MAX = 0.3;

export class Process {
  readonly #time: SimulatedTime;
  readonly #skew: Skew;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #held: (() => void)[] = [];

  constructor(time: SimulatedTime, skew: Skew) {
    this.#time = time;
    this.#skew = skew;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  /** Something comes to the process from outside. */
  run(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'paused') this.#held.push(action);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** Goes on. What has come meanwhile is dealt with one by one. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const held = this.#held;
    this.#held = [];
    for (const action of held) this.#time.within(YIELD_MS, () => this.run(action));
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  /** Settles as a promise from outside does, as far as the process hears of it. */
  hear<Result>(promise: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      promise.then(
        (result) => this.run(() => resolve(result)),
        (error: unknown) => this.run(() => reject(error)),
      );
    });
  }

  readonly schedule: Schedule = (action) => this.#time.within(DISK_MS_MAX, () => this.run(action));

  readonly clock: Clock = {
    nowMs: () => Math.floor(START_MS + this.#time.nowMs + this.#skew.wallMs),
    monotonicMs: () => this.#time.nowMs + this.#skew.monotonicMs,
    setTimer: (delayMs, callback): Timer => {
      let isCancelled = false;
      const timer = this.#time.in(delayMs, () => this.run(() => isCancelled || callback()));
      return {
        cancel: () => {
          isCancelled = true;
          timer.cancel();
        },
      };
    },
    yieldNow: (callback) => void this.#time.in(YIELD_MS, () => this.run(callback)),
  };
}

const START_MS = 1_700_000_000_000;

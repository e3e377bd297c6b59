/**
 * Time and order of a simulated machine: which of the things that could happen next happens, and what the clock says.
 *
 * Completions of disk calls, compressed blocks, yields of the event loop, timers and steps of clients wait here; the
 * seed picks one of them, then the promises it settled run dry, then it picks the next. Timers run in the order of
 * their instants, but as late as it happens. Time passes a little between the steps, and up to the next timer when
 * there is nothing else to do.
 */
import type { Clock, Timer } from '../../src/clock.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Schedule } from '../support/schedule.ts';
import { runTurns } from '../support/run-turns.ts';

interface WaitingTimer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** How time passes between two steps: how often, and how much at most. */
interface Pace {
  readonly probability: number;
  readonly stepMsMax: number;
}

const PACES: readonly Pace[] = [
  { probability: 0, stepMsMax: 1 },
  { probability: 0.02, stepMsMax: 20 },
  { probability: 0.1, stepMsMax: 100 },
  { probability: 0.02, stepMsMax: 3000 },
];
/** How often the oldest of all that waits goes first. */
const OLDEST_FIRST_PROBABILITIES = [0, 0.5, 0.9, 1] as const;

/**
 * Node lets all promises run dry between two callbacks of `setImmediate`, and asks the operating system for news only
 * when all that were set are done. There are none here, and asking takes longer than a step.
 */
const TURNS_PER_LOOP = 64;

export class Scheduler implements Clock {
  readonly #random: SeededRandom;
  readonly #pace: Pace;
  readonly #oldestFirst: number;
  #actions: (() => void)[] = [];
  #timers: WaitingTimer[] = [];
  #nowMs: number;
  #monotonicMs: number;
  #stepCount = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#pace = random.pick(PACES);
    this.#oldestFirst = random.pick(OLDEST_FIRST_PROBABILITIES);
    this.#nowMs = 1_700_000_000_000 + random.below(1_000_000);
    this.#monotonicMs = random.below(1_000_000);
  }

  /** The steps so far. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** For the disk, and for clients. */
  readonly schedule: Schedule = (action) => void this.#actions.push(action);

  /** Whether nothing can happen before more time has passed. */
  get isIdle(): boolean {
    const [timer] = this.#timers;
    return this.#actions.length === 0 && (timer === undefined || timer.atMs > this.#monotonicMs);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), callback };
    // Behind those of the same instant.
    const after = this.#timers.findIndex(({ atMs }) => atMs > timer.atMs);
    this.#timers.splice(after < 0 ? this.#timers.length : after, 0, timer);
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
  }

  yieldNow(callback: () => void): void {
    this.schedule(callback);
  }

  /** Resolves at some later step. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.schedule(resolve));
  }

  /** Resolves when so much time has passed. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.setTimer(ms, resolve));
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    this.#monotonicMs += ms;
  }

  /** Sets the wall clock; no time passes. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  /** Ends the process: nothing of what waits will happen. The next one counts from another instant. */
  restart(): void {
    this.#actions = [];
    this.#timers = [];
    this.#monotonicMs = this.#random.below(1_000_000);
  }

  /** Steps until `isDone`, which is asked before each step. */
  runUntil(isDone: () => boolean): Promise<void> {
    return runTurns(isDone, () => this.#step(), TURNS_PER_LOOP);
  }

  #step(): void {
    this.#stepCount++;
    const random = this.#random;
    if (random.chance(this.#pace.probability)) this.advance(random.between(1, this.#pace.stepMsMax));
    const [timer] = this.#timers;
    const isTimerDue = timer !== undefined && timer.atMs <= this.#monotonicMs;
    const count = this.#actions.length;
    if (isTimerDue && random.below(count + 1) === count) {
      this.#timers.shift();
      timer.callback();
    } else if (count > 0) {
      const index = random.chance(this.#oldestFirst) ? 0 : random.below(count);
      this.#actions.splice(index, 1)[0]?.();
    } else if (timer !== undefined) {
      this.advance(Math.ceil(timer.atMs - this.#monotonicMs));
    }
  }
}

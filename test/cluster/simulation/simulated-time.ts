/**
 * The time of a simulated world with several machines: what happens next is what is due first. Each thing that takes time takes one that
 * the seed draws, so the order of things is drawn too.
 */
import type { Timer } from '../../../src/clock.ts';
import type { SeededRandom } from '../../support/random.ts';
import { runTurns } from '../../support/run-turns.ts';

interface Event {
  readonly atMs: number;
  /** Of those of one instant the older goes first. */
  readonly number: number;
  run: (() => void) | undefined;
}

/** Node lets all promises run dry between two callbacks of `setImmediate`. */
const EVENTS_PER_LOOP = 64;

export class SimulatedTime {
  readonly #random: SeededRandom;
  /** A heap: the first is due first. */
  readonly #events: Event[] = [];
  #nowMs = 0;
  #count = 0;
  #eventCount = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The events so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Runs `run` in so many milliseconds. */
  in(delayMs: number, run: () => void): Timer {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), number: this.#count++, run };
    this.#push(event);
    return { cancel: () => void (event.run = undefined) };
  }

  /** Runs it after a time that is drawn, up to so much. */
  within(delayMsMax: number, run: () => void): void {
    this.in((this.#random.uint32() / 2 ** 32) * delayMsMax, run);
  }

  /** Resolves in so many milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.in(ms, resolve));
  }

  /** Lets things happen until `isDone`, which is asked before each. */
  runUntil(isDone: () => boolean): Promise<void> {
    return runTurns(isDone, () => this.#step(), EVENTS_PER_LOOP);
  }

  /** Nothing happens any more. What goes on when a world ends would else hold all of it: signals that are listened to are never forgotten. */
  end(): void {
    this.#events.length = 0;
  }

  #step(): void {
    for (;;) {
      const event = this.#pop();
      // What waits for nothing but promises has its turn.
      if (event === undefined) return;
      if (event.run === undefined) continue;
      this.#nowMs = event.atMs;
      this.#eventCount++;
      event.run();
      return;
    }
  }

  #push(event: Event): void {
    const events = this.#events;
    let index = events.length;
    events.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = events[parent];
      if (above === undefined || isBefore(above, event)) break;
      events[index] = above;
      index = parent;
    }
    events[index] = event;
  }

  #pop(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [events[child], events[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child++;
      const next = events[child];
      if (next === undefined || isBefore(last, next)) break;
      events[index] = next;
      index = child;
    }
    events[index] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number);
}

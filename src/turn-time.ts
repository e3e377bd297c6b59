/**
 * How long calls have taken that are run in one turn of the event loop. It bounds them beside what they have done: what a visit takes
 * depends on the engine, and a put over files takes ten times as long as one in memory.
 *
 * Only the time is counted in which calls run, and what they took in several turns adds up: that costs a rest now and then, and no look at
 * where a turn ends.
 */
import type { Clock } from './clock.ts';
import { fixed } from './limits.ts';

export class TurnTime {
  readonly #clock: Clock;
  #spentMs = 0;
  #lookedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls begin to run. */
  begin(): void {
    this.#lookedMs = this.#clock.monotonicMs();
  }

  /** To be asked while they run, and when they have. @returns whether others should have their turn: then it is counted anew. */
  isOver(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#spentMs += nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    if (this.#spentMs < fixed.turnMs) return false;
    this.#spentMs = 0;
    return true;
  }
}

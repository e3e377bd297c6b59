/**
 * Bounds how long requests and replies in JSON hold the event loop. Each is made in pieces, and what all of them do in one turn
 * ends after `timeSliceMs`; the pieces that are left follow in the next turns, in their order. A piece alone may take longer.
 */
import { type Clock, systemClock } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import { Fifo } from '../../store/fifo.ts';

/** Where pieces are done. */
export interface Turns {
  /** Does a piece: at once, if this turn has time for it and nothing waits. */
  run<Result>(piece: () => Result): Promise<Awaited<Result>>;
}

export class TurnWork implements Turns {
  readonly #clock: Clock;
  /** At most a few for each call under way. */
  readonly #waiting = new Fifo<() => void>();
  /** Something was done in this turn, and `#endMs` is when that has to end. */
  #hasBegun = false;
  #endMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run<Result>(piece: () => Result): Promise<Awaited<Result>> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const attempt = (): void => {
      try {
        resolve(piece());
      } catch (error) {
        reject(error);
      }
    };
    if (this.#waiting.length === 0 && this.#hasTime()) attempt();
    else this.#waiting.push(attempt);
    return promise as Promise<Awaited<Result>>;
  }

  #hasTime(): boolean {
    if (this.#hasBegun) return this.#clock.monotonicMs() < this.#endMs;
    this.#begin();
    return true;
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#endMs = this.#clock.monotonicMs() + fixed.timeSliceMs;
    this.#clock.yieldNow(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#hasBegun = false;
    while (this.#waiting.length > 0 && this.#hasTime()) this.#waiting.shift()?.();
  }
}

/** One for all, as the event loop is one. */
export const jsonTurns = new TurnWork(systemClock);

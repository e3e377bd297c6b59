/**
 * What connections do at the end of a turn of the event loop, once for all of them: send what has gathered, and go on with
 * what was left over. One callback of the event loop serves every connection that asked.
 */
import type { Clock } from '../../clock.ts';
import { http2 } from '../../limits.ts';

export interface TurnTaker {
  /** Is called once for each time that it asked; may ask again, for the next turn. */
  endTurn(): void;
  /** Many have asked: what it holds for the end of the turn is to go now. `endTurn` follows all the same. */
  endEarly(): void;
}

export class Turns {
  readonly #clock: Clock;
  #takers: TurnTaker[] = [];
  #spare: TurnTaker[] = [];
  readonly #run = (): void => this.#endTurn();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks for the end of this turn. To ask once a turn is the taker's business. */
  ask(taker: TurnTaker): void {
    const count = this.#takers.push(taker);
    if (count === 1) this.#clock.yieldNow(this.#run);
    // Each holds a buffer for its output: the first of them gives it to the latest.
    if (count > http2.outputsKept) this.#takers[count - 1 - http2.outputsKept]?.endEarly();
  }

  #endTurn(): void {
    const takers = this.#takers;
    this.#takers = this.#spare;
    let next = 0;
    try {
      while (next < takers.length) takers[next++]?.endTurn();
    } finally {
      // What one taker throws must not keep the others from their turn.
      for (const taker of takers.slice(next)) this.ask(taker);
      takers.length = 0;
      this.#spare = takers;
    }
  }
}

const turnsByClock = new WeakMap<Clock, Turns>();

/** All connections with one clock share their turns. */
export function turnsOf(clock: Clock): Turns {
  let turns = turnsByClock.get(clock);
  if (turns === undefined) {
    turns = new Turns(clock);
    turnsByClock.set(clock, turns);
  }
  return turns;
}

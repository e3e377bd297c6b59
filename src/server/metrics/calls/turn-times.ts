/**
 * How long calls take, at the price of two looks at the clock for a turn of the event loop, not for a call: a look takes 50 ns, and a
 * get all in all 2 µs.
 *
 * A call begins with its turn: when the first call of it came. One that ends in the same turn ends with it, which is when replies go
 * out; one that ends in a later turn ends when that began. So a call may be told as longer by what came before it in its turn,
 * which it has waited for, and as shorter by what its last turn took until then.
 */
import { systemClock } from '../../../clock.ts';
import { type TurnTaker, turnsOf } from '../../../http2/output/turns.ts';
import type { Histogram } from '../histogram.ts';

/** A turn, for those who began in it. */
export interface TurnTime {
  /** By the monotonic clock. */
  readonly beganMs: number;
}

const MS_PER_SECOND = 1000;

export class TurnTimes implements TurnTaker {
  #turn: TurnTime | undefined;
  /** Of the calls that ended in the turn in which they began, in rows of those that follow each other. */
  readonly #durations: Histogram[] = [];
  readonly #counts: number[] = [];
  #last: Histogram | undefined;
  #lastCount = 0;

  /** The turn that runs. */
  get current(): TurnTime {
    return this.#turn ?? this.#begin();
  }

  /** A call that began in `turn` has ended. @param durations in seconds. */
  ended(durations: Histogram, turn: TurnTime): void {
    if (turn !== this.#turn) {
      durations.add((this.current.beganMs - turn.beganMs) / MS_PER_SECOND);
    } else if (durations === this.#last) {
      this.#lastCount++;
    } else {
      this.#pushLast();
      this.#last = durations;
      this.#lastCount = 1;
    }
  }

  endTurn(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    this.#pushLast();
    this.#last = undefined;
    const rowCount = this.#counts.length;
    if (rowCount === 0) return;
    const seconds = (systemClock.monotonicMs() - turn.beganMs) / MS_PER_SECOND;
    for (let row = 0; row < rowCount; row++) this.#durations[row]?.add(seconds, this.#counts[row]);
    this.#durations.length = this.#counts.length = 0;
  }

  endEarly(): void {}

  #begin(): TurnTime {
    turnsOf(systemClock).ask(this);
    this.#turn = { beganMs: systemClock.monotonicMs() };
    return this.#turn;
  }

  #pushLast(): void {
    if (this.#last === undefined) return;
    this.#durations.push(this.#last);
    this.#counts.push(this.#lastCount);
  }
}

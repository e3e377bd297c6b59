/**
 * What the commands of all connections may do in one turn of the event loop, and how long they may take, which depends on the engine. What is left
 * over waits for the next turn, one connection behind the other, each going on where it had stopped.
 */
import type { Clock } from '../../../clock.ts';
import { fixed } from '../../../limits.ts';
import { Fifo } from '../../../store/fifo.ts';

export class TurnBudget {
  readonly #clock: Clock;
  #visitsLeft: number = fixed.turnVisitsMax;
  #bytesLeft: number = fixed.turnBytesMax;
  #isRenewing = false;
  /** When something of this turn was first heard of. */
  #beganMs = 0;
  #isLong = false;
  readonly #waiting = new Fifo<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isSpent(): boolean {
    return this.#visitsLeft <= 0 || this.#bytesLeft <= 0;
  }

  /** Whether its commands have taken long. A connection that has run none in it may still run a few: to let it rest takes more than that. */
  get isLong(): boolean {
    return this.#isLong;
  }

  spend(visits: number, bytes: number): void {
    this.#visitsLeft -= visits;
    this.#bytesLeft -= bytes;
    if (!this.#isRenewing) this.#renewLater();
    else this.#isLong ||= this.#clock.monotonicMs() - this.#beganMs >= fixed.turnMs;
  }

  /** Runs something in a turn that has some left, behind what waits already. */
  later(run: () => void): void {
    this.#waiting.push(run);
    if (!this.#isRenewing) this.#renewLater();
  }

  #renewLater(): void {
    this.#isRenewing = true;
    this.#beganMs = this.#clock.monotonicMs();
    this.#clock.yieldNow(() => this.#renew());
  }

  #renew(): void {
    this.#isRenewing = this.#isLong = false;
    this.#visitsLeft = fixed.turnVisitsMax;
    this.#bytesLeft = fixed.turnBytesMax;
    // Those that come to wait now have had their part of this turn.
    for (let count = this.#waiting.length; count > 0 && !this.isSpent && !this.isLong; count--)
      this.#waiting.shift()?.();
    if (this.#waiting.length > 0 && !this.#isRenewing) this.#renewLater();
  }
}

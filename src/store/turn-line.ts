/**
 * A line of long work that goes on piece by piece: one piece is done in each turn of the event loop, however many are in the
 * line, each in its turn. A piece alone is bounded by what does it; that a thousand of them were done between two looks at the
 * sockets is what this is against.
 *
 *     const turn = line.begin(signal);
 *     if (turn !== undefined) await turn;          // the first piece: at once, unless others are in the line
 *     for (...) { doPiece(); await line.next(signal); }
 */
import type { Clock } from '../clock.ts';
import { Fifo } from './fifo.ts';

interface Waiting {
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class TurnLine {
  readonly #clock: Pick<Clock, 'yieldNow'>;
  readonly #waiting = new Fifo<Waiting>();
  /** Whether this turn of the event loop has its piece. */
  #isTaken = false;
  /** How often something waited for a later turn. */
  waitCount = 0;
  readonly #give = (): void => this.#giveTurn();

  constructor(clock: Pick<Clock, 'yieldNow'>) {
    this.#clock = clock;
  }

  /** `undefined`: the turn may be taken now; else resolves when it may. Rejects as `next`. */
  begin(signal?: AbortSignal): Promise<void> | undefined {
    if (this.#isTaken) return this.next(signal);
    this.#take();
    return undefined;
  }

  /**
   * Resolves in a later turn of the event loop, when those that waited before have had theirs. What is cancelled takes no turn:
   * rejects with the reason of the signal.
   */
  next(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.waitCount++;
    this.#waiting.push({ signal, resolve, reject });
    if (!this.#isTaken) this.#take();
    return promise;
  }

  #take(): void {
    this.#isTaken = true;
    this.#clock.yieldNow(this.#give);
  }

  #giveTurn(): void {
    this.#isTaken = false;
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) {
      if (first.signal?.aborted === true) {
        first.reject(first.signal.reason);
        continue;
      }
      this.#take();
      first.resolve();
      return;
    }
  }
}

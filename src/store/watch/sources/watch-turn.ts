/**
 * What a watch may do before others have their turn, in visits: a key, an effect or a revision that is looked at is one, and
 * about 500 ns. However much a watch has to go through, and however it is asked for more, it leaves the event loop in between.
 */
import { fixed } from '../../../limits.ts';

/** An event is looked for in the engine, made, handed on and encoded. */
const EVENT_VISITS = 4;
/** Copied in the time of one visit. */
const BYTES_PER_VISIT = 256;
/** Of a message that is handed on as it is, so many are copied to the socket in the time of one visit. */
const SHARED_BYTES_PER_VISIT = 4096;

export class WatchTurn {
  #visitsLeft: number = fixed.watchWokenVisitsMax;

  get isOver(): boolean {
    return this.#visitsLeft <= 0;
  }

  get visitsLeft(): number {
    return Math.max(0, this.#visitsLeft);
  }

  begin(visits: number): void {
    this.#visitsLeft = visits;
  }

  spend(visits: number): void {
    this.#visitsLeft -= visits;
  }

  /** For a message that another watch has made. */
  spendShared(bytes: number): void {
    this.#visitsLeft -= 1 + Math.floor(bytes / SHARED_BYTES_PER_VISIT);
  }

  /** For an event, or an entry, that was made. */
  spendEvent(bytes: number): void {
    this.#visitsLeft -= EVENT_VISITS + Math.floor(bytes / BYTES_PER_VISIT);
  }
}

/**
 * `WorkBudget`: what one request, or one turn of background work, may still do before the event loop gets its turn.
 *
 * What takes a request, or begins a turn, makes one and hands it down; everything on the way draws on the same one.
 * Work is paid for where it is done: the engine pays visits, what stands above it pays bytes that it copies or encodes and
 * steps of its own, as visits. One visit is about the time of looking at one key that is not in the processor's cache, 100
 * to 200 ns. A key that is given, or written, costs more the longer it is, since it is copied, hashed and compared.
 *
 * Nothing here throws. What loops asks, and ends with what it has: a page, a fragment, or `limitReached`; the engine stops a
 * scan and says where it goes on. A step that has begun is finished and paid, so what is left may fall below 0.
 */
import { fixed } from './limits.ts';

/** What was done. */
export interface WorkDone {
  readonly visitsSpent: number;
  readonly bytesSpent: number;
}

export class WorkBudget implements WorkDone {
  visitsLeft: number;
  bytesLeft: number;
  /** How often something was refused since it was spent; filling it up changes nothing of that. */
  refusalCount = 0;
  #visits: number;
  #bytes: number;

  constructor(visits: number = fixed.requestVisitsMax, bytes: number = fixed.requestBytesMax) {
    this.#visits = this.visitsLeft = visits;
    this.#bytes = this.bytesLeft = bytes;
  }

  /** Fills it up again, for the next request, or for one that may do less before it has done anything. */
  begin(visits: number = fixed.requestVisitsMax, bytes: number = fixed.requestBytesMax): void {
    this.#visits = this.visitsLeft = visits;
    this.#bytes = this.bytesLeft = bytes;
  }

  get visitsSpent(): number {
    return this.#visits - this.visitsLeft;
  }

  get bytesSpent(): number {
    return this.#bytes - this.bytesLeft;
  }

  spendVisits(count: number): void {
    this.visitsLeft -= count;
  }

  /** For a key beside the visit that it is, or for a bound. */
  spendKeyBytes(count: number): void {
    this.visitsLeft -= Math.floor(count / fixed.visitKeyBytes);
  }

  spendBytes(count: number): void {
    this.bytesLeft -= count;
  }

  get isSpent(): boolean {
    return this.visitsLeft <= 0 || this.bytesLeft <= 0;
  }
}

/** What one call counts for what its user may do in a second, where that is limited (`limits/rate.ts`). */
import type { Login } from '../../access/login/login.ts';
import type { Rate } from '../limits/rate.ts';
import type { RateLimits } from '../limits/rate-limits.ts';

/** Whose call it is may not be known when it begins. */
interface CallOfUser {
  readonly login: Login;
  readonly peer?: object | undefined;
}

export class CallRate {
  readonly #rates: RateLimits;
  readonly #call: CallOfUser;
  /** For which its bytes are counted; `undefined`: for none, or not yet. */
  #rate: Rate | undefined;
  /** Those that came before. */
  #uncountedBytes = 0;

  constructor(rates: RateLimits, call: CallOfUser) {
    this.#rates = rates;
    this.#call = call;
  }

  /** Its user does so many operations by it. Throws `limitReached` when that is more than it may do in a second. */
  takeOperations(count: number): void {
    this.#rateOfUser?.begin(count);
  }

  /**
   * As `takeOperations`, of a stream, which waits where a call would be refused; its bytes are counted.
   * @returns `undefined`: at once; else a promise: false when the signal was aborted before.
   */
  takeOperationsWhenFree(count: number, signal: AbortSignal): undefined | Promise<boolean> {
    this.countItsBytes();
    return this.#rate?.beginWhenFree(count, signal);
  }

  /** It does so many operations more than it has taken: they make a debt. */
  addOperations(count: number): void {
    this.#rateOfUser?.addOperations(count);
  }

  /** Operations that are counted and never refused. */
  countOperations(count: number): void {
    this.#rateOfUser?.countOperations(count);
  }

  /** The bytes of its bodies count from now on for what its user may send and be sent in a second, and so do those that have come. */
  countItsBytes(): void {
    if (this.#rate !== undefined) return;
    this.#rate = this.#rateOfUser;
    this.#rate?.countBytes(this.#uncountedBytes);
    this.#uncountedBytes = 0;
  }

  /** Bytes of a body have come or were sent. */
  countBytes(bytes: number): void {
    if (this.#rate === undefined) this.#uncountedBytes += bytes;
    else this.#rate.countBytes(bytes);
  }

  get #rateOfUser(): Rate | undefined {
    const { peer, login } = this.#call;
    return peer === undefined ? undefined : this.#rates.of(login.userName, peer);
  }
}

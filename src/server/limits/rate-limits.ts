/**
 * The rates of all users and, for calls without a user, of all connections: `--operations-per-second-max` and
 * `--bytes-per-second-max`. Each user has one whatever doors and connections it comes through.
 *
 * Bounded: the rate of a connection goes with it; that of a user is dropped once it is as a new one. Those that are left were
 * used in the last second, or are in debt, and belong to users, of which there is a bounded number.
 */
import type { Clock } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';
import { Rate, type RateMaxima, noRateCounts } from './rate.ts';

export class RateLimits {
  /** What was refused, and what waited. */
  readonly counts = noRateCounts();
  readonly #maxima: RateMaxima;
  readonly #clock: Clock;
  readonly #rateByUser = new Map<string, Rate>();
  readonly #rateByConnection = new WeakMap<object, Rate>();
  /** With so many users those that are idle are looked for. */
  #sweepSize: number = serverFixed.idleRatesMax;

  constructor(maxima: RateMaxima, clock: Clock) {
    this.#maxima = maxima;
    this.#clock = clock;
  }

  get userCount(): number {
    return this.#rateByUser.size;
  }

  /** Whether anything is limited: else nothing is to be counted. */
  get isOn(): boolean {
    const { operationsPerSecondMax, bytesPerSecondMax } = this.#maxima;
    return operationsPerSecondMax > 0 || bytesPerSecondMax > 0;
  }

  /** @param userName empty: the connection counts. */
  of(userName: string, connection: object): Rate {
    const rate = userName === '' ? this.#rateByConnection.get(connection) : this.#rateByUser.get(userName);
    return rate ?? this.#make(userName, connection);
  }

  #make(userName: string, connection: object): Rate {
    const rate = new Rate(this.#maxima, this.#clock, this.counts);
    if (userName === '') {
      this.#rateByConnection.set(connection, rate);
    } else {
      if (this.#rateByUser.size >= this.#sweepSize) this.#dropIdle();
      this.#rateByUser.set(userName, rate);
    }
    return rate;
  }

  #dropIdle(): void {
    for (const [userName, rate] of this.#rateByUser) if (rate.isIdle) this.#rateByUser.delete(userName);
    this.#sweepSize = Math.max(serverFixed.idleRatesMax, 2 * this.#rateByUser.size);
  }
}

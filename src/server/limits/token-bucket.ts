/**
 * A token bucket: it holds as much as comes in one second, which is what may be used at once, and fills at that pace.
 *
 * Something may begin when there is a token at least, and then takes what it costs, which may be more than there is, since that is
 * often known only when it has been done: so the bucket goes into debt, and nothing begins before that is paid. Over any time
 * what was used is so no more than the pace allows and what was under way at once.
 *
 *     tokens of 10 a second     10        9        -41       -41 ... 1
 *                               begin 1   begin 50  nothing begins for 4.2 s
 *
 * A debt is no longer than some seconds, whatever was under way: who has once read too much is slowed, and not locked out for hours.
 */
import { serverFixed } from '../../limits.ts';

const MS_PER_SECOND = 1000;
/** By so much sums of fractions may be wrong: who has waited as long as it was told does so no more. */
const ROUNDING_MS = 1e-6;

export class TokenBucket {
  readonly perSecond: number;
  readonly #debtMax: number;
  #tokens: number;
  #atMs: number;

  /** @param nowMs by the monotonic clock, as in all methods. */
  constructor(perSecond: number, nowMs: number) {
    this.perSecond = perSecond;
    this.#debtMax = (perSecond * serverFixed.rateDebtMsMax) / MS_PER_SECOND;
    this.#tokens = perSecond;
    this.#atMs = nowMs;
  }

  /** How long until something may begin, in whole milliseconds; 0: now. */
  delayMs(nowMs: number): number {
    this.#fill(nowMs);
    const delayMs = ((1 - this.#tokens) / this.perSecond) * MS_PER_SECOND;
    return Math.max(0, Math.ceil(delayMs - ROUNDING_MS));
  }

  spend(count: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens = Math.max(this.#tokens - count, -this.#debtMax);
  }

  /** Takes what there is of it, and makes no debt. */
  spendAtMost(count: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= Math.min(count, Math.max(0, this.#tokens));
  }

  /** It is as a new one. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens === this.perSecond;
  }

  #fill(nowMs: number): void {
    const come = ((nowMs - this.#atMs) / MS_PER_SECOND) * this.perSecond;
    this.#tokens = Math.min(this.perSecond, this.#tokens + come);
    this.#atMs = nowMs;
  }
}

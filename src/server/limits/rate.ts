/**
 * What one user, or one connection without a user, has done of late, and whether it may do more: operations and bytes, each by a
 * bucket (`token-bucket.ts`). A call that may not begin is refused, and told when it may. A stream of batches waits instead, in the
 * order in which its streams came: its client has sent the calls already, and would send them again.
 *
 * Both are of one user, and must not keep each other out: a batch that waits would else begin the very moment that one may, before
 * any call that was told to come back then; and calls without end would leave no moment in which one may. So they take turns:
 *
 *     anybody --a call is refused--> calls --some time after it may begin--> batches --one begins--> anybody
 *
 *     calls     no batch begins
 *     batches   some wait: no call begins
 */
import type { Clock, Timer } from '../../clock.ts';
import { RetryLaterError } from '../../errors.ts';
import { type ServerLimits, limitName, serverFixed } from '../../limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** In a second, of one user; 0: any number. */
export type RateMaxima = Pick<ServerLimits, 'operationsPerSecondMax' | 'bytesPerSecondMax'>;

export type RateName = keyof RateMaxima;

/** By limit. */
export type RateCounts = { readonly [name in RateName]: { refusedCount: number; waitedCount: number } };

export function noRateCounts(): RateCounts {
  return {
    operationsPerSecondMax: { refusedCount: 0, waitedCount: 0 },
    bytesPerSecondMax: { refusedCount: 0, waitedCount: 0 },
  };
}

interface WaitingBatch {
  readonly operations: number;
  readonly goOn: () => void;
}

const unitByName: Readonly<Record<RateName, string>> = {
  operationsPerSecondMax: 'operations',
  bytesPerSecondMax: 'bytes of requests and replies',
};

export class Rate {
  readonly #operations: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;
  readonly #clock: Clock;
  readonly #counts: RateCounts;
  readonly #waiting = new Set<WaitingBatch>();
  #timer: Timer | undefined;
  #turn: 'anybody' | 'calls' | 'batches' = 'anybody';
  #callsTurnEndsAtMs = 0;

  constructor({ operationsPerSecondMax, bytesPerSecondMax }: RateMaxima, clock: Clock, counts: RateCounts) {
    const nowMs = clock.monotonicMs();
    this.#clock = clock;
    this.#counts = counts;
    if (operationsPerSecondMax > 0) this.#operations = new TokenBucket(operationsPerSecondMax, nowMs);
    if (bytesPerSecondMax > 0) this.#bytes = new TokenBucket(bytesPerSecondMax, nowMs);
  }

  /** A call of so many operations begins. Throws `limitReached` with the time after which it may. */
  begin(operations: number): void {
    const { name, delayMs: freeInMs } = this.#delay();
    const delayMs = this.#turn === 'batches' ? Math.max(1, freeInMs) : freeInMs;
    if (delayMs > 0) {
      this.#counts[name].refusedCount++;
      this.#giveTurnToCalls(delayMs);
      throw this.#refusal(name, delayMs);
    }
    this.#operations?.spend(operations, this.#clock.monotonicMs());
  }

  /**
   * A batch, or the next part of a stream, begins as soon as it may.
   * @returns `undefined`: at once; else a promise: false when the signal was aborted before.
   */
  beginWhenFree(operations: number, signal: AbortSignal): undefined | Promise<boolean> {
    const { name, delayMs } = this.#delay();
    if (delayMs === 0 && this.#waiting.size === 0 && this.#callsTurnMs === 0) {
      this.#operations?.spend(operations, this.#clock.monotonicMs());
      return undefined;
    }
    this.#counts[name].waitedCount++;
    return this.#wait(operations, signal);
  }

  /** What has begun does so many more. */
  addOperations(operations: number): void {
    this.#operations?.spend(operations, this.#clock.monotonicMs());
  }

  /** Operations that are counted and never refused. They leave others without tokens, and make no debt. */
  countOperations(operations: number): void {
    this.#operations?.spendAtMost(operations, this.#clock.monotonicMs());
  }

  /** Bytes that have come, or were sent. */
  countBytes(bytes: number): void {
    this.#bytes?.spend(bytes, this.#clock.monotonicMs());
  }

  /** It is as a new one, so that it need not be kept. */
  get isIdle(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const isFull = (bucket: TokenBucket | undefined): boolean => bucket?.isFull(nowMs) ?? true;
    return this.#waiting.size === 0 && isFull(this.#operations) && isFull(this.#bytes);
  }

  /** What makes it wait, for longest. */
  #delay(): { readonly name: RateName; readonly delayMs: number } {
    const nowMs = this.#clock.monotonicMs();
    const operationsMs = this.#operations?.delayMs(nowMs) ?? 0;
    const bytesMs = this.#bytes?.delayMs(nowMs) ?? 0;
    return operationsMs >= bytesMs && this.#operations !== undefined
      ? { name: 'operationsPerSecondMax', delayMs: operationsMs }
      : { name: 'bytesPerSecondMax', delayMs: bytesMs };
  }

  #refusal(name: RateName, retryAfterMs: number): RetryLaterError {
    const bucket = name === 'operationsPerSecondMax' ? this.#operations : this.#bytes;
    const message = `a user may have ${bucket?.perSecond} ${unitByName[name]} in a second (${limitName(name)}), a connection without one too: try again in ${retryAfterMs} ms`;
    return new RetryLaterError(message, retryAfterMs);
  }

  #wait(operations: number, signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const onAbort = (): void => {
      this.#waiting.delete(waiting);
      if (this.#waiting.size === 0) this.#stopWaiting();
      resolve(false);
    };
    const waiting = { operations, goOn: () => resolve(true) };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else this.#setTimer();
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  #setTimer(): void {
    this.#timer ??= this.#clock.setTimer(Math.max(this.#delay().delayMs, this.#callsTurnMs), () => {
      this.#timer = undefined;
      this.#serveWaiting();
    });
  }

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#turn === 'batches') this.#turn = 'anybody';
  }

  #giveTurnToCalls(delayMs: number): void {
    // While batches wait theirs comes next, however many more calls are refused.
    if (this.#turn === 'batches' || (this.#turn === 'calls' && this.#waiting.size > 0)) return;
    this.#turn = 'calls';
    this.#callsTurnEndsAtMs = this.#clock.monotonicMs() + delayMs + serverFixed.rateCallsTurnMs;
  }

  /** How long no batch may begin. */
  get #callsTurnMs(): number {
    return this.#turn === 'calls' ? Math.max(0, this.#callsTurnEndsAtMs - this.#clock.monotonicMs()) : 0;
  }

  #serveWaiting(): void {
    if (this.#turn === 'calls' && this.#callsTurnMs === 0) this.#turn = 'batches';
    for (const waiting of this.#waiting) {
      if (this.#delay().delayMs > 0 || this.#turn === 'calls') break;
      this.#turn = 'anybody';
      this.#waiting.delete(waiting);
      this.#operations?.spend(waiting.operations, this.#clock.monotonicMs());
      waiting.goOn();
    }
    if (this.#waiting.size > 0) this.#setTimer();
  }
}

/**
 * The calls that go on, such as streams, of which each was allowed something when it began: it is asked again after each change of
 * access, and when a login that has an end comes to it.
 */
import type { Login } from '../../access/login/login.ts';
import type { Clock, Timer } from '../../clock.ts';

export interface LastingCall {
  readonly login: Login;
  readonly isAborted: boolean;
  /** Ends it when it is not allowed any more. */
  askAgain(): void;
}

export class LastingCalls {
  readonly #clock: Clock;
  readonly #calls = new Set<LastingCall>();
  /** Runs until the first login of these is over, which is at `#askTimeMs` by the wall clock. */
  #timer: Timer | undefined;
  #askTimeMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(call: LastingCall): void {
    this.#calls.add(call);
    this.#askAt(call.login.expireTimeMs);
  }

  delete(call: LastingCall): void {
    this.#calls.delete(call);
  }

  askAgain(): void {
    for (const call of this.#calls) call.askAgain();
  }

  /** @param expireTimeMs of a login; 0: it has no end. */
  #askAt(expireTimeMs: number): void {
    if (expireTimeMs === 0 || expireTimeMs >= this.#askTimeMs) return;
    this.#timer?.cancel();
    this.#askTimeMs = expireTimeMs;
    const delayMs = Math.max(0, expireTimeMs - this.#clock.nowMs());
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#askTimeMs = Infinity;
      this.askAgain();
      for (const call of this.#calls) if (!call.isAborted) this.#askAt(call.login.expireTimeMs);
    });
  }
}

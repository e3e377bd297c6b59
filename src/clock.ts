/**
 * Time and chance, injected: nothing below `server/` reads a clock, sets a timer or draws a random number by any
 * other way. That is what makes a simulated run repeatable.
 */
import { randomBytes } from 'node:crypto';

export interface Clock {
  /** Wall time in milliseconds since 1970-01-01 UTC. May jump, forwards and backwards. */
  nowMs(): number;
  /** Milliseconds since some fixed instant; never goes backwards. May have a fraction. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`; the timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` once the event loop has served the input and output that is waiting. */
  yieldNow(callback: () => void): void;
}

export interface Timer {
  /** The callback will not run any more. Calling it again, or after the callback ran, does nothing. */
  cancel(): void;
}

export interface Random {
  /** `count` bytes that can't be guessed. */
  bytes(count: number): Uint8Array;
}

/** A longer delay makes Node's timers fire at once; such a timer is set again on the way. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      const stepMs = Math.min(remainingMs, TIMER_MS_MAX);
      timer = setTimeout(() => (remainingMs > stepMs ? arm(remainingMs - stepMs) : callback()), stepMs);
      timer.unref();
    };
    arm(Math.max(0, delayMs));
    return { cancel: () => clearTimeout(timer) };
  },
  yieldNow: (callback) => void setImmediate(callback),
};

/** Keeps the process alive until it is cancelled: no timer of the clock does. */
export function holdProcess(): Timer {
  const timer = setInterval(() => undefined, TIMER_MS_MAX);
  return { cancel: () => clearInterval(timer) };
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
};

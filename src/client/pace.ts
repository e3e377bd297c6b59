/**
 * The client's time and chance, injected: tests run through retries and renewals without waiting for them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { client as limits } from '../limits.ts';

export interface Pace {
  /** Milliseconds since some fixed instant; never goes backwards. */
  monotonicMs(): number;
  /** Resolves after `delayMs`, or as soon as the signal is aborted; never rejects. Keeps the process alive. */
  wait(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

export const systemPace: Pace = {
  monotonicMs: () => performance.now(),
  wait: (delayMs, signal) => sleep(delayMs, undefined, signal ? { signal } : {}).catch(() => undefined),
  random: () => Math.random(),
};

/**
 * The pause before try number `failures` + 1: exponential backoff with full jitter ("Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015). Clients that lost the same server come back spread over time, not all at once.
 */
export function backoffMs(failures: number, pace: Pace): number {
  const ceilingMs = Math.min(limits.backoffMsMax, limits.backoffMs * 2 ** (failures - 1));
  return pace.random() * ceilingMs;
}

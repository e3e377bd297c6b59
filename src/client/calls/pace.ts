/**
 * The client's time and chance, injected: tests run through retries and renewals without waiting for them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TIMER_MS_MAX } from '../../clock.ts';
import { client as limits } from '../../limits.ts';

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
  async wait(delayMs, signal) {
    const options = signal ? { signal } : {};
    for (let remainingMs = delayMs; remainingMs > 0; remainingMs -= TIMER_MS_MAX) {
      if (signal?.aborted === true) return;
      await sleep(Math.min(remainingMs, TIMER_MS_MAX), undefined, options).catch(() => undefined);
    }
  },
  random: () => Math.random(),
};

/**
 * The pause before try number `failures` + 1: exponential backoff with full jitter ("Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015). Clients that lost the same server come back spread over time, not all at once.
 * @param isOfSeveral whether there are several servers, of which one takes over within seconds.
 */
export function backoffMs(failures: number, pace: Pace, isOfSeveral = false): number {
  const { backoffMsMax } = isOfSeveral ? limits.ofSeveral : limits;
  const ceilingMs = Math.min(backoffMsMax, limits.backoffMs * 2 ** (failures - 1));
  return pace.random() * ceilingMs;
}

/**
 * The same when there is a deadline, towards which the tries become more frequent: a pause that leaves no time behind it
 * would waste what is left. `undefined` when there is no time for another try.
 * @param leastMs what the server has asked for. Those that were asked for the same come back spread behind it.
 */
export function backoffUntil(
  endsAtMs: number,
  failures: number,
  pace: Pace,
  leastMs = 0,
  isOfSeveral = false,
): number | undefined {
  const remainingMs = endsAtMs - pace.monotonicMs() - leastMs;
  if (remainingMs < limits.lastTryMs) return undefined;
  return leastMs + Math.min(backoffMs(failures, pace, isOfSeveral), remainingMs / 2);
}

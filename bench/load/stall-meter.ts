/** Finds the longest time for which the event loop served no call. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { RunQueueClock } from './run-queue.ts';

const RESOLUTION_MS = 1;
const NANOS_PER_MS = 1e6;

/** @returns the longest delay of a timer while `run` ran, beyond the timer's own length. */
export async function longestStallMs(run: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  await run();
  // A stall at the very end shows in the timer that comes after it.
  await new Promise((resolve) => setTimeout(resolve, 2 * RESOLUTION_MS));
  delays.disable();
  return Math.max(0, delays.max / NANOS_PER_MS - RESOLUTION_MS);
}

/**
 * The longest stretch between two looks, less the time for which the thread waited for a core: what other threads and processes took away
 * is no part of it; waits for the disk and for the garbage collector are. Undefined where the system does not tell.
 *
 * It looks once in each turn of the event loop, behind its timers: a stretch has what one turn has behind them and the next one before them,
 * and more where a timer comes late, up to two turns. So it may be more than `longestStallMs`.
 */
export async function longestOwnTurnsMs(run: () => Promise<unknown>): Promise<number | undefined> {
  const queue = RunQueueClock.open();
  let longestMs = 0;
  let waitedMs = 0;
  let lastMs = performance.now();
  const look = (): void => {
    const nowMs = performance.now();
    const waitedNowMs = (queue?.waitedNanos() ?? 0) / NANOS_PER_MS;
    longestMs = Math.max(longestMs, nowMs - lastMs - (waitedNowMs - waitedMs));
    lastMs = nowMs;
    waitedMs = waitedNowMs;
  };
  look();
  longestMs = 0;
  const timer = setInterval(() => setImmediate(look), RESOLUTION_MS);
  await run();
  clearInterval(timer);
  look();
  return queue === undefined ? undefined : Math.max(0, longestMs - RESOLUTION_MS);
}

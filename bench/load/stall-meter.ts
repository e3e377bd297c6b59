/** Finds the longest time for which the event loop served no call. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ThreadClock } from './thread-clock.ts';

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
 * Like `longestStallMs`, by the processor time of the main thread: on a machine that has other work, what that took away is no part of
 * it; nor is a wait for the disk.
 */
export async function longestTurnMs(run: () => Promise<unknown>): Promise<number> {
  const clock = new ThreadClock();
  let longestNanos = 0;
  let lastNanos = clock.nanos();
  const look = (): void => {
    const nanos = clock.nanos();
    longestNanos = Math.max(longestNanos, nanos - lastNanos);
    lastNanos = nanos;
  };
  const timer = setInterval(look, RESOLUTION_MS);
  await run();
  clearInterval(timer);
  look();
  return Math.max(0, longestNanos / NANOS_PER_MS - RESOLUTION_MS);
}

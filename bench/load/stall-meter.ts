/** Finds the longest time for which the event loop served no call. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

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

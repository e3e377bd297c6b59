/** Puts a simulated clock in the place of the system's, for client and server alike, which take theirs from there. */
import { type Clock, systemClock } from '../../src/clock.ts';

/** For this whole thread. @returns what undoes it. */
export function simulateTime(clock: Clock): () => void {
  const before = { ...systemClock };
  Object.assign(systemClock, {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    yieldNow: (callback) => clock.yieldNow(callback),
  } satisfies Clock);
  performance.now = () => clock.monotonicMs();
  return () => {
    Object.assign(systemClock, before);
    // Its own is that of its class.
    Reflect.deleteProperty(performance, 'now');
  };
}

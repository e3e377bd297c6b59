/** Puts a simulated clock and chance in the place of the system's, for client and server alike, which take theirs from there. */
import { type Clock, type Random, systemClock, systemRandom } from '../../src/clock.ts';

/** For this whole thread. @returns what undoes it. */
export function simulateTimeAndChance(clock: Clock, random: Random): () => void {
  const before = { clock: { ...systemClock }, random: { ...systemRandom } };
  Object.assign(systemClock, {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    yieldNow: (callback) => clock.yieldNow(callback),
  } satisfies Clock);
  Object.assign(systemRandom, { bytes: (count) => random.bytes(count) } satisfies Random);
  performance.now = () => clock.monotonicMs();
  return () => {
    Object.assign(systemClock, before.clock);
    Object.assign(systemRandom, before.random);
    // Its own is that of its class.
    Reflect.deleteProperty(performance, 'now');
  };
}

/** How late the event loop is, by a clock that the test moves. */
import { expect, test } from 'vitest';
import type { Clock } from '../../../src/clock.ts';
import { serverFixed } from '../../../src/limits.ts';
import { LoopDelay } from '../../../src/server/metrics/process/loop-delay.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const { loopDelayEveryMs, loopDelayAskedMs, callDurationBounds } = serverFixed;
const sum = (counts: Readonly<Float64Array>): number => counts.reduce((total, count) => total + count, 0);

test('timers count by how late they are', () => {
  let nowMs = 0;
  let due: (() => void) | undefined;
  const clock: Pick<Clock, 'monotonicMs' | 'setTimer'> = {
    monotonicMs: () => nowMs,
    setTimer: (_, callback) => {
      due = callback;
      return { cancel: () => undefined };
    },
  };
  const delay = new LoopDelay(clock);
  expect(sum(delay.counts)).toBe(0);
  for (const lateMs of [0, 40, 60_000]) {
    nowMs += loopDelayEveryMs + lateMs;
    due?.();
  }
  const counts = delay.counts;
  expect(counts[0]).toBe(1);
  expect(counts[callDurationBounds.indexOf(0.05)]).toBe(1);
  expect(counts.at(-1)).toBe(1);
});

test('nothing is counted before the first question, nor long after the last', () => {
  const clock = new ManualClock();
  const delay = new LoopDelay(clock);
  clock.advance(loopDelayAskedMs);
  expect(sum(delay.counts)).toBe(0);
  clock.advance(100 * loopDelayAskedMs);
  const counted = sum(delay.counts);
  expect(counted).toBeGreaterThan(1);
  expect(counted).toBeLessThanOrEqual(loopDelayAskedMs / loopDelayEveryMs + 1);
});

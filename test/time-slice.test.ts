import { expect, test } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { fixed } from '../src/limits.ts';
import { TimeSlice } from '../src/time-slice.ts';

test('a slice is over once its time has passed, when it looks at the clock, and begins anew', () => {
  let nowMs = 5;
  const slice = new TimeSlice({ ...systemClock, monotonicMs: () => nowMs }, 2);
  slice.begin();
  expect([slice.isOver(), slice.isOver()]).toEqual([false, false]);
  nowMs += fixed.timeSliceMs;
  expect([slice.isOver(), slice.isOver()]).toEqual([false, true]);
  slice.begin();
  expect([slice.isOver(), slice.isOver()]).toEqual([false, false]);
});

import { expect, test } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { fixed } from '../src/limits.ts';
import { TurnTime } from '../src/turn-time.ts';

test('the time of a turn is that in which calls run, over several turns, and is counted anew once it is over', () => {
  let nowMs = 5;
  const time = new TurnTime({ ...systemClock, monotonicMs: () => nowMs });
  const run = (ms: number): boolean => {
    time.begin();
    nowMs += ms;
    return time.isOver();
  };
  expect(run(fixed.turnMs - 1)).toBe(false);
  nowMs += 1000 * fixed.turnMs;
  expect([run(0), run(1)]).toEqual([false, true]);
  expect([run(fixed.turnMs - 1), run(1)]).toEqual([false, true]);
});

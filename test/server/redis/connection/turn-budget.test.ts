import { expect, test } from 'vitest';
import { fixed } from '../../../../src/limits.ts';
import { TurnBudget } from '../../../../src/server/redis/connection/turn-budget.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a turn is over when its commands have done much, or have taken long, and the next one has its own', async () => {
  const clock = new ManualClock();
  const turn = new TurnBudget(clock);
  turn.spend(fixed.turnVisitsMax - 1, 0);
  expect(turn.isSpent).toBe(false);
  turn.spend(1, 0);
  expect(turn.isSpent).toBe(true);
  await nextTurn();
  expect(turn.isSpent).toBe(false);
  turn.spend(1, 0);
  clock.advance(fixed.turnMs - 1);
  turn.spend(1, 0);
  expect([turn.isSpent, turn.isLong]).toEqual([false, false]);
  clock.advance(1);
  turn.spend(1, 0);
  expect([turn.isSpent, turn.isLong]).toEqual([false, true]);
  await nextTurn();
  expect([turn.isSpent, turn.isLong]).toEqual([false, false]);
});

test('what waits has a turn whose time begins with it', async () => {
  const clock = new ManualClock();
  const turn = new TurnBudget(clock);
  turn.spend(1, 0);
  const spent: boolean[] = [];
  for (let index = 0; index < 3; index++) {
    turn.later(() => {
      turn.spend(1, 0);
      spent.push(turn.isSpent || turn.isLong);
    });
  }
  clock.advance(fixed.turnMs);
  await nextTurn();
  expect(spent).toEqual([false, false, false]);
});

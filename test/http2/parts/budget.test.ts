import { expect, test } from 'vitest';
import { Budget } from '../../../src/http2/connection/budget.ts';
import { StepClock } from '../support/step-clock.ts';

function taken(budget: Budget): number {
  let count = 0;
  while (budget.take()) count++;
  return count;
}

test('a budget gives its burst, then what each second brings, and never more than its burst', () => {
  const clock = new StepClock();
  const budget = new Budget(clock, 10, 4);
  expect(taken(budget)).toBe(10);
  clock.advance(249);
  expect(taken(budget)).toBe(0);
  clock.advance(1);
  expect(taken(budget)).toBe(1);
  clock.advance(1000);
  expect(taken(budget)).toBe(4);
  clock.advance(3_600_000);
  expect(taken(budget)).toBe(10);
});

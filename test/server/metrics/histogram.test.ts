import { expect, test } from 'vitest';
import { Histogram } from '../../../src/server/metrics/histogram.ts';

test('a value counts at the first bound that it does not exceed, and above all of them', () => {
  const histogram = new Histogram([1, 10, 100]);
  for (const value of [0, 1, 1.5, 10, 100, 101]) histogram.add(value);
  histogram.add(50, 4);
  expect([...histogram.counts]).toEqual([2, 2, 5, 1]);
  expect([histogram.count, histogram.sum]).toEqual([10, 413.5]);
});

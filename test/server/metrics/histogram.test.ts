import { expect, test } from 'vitest';
import { Histogram } from '../../../src/server/metrics/histogram.ts';

test('a value counts at the first bound that it does not exceed, and above all of them', () => {
  const histogram = new Histogram([1, 10, 100]);
  for (const value of [0, 1, 1.5, 10, 100, 101]) histogram.add(value);
  histogram.add(50, 4);
  expect([...histogram.counts]).toEqual([2, 2, 5, 1]);
  expect([histogram.count, histogram.sum]).toEqual([10, 413.5]);
});

test('a quantile lies on a straight line within its bucket, and never above the highest bound', () => {
  const histogram = new Histogram([10, 20, 40]);
  expect(histogram.quantile(0.5)).toBe(0);
  histogram.add(15, 50);
  histogram.add(30, 40);
  expect(histogram.quantile(0.5)).toBe(19);
  histogram.add(99, 10);
  expect([0.25, 0.5, 0.9, 0.99].map((share) => histogram.quantile(share))).toEqual([15, 20, 40, 40]);
});

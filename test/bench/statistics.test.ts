import { expect, test } from 'vitest';
import { median, quantile } from '../../bench/load/statistics.ts';

test('the median is the middle sample, or lies between the two in the middle', () => {
  expect(median([30, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test('a quantile lies between its neighbours in proportion, by the order of numbers and not of texts', () => {
  const samples = Array.from({ length: 101 }, (_, index) => 100 - index);
  expect(quantile(samples, 0.99)).toBe(99);
  expect(quantile([9, 10, 100], 1)).toBe(100);
  expect(quantile([9, 10, 100], 0.75)).toBe(55);
});

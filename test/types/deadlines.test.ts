/** Deadlines as Redis counts them. */
import { describe, expect, test } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { deadlineOf, MILLISECOND_MS, SECOND_MS, ttlUntil } from '../../src/types/deadlines.ts';

const NOW_MS = 1_764_000_000_000;
const INT64_MAX = 2n ** 63n - 1n;

describe('a deadline', () => {
  test('is counted from a base in seconds or milliseconds', () => {
    expect(deadlineOf(10n, SECOND_MS, NOW_MS)).toBe(NOW_MS + 10_000);
    expect(deadlineOf(10n, MILLISECOND_MS, NOW_MS)).toBe(NOW_MS + 10);
    expect(deadlineOf(-10n, SECOND_MS, NOW_MS)).toBe(NOW_MS - 10_000);
    expect(deadlineOf(1_893_456_000n, SECOND_MS, 0)).toBe(1_893_456_000_000);
  });

  test('is none when the unit or the base leads out of 64 bits', () => {
    expect(deadlineOf(INT64_MAX / 1000n + 1n, SECOND_MS, 0)).toBeUndefined();
    expect(deadlineOf(INT64_MAX, MILLISECOND_MS, 1)).toBeUndefined();
    expect(deadlineOf(-INT64_MAX, SECOND_MS, 0)).toBeUndefined();
  });

  test('beyond the safe integers is the nearest one', () => {
    expect(deadlineOf(INT64_MAX, MILLISECOND_MS, 0)).toBe(fixed.integerMax);
    expect(deadlineOf(-INT64_MAX, MILLISECOND_MS, 0)).toBe(-fixed.integerMax);
  });
});

test('a time to live ends at the deadline, and is no longer than the store keeps one', () => {
  expect(ttlUntil(NOW_MS + 5, NOW_MS)).toBe(5);
  expect(ttlUntil(NOW_MS, NOW_MS)).toBe(0);
  expect(ttlUntil(NOW_MS - 5, NOW_MS)).toBe(-5);
  expect(ttlUntil(fixed.integerMax, NOW_MS)).toBe(fixed.ttlMsMax);
});

/** Checks of what callers hand in, each with a text that says what was wrong. */
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';

/** A time to live; left out gives 0, which stands for none. */
export function checkTtl(ttlMs: number | undefined): number {
  if (ttlMs === undefined) return 0;
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1 || ttlMs > fixed.ttlMsMax) {
    throw new StoreError(
      'invalidArgument',
      `a time to live is a whole number of milliseconds from 1 to ${fixed.ttlMsMax} (100 years), not ${ttlMs}`,
    );
  }
  return ttlMs;
}

/** An integer from 0 on; left out gives 0. */
export function checkCount(value: number | undefined, what: string): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new StoreError(
      'invalidArgument',
      `${what} must be a whole number from 0 to 2^53 - 1, not ${value}`,
    );
  }
  return value;
}

/** The limit of a page: 0 or left out gives the default. */
export function checkPageLimit(limit: number | undefined): number {
  const count = checkCount(limit, 'limit');
  return count === 0 ? fixed.pageLimitDefault : Math.min(count, fixed.pageLimitMax);
}

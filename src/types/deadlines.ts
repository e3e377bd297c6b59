/**
 * Redis' arithmetic of deadlines: EX, PX, EXAT, PXAT of SET and GETEX, and the EXPIRE family.
 *
 * A deadline goes into a view as a time to live from the view's instant, which comes to the same millisecond. The store has none
 * beyond `fixed.ttlMsMax` (100 years) from now: a later one is set to that, where Redis keeps up to 292 million years.
 *
 * Example, `SET key value EXAT 1893456000`:
 *
 *     const deadlineMs = deadlineOf(1893456000n, SECOND_MS, 0);          // undefined: "invalid expire time"
 *     const ttlMs = ttlUntil(deadlineMs, view.instantMs);                // 0 or less: it has passed
 *     if (ttlMs > 0) view.put(key, value, { ttlMs });
 *     else view.delete(key, 'expired');
 */
import { fixed } from '../limits.ts';

export const SECOND_MS = 1000n;
export const MILLISECOND_MS = 1n;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/**
 * A deadline in milliseconds since 1970-01-01 UTC, or the nearest safe integer.
 * @param amount a signed 64-bit integer, negative ones too.
 * @param baseMs what it counts from: the view's instant, or 0 for a point in time.
 * @returns `undefined` when it leaves the range of a signed 64-bit integer, which Redis calls an invalid expire time.
 */
export function deadlineOf(
  amount: bigint,
  unitMs: typeof SECOND_MS | typeof MILLISECOND_MS,
  baseMs: number,
): number | undefined {
  const sinceMs = amount * unitMs;
  if (sinceMs < INT64_MIN || sinceMs > INT64_MAX - BigInt(baseMs)) return undefined;
  const deadlineMs = Number(sinceMs) + baseMs;
  return Math.max(-fixed.integerMax, Math.min(deadlineMs, fixed.integerMax));
}

/** The time to live from an instant to a deadline, in milliseconds; 0 or less: it has passed. */
export function ttlUntil(deadlineMs: number, instantMs: number): number {
  return Math.min(deadlineMs - instantMs, fixed.ttlMsMax);
}

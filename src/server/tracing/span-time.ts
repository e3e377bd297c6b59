/**
 * When things happened, as spans say it: milliseconds since 1970 with a fraction. All spans of a server are timed by the monotonic
 * clock, so that each lies within its parent; the wall clock only says what that clock began with, and is asked again when the two
 * have drifted apart.
 */

/** More than the wall clock itself is rounded by, and less than is worth a thought. */
const DRIFT_MS_MAX = 20;

let offsetMs = performance.timeOrigin;

/** @param monotonicMs of `performance.now()`. */
export function spanTime(monotonicMs: number): number {
  return monotonicMs + offsetMs;
}

/** The time at which a call begins. */
export function beginTime(): number {
  const monotonicMs = performance.now();
  const wallMs = Date.now();
  if (Math.abs(wallMs - monotonicMs - offsetMs) > DRIFT_MS_MAX) offsetMs = wallMs - monotonicMs;
  return spanTime(monotonicMs);
}

export function timeNow(): number {
  return spanTime(performance.now());
}

/**
 * When a time to live is over: at its deadline, to the millisecond. From then on the entry counts as absent, whether its removal
 * has been logged or not. This is the one place that says so.
 */
import type { Version } from '../../engine/version.ts';

/** @param instantMs of the look, in milliseconds since 1970-01-01 UTC; 0: nothing is overdue. */
export function isOverdue(version: Pick<Version, 'expireTimeMs'>, instantMs: number): boolean {
  return version.expireTimeMs !== 0 && version.expireTimeMs <= instantMs;
}

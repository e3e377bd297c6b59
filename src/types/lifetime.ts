/** How long an entry lives, where something of it changes and its lifetime does not. */
import type { Version } from '../engine/version.ts';
import type { PutOptions } from '../store/views/view.ts';

/** Whether a put of an entry has anything of the kind to take over. */
export function hasLifetime({ ttlMs, expireTimeMs, leaseId }: Version): boolean {
  return ttlMs !== 0 || expireTimeMs !== 0 || leaseId !== 0;
}

/** What a put of an entry takes over from the one that was there: time to live, deadline and lease. */
export function keepLifetime({ ttlMs, expireTimeMs, leaseId }: Version): PutOptions {
  return { ttlMs, expireTimeMs, leaseId };
}

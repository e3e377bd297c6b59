/** How long an entry lives, where something of it changes and its lifetime does not. */
import type { Version } from '../engine/version.ts';
import type { PutOptions } from '../store/views/view.ts';

/** What a put of an entry takes over from the one that was there: time to live, deadline and lease. */
export function keepLifetime({ ttlMs, expireTimeMs, leaseId }: Version): PutOptions {
  return { ttlMs, expireTimeMs, leaseId };
}

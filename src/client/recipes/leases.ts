/** Leases that are renewed for as long as something is wanted or held. */
import { client as limits } from '../../limits.ts';
import { answered } from './answered.ts';
import type { GrantedLease, RecipeHost } from './host.ts';

/** A grant whose answer was lost leaves a lease without keys, which ends by itself. */
export async function keptLease(
  host: RecipeHost,
  ttlMs: number,
  signal: AbortSignal | undefined,
): Promise<GrantedLease> {
  const lease = await answered(host.caller, () => host.grant(ttlMs, signal ? { signal } : {}), signal);
  lease.keepAlive();
  return lease;
}

/** Gives it up, and all keys with it, in a moment; where that fails its time to live does it. */
export async function giveUp(host: RecipeHost, lease: GrantedLease): Promise<void> {
  const deadlineMs = Math.min(limits.recipes.leaveMsMax, host.caller.deadlineMs);
  await lease.revoke({ deadlineMs }).catch(() => undefined);
}

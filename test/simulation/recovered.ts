/** What a store must hold after a restart: everything up to one revision, and nothing else. */
import type { Lease, Store } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { expectEqual } from './describe.ts';
import type { Ledger } from './ledger.ts';
import type { Instant } from './model.ts';
import { withoutTtl } from './sequential-store.ts';

/** Every page is longer than any state here. */
const ALL = 10_000;

/** Checks a store that was just opened, and makes the ledger go on from there. @returns its revision. */
export async function takeRecovered(
  store: Store,
  ledger: Ledger,
  instant: Instant,
  oldestRevisionMax: () => number,
): Promise<number> {
  const { model } = ledger;
  // All three are computed as they are called, before anything else can happen.
  const calls = [store.status(), store.scan({}, { limit: ALL }), store.listLeases({ limit: ALL })] as const;
  const [{ revision, oldestRevision, oldestWatchRevision }, { entries }, { leases }] =
    await Promise.all(calls);
  if (revision > model.revision)
    throw new Error(`revision ${revision} was recovered, ${model.revision} was the last taken`);
  if (revision < ledger.seenRevision)
    throw new Error(`revision ${ledger.seenRevision} was seen, ${revision} was recovered`);
  model.truncate(revision);
  if (oldestRevision > Math.min(revision, oldestRevisionMax()))
    throw new Error(`revisions below ${oldestRevision} are lost, though none are allowed to be`);
  if (oldestRevision < ledger.compactedRevision || oldestWatchRevision <= ledger.compactedRevision)
    throw new Error(`history before ${ledger.compactedRevision}, which was dropped, is back`);
  expectEqual(() => 'recovery', entries, model.entriesAt(revision, {}, instant.nowMs).map(withoutTtl));
  takeLeases(leases, ledger, instant.monotonicMs);
  ledger.recovered(revision, instant.monotonicMs);
  return revision;
}

/** A lease keeps what remained: not less, and not more than the last that was surely noted. */
function takeLeases(leases: readonly Lease[], ledger: Ledger, monotonicMs: number): void {
  const { model } = ledger;
  const found = leases.map(({ leaseId }) => leaseId);
  const expected = [...model.leaseById.keys()].sort((a, b) => a - b);
  expectEqual(() => 'the leases', found, expected);
  for (const { leaseId, ttlMs, remainingMs, keyCount } of leases) {
    const lease = model.leaseById.get(leaseId);
    if (lease === undefined) throw new Error(`lease ${leaseId} is not known`);
    const { leastMs, mostMs } = ledger.remainingBounds(lease);
    if (ttlMs !== lease.ttlMs || keyCount !== model.keysOfLease(leaseId).length)
      throw new Error(`lease ${leaseId} has another time to live, or other keys`);
    if (remainingMs < leastMs || remainingMs > mostMs)
      throw new Error(`lease ${leaseId} has ${remainingMs} ms left, not ${leastMs} to ${mostMs}`);
    lease.deadlineMs = monotonicMs + remainingMs;
    lease.acknowledgedDeadlineMs = lease.deadlineMs;
  }
}

/** Reads the whole state at some revisions of the past. */
export async function checkOldRevisions(store: Store, ledger: Ledger, random: SeededRandom): Promise<void> {
  const { oldestRevision: oldest, revision: newest } = await store.status();
  for (let count = Math.min(2, newest - oldest); count > 0; count--) {
    const revision = random.between(Math.max(1, oldest), newest);
    const { entries } = await store.scan({}, { revision, limit: ALL });
    const expected = ledger.model.entriesAt(revision).map(withoutTtl);
    expectEqual(() => `history at ${revision}`, entries, expected);
  }
}

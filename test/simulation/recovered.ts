/** What a store must hold after a restart: everything up to one revision, and nothing else. */
import type { Lease, Store } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { checkOldContents, visibleContents } from './collections/collection-checks.ts';
import { describe, expectEqual } from './describe.ts';
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
  const contents = visibleContents(store);
  // All three are computed as they are called, before anything else can happen.
  const calls = [store.status(), store.scan({}, { limit: ALL }), store.listLeases({ limit: ALL })] as const;
  const [{ revision, oldestRevision, oldestWatchRevision }, { entries }, { leases }] =
    await Promise.all(calls);
  if (revision > model.revision)
    throw new Error(`revision ${revision} was recovered, ${model.revision} was the last taken`);
  if (revision < ledger.seenRevision)
    throw new Error(`revision ${ledger.seenRevision} was seen, ${revision} was recovered`);
  model.truncate(revision);
  const latestMs = model.latestMs(revision);
  if (instant.nowMs < latestMs)
    throw new Error(
      `time goes on from ${instant.nowMs}, and revision ${revision} was written at ${latestMs}`,
    );
  if (oldestRevision > Math.min(revision, oldestRevisionMax()))
    throw new Error(`revisions below ${oldestRevision} are lost, though none are allowed to be`);
  if (oldestRevision < ledger.compactedRevision || oldestWatchRevision < ledger.compactedRevision)
    throw new Error(`history before ${ledger.compactedRevision}, which was dropped, is back`);
  expectEqual(() => 'recovery', entries, model.entriesAt(revision, {}, instant.nowMs).map(withoutTtl));
  const expected = model
    .entriesAt(revision, {}, instant.nowMs)
    .flatMap(({ key, content }) => (content === undefined ? [] : [[key, content]]));
  expectEqual(() => 'recovered collections', contents, expected);
  takeNotes(leases, ledger);
  takeLeases(leases, ledger, instant.monotonicMs);
  ledger.recovered(revision, instant.monotonicMs);
  return revision;
}

/**
 * Of the notes behind the last transaction any number of the first may be there, but no fewer than anybody was told of.
 * Which ones shows in the leases; where they are the same after more notes and after fewer, it does not matter.
 */
function takeNotes(leases: readonly Lease[], ledger: Ledger): void {
  const { model } = ledger;
  const least = Math.max(ledger.seenSequence, model.sequenceOf(model.revision));
  const isFound = (): boolean =>
    model.leaseById.size === leases.length &&
    leases.every((lease) => whatDiffers(lease, ledger) === undefined);
  const most = model.sequence;
  while (!isFound() && model.sequence > least) model.takeBackLast();
  if (isFound()) return;
  const expected = [...model.leaseById.values()].map(({ leaseId, ttlMs }) => [leaseId, ttlMs]);
  const found = leases.map((lease) => [lease.leaseId, lease.ttlMs, whatDiffers(lease, ledger)]);
  throw new Error(
    `the leases ${describe(found)} are those after none of the records ${least} to ${most}; after the first they are ${describe(expected)}`,
  );
}

/** A lease keeps what remained: not less, and not more than the last that was surely noted. */
function whatDiffers(found: Lease, ledger: Ledger): string | undefined {
  const { leaseId, ttlMs, remainingMs, keyCount } = found;
  const lease = ledger.model.leaseById.get(leaseId);
  if (lease === undefined) return 'it is not known';
  if (ttlMs !== lease.ttlMs) return `its time to live is ${ttlMs} ms, not ${lease.ttlMs}`;
  const keys = ledger.model.keysOfLease(leaseId);
  if (keyCount !== keys.length) return `it has ${keyCount} keys, not ${describe(keys)}`;
  const { leastMs, mostMs } = ledger.remainingBounds(lease);
  const isWithin = remainingMs >= leastMs && remainingMs <= mostMs;
  return isWithin ? undefined : `it has ${remainingMs} ms left, not ${leastMs} to ${mostMs}`;
}

/** The leases go on from here. */
function takeLeases(leases: readonly Lease[], { model }: Ledger, monotonicMs: number): void {
  for (const { leaseId, remainingMs } of leases) {
    const lease = model.leaseById.get(leaseId);
    if (lease === undefined) continue;
    lease.deadlineMs = monotonicMs + remainingMs;
    lease.acknowledgedDeadlineMs = lease.deadlineMs;
  }
}

/** Reads the whole state at some revisions of the past. */
export async function checkOldRevisions(store: Store, ledger: Ledger, random: SeededRandom): Promise<void> {
  const { oldestRevision: oldest, revision } = await store.status();
  // A key whose time has ended since goes by a revision that nothing has told of yet.
  const newest = Math.min(revision, ledger.model.revision);
  for (let count = Math.min(2, newest - oldest); count > 0; count--) {
    const old = random.between(Math.max(1, oldest), newest);
    const { entries } = await store.scan({}, { revision: old, limit: ALL });
    const expected = ledger.model.entriesAt(old).map(withoutTtl);
    expectEqual(() => `history at ${old}`, entries, expected);
    checkOldContents(store, ledger, old);
  }
}

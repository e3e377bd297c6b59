/** Leases, as functions over a view, and as they are read beside transactions. */
import type {
  DeleteRangeResult,
  GetLeaseOptions,
  Key,
  Lease,
  LeaseGrant,
  LeasePage,
  PageOptions,
} from '../api.ts';
import type { Random } from '../clock.ts';
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import { leaseNotFound } from '../store/leases/lease-draft.ts';
import type { LeaseState, LeaseReads } from '../store/leases/lease-table.ts';
import { decodeKey, fromKeyText, type KeyText } from '../store/views/keys.ts';
import type { View } from '../store/views/view.ts';
import { type ChargedPage, LISTED_KEY_BYTES, LISTED_LEASE_BYTES, pageLimitOf } from './reads/page-limit.ts';
import { sortInSlices } from './reads/sliced-sort.ts';

/** @param wantedId 0: one that is free. @param owner the user that it belongs to; '': none. */
export function grantLease(
  view: View,
  random: Random,
  { ttlMs, wantedId, owner }: { readonly ttlMs: number; readonly wantedId: number; readonly owner: string },
): LeaseGrant {
  if (wantedId !== 0 && view.lease(wantedId) !== undefined) {
    throw new StoreError('leaseExists', `lease ${wantedId} exists already`);
  }
  const leaseId = wantedId === 0 ? freeLeaseId(view, random) : wantedId;
  view.grantLease(leaseId, ttlMs, owner);
  return { leaseId, ttlMs, revision: view.replyRevision };
}

export function renewLease(view: View, leaseId: number): { readonly ttlMs: number } {
  const { ttlMs } = existing(leaseId, view.lease(leaseId));
  view.renewLease(leaseId);
  return { ttlMs };
}

export function revokeLease(view: View, leaseId: number): DeleteRangeResult {
  existing(leaseId, view.lease(leaseId));
  const deletedCount = view.endLease(leaseId, 'leaseRevoked');
  return { firstRevision: view.replyRevision, revision: view.replyRevision, deletedCount };
}

/** @returns a lease without its keys, and those by themselves if they are asked for: `listKeys` makes a list of them. */
export function getLease(
  leases: LeaseReads,
  leaseId: number,
  { includeKeys = false, charge }: GetLeaseOptions & ChargedPage,
): { readonly lease: Lease; readonly keys: readonly KeyText[] } {
  const lease = existing(leaseId, leases.get(leaseId));
  // As texts, sorted, and as they are handed out.
  if (includeKeys) charge?.(lease.keys.size * LISTED_KEY_BYTES + 2 * lease.keyBytes);
  return { lease: toLease(leases, lease), keys: includeKeys ? [...lease.keys] : [] };
}

/**
 * Keys of a lease in their order, as they are handed out.
 * @param pause resolves when other work has had its turn.
 */
export async function listKeys(keys: readonly KeyText[], pause: () => Promise<void>): Promise<Key[]> {
  const listed: Key[] = [];
  for (const key of await sortInSlices(keys, pause)) {
    listed.push(decodeKey(fromKeyText(key)));
    if (listed.length % fixed.sortedInTurnMax === 0) await pause();
  }
  return listed;
}

export function listLeases(leases: LeaseReads, options: PageOptions & ChargedPage): LeasePage {
  const limit = pageLimitOf(options);
  const listed = leases.list(parseLeaseToken(options.pageToken), limit + 1);
  options.charge?.(listed.length * LISTED_LEASE_BYTES);
  const page = listed.slice(0, limit).map((lease) => toLease(leases, lease));
  return { leases: page, nextPageToken: listed.length > limit ? String(page.at(-1)?.leaseId) : '' };
}

function toLease(leases: LeaseReads, lease: LeaseState): Lease {
  return {
    leaseId: lease.leaseId,
    ttlMs: lease.ttlMs,
    remainingMs: Math.max(0, lease.deadlineMs - leases.clockMs()),
    keyCount: lease.keys.size,
    keys: [],
  };
}

function existing<Found>(leaseId: number, lease: Found | undefined): Found {
  if (lease === undefined) throw leaseNotFound(leaseId);
  return lease;
}

function freeLeaseId(view: View, random: Random): number {
  for (;;) {
    const bytes = Buffer.from(random.bytes(8));
    const id = Number(bytes.readBigUInt64LE() & BigInt(fixed.integerMax));
    if (id !== 0 && view.lease(id) === undefined) return id;
  }
}

/** A page of leases goes on after a lease id. */
function parseLeaseToken(token: string | undefined): number {
  if (token === undefined || token === '') return 0;
  const leaseId = /^\d{1,16}$/.test(token) ? Number(token) : NaN;
  if (!Number.isSafeInteger(leaseId)) {
    throw new StoreError(
      'invalidArgument',
      'page_token is not one that this store gave out; begin without a token',
    );
  }
  return leaseId;
}

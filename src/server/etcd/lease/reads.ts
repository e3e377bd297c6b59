/** `Lease.LeaseTimeToLive` and `Lease.LeaseLeases`. */
import type {
  LeaseLeasesRequestShape,
  LeaseLeasesResponseShape,
  LeaseTimeToLiveRequestShape,
  LeaseTimeToLiveResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Lease as LeaseService } from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkLeaseKeys } from '../../../access/checks.ts';
import type { Lease } from '../../../api.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { fixed } from '../../../limits.ts';
import type { Call } from '../../calls/call.ts';
import { nameOf } from '../../services/method.ts';
import { keysBytes, pageCharge } from '../../services/reply-entries.ts';
import { headerOf } from '../header.ts';
import { askOfLease } from '../lease-ids.ts';

/** -1 seconds are left of a lease that is not there. */
export async function timeToLive(
  store: KvStore,
  { ID, keys }: LeaseTimeToLiveRequestShape,
  call: Call,
): Promise<LeaseTimeToLiveResponseShape> {
  const lease = await askOfLease(ID, (leaseId) => leaseOf(store, leaseId, keys, call));
  const header = headerOf(store, store.visibleRevision);
  if (lease === undefined) return { header, ID, TTL: -1, grantedTTL: 0, keys: [] };
  call.checkMessage(keysBytes(lease.keys));
  return {
    header,
    ID,
    TTL: Math.floor(lease.remainingMs / 1000),
    grantedTTL: Math.floor(lease.ttlMs / 1000),
    keys: lease.keys.map((key) => (typeof key === 'string' ? Buffer.from(key) : key)),
  };
}

function leaseOf(store: KvStore, leaseId: number, includeKeys: boolean, call: Call): Promise<Lease> {
  const charge = pageCharge(call);
  if (!includeKeys) return store.getLease(leaseId, { charge });
  call.asked(nameOf(LeaseService.method.leaseTimeToLive), () =>
    checkLeaseKeys(call.login, 'read', store, leaseId),
  );
  return store.getLease(leaseId, { includeKeys, charge, signal: call.signal });
}

/** The one that ends first stands first. */
export async function leases(
  store: KvStore,
  _request: LeaseLeasesRequestShape,
  call: Call,
): Promise<LeaseLeasesResponseShape> {
  let found: Lease[] = [];
  let pageToken = '';
  do {
    const page = await store.listLeases({ limit: fixed.pageLimitMax, pageToken, charge: pageCharge(call) });
    found = merged(
      found,
      page.leases.sort((a, b) => a.remainingMs - b.remainingMs),
    );
    call.checkMessage(found.length * LEASE_STATUS_BYTES);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && !call.isAborted);
  const header = headerOf(store, store.visibleRevision);
  return { header, leases: found.map(({ leaseId }) => ({ ID: leaseId })) };
}

/** What a lease takes in a reply, at most. */
const LEASE_STATUS_BYTES = 12;

/** Of two rows that are in order. One page is sorted at a time, so that no turn of the event loop grows long. */
function merged(left: readonly Lease[], right: readonly Lease[]): Lease[] {
  const row: Lease[] = [];
  let [leftAt, rightAt] = [0, 0];
  for (;;) {
    const [fromLeft, fromRight] = [left[leftAt], right[rightAt]];
    if (
      fromLeft !== undefined &&
      (fromRight === undefined || fromLeft.remainingMs <= fromRight.remainingMs)
    ) {
      row.push(fromLeft);
      leftAt++;
    } else if (fromRight !== undefined) {
      row.push(fromRight);
      rightAt++;
    } else {
      return row;
    }
  }
}

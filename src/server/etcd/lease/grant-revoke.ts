/** `Lease.LeaseGrant` and `Lease.LeaseRevoke`. */
import type {
  LeaseGrantRequestShape,
  LeaseGrantResponseShape,
  LeaseRevokeRequestShape,
  LeaseRevokeResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import type { Call } from '../../calls/call.ts';
import { etcdError } from '../errors.ts';
import { headerOf } from '../header.ts';
import { grantedIdOf, leaseIdOf } from '../lease-ids.ts';

/** A time to live that is shorter than etcd grants is made as long as that, and one beyond a hundred years is cut. */
export async function grant(
  store: KvStore,
  { TTL, ID }: LeaseGrantRequestShape,
  { login }: Call,
): Promise<LeaseGrantResponseShape> {
  if (TTL > serverFixed.etcdLeaseTtlSecondsMax) throw etcdError('leaseTtlTooLarge');
  const ttlMs = Math.min(Math.max(TTL, serverFixed.etcdLeaseTtlSecondsMin) * 1000, fixed.ttlMsMax);
  const { leaseId, revision } = await store.grantLease(ttlMs, grantedIdOf(ID), login.userName);
  return { header: headerOf(store, revision), ID: leaseId, TTL: ttlMs / 1000, error: '' };
}

export async function revoke(
  store: KvStore,
  { ID }: LeaseRevokeRequestShape,
): Promise<LeaseRevokeResponseShape> {
  const { revision } = await store.revokeLease(leaseIdOf(ID));
  return { header: headerOf(store, revision) };
}

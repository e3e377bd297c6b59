/** `kelp.v1.LeaseService` over the store. */
import * as codec from '../../../gen/kelp/v1/lease_codec.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { checkLease, checkLeaseKeys, checkUser } from '../../access/checks.ts';
import { isStoreError } from '../../errors.ts';
import type { Lease } from '../../api.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import type { Call } from '../calls/call.ts';
import { untilAborted } from '../../until-aborted.ts';
import { type MethodsOf, type UnreadRequest, bidiStream, unary, unaryWrite } from './method.ts';
import { durationShape, keyLists, keysBytes, pageCharge } from './reply-entries.ts';
import { leaseTtlMs, pageLimit, wholeNumber } from './request-fields.ts';

export const leaseMethods: MethodsOf<typeof LeaseService> = {
  grant: unaryWrite(
    LeaseService.method.grant,
    {
      read: codec.readGrantRequest,
      sizeOf: codec.sizeOfGrantResponse,
      prepend: codec.prependGrantResponse,
    },
    checkUser,
    grant,
  ),
  renew: unaryWrite(
    LeaseService.method.renew,
    {
      read: codec.readRenewRequest,
      sizeOf: codec.sizeOfRenewResponse,
      prepend: codec.prependRenewResponse,
    },
    (login, { leaseId }, store) => checkLease(login, store, leaseId),
    renew,
  ),
  keepAlive: bidiStream(
    LeaseService.method.keepAlive,
    {
      read: codec.readKeepAliveRequest,
      sizeOf: codec.sizeOfKeepAliveResponse,
      prepend: codec.prependKeepAliveResponse,
    },
    'writer',
    checkUser,
    keepAlive,
  ),
  revoke: unaryWrite(
    LeaseService.method.revoke,
    {
      read: codec.readRevokeRequest,
      sizeOf: codec.sizeOfRevokeResponse,
      prepend: codec.prependRevokeResponse,
    },
    (login, { leaseId }, store) => checkLeaseKeys(login, 'write', store, leaseId),
    (store, { leaseId }) => store.revokeLease(wholeNumber('lease_id', leaseId)),
  ),
  get: unary(
    LeaseService.method.get,
    {
      read: codec.readLeaseServiceGetRequest,
      sizeOf: codec.sizeOfLeaseServiceGetResponse,
      prepend: codec.prependLeaseServiceGetResponse,
    },
    (login, { leaseId, includeKeys }, store) =>
      includeKeys ? checkLeaseKeys(login, 'read', store, leaseId) : checkUser(login),
    get,
  ),
  list: unary(
    LeaseService.method.list,
    { read: codec.readListRequest, sizeOf: codec.sizeOfListResponse, prepend: codec.prependListResponse },
    checkUser,
    list,
  ),
};

async function grant(
  store: KvStore,
  request: codec.GrantRequestShape,
  { login }: Call,
): Promise<codec.GrantResponseShape> {
  const ttlMs = leaseTtlMs('ttl', request.ttl);
  const asked = wholeNumber('lease_id', request.leaseId);
  const lease = await store.grantLease(ttlMs, asked, login.userName);
  return { leaseId: lease.leaseId, ttl: durationShape(lease.ttlMs), revision: lease.revision };
}

async function renew(
  store: KvStore,
  { leaseId }: codec.RenewRequestShape,
): Promise<codec.RenewResponseShape> {
  const { ttlMs } = await store.renewLease(wholeNumber('lease_id', leaseId));
  return { leaseId, ttl: durationShape(ttlMs) };
}

async function* keepAlive(
  store: KvStore,
  requests: AsyncIterable<UnreadRequest<codec.KeepAliveRequestShape>>,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<codec.KeepAliveResponseShape> {
  for await (const request of untilAborted(requests, signal)) {
    const { leaseId } = request.read();
    yield { leaseId, ttl: durationShape(await renewedTtlMs(store, call, leaseId)) };
  }
}

/** Zero when the lease is gone: the stream goes on for the other leases of its holder. */
async function renewedTtlMs(store: KvStore, { login }: Call, leaseId: number): Promise<number> {
  try {
    checkLease(login, store, leaseId);
    return (await store.renewLease(wholeNumber('lease_id', leaseId))).ttlMs;
  } catch (error) {
    if (isStoreError(error, 'leaseNotFound')) return 0;
    throw error;
  }
}

async function get(
  store: KvStore,
  { leaseId, includeKeys }: codec.LeaseServiceGetRequestShape,
  call: Call,
): Promise<codec.LeaseServiceGetResponseShape> {
  const charge = pageCharge(call);
  const options = includeKeys ? { includeKeys, charge, signal: call.signal } : { charge };
  const lease = await store.getLease(wholeNumber('lease_id', leaseId), options);
  call.checkMessage(keysBytes(lease.keys));
  return { lease: leaseShape(lease), ...keyLists(lease.keys) };
}

async function list(
  store: KvStore,
  { limit, pageToken }: codec.ListRequestShape,
  call: Call,
): Promise<codec.ListResponseShape> {
  const page = await store.listLeases({ limit: pageLimit(limit), pageToken, charge: pageCharge(call) });
  return { leases: page.leases.map(leaseShape), nextPageToken: page.nextPageToken };
}

function leaseShape({ leaseId, ttlMs, remainingMs, keyCount }: Lease): codec.LeaseShape {
  return { leaseId, ttl: durationShape(ttlMs), remaining: durationShape(remainingMs), keyCount };
}

/**
 * `etcdserverpb.Lease`, on the leases of the store. Who may use a lease is what `kelp.v1.LeaseService` says of it: its owner, who may
 * use all keys, and everybody where it has none.
 */
import * as codec from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Lease } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkLeaseKeys, checkUser } from '../../access/checks.ts';
import { type Method, bidiStream, unary, unaryWrite } from '../services/method.ts';
import { leaseIdOf } from './lease-ids.ts';
import { keepAlive } from './lease/keep-alive.ts';
import { grant, revoke } from './lease/grant-revoke.ts';
import { leases, timeToLive } from './lease/reads.ts';

export function leaseMethods(): Readonly<Record<string, Method>> {
  return {
    leaseGrant: unaryWrite(
      Lease.method.leaseGrant,
      {
        read: codec.readLeaseGrantRequest,
        sizeOf: codec.sizeOfLeaseGrantResponse,
        prepend: codec.prependLeaseGrantResponse,
      },
      checkUser,
      grant,
    ),
    leaseRevoke: unaryWrite(
      Lease.method.leaseRevoke,
      {
        read: codec.readLeaseRevokeRequest,
        sizeOf: codec.sizeOfLeaseRevokeResponse,
        prepend: codec.prependLeaseRevokeResponse,
      },
      (login, { ID }, store) => checkLeaseKeys(login, 'write', store, leaseIdOf(ID)),
      revoke,
    ),
    leaseKeepAlive: bidiStream(
      Lease.method.leaseKeepAlive,
      {
        read: codec.readLeaseKeepAliveRequest,
        sizeOf: codec.sizeOfLeaseKeepAliveResponse,
        prepend: codec.prependLeaseKeepAliveResponse,
      },
      'writer',
      checkUser,
      keepAlive,
    ),
    leaseTimeToLive: unary(
      Lease.method.leaseTimeToLive,
      {
        read: codec.readLeaseTimeToLiveRequest,
        sizeOf: codec.sizeOfLeaseTimeToLiveResponse,
        prepend: codec.prependLeaseTimeToLiveResponse,
      },
      // A lease that is not there is answered, so that its keys are asked for once it is known that it is.
      checkUser,
      timeToLive,
    ),
    leaseLeases: unary(
      Lease.method.leaseLeases,
      {
        read: codec.readLeaseLeasesRequest,
        sizeOf: codec.sizeOfLeaseLeasesResponse,
        prepend: codec.prependLeaseLeasesResponse,
      },
      checkUser,
      leases,
    ),
  };
}

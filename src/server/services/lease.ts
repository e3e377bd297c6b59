/** `kelp.v1.LeaseService` over the store. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import type { LeaseSchema, LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { StoreError, isStoreError } from '../../errors.ts';
import type { Lease, Store } from '../../api.ts';
import { callOf } from '../calls.ts';
import { shuttingDownError } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import { keysBytes } from './reply-entries.ts';
import { pageLimit, timeToLiveMs, wholeNumber } from './request-fields.ts';

export function leaseService(store: () => Store): ServiceImpl<typeof LeaseService> {
  return {
    async grant(request) {
      const ttlMs = timeToLiveMs('ttl', request.ttl);
      if (ttlMs === undefined) throw new StoreError('invalidArgument', 'ttl is missing; a lease needs one');
      // Zero lets the store choose the id.
      const asked = wholeNumber('lease_id', request.leaseId);
      const lease = await (asked === 0 ? store().grantLease(ttlMs) : store().grantLease(ttlMs, asked));
      return {
        leaseId: BigInt(lease.leaseId),
        ttl: durationFromMs(lease.ttlMs),
        revision: BigInt(lease.revision),
      };
    },

    async renew({ leaseId }) {
      const { ttlMs } = await store().renewLease(wholeNumber('lease_id', leaseId));
      return { leaseId, ttl: durationFromMs(ttlMs) };
    },

    async *keepAlive(requests, context) {
      for await (const { leaseId } of untilAborted(requests, context.signal)) {
        yield { leaseId, ttl: durationFromMs(await renewedTtlMs(store(), leaseId)) };
      }
      if (callOf(context).isEndedByServer) throw shuttingDownError();
    },

    async revoke({ leaseId }) {
      const { revision, deletedCount } = await store().revokeLease(wholeNumber('lease_id', leaseId));
      return { revision: BigInt(revision), deletedCount: BigInt(deletedCount) };
    },

    async get({ leaseId, includeKeys }, context) {
      const lease = await store().getLease(wholeNumber('lease_id', leaseId), { includeKeys });
      callOf(context).chargeReply(keysBytes(lease.keys));
      return { lease: leaseMessage(lease), keys: lease.keys };
    },

    async list({ limit, pageToken }) {
      const page = await store().listLeases({ limit: pageLimit(limit), pageToken });
      return { leases: page.leases.map(leaseMessage), nextPageToken: page.nextPageToken };
    },
  };
}

/** Zero when the lease is gone: the stream goes on for the other leases of its holder. */
async function renewedTtlMs(store: Store, leaseId: bigint): Promise<number> {
  try {
    return (await store.renewLease(wholeNumber('lease_id', leaseId))).ttlMs;
  } catch (error) {
    if (isStoreError(error, 'leaseNotFound')) return 0;
    throw error;
  }
}

function leaseMessage(lease: Lease): MessageInitShape<typeof LeaseSchema> {
  return {
    leaseId: BigInt(lease.leaseId),
    ttl: durationFromMs(lease.ttlMs),
    remaining: durationFromMs(lease.remainingMs),
    keyCount: BigInt(lease.keyCount),
  };
}

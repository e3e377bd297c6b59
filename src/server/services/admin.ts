/** `kelp.v1.AdminService` over the store and the process. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import type { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import type { Store } from '../../api.ts';
import { callOf } from '../calls.ts';
import { wholeNumber } from './request-fields.ts';

export function adminService(store: () => Store, version: string): ServiceImpl<typeof AdminService> {
  return {
    async status() {
      const status = await store().status();
      return {
        version,
        revision: BigInt(status.revision),
        oldestRevision: BigInt(status.oldestRevision),
        oldestWatchRevision: BigInt(status.oldestWatchRevision),
        keyCount: BigInt(status.keyCount),
        leaseCount: BigInt(status.leaseCount),
        memoryDataBytes: BigInt(status.dataBytes),
        memoryResidentBytes: BigInt(process.memoryUsage.rss()),
        memoryUsedBytes: BigInt(status.memoryBytes),
        memoryLimitBytes: BigInt(status.memoryBytesMax),
        logBytes: BigInt(status.logBytes),
        segmentCount: status.segmentCount,
        snapshotBytes: BigInt(status.snapshotBytes),
        snapshotCount: status.snapshotCount,
        snapshotRevision: BigInt(status.snapshotRevision),
        watcherCount: status.watcherCount,
        uptime: durationFromMs(Math.round(process.uptime() * 1000)),
        storeId: status.storeId,
        incarnation: status.incarnation,
      };
    },

    async snapshot() {
      const { revision, bytes } = await store().snapshot();
      return { revision: BigInt(revision), bytes: BigInt(bytes) };
    },

    async *backup(_, context) {
      const call = callOf(context);
      for await (const data of store().backup()) {
        // The server stops, the client is gone or its deadline has passed.
        context.signal.throwIfAborted();
        call.chargeReply(data.length);
        yield { data };
        // Asked for more: this one is written.
        call.releaseReply();
      }
    },

    async compact(request) {
      const { oldestRevision } = await store().compact(wholeNumber('revision', request.revision));
      return { oldestRevision: BigInt(oldestRevision) };
    },
  };
}

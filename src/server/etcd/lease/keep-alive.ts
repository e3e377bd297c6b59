/** `Lease.LeaseKeepAlive`: each request is answered, by 0 seconds where the lease is gone, and the stream goes on for the others. */
import type {
  LeaseKeepAliveRequestShape,
  LeaseKeepAliveResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Lease } from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkLease } from '../../../access/checks.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { Call } from '../../calls/call.ts';
import { untilAborted } from '../../../until-aborted.ts';
import { nameOf, type UnreadRequest } from '../../services/method.ts';
import { headerOf } from '../header.ts';
import { askOfLease } from '../lease-ids.ts';

const name = nameOf(Lease.method.leaseKeepAlive);

export async function* keepAlive(
  store: KvStore,
  requests: AsyncIterable<UnreadRequest<LeaseKeepAliveRequestShape>>,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<LeaseKeepAliveResponseShape> {
  for await (const request of untilAborted(requests, signal)) {
    const { ID } = request.read();
    const ttlMs = (await askOfLease(ID, (leaseId) => renew(store, call, leaseId))) ?? 0;
    yield { header: headerOf(store, store.visibleRevision), ID, TTL: Math.floor(ttlMs / 1000) };
  }
}

async function renew(store: KvStore, call: Call, leaseId: number): Promise<number> {
  call.asked(name, () => checkLease(call.login, store, leaseId));
  return (await store.renewLease(leaseId)).ttlMs;
}

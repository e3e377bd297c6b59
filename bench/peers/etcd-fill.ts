/** Puts the keys of a case into a server that speaks etcd's API, in transactions as long as etcd takes. */
import { keyOf, Values } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { underWay } from '../load/under-way.ts';
import { etcdPutRequest, putsRequest, TXN_OPERATIONS_MAX, TXN_PATH } from './etcd.ts';

const FILL_UNDER_WAY = 16;

export async function fillEtcdKeys(address: string, keyCount: number): Promise<void> {
  const caller = new GrpcCaller(address);
  await caller.connect();
  const values = new Values();
  await underWay(FILL_UNDER_WAY, Math.ceil(keyCount / TXN_OPERATIONS_MAX), async (index) => {
    const first = index * TXN_OPERATIONS_MAX;
    const count = Math.min(TXN_OPERATIONS_MAX, keyCount - first);
    const puts = Array.from({ length: count }, (_, offset) =>
      etcdPutRequest(keyOf(first + offset), values.of(first + offset)),
    );
    await caller.call(TXN_PATH, putsRequest(puts));
  });
  caller.close();
}

/**
 * Measures etcd on the same calls as `served`, through the same client. It flushes every write before it answers, so
 * its puts stand beside KelpDB's with `--fsync always`. The client shares the machine: often it is what limits.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { measureCalls } from '../load/call-rates.ts';
import { keyOf, Values } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { dataBytes } from '../load/memory.ts';
import { residentBytesOf } from '../load/process-figures.ts';
import { shuffledIndexes } from '../load/random.ts';
import { underWay } from '../load/under-way.ts';
import {
  ETCD_PUT_PATH,
  etcdPutRequest,
  putsRequest,
  RANGE_PATH,
  rangeRequest,
  startEtcd,
  TXN_OPERATIONS_MAX,
  TXN_PATH,
} from '../peers/etcd.ts';

const FILL_SEED = 1;
const FILL_UNDER_WAY = 16;

export const etcd: BenchCase = {
  async run(context) {
    const server = await startEtcd(context, `${context.directory}/etcd`);
    if (server === undefined) return context.reportMissing('not installed');
    const { address, child } = server;
    try {
      const caller = new GrpcCaller(address);
      await caller.connect();
      const before = await residentBytesOf(child.processId);
      await fill(context, caller);
      const overheadBytes = (await residentBytesOf(child.processId)) - before - dataBytes(context.keyCount);
      context.report({
        name: 'resident memory over keys and values',
        unit: 'bytes/key',
        samples: [overheadBytes / context.keyCount],
      });
      await measureCalls(context, {
        name: '@grpc/grpc-js',
        get: rangeRequest,
        put: etcdPutRequest,
        call: (request, kind) => caller.call(kind === 'get' ? RANGE_PATH : ETCD_PUT_PATH, request),
      });
      caller.close();
    } finally {
      await child.stop();
    }
  },
};

async function fill({ keyCount }: CaseContext, caller: GrpcCaller): Promise<void> {
  const values = new Values();
  const order = shuffledIndexes(keyCount, FILL_SEED);
  await underWay(FILL_UNDER_WAY, Math.ceil(keyCount / TXN_OPERATIONS_MAX), async (index) => {
    const first = index * TXN_OPERATIONS_MAX;
    const indexes = [...order.subarray(first, first + TXN_OPERATIONS_MAX)];
    const puts = indexes.map((keyIndex) => etcdPutRequest(keyOf(keyIndex), values.of(keyIndex)));
    await caller.call(TXN_PATH, putsRequest(puts));
  });
}

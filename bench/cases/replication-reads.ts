/**
 * Measures reads of one key at nodes of a cluster, by turns: linearizable ones, which wait for one question to etcd together, and those of
 * what the node has; and those of the same etcd, linearizable and not. With one under way a linearizable read takes what the
 * question takes.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { KelpCluster } from '../load/kelp-cluster.ts';
import { GET_PATH, getRequest, localGetRequest } from '../load/kelp-requests.ts';
import { measureByTurns, type Target } from '../load/server-turns.ts';
import { EtcdMembers } from '../peers/etcd-members.ts';
import { ETCD_PUT_PATH, etcdPutRequest, localRangeRequest, RANGE_PATH, rangeRequest } from '../peers/etcd.ts';

const key = keyOf(0);
const value = new Values().of(0);
const get = { name: 'linearizable', path: GET_PATH, message: getRequest(key) };
const localGet = { name: 'local', path: GET_PATH, message: localGetRequest(key) };
const range = { name: 'linearizable', path: RANGE_PATH, message: rangeRequest(key) };
const localRange = { name: 'serializable', path: RANGE_PATH, message: localRangeRequest(key) };

const CALLS_UNDER_WAY = [1, 256];
const RATIOS = [
  { of: 'the writer', to: 'etcd, its leader' },
  { of: 'a follower', to: 'etcd, another member' },
  { of: 'the writer', to: 'the writer, local' },
  { of: 'a follower', to: 'a follower, local' },
];

export const replicationReads: BenchCase = {
  async run(context) {
    const etcd = await EtcdMembers.start(context, `${context.directory}/etcd`);
    if (etcd === undefined) return context.reportMissing('etcd is not installed');
    try {
      await measure(context, etcd);
    } finally {
      await etcd.stop();
    }
  },
};

async function measure(context: CaseContext, etcd: EtcdMembers): Promise<void> {
  const cluster = await KelpCluster.start(context, `${context.directory}/nodes`, etcd.logOf('main'), 3);
  try {
    const writer = await cluster.writer();
    const [follower] = cluster.followersOf(writer);
    const leader = await etcd.leader();
    const member = etcd.all.find((one) => one !== leader);
    if (follower === undefined || member === undefined) throw new Error('there are three of each');
    await writer.client.put(key, value);
    const caller = new GrpcCaller(leader.address);
    await caller.call(ETCD_PUT_PATH, etcdPutRequest(key, value));
    caller.close();
    const ofNode = (node: typeof writer): Target['processIdsByPart'] => ({
      'the node': [node.processId],
      etcd: etcd.processIds,
    });
    const ofEtcd = { etcd: etcd.processIds };
    const targets: readonly Target[] = [
      { name: 'the writer', address: writer.address, request: get, processIdsByPart: ofNode(writer) },
      { name: 'a follower', address: follower.address, request: get, processIdsByPart: ofNode(follower) },
      {
        name: 'the writer, local',
        address: writer.address,
        request: localGet,
        processIdsByPart: ofNode(writer),
      },
      {
        name: 'a follower, local',
        address: follower.address,
        request: localGet,
        processIdsByPart: ofNode(follower),
      },
      { name: 'etcd, its leader', address: leader.address, request: range, processIdsByPart: ofEtcd },
      { name: 'etcd, another member', address: member.address, request: range, processIdsByPart: ofEtcd },
      {
        name: 'etcd, another member, local',
        address: member.address,
        request: localRange,
        processIdsByPart: ofEtcd,
      },
    ];
    for (const callsUnderWay of CALLS_UNDER_WAY) {
      if (!(await measureByTurns(context, targets, callsUnderWay, RATIOS)))
        return context.reportMissing('h2load is not installed');
    }
  } finally {
    await cluster.stop();
  }
}

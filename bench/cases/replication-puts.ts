/**
 * Measures durable puts over a log in an etcd of three members, by three nodes and by one, beside those of a server with a local log
 * (`--fsync always`) and those of the same etcd, by turns. All of it shares the machine and its disk, which three members flush: read
 * the ratios, and what a put takes of the processor time of each part.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { KelpCluster } from '../load/kelp-cluster.ts';
import { PUT_PATH, putRequest } from '../load/kelp-requests.ts';
import { startKelp } from '../load/kelp-server.ts';
import { measureByTurns, type Target } from '../load/server-turns.ts';
import { EtcdMembers } from '../peers/etcd-members.ts';
import { ETCD_PUT_PATH, etcdPutRequest } from '../peers/etcd.ts';

const key = keyOf(0);
const value = new Values().of(0);
const put = { name: 'put', path: PUT_PATH, message: putRequest(key, value) };
const etcdPut = { name: 'put', path: ETCD_PUT_PATH, message: etcdPutRequest(key, value) };

const CALLS_UNDER_WAY = [1, 256, 2048];
const RATIOS = [
  { of: 'three nodes', to: 'etcd' },
  { of: 'one node', to: 'etcd' },
  { of: 'three nodes, at a follower', to: 'etcd' },
  { of: 'three nodes', to: 'local log' },
  { of: 'one node', to: 'local log' },
];

export const replicationPuts: BenchCase = {
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
  const { directory } = context;
  const local = await startKelp(context, `${directory}/local`, 'always');
  const three = await KelpCluster.start(context, `${directory}/three`, etcd.logOf('three'), 3);
  const one = await KelpCluster.start(context, `${directory}/one`, etcd.logOf('one'), 1);
  try {
    const etcdIds = { etcd: etcd.processIds };
    const writer = await three.writer();
    const followers = three.followersOf(writer);
    const parts = {
      'the writer': [writer.processId],
      'the followers': followers.map(({ processId }) => processId),
      ...etcdIds,
    };
    const single = await one.writer();
    const targets: readonly Target[] = [
      {
        name: 'local log',
        address: local.ready,
        request: put,
        processIdsByPart: { 'the server': [local.processId] },
      },
      { name: 'three nodes', address: writer.address, request: put, processIdsByPart: parts },
      {
        name: 'three nodes, at a follower',
        address: followers[0]?.address ?? '',
        request: put,
        processIdsByPart: parts,
      },
      {
        name: 'one node',
        address: single.address,
        request: put,
        processIdsByPart: { 'the node': [single.processId], ...etcdIds },
      },
      {
        name: 'etcd',
        address: (await etcd.leader()).address,
        request: etcdPut,
        processIdsByPart: etcdIds,
      },
    ];
    for (const callsUnderWay of CALLS_UNDER_WAY) {
      if (!(await measureByTurns(context, targets, callsUnderWay, RATIOS)))
        return context.reportMissing('h2load is not installed');
    }
  } finally {
    await Promise.all([three.stop(), one.stop(), local.stop()]);
  }
}

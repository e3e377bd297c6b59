/** A server that follows a node of a real cluster, over a real etcd. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { systemRandom } from '../../../src/clock.ts';
import { openEtcdLog } from '../../../src/etcd-log/open-etcd-log.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { RealEtcd, hasRealEtcd } from '../etcd/support/real-etcd.ts';
import { clientOf, startReplica, valueAt } from './replicas.ts';

async function startNodes(): Promise<{ writer: TestServer; follower: TestServer }> {
  const etcd = await RealEtcd.start();
  onTestFinished(() => etcd.stop());
  const address = `etcd://${etcd.url.replace('http://', '')}/kelp/test`;
  const log = openEtcdLog({ address });
  await log.init(systemRandom.bytes(16), { timeoutMs: 10_000 });
  log.close();
  const nodeParts = {
    openSharedLog: () => openEtcdLog({ address }),
    peers: { snapshot: () => expect.unreachable(), report: async () => undefined },
    peerTls: undefined,
  };
  const flags = { log: address, 'failover-after': '1s' };
  const nodes = await Promise.all([0, 1].map(() => startTestServer({ flags, nodeParts })));
  const roles = await Promise.all(nodes.map(async (node) => (await clientOf(node).admin.status()).role));
  const [writer, follower] = [nodes[roles.indexOf('writer')], nodes[roles.indexOf('follower')]];
  if (writer === undefined || follower === undefined)
    throw new Error(`there are nodes that are ${roles.join()}`);
  return { writer, follower };
}

test.runIf(hasRealEtcd)('goes on with it when that takes over', { timeout: 60_000 }, async () => {
  const { writer, follower } = await startNodes();
  const { put, leases } = ((client) => ({ put: client.put.bind(client), leases: client.leases }))(
    clientOf(writer),
  );
  await put('before', '1');
  const replica = await startReplica(follower.address);
  const reader = createClient({ address: replica.address });
  onTestFinished(() => reader.close());
  const { id: leaseId } = await leases.grant(60_000);
  for (let round = 0; round < 20; round++) {
    await put('a', `${round}`);
    expect(await valueAt(reader, 'a')).toBe(`${round}`);
  }
  expect(await valueAt(reader, 'before')).toBe('1');
  expect(await reader.leases.get(leaseId)).toMatchObject({ leaseId });
  const told = await reader.admin.status();
  expect(told).toMatchObject({ role: 'follower', writerAddress: follower.address, epoch: 0 });

  await writer.stop();
  const successor = createClient({ address: follower.address, deadlineMs: 30_000 });
  onTestFinished(() => successor.close());
  for (let round = 0; round < 20; round++) {
    await successor.put('a', `after ${round}`);
    expect(await valueAt(reader, 'a')).toBe(`after ${round}`);
  }
  await successor.leases.revoke(leaseId);
  await expect(reader.leases.get(leaseId)).rejects.toMatchObject({ code: 'leaseNotFound' });
  const place = await successor.get('a');
  expect((await reader.get('a')).entry?.modRevision).toBe(place.entry?.modRevision);
});

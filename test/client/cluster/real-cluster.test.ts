/** A client over three nodes of a real cluster, of which the writer is cut off or handed over, again and again. */
import { expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { KelpError } from '../../../src/client/errors/error.ts';
import { openEtcdLog } from '../../../src/etcd-log/open-etcd-log.ts';
import { systemRandom } from '../../../src/clock.ts';
import { RealEtcd, hasRealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const FLAGS = { 'failover-after': '1s' };

async function startCluster(): Promise<{
  nodes: TestServer[];
  start: (at: TestServer) => Promise<TestServer>;
}> {
  const etcd = await RealEtcd.start();
  onTestFinished(() => etcd.stop());
  const address = `etcd://${etcd.url.replace('http://', '')}/kelp/test`;
  const log = openEtcdLog({ address });
  await log.init(systemRandom.bytes(16), { timeoutMs: 10_000 });
  log.close();
  const nodeParts = {
    openSharedLog: () => openEtcdLog({ address }),
    peers: { snapshot: () => fail(), report: async () => undefined },
    peerTls: undefined,
  };
  const start = (flags: Readonly<Record<string, string>>): Promise<TestServer> =>
    startTestServer({ flags: { log: address, ...FLAGS, ...flags }, nodeParts });
  const nodes = await Promise.all([0, 1, 2].map(() => start({})));
  return { nodes, start: ({ address: listen, dataDir }) => start({ listen, 'data-dir': dataDir }) };
}

function fail(): never {
  throw new Error('no node needs a snapshot here');
}

function clientOf(nodes: readonly TestServer[]): KelpClient {
  const client = createClient({ addresses: nodes.map(({ address }) => address), deadlineMs: 20_000 });
  onTestFinished(() => client.close());
  return client;
}

test.runIf(hasRealEtcd)(
  'calls and watches go on over takeovers: nothing acknowledged is lost, nothing is told twice',
  { timeout: 120_000 },
  async () => {
    const { nodes, start } = await startCluster();
    const client = clientOf(nodes);
    const seen: string[] = [];
    const { promise: synced, resolve: onSynced } = Promise.withResolvers<void>();
    const watch = client.watch({ ranges: [{ prefix: 'k/' }] });
    const watching = (async () => {
      for await (const message of watch) {
        if (message.kind === 'synced') onSynced();
        if (message.kind !== 'events') continue;
        for (const event of message.events) seen.push('key' in event ? event.key : event.entry.key);
        if (seen.at(-1) === 'k/last') return;
      }
    })();
    await Promise.race([synced, watching]);
    const acknowledged: string[] = [];
    const open = new Set<string>();
    let count = 0;
    const write = async (): Promise<void> => {
      const key = `k/${String(count++).padStart(5, '0')}`;
      try {
        await client.put(key, key, { condition: { kind: 'mustNotExist' } });
        acknowledged.push(key);
      } catch (error) {
        if (!(error instanceof KelpError) || !error.mayHaveTakenEffect) throw error;
        open.add(key);
      }
      // Its own write, at whatever node.
      const { entry } = await client.get(key);
      if (!open.has(key)) expect(entry?.text()).toBe(key);
    };
    for (let round = 0; round < 3; round++) {
      for (let times = 0; times < 20; times++) await write();
      const { writerAddress } = (await client.cluster.members()) as { writerAddress: string };
      const writer = nodes.findIndex(({ address }) => address === writerAddress);
      expect(writer, writerAddress).not.toBe(-1);
      const node = nodes[writer] as TestServer;
      if (round % 2 === 0) {
        node.abort();
        await node.stop();
        await write();
        nodes[writer] = await start(node);
      } else {
        await client.cluster.handover();
      }
      for (let times = 0; times < 20; times++) await write();
    }
    await client.put('k/last', '');
    await watching;
    const keys = (await client.keys('k/*').toArray()) as string[];
    expect(keys).toEqual(expect.arrayContaining(acknowledged));
    expect(seen).toEqual(keys);
    expect(open.size).toBeLessThan(10);
  },
);

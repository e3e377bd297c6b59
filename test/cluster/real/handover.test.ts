/** `kelp cluster handover --to`, with real nodes: under calls that go on, and to a node that stands still. */
import { expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { eventually } from '../../support/eventually.ts';
import { hasRealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { NodeCluster, type RealNode } from './node-cluster.ts';
import { kelp } from './kelp-command.ts';

const TIMEOUT_MS = 120_000;

/** Once the writer has heard of the others, which report every so often. */
async function withOther(cluster: NodeCluster): Promise<{ writer: RealNode; to: RealNode; third: RealNode }> {
  const writer = await cluster.writer();
  const [to, third] = cluster.others(writer);
  if (to === undefined || third === undefined) throw new Error('there are three nodes');
  await using client = createClient({ address: writer.address });
  await eventually(async () => (await client.cluster.members()).members.map(({ address }) => address), {
    timeout: 30_000,
  }).toEqual(expect.arrayContaining([to.address, third.address]));
  return { writer, to, third };
}

function handover(writer: RealNode, to: RealNode): Promise<string> {
  return kelp('cluster', 'handover', '--address', writer.address, '--to', to.address, '--timeout', '30s');
}

test.runIf(hasRealEtcd)(
  'the named node is the writer afterwards, and calls that go on meanwhile wait for it',
  { timeout: TIMEOUT_MS },
  async () => {
    const cluster = await NodeCluster.start();
    for (let round = 0; round < 3; round++) {
      const { writer, to, third } = await withOther(cluster);
      await using client = createClient({ address: third.address, deadlineMs: 30_000 });
      const done = new AbortController();
      let count = 0;
      const writing = (async () => {
        while (!done.signal.aborted) await client.put(`round ${round}`, String(++count));
      })();
      expect(await handover(writer, to)).toBe(`handed over: the node at ${to.address} is the writer now\n`);
      done.abort();
      await writing;
      expect(await cluster.writer()).toBe(to);
      const { entry } = await client.get(`round ${round}`);
      expect(Buffer.from(entry?.value ?? []).toString()).toBe(String(count));
    }
  },
);

test.runIf(hasRealEtcd)(
  'a node that stands still is refused, and so is one that is not there; the writer stays',
  { timeout: TIMEOUT_MS },
  async () => {
    const cluster = await NodeCluster.start();
    const { writer, to } = await withOther(cluster);
    await expect(
      kelp('cluster', 'handover', '--address', writer.address, '--to', '127.0.0.1:1'),
    ).rejects.toThrow(/ended with 4:[^]*the writer knows no node at 127\.0\.0\.1:1/);
    to.pause();
    await cluster.goesOn(writer, 4);
    // Once it stood still for longer than its entry in etcd lives, the writer knows it no more.
    await expect(handover(writer, to)).rejects.toThrow(
      /ended with 4:[^]*(is behind, or does not answer|the writer knows no node at)/,
    );
    to.resume();
    expect(await cluster.writer()).toBe(writer);
    expect(await handover(writer, to)).toContain(`the node at ${to.address} is the writer now`);
  },
);

/**
 * An etcd that has lost all it had: the nodes say so, are not ready and do not start again; none takes the log for that of an empty store, and
 * what they have stays on their disks.
 */
import { expect, test } from 'vitest';
import { openClients } from '../../crash/clients.ts';
import { NodeCluster } from './node-cluster.ts';
import { TIMEOUT_MS } from './survive.ts';

const LOST = /there is no shared log at/;

test('nodes whose shared log was wiped say so, and do not start again', { timeout: TIMEOUT_MS }, async () => {
  const cluster = await NodeCluster.start();
  await openClients(cluster.addresses).reader.put('kept', '1');

  await cluster.etcd.wipe();

  for (const { process, address } of cluster.nodes) {
    await process.loggedWhere((line) => LOST.test(JSON.stringify(line)));
    await expect.poll(async () => (await fetch(`http://${address}/readyz`)).status).toBe(503);
  }
  for (const node of cluster.nodes) {
    await node.end('SIGTERM');
    await expect(node.start()).rejects.toThrow(LOST);
  }
});

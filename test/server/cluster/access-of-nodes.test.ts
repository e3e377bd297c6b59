/** Users, roles and tokens are the store's: what one node is told of them holds at all nodes, and ends what was begun at any. */
import { chmod, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { Credentials } from '../../../src/client/calls/credentials.ts';
import { isKelpError } from '../../../src/client/errors/error.ts';
import { systemRandom } from '../../../src/clock.ts';
import { openEtcdLog } from '../../../src/etcd-log/open-etcd-log.ts';
import { RealEtcd, hasRealEtcd } from '../etcd/support/real-etcd.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../../support/test-server.ts';

const ROOT: Credentials = { user: 'root', password: 'a secret of root' };

/** @returns two nodes that are to make root, and what starts another one, which is not. */
async function startNodes(): Promise<{ nodes: TestServer[]; join: () => Promise<TestServer> }> {
  const etcd = await RealEtcd.start();
  onTestFinished(() => etcd.stop());
  const address = `etcd://${etcd.url.replace('http://', '')}/kelp/test`;
  const log = openEtcdLog({ address });
  await log.init(systemRandom.bytes(16), { timeoutMs: 10_000 });
  log.close();
  const file = `${await temporaryDirectory()}/root`;
  await writeFile(file, 'a secret of root');
  await chmod(file, 0o600);
  const nodeParts = {
    openSharedLog: () => openEtcdLog({ address }),
    peers: { snapshot: () => expect.unreachable(), report: async () => undefined },
    peerTls: undefined,
  };
  const flags = { log: address, 'failover-after': '1s' };
  const closed = { ...flags, 'root-password-file': file };
  const nodes = await Promise.all([0, 1].map(() => startTestServer({ flags: closed, nodeParts })));
  const exposed = { listen: '0.0.0.0:0', advertise: '127.0.0.1:1', 'allow-plaintext': 'true' };
  return { nodes, join: () => startTestServer({ flags: { ...flags, ...exposed }, nodeParts }) };
}

function clientOf({ url }: TestServer, credentials: Credentials): KelpClient {
  const client = createClient({ address: url, credentials });
  onTestFinished(() => client.close());
  return client;
}

test.runIf(hasRealEtcd)('over two nodes of a real cluster', { timeout: 60_000 }, async () => {
  const { nodes, join } = await startNodes();
  const isWriter = (server: TestServer): boolean =>
    server.log.lines.some(({ msg }) => msg === 'the user root was made');
  const [writer] = nodes.filter(isWriter);
  const [follower] = nodes.filter((node) => !isWriter(node));
  if (writer === undefined || follower === undefined) return expect.unreachable('one of them has made root');

  // Both were closed before they served anything.
  for (const { url } of nodes) {
    const stranger = createClient({ address: url });
    onTestFinished(() => stranger.close());
    await expect(stranger.get('a')).rejects.toSatisfy((error) => isKelpError(error, 'unauthenticated'));
  }

  // One that is new here, and that other machines reach, starts without being told of users: the cluster has some.
  await join();

  // What is made through the follower holds at both.
  const root = clientOf(follower, ROOT);
  await root.access.createRole('reader');
  await root.access.addGrant('reader', { permission: 'read', prefix: 'a/' });
  await root.access.createUser('ann', { password: 'a secret of ann', roles: ['reader'] });
  await root.put('a/1', 'x');
  const ann: Credentials = { user: 'ann', password: 'a secret of ann' };
  const readers = [clientOf(writer, ann), clientOf(follower, ann)] as const;
  for (const reader of readers) {
    expect((await reader.get('a/1')).entry?.text()).toBe('x');
    await expect(reader.put('a/1', 'y')).rejects.toSatisfy((error) => isKelpError(error, 'permissionDenied'));
  }

  // A watch at the follower ends when the user is deleted at the writer.
  const synced = Promise.withResolvers<void>();
  const watching = (async () => {
    for await (const message of readers[1].watch({ ranges: [{ prefix: 'a/' }] }))
      if (message.kind === 'synced') synced.resolve();
  })();
  await Promise.race([synced.promise, watching]);
  await clientOf(writer, ROOT).access.deleteUser('ann');
  await expect(watching).rejects.toSatisfy((error) => isKelpError(error, 'unauthenticated'));
});

/** What takes more than one call, over servers of which one dies meanwhile: scans, leases, backups, lists, changes of access. */
import type { ServiceImpl } from '@connectrpc/connect';
import { expect, onTestFinished, test } from 'vitest';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import { Consistency } from '../../../gen/kelp/v1/types_pb.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { startTestServer } from '../../support/test-server.ts';
import { ClusterFront } from '../support/cluster-front.ts';
import { FakePace, clientOf as clientOfScript } from '../support/fake-server.ts';
import { startGuarded } from '../support/guarded-server.ts';

async function clusterOf(
  port: number,
  options: Partial<ClientOptions> = {},
): Promise<{ client: KelpClient; fronts: ClusterFront[]; pace: FakePace }> {
  const fronts = await Promise.all([0, 1, 2].map(() => ClusterFront.before(port)));
  const pace = new FakePace();
  const client = createClient({ addresses: fronts.map(({ address }) => address), ...options }, pace);
  onTestFinished(() => client.close());
  return { client, fronts, pace };
}

/** Ends a server that the client is at. */
async function moveOn(
  fronts: readonly ClusterFront[],
  used: (front: ClusterFront) => boolean,
): Promise<void> {
  const front = fronts.find(used);
  expect(front).toBeDefined();
  await front?.die();
}

const isUsed = ({ connectCount }: ClusterFront): boolean => connectCount > 0;

test('a scan goes on elsewhere, with each entry once', async () => {
  const { port } = await startTestServer();
  const { client, fronts } = await clusterOf(port);
  const keys = Array.from({ length: 300 }, (_, index) => `k/${String(index).padStart(3, '0')}`);
  // Long enough that most of it is not on its way when the connection goes.
  const value = 'v'.repeat(32_000);
  for (const key of keys) await client.put(key, value);
  const seen: string[] = [];
  for await (const { key } of client.scan({ prefix: 'k/' }, { pageSize: 5 })) {
    seen.push(key);
    if (seen.length === 7) await moveOn(fronts, isUsed);
  }
  expect(seen).toEqual(keys);
});

test('pages of keys and of collections go on elsewhere', async () => {
  const { port } = await startTestServer();
  const { client, fronts } = await clusterOf(port);
  const names = Array.from({ length: 40 }, (_, index) => `n${String(index).padStart(2, '0')}`);
  await client.set.add('s', names);
  for (const name of names) await client.put(`k/${name}`, '');
  const seen: unknown[] = [];
  for await (const key of client.keys('k/*', { pageSize: 10 })) {
    seen.push(key);
    if (seen.length === 15) await moveOn(fronts, isUsed);
  }
  expect(seen).toEqual(names.map((name) => `k/${name}`));
  const members: string[] = [];
  for await (const member of client.set.scan('s', { pageSize: 10 })) members.push(member.text());
  expect(members.sort()).toEqual(names);
});

test('a lease is kept alive while one server dies after the other', async () => {
  const { port } = await startTestServer();
  const { client, fronts, pace } = await clusterOf(port);
  const lease = (await client.leases.grant(1000 * 24 * 60 * 60 * 1000)).keepAlive();
  for (const front of [...fronts, ...fronts]) {
    await front.die();
    const renewals = pace.waitsMs.length;
    while (pace.waitsMs.length < renewals + 3) await client.leases.renew(lease.id);
    await front.rise();
  }
  expect(lease.signal.aborted).toBe(false);
  lease.close();
});

test('what operators do goes where a server is', async () => {
  const { port } = await startTestServer();
  const { client, fronts } = await clusterOf(port);
  await client.put('a', '1');
  for (const front of fronts.slice(0, 2)) await front.die();
  expect((await client.admin.status()).revision).toBe(1);
  let bytes = 0;
  for await (const piece of client.admin.backup()) bytes += piece.length;
  expect(bytes).toBeGreaterThan(0);
  await client.access.createRole('reader');
  expect(await client.access.listRoles()).toMatchObject([{ name: 'reader' }]);
});

test('credentials that are renewed are shown to each server', async () => {
  const server = await startGuarded('Bearer new');
  const port = Number(new URL(server.url).port);
  let calls = 0;
  const credentials = (): { token: string } => ({ token: calls++ === 0 ? 'old' : 'new' });
  const { client, fronts } = await clusterOf(port, { credentials });
  await client.get('a');
  await moveOn(fronts, isUsed);
  await client.get('a');
  expect(calls).toBe(2);
});

test('pages of a read that is local ask each server for what the pages before have shown', async () => {
  const demands: [string, Consistency, bigint][] = [];
  type Asked = { readonly consistency: Consistency; readonly minRevision: bigint };
  const note = (name: string, { consistency, minRevision }: Asked): void =>
    void demands.push([name, consistency, minRevision]);
  const page = (name: string) => (request: Asked & { readonly pageToken: string }) => {
    note(name, request);
    return { revision: 7n, nextPageToken: request.pageToken === '' ? 'more' : '' };
  };
  const kv: Partial<ServiceImpl<typeof KvService>> = { keys: page('keys') };
  const { client } = clientOfScript((router) => {
    router.service(KvService, kv);
    router.service(HashService, { scan: page('hash') });
    router.service(SetService, { scan: page('set') });
    router.service(SortedSetService, { range: page('sortedSet') });
    router.service(ListService, {
      range: (request) => {
        note('list', request);
        const elements = [new Uint8Array(1)];
        return { elements, count: 2n, revision: 7n };
      },
    });
  });
  const all = async (options: { readonly consistency?: 'local'; readonly minRevision?: number }) => {
    demands.length = 0;
    await client.keys('*', options).toArray();
    await client.hash.scan('k', options).toArray();
    await client.set.scan('k', options).toArray();
    await client.sortedSet.range('k', {}, options).toArray();
    await client.list.range('k', options);
    return demands;
  };
  const names = ['keys', 'hash', 'set', 'sortedSet', 'list'];
  const expected = (consistency: Consistency, ...revisions: bigint[]) =>
    names.flatMap((name) => revisions.map((revision) => [name, consistency, revision]));
  expect(await all({ consistency: 'local' })).toEqual(expected(Consistency.LOCAL, 0n, 7n));
  expect(await all({ consistency: 'local', minRevision: 9 })).toEqual(expected(Consistency.LOCAL, 9n, 9n));
  expect(await all({})).toEqual(expected(Consistency.UNSPECIFIED, 0n, 0n));
});

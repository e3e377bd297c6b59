/** Whose a lease is that an etcd client grants, and what others may do with it. */
import { Code } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { closeAccess } from '../access/principals.ts';
import { failureOf } from './support/access-outcome.ts';
import { type EtcdClient, etcdClient } from './support/etcd-client.ts';

const denied = { code: Code.PermissionDenied, message: 'etcdserver: permission denied' };

async function renewed({ lease }: EtcdClient, ...ids: readonly bigint[]): Promise<bigint[]> {
  async function* requests(): AsyncGenerator<{ ID: bigint }> {
    for (const ID of ids) yield { ID };
  }
  const left: bigint[] = [];
  for await (const { TTL } of lease.leaseKeepAlive(requests())) left.push(TTL);
  return left;
}

test("a lease is its owner's, and of who may use all keys", async () => {
  const { url } = await startTestServer();
  const { root, principals } = await closeAccess(url);
  const client = (authorization?: string): EtcdClient =>
    etcdClient(url, authorization === undefined ? {} : { authorization });
  const edith = client(principals.find(({ name }) => name === 'edith')?.authorization);
  const admin = client(root.authorization);
  await admin.lease.leaseGrant({ ID: 5n, TTL: 60n });
  await edith.lease.leaseGrant({ ID: 6n, TTL: 60n });
  const key = Buffer.from('a/1');

  expect(await failureOf(edith.lease.leaseRevoke({ ID: 5n }))).toEqual(denied);
  expect(await failureOf(edith.kv.put({ key, lease: 5n }))).toEqual(denied);
  expect(await failureOf(edith.lease.leaseTimeToLive({ ID: 5n, keys: true }))).toEqual(denied);
  expect(await failureOf(renewed(edith, 6n, 5n))).toEqual(denied);
  expect(await edith.lease.leaseTimeToLive({ ID: 5n })).toMatchObject({ grantedTTL: 60n, keys: [] });
  expect(await edith.lease.leaseTimeToLive({ ID: 99n, keys: true })).toMatchObject({ TTL: -1n });
  expect(await failureOf(edith.lease.leaseRevoke({ ID: 99n }))).toEqual({
    code: Code.NotFound,
    message: 'etcdserver: requested lease not found',
  });

  await edith.kv.put({ key, lease: 6n });
  expect(await renewed(edith, 6n, 99n)).toEqual([60n, 0n]);
  expect((await edith.lease.leaseTimeToLive({ ID: 6n, keys: true })).keys).toHaveLength(1);
  expect(await renewed(admin, 6n)).toEqual([60n]);
  await admin.lease.leaseRevoke({ ID: 6n });
  expect(await edith.lease.leaseLeases({})).toMatchObject({ leases: [{ ID: 5n }] });
  expect(await failureOf(client().lease.leaseLeases({}))).toEqual({
    code: Code.InvalidArgument,
    message: 'etcdserver: user name is empty',
  });
});

test('a lease from the time when access was open is renewed by all users, and ended by who may write all keys', async () => {
  const { url } = await startTestServer();
  const before = etcdClient(url);
  await before.lease.leaseGrant({ ID: 7n, TTL: 60n });
  const secret = Buffer.from('elsewhere/secret');
  await before.kv.put({ key: secret, lease: 7n });
  const { root, principals } = await closeAccess(url);
  const edith = etcdClient(url, {
    authorization: principals.find(({ name }) => name === 'edith')?.authorization ?? '',
  });
  const admin = etcdClient(url, { authorization: root.authorization ?? '' });

  expect(await renewed(edith, 7n)).toEqual([60n]);
  expect(await failureOf(edith.lease.leaseRevoke({ ID: 7n }))).toEqual(denied);
  expect(await failureOf(edith.lease.leaseTimeToLive({ ID: 7n, keys: true }))).toEqual(denied);
  expect((await admin.kv.range({ key: secret })).kvs).toHaveLength(1);
  await admin.lease.leaseRevoke({ ID: 7n });
  expect((await admin.kv.range({ key: secret })).kvs).toHaveLength(0);
});

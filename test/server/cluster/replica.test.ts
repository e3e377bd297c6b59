/** Servers that follow another one without a shared log: what is read and written at them. Real servers, in this process. */
import { once } from 'node:events';
import type { ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Auth, KV, Lease } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { grpcCode } from '../../../src/grpc-code.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { RedisClient } from '../redis/support/redis-client.ts';
import { startTestServer } from '../../support/test-server.ts';
import { clientOf, failureOf, startReplica, valueAt } from './replicas.ts';

test('a replica shows at once what its server has acknowledged', async () => {
  const server = await startTestServer();
  const writer = clientOf(server);
  await writer.put('a', '1');
  const replica = clientOf(await startReplica(server.address));
  expect(await valueAt(replica, 'a')).toBe('1');
  for (let round = 1; round <= 200; round++) {
    await writer.put('a', `${round}`);
    expect(await valueAt(replica, 'a')).toBe(`${round}`);
  }
  const { revision } = await writer.put('b', 'new');
  expect(await valueAt(replica, 'b', { consistency: 'local', minRevision: revision })).toBe('new');
  const status = await replica.admin.status();
  expect(status).toMatchObject({ role: 'follower', writerAddress: server.address, epoch: 0 });
});

test('a replica refuses writes with the address of its server, and passes nothing on', async () => {
  const server = await startTestServer();
  const replica = clientOf(await startReplica(server.address));
  expect(await failureOf(replica.put('a', '1'))).toMatchObject({
    code: 'notWriter',
    details: { writerAddress: server.address },
  });
  expect(await valueAt(clientOf(server), 'a')).toBeUndefined();
});

test('clients of etcd are told for good where writes go', async () => {
  const server = await startTestServer();
  const client = new GrpcJsClient((await startReplica(server.address)).address);
  const refusal = {
    code: grpcCode.FailedPrecondition,
    details: expect.stringContaining(`follows the one at ${server.address} and takes no writes`) as string,
  };
  const key = Buffer.from('a');
  const put = { request: { case: 'requestPut', value: { key, value: key } } } as const;
  for (const call of [
    () => client.unary(KV.method.put, { key, value: key }),
    () => client.unary(KV.method.txn, { compare: [], success: [put], failure: [] }),
    () => client.unary(KV.method.deleteRange, { key }),
    () => client.unary(Lease.method.leaseGrant, { ID: 7n, TTL: 60n }),
    () => client.unary(Auth.method.roleAdd, { name: 'keeper' }),
  ])
    expect(await failureOf(call())).toMatchObject(refusal);
  const stream = client.bidiStream(Lease.method.leaseKeepAlive);
  const ended = once(stream, 'error') as Promise<[ServiceError]>;
  stream.write({ ID: 7n });
  expect((await ended)[0]).toMatchObject(refusal);
});

test('a replica shows leases as its server has them, and keys expire by the time of the server', async () => {
  const server = await startTestServer();
  const writer = clientOf(server);
  const replica = clientOf(await startReplica(server.address));
  for (let round = 0; round < 20; round++) {
    const { id: leaseId } = await writer.leases.grant(60_000);
    expect(await replica.leases.get(leaseId)).toMatchObject({ leaseId });
    await writer.put(`k${round}`, '1', { leaseId });
    await writer.leases.revoke(leaseId);
    expect(await valueAt(replica, `k${round}`)).toBeUndefined();
    expect(await failureOf(replica.leases.get(leaseId))).toBeDefined();
  }
  await writer.put('short', '1', { ttlMs: 50 });
  while ((await valueAt(writer, 'short')) !== undefined);
  expect(await valueAt(replica, 'short')).toBeUndefined();
});

test('a record that is longer than a message comes whole', async () => {
  const server = await startTestServer();
  const writer = clientOf(server);
  const replica = clientOf(await startReplica(server.address));
  const value = Buffer.alloc(5 * 1024 * 1024, 'xyz');
  await writer.put('long', value, { deadlineMs: 30_000 });
  expect((await valueAt(replica, 'long')) === value.toString()).toBe(true);
});

test('a replica of a replica shows what the first server has acknowledged', async () => {
  const server = await startTestServer();
  const middle = await startReplica(server.address);
  const last = clientOf(await startReplica(middle.address));
  const writer = clientOf(server);
  for (let round = 0; round < 20; round++) {
    await writer.put('a', `${round}`);
    expect(await valueAt(last, 'a')).toBe(`${round}`);
  }
});

test('clients of Redis read at a replica, and their writes are refused as at any replica', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const replica = await startReplica(server.address, { flags: { 'redis-listen': '127.0.0.1:0' } });
  await clientOf(server).put('a', '1');
  expect(await valueAt(clientOf(replica), 'a')).toBe('1');
  const client = await RedisClient.open(replica.redisAddress);
  client.send('GET', 'a');
  expect(await client.next()).toBe('1');
  client.send('SET', 'a', '2');
  expect(JSON.stringify(await client.next())).toContain('READONLY');
});

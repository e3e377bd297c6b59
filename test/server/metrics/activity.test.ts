/** `AdminService.Activity` as its readers see it: through the client, and through Connect. */
import { createClient as createConnectClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { MethodActivity } from '../../../src/client/messages/types.ts';
import { serverFixed } from '../../../src/limits.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Kelp } from '../../cli/kelp.ts';
import { RedisClient } from '../redis/support/redis-client.ts';

const OPERATIONS = 3000;

async function loaded(): Promise<{ server: TestServer; client: KelpClient }> {
  const server = await startTestServer({ flags: { fsync: 'always' } });
  const client = createClient({ address: server.url });
  onTestFinished(() => client.close());
  await Promise.all(Array.from({ length: OPERATIONS }, (_, index) => client.put(`order/${index}`, 'x')));
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: OPERATIONS }, (_, index) => client.get(`user:${index}`)));
  }
  return { server, client };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

test('calls are told by door and method, with their errors and durations', async () => {
  const { client } = await loaded();
  await expect(client.leases.get(12)).rejects.toThrow();
  const { methods, durationBoundsMicros, uptimeMs, ...counts } = await client.admin.activity();
  const find = (name: string): MethodActivity[] => methods.filter(({ method }) => method === name);
  expect(sum(find('Put').map(({ callCount }) => callCount))).toBe(OPERATIONS);
  expect(sum(find('Get').map(({ callCount }) => callCount))).toBe(4 * OPERATIONS);
  expect(new Set(find('Get').map(({ door }) => door))).toContain('pipeline');
  expect(find('LeaseGet')).toMatchObject([{ door: 'grpc', callCount: 1, errorCount: 1, inProgressCount: 0 }]);
  // It tells of itself.
  expect(find('Activity')).toMatchObject([{ callCount: 0, inProgressCount: 1, durationCounts: [] }]);
  for (const { callCount, durationMicros, durationCounts } of [...find('Put'), ...find('Get')]) {
    expect(durationCounts).toHaveLength(durationBoundsMicros.length + 1);
    expect(sum(durationCounts)).toBe(callCount);
    expect(durationMicros).toBeGreaterThan(0);
  }
  expect(durationBoundsMicros).toEqual(durationBoundsMicros.toSorted((one, other) => one - other));
  expect(uptimeMs).toBeGreaterThan(0);
  expect(counts.connectionCount).toBeGreaterThanOrEqual(1);
  expect(counts.logRecordCount).toBeGreaterThanOrEqual(OPERATIONS);
  expect(Math.min(counts.flushCount, counts.flushMicros, counts.logWrittenBytes)).toBeGreaterThan(0);
  expect(Math.min(counts.receivedBytes, counts.sentBytes)).toBeGreaterThan(10_000);
});

test('how late the event loop is, is counted from the first answer on', async () => {
  const server = await startTestServer();
  await using client = createClient({ address: server.url });
  const { eventLoopDelayCounts: first, durationBoundsMicros } = await client.admin.activity();
  expect(first).toEqual([...durationBoundsMicros, Number.POSITIVE_INFINITY].map(() => 0));
  await eventually(async () => sum((await client.admin.activity()).eventLoopDelayCounts)).toBeGreaterThan(1);
});

test('the busiest prefixes are told, reads and writes apart, by whatever client', async () => {
  const { server, client } = await loaded();
  await Promise.all(
    Array.from({ length: 500 }, () => client.put(Uint8Array.of(0xff, 0xfe, 0x2f, 1), 'bytes')),
  );
  const { prefixes, prefixWindowMs } = await client.admin.activity();
  expect(prefixes.map(({ prefix }) => prefix)).toEqual(['user:', 'order/', Uint8Array.of(0xff, 0xfe, 0x2f)]);
  const [user, order] = prefixes;
  expect((user?.readCount ?? 0) / OPERATIONS).toBeGreaterThan(3);
  expect([user?.writeCount, order?.readCount]).toEqual([0, 0]);
  expect((order?.writeCount ?? 0) / OPERATIONS).toBeGreaterThan(0.6);
  expect(prefixWindowMs).toBeLessThanOrEqual(2 * serverFixed.prefixWindowMs);

  const transport = createConnectTransport({ baseUrl: server.url, httpVersion: '1.1' });
  const reply = await createConnectClient(AdminService, transport).activity({});
  expect(reply.prefixes.map(({ prefix }) => prefix)).toEqual(['user:', 'order/', '']);
  expect(reply.prefixes.at(-1)?.prefixBytes).toEqual(Uint8Array.of(0xff, 0xfe, 0x2f));
});

test('no metric has a prefix', async () => {
  const { server } = await loaded();
  const text = await (await fetch(`${server.url}/metrics`)).text();
  expect(text).not.toMatch(/user:|order/);
});

test('commands of Redis are told by name, with their errors, connections and clients that wait', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = createClient({ address: server.url });
  onTestFinished(() => client.close());
  const [redis, waiting] = [
    await RedisClient.open(server.redisAddress),
    await RedisClient.open(server.redisAddress),
  ];
  await redis.run('SET', 'text', 'v');
  for (let round = 0; round < 3; round++) await redis.run('GET', 'text');
  await redis.run('LPUSH', 'text', 'v');
  await redis.run('GET');
  await redis.run('SUBSCRIBE', 'channel');
  waiting.send('BLPOP', 'list', '0');
  const blocked = async (): Promise<number> => (await client.admin.activity()).redisBlockedClientCount;
  await eventually(blocked).toBe(1);
  const { methods, redisConnectionCount } = await client.admin.activity();
  expect(redisConnectionCount).toBe(2);
  const told = methods
    .filter(({ door }) => door === 'redis')
    .map(({ method, callCount, errorCount }) => [method, callCount, errorCount]);
  // What is refused has not run: the GET without a key.
  expect(told).toEqual([
    ['blpop', 1, 0],
    ['get', 3, 0],
    ['lpush', 1, 1],
    ['set', 1, 0],
    ['subscribe', 1, 0],
  ]);
  const text = await (await fetch(`${server.url}/metrics`)).text();
  expect(text).toMatch(/^kelp_redis_blocked_clients 1$/m);
  expect(text).toMatch(/^kelp_redis_channels 1$/m);
  expect(text).toMatch(/^kelp_redis_patterns 0$/m);
  const kelp = new Kelp(server.address);
  expect(await kelp.text('stats', '--interval', '10ms')).toMatch(
    /\nconnections +\d+, \d+ streams? open, 2 of Redis with 1 client blocked\n/,
  );
  expect(await kelp.text('top', '--once', '--interval', '10ms')).toMatch(
    /\n2 of Redis with 1 client blocked\n/,
  );
});

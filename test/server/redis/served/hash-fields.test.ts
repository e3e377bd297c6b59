/** Fields of hashes with a time to live, over sockets: events, WATCH, client-side caching, watches of other doors, and a restart. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../../src/client/client.ts';
import { eventually } from '../../../support/eventually.ts';
import { startTestServer, type TestServer } from '../../../support/test-server.ts';
import { showReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';

const start = (flags: Readonly<Record<string, string>> = {}): Promise<TestServer> =>
  startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', ...flags } });

test('a field that goes by its time has its event, and the hash its own with the last', async () => {
  const server = await start();
  const [subscriber, client] = await Promise.all([
    RedisClient.open(server.redisAddress),
    RedisClient.open(server.redisAddress),
  ]);
  const heard = async (): Promise<string> => showReply(await subscriber.next());
  const event = (name: string): string => `["pmessage", "__keyevent*", "__keyevent@0__:${name}", "h"]`;
  await client.run('CONFIG', 'SET', 'notify-keyspace-events', 'EA');
  await subscriber.run('PSUBSCRIBE', '__keyevent*');
  await client.run('HSET', 'h', 'a', '1', 'b', '2');
  expect(await heard()).toBe(event('hset'));
  expect(await client.run('HPEXPIRE', 'h', '20', 'FIELDS', '1', 'a')).toEqual([1]);
  expect(await heard()).toBe(event('hexpire'));
  expect(await heard()).toBe(event('hexpired'));
  expect(await client.run('HLEN', 'h')).toBe(1);
  expect(await client.run('HPEXPIRE', 'h', '20', 'FIELDS', '1', 'b')).toEqual([1]);
  expect(await heard()).toBe(event('hexpire'));
  expect(await heard()).toBe(event('hexpired'));
  expect(await heard()).toBe(event('del'));
  expect(await client.run('EXISTS', 'h')).toBe(0);
});

test('it breaks a WATCH, and is told to a client that has cached the hash', async () => {
  const server = await start();
  const [watching, caching, client] = await Promise.all([
    RedisClient.open(server.redisAddress),
    RedisClient.open(server.redisAddress),
    RedisClient.open(server.redisAddress),
  ]);
  await client.run('HSET', 'h', 'a', '1', 'b', '2');
  await caching.run('HELLO', '3');
  await caching.run('CLIENT', 'TRACKING', 'ON');
  await client.run('HPEXPIRE', 'h', '150', 'FIELDS', '1', 'a');
  await watching.run('WATCH', 'h');
  await caching.run('HGETALL', 'h');
  expect(showReply(await caching.next())).toBe('>["invalidate", ["h"]]');
  await watching.run('MULTI');
  await watching.run('HSET', 'h', 'c', '3');
  expect(await watching.run('EXEC')).toBe(null);
  // HEXPIRE itself breaks one as well.
  await watching.run('WATCH', 'h');
  await client.run('HEXPIRE', 'h', '100', 'FIELDS', '1', 'b');
  await watching.run('MULTI');
  await watching.run('PING');
  expect(await watching.run('EXEC')).toBe(null);
});

test('a watch of another door is told which fields go, and of no field that only gets a time', async () => {
  const server = await start();
  const redis = await RedisClient.open(server.redisAddress);
  const client = createClient({ address: server.address });
  onTestFinished(() => client.close());
  await redis.run('HSET', 'h', 'a', '1', 'b', '2');
  const { revision } = await client.hash.get('h');
  await redis.run('HPEXPIRE', 'h', '10', 'FIELDS', '1', 'a');
  await redis.run('HEXPIRE', 'h', '100', 'FIELDS', '1', 'b');
  const told: string[][] = [];
  for await (const message of client.watch({
    ranges: [{ key: 'h' }],
    startRevision: revision + 1,
    includeElements: true,
  })) {
    if (message.kind !== 'events') continue;
    for (const event of message.events) {
      if (event.type !== 'put') continue;
      const { changes = [] } = event.elements ?? {};
      told.push(
        changes.map(({ name, isRemoved }) => `${isRemoved ? '-' : '+'}${Buffer.from(name).toString()}`),
      );
    }
    if (told.length === 3) break;
  }
  // The first time spreads the hash, which writes all fields.
  expect(told.map((names) => names.sort())).toEqual(expect.arrayContaining([['+a', '+b'], [], ['-a']]));
  expect((await client.hash.get('h')).count).toBe(1);
});

test('a long reply that is counted before it is written comes whole, in its place', async () => {
  const server = await start();
  const client = await RedisClient.open(server.redisAddress);
  const fields = Array.from({ length: 5000 }, (_, index) => [`field-${index}`, 'value']).flat();
  await client.run('HSET', 'h', ...fields);
  await client.run('HEXPIRE', 'h', '100', 'FIELDS', '1', 'field-0');
  client.send('GET', 'none');
  client.send('HGETALL', 'h');
  client.send('PING');
  expect(await client.next()).toBe(null);
  expect(await client.next()).toHaveLength(10_000);
  expect(showReply(await client.next())).toBe('+PONG');
  await client.run('MULTI');
  await client.run('HKEYS', 'h');
  await client.run('EVAL', "return #redis.call('HVALS', KEYS[1])", '1', 'h');
  const [names, count] = (await client.run('EXEC')) as [string[], number];
  expect(names).toHaveLength(5000);
  expect(count).toBe(5000);
});

test('times of fields are kept over a restart, and what became due meanwhile goes', async () => {
  const server = await start();
  const client = await RedisClient.open(server.redisAddress);
  const fields = Array.from({ length: 500 }, (_, index) => [`field-${index}`, 'value']).flat();
  await client.run('HSET', 'h', ...fields, 'late', '1', 'kept', '2');
  const names = fields.filter((_, index) => index % 2 === 0);
  const deadlineMs = Date.now() + 500;
  await client.run('HPEXPIREAT', 'h', String(deadlineMs), 'FIELDS', '500', ...names);
  await client.run('HEXPIRE', 'h', '1000', 'FIELDS', '1', 'late');
  const [lateMs] = (await client.run('HPEXPIRETIME', 'h', 'FIELDS', '1', 'late')) as number[];
  await server.stop();
  const again = await start({ 'data-dir': server.dataDir });
  const other = await RedisClient.open(again.redisAddress);
  await eventually(() => other.run('HLEN', 'h')).toBe(2);
  expect(Date.now()).toBeGreaterThanOrEqual(deadlineMs);
  expect(await other.run('HGETALL', 'h')).toEqual(['kept', '2', 'late', '1']);
  expect(await other.run('HPEXPIRETIME', 'h', 'FIELDS', '2', 'late', 'kept')).toEqual([lateMs, -1]);
  await again.stop();
  const third = await start({ 'data-dir': server.dataDir });
  const last = await RedisClient.open(third.redisAddress);
  expect(await last.run('HPEXPIRETIME', 'h', 'FIELDS', '2', 'late', 'kept')).toEqual([lateMs, -1]);
  expect(await last.run('HLEN', 'h')).toBe(2);
});

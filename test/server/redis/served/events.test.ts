/** Messages and keyspace events over sockets, from all doors of a server. */
import { expect, test } from 'vitest';
import { startTestServer } from '../../../support/test-server.ts';
import { showReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';

test('a subscriber hears of changes by all doors, and of messages, in their order', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const [subscriber, client] = await Promise.all([
    RedisClient.open(server.redisAddress),
    RedisClient.open(server.redisAddress),
  ]);
  const heard = async (): Promise<string> => showReply(await subscriber.next());
  await client.run('CONFIG', 'SET', 'notify-keyspace-events', 'EA');
  expect(showReply(await subscriber.run('PSUBSCRIBE', '__keyevent*'))).toBe(
    '["psubscribe", "__keyevent*", 1]',
  );
  expect(showReply(await subscriber.run('SUBSCRIBE', 'news'))).toBe('["subscribe", "news", 2]');

  await client.run('RPUSH', 'list', 'a');
  await client.run('PUBLISH', 'news', 'between');
  expect(await client.run('LPOP', 'list')).toBe('a');
  expect(await heard()).toBe('["pmessage", "__keyevent*", "__keyevent@0__:rpush", "list"]');
  expect(await heard()).toBe('["message", "news", "between"]');
  expect(await heard()).toBe('["pmessage", "__keyevent*", "__keyevent@0__:lpop", "list"]');
  expect(await heard()).toBe('["pmessage", "__keyevent*", "__keyevent@0__:del", "list"]');

  await fetch(`${server.url}/v1/keys/a`, { method: 'PUT', body: 'c' });
  expect(await heard()).toBe('["pmessage", "__keyevent*", "__keyevent@0__:set", "a"]');

  await client.run('MULTI');
  await client.run('SELECT', '3');
  await client.run('SET', 'k', '1');
  await client.run('PUBLISH', 'news', 'of a transaction');
  await client.run('EXEC');
  expect(await heard()).toBe('["pmessage", "__keyevent*", "__keyevent@3__:set", "k"]');
  expect(await heard()).toBe('["message", "news", "of a transaction"]');
});

test('a subscriber of RESP2 runs few commands, and all again behind RESET', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = await RedisClient.open(server.redisAddress);
  await client.run('SUBSCRIBE', 'c');
  expect(showReply(await client.run('GET', 'x'))).toBe(
    "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
  );
  expect(showReply(await client.run('PING'))).toBe('["pong", ""]');
  expect(showReply(await client.run('RESET'))).toBe('+RESET');
  expect(await client.run('GET', 'x')).toBe(null);
  expect(await client.run('PUBLISH', 'c', 'x')).toBe(0);
});

test('a subscriber of RESP3 goes on with other commands', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = await RedisClient.open(server.redisAddress);
  await client.run('HELLO', '3');
  expect(showReply(await client.run('SUBSCRIBE', 'c'))).toBe('>["subscribe", "c", 1]');
  expect(await client.run('GET', 'x')).toBe(null);
  client.send('PUBLISH', 'c', 'to itself');
  const both = [showReply(await client.next()), showReply(await client.next())];
  expect(both.sort()).toEqual(['1', '>["message", "c", "to itself"]']);
});

test('a client that is served has its events once, whichever began first: its wait or the listening', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const [waiting, client, subscriber] = await Promise.all([
    RedisClient.open(server.redisAddress),
    RedisClient.open(server.redisAddress),
    RedisClient.open(server.redisAddress),
  ]);
  const blocked = async (): Promise<boolean> =>
    showReply(await client.run('CLIENT', 'LIST')).includes('flags=b');
  for (const waitsFirst of [true, false]) {
    if (waitsFirst) {
      waiting.send('BLPOP', 'list', '0');
      while (!(await blocked()));
    }
    await client.run('CONFIG', 'SET', 'notify-keyspace-events', 'EA');
    await subscriber.run('PSUBSCRIBE', '*');
    if (!waitsFirst) {
      waiting.send('BLPOP', 'list', '0');
      while (!(await blocked()));
    }
    await client.run('RPUSH', 'list', 'a', 'b');
    expect(showReply(await waiting.next())).toBe('["list", "a"]');
    await client.run('PUBLISH', 'mark', '');
    const told: string[] = [];
    for (let channel = ''; channel !== 'mark';) {
      channel = String(((await subscriber.next()) as readonly string[])[2]);
      told.push(channel);
    }
    expect(told).toEqual(['__keyevent@0__:rpush', '__keyevent@0__:lpop', 'mark']);
    await subscriber.run('PUNSUBSCRIBE', '*');
    await client.run('CONFIG', 'SET', 'notify-keyspace-events', '');
    await client.run('DEL', 'list');
  }
});

test('events are told from the start where an option says so', async () => {
  const server = await startTestServer({
    flags: { 'redis-listen': '127.0.0.1:0', 'redis-notify-keyspace-events': 'Kg' },
  });
  const [client, subscriber] = [
    await RedisClient.open(server.redisAddress),
    await RedisClient.open(server.redisAddress),
  ];
  expect(await client.run('CONFIG', 'GET', 'notify-keyspace-events')).toEqual([
    'notify-keyspace-events',
    'gK',
  ]);
  await subscriber.run('SUBSCRIBE', '__keyspace@0__:k');
  await client.run('SET', 'k', 'v');
  await client.run('DEL', 'k');
  expect(showReply(await subscriber.next())).toBe('["message", "__keyspace@0__:k", "del"]');
});

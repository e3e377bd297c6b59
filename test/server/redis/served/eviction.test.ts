/** Clients of Redis at a server that is full, and lets keys go that have a time to live. */
import { expect, test } from 'vitest';
import { engineOfTests } from '../../../support/test-engine.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { ErrorReply, showReply, SimpleReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';

const VALUE = 'v'.repeat(256 * 1024);
/** More than there is room for. */
const COUNT = 400;

async function fieldOf(client: RedisClient, section: string, field: string): Promise<string | undefined> {
  const info = showReply(await client.run('INFO', section));
  return new RegExp(`${field}:([\\w-]*)`).exec(info)?.[1];
}

// Keys are evicted with the engine memory alone.
test.skipIf(engineOfTests() !== undefined)(
  'with a volatile policy no write is refused while keys have a time to live, and evicted ones are told of',
  async () => {
    const server = await startTestServer({
      flags: { 'redis-listen': '127.0.0.1:0', 'memory-limit': '64MiB', 'memory-policy': 'volatile-ttl' },
    });
    const [client, subscriber] = await Promise.all([
      RedisClient.open(server.redisAddress),
      RedisClient.open(server.redisAddress),
    ]);
    expect(showReply(await client.run('CONFIG', 'GET', 'maxmemory-policy'))).toBe(
      '["maxmemory-policy", "volatile-ttl"]',
    );
    await client.run('CONFIG', 'SET', 'notify-keyspace-events', 'Ee');
    await subscriber.run('SUBSCRIBE', '__keyevent@0__:evicted');
    await client.run('SET', 'lasting', VALUE);
    for (let index = 0; index < COUNT; index++)
      expect(await client.run('SET', `k${index}`, VALUE, 'EX', String(1000 + index))).toEqual(
        new SimpleReply('OK'),
      );
    expect(await client.run('EXISTS', 'lasting', 'k0', `k${COUNT - 1}`)).toBe(2);
    expect(showReply(await subscriber.next())).toBe('["message", "__keyevent@0__:evicted", "k0"]');
    expect(Number(await fieldOf(client, 'stats', 'evicted_keys'))).toBeGreaterThan(COUNT / 4);
    expect(await fieldOf(client, 'memory', 'maxmemory_policy')).toBe('volatile-ttl');

    // Without it a write that finds no room is refused again.
    expect(await client.run('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')).toEqual(
      new SimpleReply('OK'),
    );
    let refused: unknown;
    for (let index = 0; index < COUNT && refused === undefined; index++) {
      const reply = await client.run('SET', `more${index}`, VALUE, 'EX', '10');
      if (reply instanceof ErrorReply) refused = reply;
    }
    expect((refused as ErrorReply).text).toBe("OOM command not allowed when used memory > 'maxmemory'.");
  },
);

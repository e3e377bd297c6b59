/** What applications on Node run scripts by: ioredis' own commands, locks and rate limiters. */
import { Redlock } from '@sesamecare-oss/redlock';
import { Redis } from 'ioredis';
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDoor } from './redis-server-under-test.ts';

interface Counting {
  addAtMost(key: string, amount: number, most: number): Promise<number>;
}

describe.each([2, 3] as const)('with RESP%i', { timeout: 60_000 }, (protocol) => {
  function connect(port: number, enableAutoPipelining = false): Redis {
    const client = new Redis({ port, protocol, enableAutoPipelining });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  }

  test('a command of ioredis that is a script, with auto-pipelining, after the server has forgotten it too', async () => {
    const { port } = await openDoor();
    const client = connect(port, true);
    client.defineCommand('addAtMost', {
      numberOfKeys: 1,
      lua: `local now = tonumber(redis.call('get', KEYS[1]) or 0)
        local sum = math.min(now + tonumber(ARGV[1]), tonumber(ARGV[2]))
        redis.call('set', KEYS[1], sum)
        return sum`,
    });
    const counting = client as unknown as Counting;
    const sums = await Promise.all(Array.from({ length: 200 }, () => counting.addAtMost('sum', 1, 150)));
    expect(sums).toEqual(Array.from({ length: 200 }, (_, index) => Math.min(index + 1, 150)));
    await client.script('FLUSH');
    expect(await counting.addAtMost('sum', 1, 152)).toBe(151);
    const replies = await client.pipeline().get('sum').set('sum', 1).exec();
    expect(replies?.map(([, reply]) => reply)).toEqual(['151', 'OK']);
  });

  test('redlock: one holder at a time, extended, released and taken again', async () => {
    const { port } = await openDoor();
    const redlock = new Redlock([connect(port)], { retryCount: 0 });
    const impatient = new Redlock([connect(port)], { retryCount: 0 });
    const lock = await redlock.acquire(['lock:a', 'lock:b'], 60_000);
    await expect(impatient.acquire(['lock:b'], 60_000)).rejects.toThrow();
    const extended = await lock.extend(120_000);
    expect(await connect(port).pttl('lock:a')).toBeGreaterThan(60_000);
    await extended.release();
    const other = await impatient.acquire(['lock:b'], 60_000);
    expect(await connect(port).get('lock:b')).toBe(other.value);
    expect(await connect(port).exists('lock:a')).toBe(0);
    await other.release();
  });

  test('redlock: work in turns, none of it lost', { timeout: 60_000 }, async () => {
    const { port } = await openDoor();
    const client = connect(port);
    const redlock = new Redlock([client], { retryCount: 2000, retryDelay: 5, retryJitter: 5 });
    const work = async (): Promise<void> => {
      await redlock.using(['turn'], 30_000, async () => {
        const before = Number(await client.get('count'));
        await client.set('count', before + 1);
      });
    };
    await Promise.all(Array.from({ length: 12 }, work));
    expect(await client.get('count')).toBe('12');
  });

  test('rate-limiter-flexible: so many points, then none, by a script', async () => {
    const { port } = await openDoor();
    const client = connect(port);
    const limiter = new RateLimiterRedis({
      storeClient: client,
      points: 5,
      duration: 600,
      keyPrefix: 'limit',
    });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => limiter.consume('user')));
    expect(results.map(({ status }) => status)).toEqual([
      ...Array<string>(5).fill('fulfilled'),
      ...Array<string>(3).fill('rejected'),
    ]);
    const rejected = (results[7] as PromiseRejectedResult).reason as RateLimiterRes;
    expect(rejected.remainingPoints).toBe(0);
    expect(rejected.msBeforeNext).toBeGreaterThan(500_000);
    expect((await limiter.get('user'))?.consumedPoints).toBe(8);
    await limiter.delete('user');
    expect((await limiter.consume('user', 2)).remainingPoints).toBe(3);
  });
});

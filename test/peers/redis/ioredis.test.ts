/** ioredis, the client of most applications on Node, in both versions of the protocol. */
import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDoor, openDoorWithUsers, tlsFiles } from './redis-server-under-test.ts';

/** Unlike `once` of Node it lets errors pass, of which each attempt to connect in vain is one. */
function event(client: Redis, name: 'reconnecting' | 'ready' | 'message'): Promise<unknown[]> {
  return new Promise((resolve) => client.once(name, (...told: unknown[]) => resolve(told)));
}

describe.each([2, 3] as const)('ioredis with RESP%i', { timeout: 60_000 }, (protocol) => {
  function connect(port: number, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
    const all: Omit<RedisOptions, 'replyMapping'> = { port, protocol, retryStrategy: () => 20, ...options };
    const client = new Redis(all);
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  }
  const open = async (): Promise<Redis> => connect((await openDoor()).port);

  test('reads and writes text, numbers and bytes', async () => {
    const client = await open();
    expect(await client.set('a', 'Grüße')).toBe('OK');
    expect(await client.get('a')).toBe('Grüße');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await client.set(Buffer.of(0xff, 0), bytes);
    expect(await client.getBuffer(Buffer.of(0xff, 0))).toEqual(bytes);
    expect(await client.set('a', 'x', 'EX', 100, 'NX')).toBe(null);
    expect(await client.set('a', 'x', 'EX', 100, 'GET')).toBe('Grüße');
    expect(await client.ttl('a')).toBeGreaterThan(90);
    expect(await client.mset({ b: '1', c: 2 })).toBe('OK');
    expect(await client.mget('a', 'b', 'c', 'none')).toEqual(['x', '1', '2', null]);
    expect(await client.incrby('b', 41)).toBe(42);
    expect(await client.incrbyfloat('b', 0.5)).toBe('42.5');
    expect(await client.append('a', 'yz')).toBe(3);
    expect(await client.getrange('a', 1, -1)).toBe('yz');
    expect(await client.setbit('bits', 7, 1)).toBe(0);
    expect(await client.bitcount('bits')).toBe(1);
    expect(await client.getdel('a')).toBe('xyz');
    expect(await client.exists('a', 'b', 'c')).toBe(2);
    const long = Buffer.alloc(3_000_000, 'x');
    await client.set('long', long);
    expect((await client.getBuffer('long'))?.equals(long)).toBe(true);
  });

  test('has hashes, lists, sets, sorted sets and sketches', async () => {
    const client = await open();
    expect(await client.hset('h', { name: 'Ada', born: 1815 })).toBe(2);
    expect(await client.hgetall('h')).toEqual({ name: 'Ada', born: '1815' });
    expect(await client.call('HEXPIRE', 'h', 100, 'FIELDS', 2, 'born', 'none')).toEqual([1, -2]);
    expect(await client.call('HTTL', 'h', 'FIELDS', 3, 'born', 'name', 'none')).toEqual([100, -1, -2]);
    expect(await client.hmget('h', 'name', 'none')).toEqual(['Ada', null]);
    expect(await client.hincrby('h', 'born', 1)).toBe(1816);
    expect(await client.hdel('h', 'name', 'none')).toBe(1);
    expect(await client.rpush('l', 'a', 'b', 'c')).toBe(3);
    expect(await client.lrange('l', 0, -1)).toEqual(['a', 'b', 'c']);
    expect(await client.lmove('l', 'm', 'LEFT', 'RIGHT')).toBe('a');
    expect(await client.lpos('l', 'c')).toBe(1);
    expect(await client.sadd('s', 'x', 'y', 'y')).toBe(2);
    expect((await client.smembers('s')).sort()).toEqual(['x', 'y']);
    expect(await client.smismember('s', 'x', 'z')).toEqual([1, 0]);
    expect(await client.sinter('s', 'none')).toEqual([]);
    expect(await client.zadd('z', '1', 'one', '2.5', 'two', 'inf', 'last')).toBe(3);
    expect(await client.zrange('z', '0', '-1', 'WITHSCORES')).toEqual('one 1 two 2.5 last inf'.split(' '));
    expect(await client.zscore('z', 'two')).toBe('2.5');
    expect(await client.zrank('z', 'last')).toBe(2);
    expect(await client.zpopmin('z')).toEqual(['one', '1']);
    expect(await client.zrangebyscore('z', '(1', '+inf', 'LIMIT', 0, 1)).toEqual(['two']);
    await client.pfadd('p', 'a', 'b', 'c');
    expect(await client.pfcount('p')).toBe(3);
    expect(await client.call('BF.ADD', 'f', 'x')).toBeOneOf([1, true]);
    expect(await client.call('BF.EXISTS', 'f', 'y')).toBeOneOf([0, false]);
    expect(await client.type('z')).toBe('zset');
    expect(await client.sort('l', 'DESC', 'ALPHA')).toEqual(['c', 'b']);
  });

  test('sends pipelines, whose errors stand where they belong', async () => {
    const client = await open();
    const pipeline = client.pipeline();
    for (let index = 0; index < 5000; index++) pipeline.set(`k${index}`, index);
    pipeline.lpush('k1', 'x').get('k4999');
    const replies = (await pipeline.exec()) ?? [];
    expect(replies).toHaveLength(5002);
    expect(replies.slice(0, 5000).every(([error, reply]) => error === null && reply === 'OK')).toBe(true);
    expect(replies[5000]?.[0]?.message).toMatch(/^WRONGTYPE/);
    expect(replies[5001]).toEqual([null, '4999']);
    const together = connect(client.options.port ?? 0, { enableAutoPipelining: true });
    const read = await Promise.all(Array.from({ length: 500 }, (_, index) => together.get(`k${index}`)));
    expect(read).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
  });

  test('runs transactions, which a change of a watched key ends', async () => {
    const client = await open();
    const other = connect(client.options.port ?? 0);
    const done = await client.multi().set('a', '1').incr('a').lpush('a', 'x').get('a').exec();
    expect(done?.map(([error, reply]) => error?.message.slice(0, 9) ?? reply)).toEqual([
      'OK',
      2,
      'WRONGTYPE',
      '2',
    ]);
    await client.watch('a');
    await other.set('a', '10');
    expect(await client.multi().incr('a').exec()).toBe(null);
    await client.watch('a');
    expect(await client.multi().incr('a').exec()).toEqual([[null, 11]]);
    await client.multi({ pipeline: false });
    await expect(client.call('NONE')).rejects.toThrow("ERR unknown command 'NONE'");
    await client.set('a', '0');
    await expect(client.exec()).rejects.toThrow(/^EXECABORT/);
    expect(await other.get('a')).toBe('11');
  });

  test('hears messages of channels, patterns and shards, and of keys', async () => {
    const client = await open();
    const listener = connect(client.options.port ?? 0);
    const heard: string[] = [];
    const { promise: last, resolve: isLast } = Promise.withResolvers<void>();
    listener.on('message', (channel: string, text: string) => {
      heard.push(`${channel}: ${text}`);
      if (text === 'last') isLast();
    });
    listener.on('pmessage', (pattern: string, channel: string, text: string) =>
      heard.push(`${pattern} ${channel}: ${text}`),
    );
    listener.on('smessage', (channel: string, text: string) => heard.push(`shard ${channel}: ${text}`));
    await client.config('SET', 'notify-keyspace-events', 'KEA');
    expect(await listener.subscribe('news', 'end')).toBe(2);
    expect(await listener.psubscribe('n?w*', '__keyevent@0__:*')).toBe(4);
    expect(await listener.ssubscribe('part')).toBe(1);
    expect(await client.publish('news', 'one')).toBe(2);
    expect(await client.spublish('part', 'two')).toBe(1);
    await client.set('k', 'v');
    await client.expire('k', 0);
    expect(await client.publish('end', 'last')).toBe(1);
    await last;
    expect(heard.toSorted()).toEqual([
      '__keyevent@0__:* __keyevent@0__:del: k',
      '__keyevent@0__:* __keyevent@0__:set: k',
      'end: last',
      'n?w* news: one',
      'news: one',
      'shard part: two',
    ]);
    expect(await client.pubsub('NUMSUB', 'news')).toEqual(['news', 1]);
    expect(await listener.unsubscribe('news', 'end')).toBe(2);
    await listener.punsubscribe();
    await listener.sunsubscribe();
    expect(await listener.ping()).toBe('PONG');
  });

  test('waits for elements; who waits longest is served first', async () => {
    const client = await open();
    const [first, second, moving] = [0, 1, 2].map(() => connect(client.options.port ?? 0));
    if (first === undefined || second === undefined || moving === undefined) throw new Error('three clients');
    const isWaiting = async (count: number): Promise<void> => {
      while (!(await client.info('clients')).includes(`blocked_clients:${count}\r\n`)) continue;
    };
    const one = first.blpop('q', 'r', 0);
    await isWaiting(1);
    const two = second.brpop('q', 0);
    await isWaiting(2);
    const three = moving.blmove('q', 'done', 'LEFT', 'RIGHT', 0);
    await isWaiting(3);
    expect(await client.rpush('q', 'a', 'b', 'c', 'd')).toBe(4);
    expect(await one).toEqual(['q', 'a']);
    expect(await two).toEqual(['q', 'd']);
    expect(await three).toBe('b');
    expect(await client.lrange('q', 0, -1)).toEqual(['c']);
    const best = first.bzpopmin('z', 0);
    await isWaiting(1);
    await client.zadd('z', 3, 'x', 1, 'y');
    expect(await best).toEqual(['z', 'y', '1']);
    expect(await first.blpop('none', 0.01)).toBe(null);
  });

  test('goes through keys and collections', async () => {
    const client = await open();
    const pipeline = client.pipeline();
    for (let index = 0; index < 3000; index++) {
      pipeline
        .set(`key:${index}`, 'v')
        .hset('h', `f${index}`, index)
        .zadd('z', index, `m${index}`)
        .sadd('s', index);
    }
    await pipeline.exec();
    const all = async (stream: NodeJS.ReadableStream): Promise<string[]> => {
      const words: string[] = [];
      for await (const some of stream) words.push(...(some as unknown as string[]));
      return words;
    };
    expect(new Set(await all(client.scanStream({ match: 'key:*', count: 100 }))).size).toBe(3000);
    expect(new Set(await all(client.scanStream({ type: 'hash' })))).toEqual(new Set(['h']));
    expect(await all(client.hscanStream('h', { match: 'f1*' }))).toHaveLength(2 * 1111);
    expect(await all(client.zscanStream('z'))).toHaveLength(6000);
    expect(new Set(await all(client.sscanStream('s'))).size).toBe(3000);
  });

  test('logs in as a user, who may do what its roles say', async () => {
    const { port } = await openDoorWithUsers();
    const root = connect(port, { username: 'root', password: 'secret of root' });
    expect(await root.set('r:a', '1')).toBe('OK');
    const reader = connect(port, { username: 'reader', password: 'secret of reader' });
    expect(await reader.get('r:a')).toBe('1');
    await expect(reader.get('x')).rejects.toThrow(/^NOPERM/);
    await expect(reader.set('r:a', '2')).rejects.toThrow(/^NOPERM/);
    const wrong = connect(port, { username: 'root', password: 'wrong', retryStrategy: () => null });
    await expect(wrong.get('r:a')).rejects.toThrow(/WRONGPASS|NOAUTH/);
    const nobody = connect(port);
    await expect(nobody.get('r:a')).rejects.toThrow(/^NOAUTH/);
  });

  test('speaks TLS', async () => {
    const { port } = await openDoor({ 'tls-cert': tlsFiles.cert, 'tls-key': tlsFiles.key });
    const client = connect(port, { tls: { ca: readFileSync(tlsFiles.cert), servername: 'localhost' } });
    expect(await client.set('a', 'b')).toBe('OK');
    expect(await client.get('a')).toBe('b');
  });

  test('comes back to a server that has stopped and started again, with its database and channels', async () => {
    const { server, port } = await openDoor();
    const client = connect(port, { db: 3, connectionName: 'phoenix', maxRetriesPerRequest: null });
    const listener = connect(port);
    await listener.subscribe('news');
    expect(await client.set('a', '1')).toBe('OK');
    const gone = [event(client, 'reconnecting'), event(listener, 'reconnecting')];
    await server.stop();
    await Promise.all(gone);
    const waiting = client.incr('a');
    const back = event(listener, 'ready');
    await openDoor({ 'data-dir': server.dataDir, 'redis-listen': `127.0.0.1:${port}` });
    expect(await waiting).toBe(2);
    expect(await client.client('GETNAME')).toBe('phoenix');
    await back;
    const message = event(listener, 'message');
    while ((await client.publish('news', 'back')) === 0) continue;
    expect(await message).toEqual(['news', 'back']);
  });

  test('rejects what the server refuses, with its words', async () => {
    const client = await open();
    await client.set('a', 'text');
    await expect(client.incr('a')).rejects.toThrow('ERR value is not an integer or out of range');
    await expect(client.lpush('a', 'x')).rejects.toThrow(
      'WRONGTYPE Operation against a key holding the wrong kind of value',
    );
    await expect(client.call('GET')).rejects.toThrow("ERR wrong number of arguments for 'get' command");
    await expect(client.call('psync', '?', -1)).rejects.toThrow("ERR unknown command 'psync'");
    await expect(client.select(99)).rejects.toThrow('ERR DB index is out of range');
    expect(await client.get('a')).toBe('text');
  });

  test('is told of all commands by MONITOR', async () => {
    const client = await open();
    const monitor = await client.monitor();
    onTestFinished(() => monitor.disconnect());
    const told = new Promise<readonly string[]>((resolve) => {
      monitor.on('monitor', (_time: string, words: readonly string[]) => {
        if (words[0]?.toLowerCase() === 'set') resolve(words);
      });
    });
    await client.set('a', 'b c');
    expect(await told).toEqual(['set', 'a', 'b c']);
  });
});

test('ioredis gives maps and numbers of RESP3 as such', async () => {
  const client = new Redis({ port: (await openDoor()).port, protocol: 3, replyMapping: 'resp3' });
  onTestFinished(() => client.disconnect());
  await client.zadd('z', 1.5, 'm');
  expect(await client.zscore('z', 'm')).toBe(1.5);
  expect(await client.config('GET', 'databases')).toEqual({ databases: '16' });
  await client.hset('h', 'f', 'v');
  expect(await client.hgetall('h')).toEqual({ f: 'v' });
});

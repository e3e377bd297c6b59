/** node-redis, the other client of Node, in both versions of the protocol. */
import { readFileSync } from 'node:fs';
import { createClient, RESP_TYPES, WatchError } from 'redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDoor, openDoorWithUsers, tlsFiles } from './redis-server-under-test.ts';

interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  readonly ca?: Buffer;
}

describe.each([2, 3] as const)('node-redis with RESP%i', { timeout: 60_000 }, (version) => {
  async function connect(port: number, { ca, ...login }: Login = {}) {
    const reconnectStrategy = 20;
    const client = createClient({
      RESP: version,
      ...login,
      socket:
        ca === undefined
          ? { port, host: '127.0.0.1', reconnectStrategy }
          : { port, host: '127.0.0.1', tls: true, ca, servername: 'localhost', reconnectStrategy },
    });
    client.on('error', () => undefined);
    onTestFinished(() => client.destroy());
    await client.connect();
    return client;
  }

  test('reads and writes text, bytes and numbers', async () => {
    const { port } = await openDoor();
    const client = await connect(port);
    expect(await client.set('a', 'Grüße')).toBe('OK');
    expect(await client.get('a')).toBe('Grüße');
    expect(await client.set('a', 'x', { condition: 'NX', expiration: { type: 'EX', value: 100 } })).toBe(
      null,
    );
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await client.set('bytes', bytes);
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    expect(await binary.get('bytes')).toEqual(bytes);
    expect(await client.mSet({ b: '1', c: '2' })).toBe('OK');
    expect(await client.mGet(['b', 'c', 'none'])).toEqual(['1', '2', null]);
    expect(await client.incrBy('b', 41)).toBe(42);
    expect(await client.getDel('b')).toBe('42');
    expect(await client.expire('c', 100)).toBe(1);
    expect(await client.ttl('c')).toBeGreaterThan(90);
  });

  test('has hashes, lists, sets, sorted sets and Bloom filters', async () => {
    const { port } = await openDoor();
    const client = await connect(port);
    expect(await client.hSet('h', { name: 'Ada', born: 1815 })).toBe(2);
    expect({ ...(await client.hGetAll('h')) }).toEqual({ name: 'Ada', born: '1815' });
    expect(await client.hmGet('h', ['name', 'none'])).toEqual(['Ada', null]);
    expect(await client.hExpire('h', 'born', 100)).toEqual([1]);
    expect(await client.hExpire('h', ['name', 'none'], 200, 'NX')).toEqual([1, -2]);
    const [left = 0] = (await client.hTTL('h', 'born')) ?? [];
    expect(left).toBeGreaterThan(90);
    expect(await client.hPersist('h', ['name', 'none'])).toEqual([1, -2]);
    expect(await client.hTTL('h', ['name', 'none'])).toEqual([-1, -2]);
    expect(await client.hGetEx('h', 'born', { expiration: 'PERSIST' })).toEqual(['1815']);
    const second = { expiration: { type: 'EX', value: 100 } } as const;
    expect(await client.hSetEx('h', { visits: '1' }, second)).toBe(1);
    expect(await client.hGetDel('h', 'visits')).toEqual(['1']);
    expect(await client.hpExpireAt('h', 'name', 1)).toEqual([2]);
    expect(await client.rPush('l', ['a', 'b', 'c'])).toBe(3);
    expect(await client.lRange('l', 0, -1)).toEqual(['a', 'b', 'c']);
    expect(await client.lMove('l', 'm', 'LEFT', 'RIGHT')).toBe('a');
    expect(await client.lmPop(['none', 'l'], 'RIGHT', { COUNT: 5 })).toEqual(['l', ['c', 'b']]);
    expect(await client.sAdd('s', ['x', 'y'])).toBe(2);
    expect([...(await client.sMembers('s'))].sort()).toEqual(['x', 'y']);
    expect(await client.smIsMember('s', ['x', 'z'])).toEqual([1, 0]);
    await client.zAdd('z', [
      { value: 'one', score: 1 },
      { value: 'two', score: 2.5 },
      { value: 'last', score: Infinity },
    ]);
    expect(await client.zRangeWithScores('z', 0, -1)).toEqual([
      { value: 'one', score: 1 },
      { value: 'two', score: 2.5 },
      { value: 'last', score: Infinity },
    ]);
    expect(await client.zScore('z', 'two')).toBe(2.5);
    expect(await client.zPopMin('z')).toEqual({ value: 'one', score: 1 });
    expect(await client.zRandMember('z')).toBeOneOf(['two', 'last']);
    await client.pfAdd('p', ['a', 'b']);
    expect(await client.pfCount('p')).toBe(2);
    expect(await client.bf.reserve('f', 0.01, 100)).toBe('OK');
    expect(await client.bf.mAdd('f', ['x', 'y'])).toEqual([true, true]);
    expect(await client.bf.exists('f', 'x')).toBe(true);
    expect(await client.bf.exists('f', 'z')).toBe(false);
    expect(await client.bf.info('f')).toMatchObject({ Capacity: 100 });
    expect(await client.bf.card('f')).toBe(2);
  });

  test('sends what is called in one turn as a pipeline', async () => {
    const { port } = await openDoor();
    const client = await connect(port);
    const replies = await Promise.allSettled([
      ...Array.from({ length: 3000 }, (_, index) => client.set(`k${index}`, String(index))),
      client.lPush('k1', 'x'),
      client.get('k2999'),
    ]);
    expect(replies.filter(({ status }) => status === 'fulfilled')).toHaveLength(3001);
    expect(replies[3000]).toMatchObject({ reason: { message: expect.stringMatching(/^WRONGTYPE/) } });
    expect(replies[3001]).toMatchObject({ value: '2999' });
    expect(await client.multi().get('k7').get('k8').execAsPipeline()).toEqual(['7', '8']);
  });

  test('runs transactions, which a change of a watched key ends', async () => {
    const { port } = await openDoor();
    const [client, other] = [await connect(port), await connect(port)];
    expect(await client.multi().set('a', '1').incr('a').get('a').exec()).toEqual(['OK', 2, '2']);
    await client.watch('a');
    await other.set('a', '10');
    await expect(client.multi().incr('a').exec()).rejects.toBeInstanceOf(WatchError);
    await client.watch('a');
    expect(await client.multi().incr('a').exec()).toEqual([11]);
  });

  test('hears messages of channels, patterns and shards, and of keys', async () => {
    const { port } = await openDoor();
    const [client, listener] = [await connect(port), await connect(port)];
    const heard: string[] = [];
    const { promise: last, resolve: isLast } = Promise.withResolvers<void>();
    const hear = (text: string, channel: string): void => void heard.push(`${channel}: ${text}`);
    await client.configSet('notify-keyspace-events', 'KEA');
    await listener.subscribe('news', hear);
    await listener.pSubscribe('__keyevent@0__:*', hear);
    await listener.sSubscribe('part', hear);
    await listener.subscribe('end', () => isLast());
    expect(await client.publish('news', 'one')).toBe(1);
    expect(await client.sPublish('part', 'two')).toBe(1);
    await client.set('k', 'v');
    await client.del('k');
    await client.publish('end', 'last');
    await last;
    expect(heard.toSorted()).toEqual([
      '__keyevent@0__:del: k',
      '__keyevent@0__:set: k',
      'news: one',
      'part: two',
    ]);
    await listener.unsubscribe();
    await listener.pUnsubscribe();
    await listener.sUnsubscribe();
    // In RESP2 this client gives bytes for what comes while it may be subscribed.
    expect(Buffer.from(await listener.ping()).toString()).toBe('PONG');
  });

  test('waits for elements; who waits longest is served first', async () => {
    const { port } = await openDoor();
    const [client, first, second] = [await connect(port), await connect(port), await connect(port)];
    const isWaiting = async (count: number): Promise<void> => {
      while (!(await client.info('clients')).includes(`blocked_clients:${count}\r\n`)) continue;
    };
    const one = first.blPop(['q', 'r'], 0);
    await isWaiting(1);
    const two = second.blMove('q', 'done', 'RIGHT', 'LEFT', 0);
    await isWaiting(2);
    await client.rPush('q', ['a', 'b', 'c']);
    expect(await one).toEqual({ key: 'q', element: 'a' });
    expect(await two).toBe('c');
    const best = first.bzPopMax('z', 0);
    await isWaiting(1);
    await client.zAdd('z', { value: 'x', score: 7 });
    expect(await best).toEqual({ key: 'z', value: 'x', score: 7 });
    expect(await first.blPop('none', 0.01)).toBe(null);
  });

  test('goes through keys and collections', async () => {
    const { port } = await openDoor();
    const client = await connect(port);
    const count = 2000;
    const numbers = Array.from({ length: count }, (_, index) => index);
    await client.mSet(Object.fromEntries(numbers.map((index) => [`key:${index}`, 'v'])));
    await client.hSet('h', Object.fromEntries(numbers.map((index) => [`f${index}`, index])));
    await client.zAdd(
      'z',
      numbers.map((index) => ({ value: `m${index}`, score: index })),
    );
    await client.sAdd('s', numbers.map(String));
    const keys = new Set<string>();
    for await (const some of client.scanIterator({ MATCH: 'key:*', COUNT: 100 }))
      for (const key of some) keys.add(key);
    expect(keys.size).toBe(count);
    let seen = 0;
    for await (const some of client.hScanIterator('h')) seen += some.length;
    for await (const some of client.zScanIterator('z')) seen += some.length;
    for await (const some of client.sScanIterator('s')) seen += some.length;
    expect(seen).toBe(3 * count);
  });

  test('logs in as a user, and speaks TLS', async () => {
    const { port } = await openDoorWithUsers();
    const reader = await connect(port, { username: 'reader', password: 'secret of reader' });
    expect(await reader.get('r:a')).toBe(null);
    await expect(reader.set('r:a', '1')).rejects.toThrow(/^NOPERM/);
    const secured = await openDoor({ 'tls-cert': tlsFiles.cert, 'tls-key': tlsFiles.key });
    const client = await connect(secured.port, { ca: readFileSync(tlsFiles.cert) });
    expect(await client.ping()).toBe('PONG');
  });

  test('makes users, who may do what their rules say, and deletes them', async () => {
    const { port } = await openDoorWithUsers();
    const root = await connect(port, { username: 'root', password: 'secret of root' });
    const rules = ['on', '>secret of ann', '~team:*', '%R~shared:*', '+@all', '-@admin'];
    expect(await root.aclSetUser('ann', rules)).toBe('OK');
    const ann = await connect(port, { username: 'ann', password: 'secret of ann' });
    expect(await ann.aclWhoAmI()).toBe('ann');
    expect(await ann.set('team:a', '1')).toBe('OK');
    await expect(ann.set('shared:a', '1')).rejects.toThrow(/^NOPERM/);
    await expect(ann.aclList()).rejects.toThrow(/^NOPERM/);
    expect(await root.aclUsers()).toEqual(['ann', 'reader', 'root']);
    expect(await root.aclGetUser('ann')).toMatchObject({
      passwords: ['(hidden)'],
      commands: '+@all -@admin',
      keys: '~team:* %R~shared:*',
      channels: '&*',
      selectors: [],
    });
    expect(await root.aclList()).toContain('user reader on #(hidden) %R~r:* &* +@all -@admin');
    expect(await root.aclDryRun('ann', ['SET', 'shared:a', '1'])).toBe(
      "This user has no permissions to access the 'shared:a' key",
    );
    const [last] = await root.aclLog();
    expect(last).toMatchObject({ count: 1, reason: 'command', object: 'acl|list', username: 'ann' });
    expect(await root.aclLogReset()).toBe('OK');
    expect(await root.aclCat('scripting')).toContain('eval');
    expect(await root.aclGenPass(32)).toMatch(/^[0-9a-f]{8}$/);
    const gone = new Promise<void>((resolve) => ann.once('reconnecting', () => resolve()));
    expect(await root.aclDelUser('ann')).toBe(1);
    await gone;
  });

  test('comes back to a server that has stopped and started again', async () => {
    const { server, port } = await openDoor();
    const client = await connect(port, { database: 3 });
    const listener = await connect(port);
    const heard = Promise.withResolvers<string>();
    await listener.subscribe('news', (text) => heard.resolve(text));
    await client.set('a', '1');
    const gone = new Promise<void>((resolve) => client.once('reconnecting', () => resolve()));
    await server.stop();
    await gone;
    const waiting = client.incr('a');
    await openDoor({ 'data-dir': server.dataDir, 'redis-listen': `127.0.0.1:${port}` });
    expect(await waiting).toBe(2);
    while ((await client.publish('news', 'back')) === 0) continue;
    expect(await heard.promise).toBe('back');
  });

  test('rejects what the server refuses, with its words', async () => {
    const { port } = await openDoor();
    const client = await connect(port);
    await client.set('a', 'text');
    await expect(client.incr('a')).rejects.toThrow('ERR value is not an integer or out of range');
    await expect(client.hGet('a', 'f')).rejects.toThrow(/^WRONGTYPE/);
    await expect(client.sendCommand(['GET'])).rejects.toThrow(
      "ERR wrong number of arguments for 'get' command",
    );
    await expect(client.sendCommand(['PSYNC', '?', '-1'])).rejects.toThrow(/^ERR unknown command 'PSYNC'/);
    expect(await client.get('a')).toBe('text');
  });
});

/** Clients of Redis over two nodes of a real cluster, whose writer goes. */
import { expect, onTestFinished, test } from 'vitest';
import { systemRandom } from '../../../../src/clock.ts';
import { openEtcdLog } from '../../../../src/etcd-log/open-etcd-log.ts';
import { RealEtcd, hasRealEtcd } from '../../etcd/support/real-etcd.ts';
import { type TestServer, startTestServer } from '../../../support/test-server.ts';
import { showReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';

test.runIf(hasRealEtcd)(
  'what was answered is there by each node, before and after another one takes over',
  { timeout: 60_000 },
  async () => {
    const nodes = await startNodes();
    const [one, two] = await Promise.all(nodes.map(({ redisAddress }) => RedisClient.open(redisAddress)));
    if (one === undefined || two === undefined) throw new Error('there are two');
    expect(await one.run('RPUSH', 'l', 'a', 'b')).toBe(2);
    expect(await two.run('LRANGE', 'l', '0', '-1')).toEqual(['a', 'b']);
    const roles = await Promise.all(
      nodes.map(async ({ redisAddress }) => (await RedisClient.open(redisAddress)).run('ROLE')),
    );
    const writerAt = roles.findIndex((role) => Array.isArray(role) && role[0] === 'master');
    expect(roles[1 - writerAt]).toMatchObject([
      'slave',
      '127.0.0.1',
      expect.any(Number),
      'connected',
      expect.any(Number),
    ]);
    const follower = nodes[1 - writerAt];
    await nodes[writerAt]?.stop();
    await Promise.all([one.closed, two.closed]);
    // It waits until the node has become the writer.
    const client = await RedisClient.open(follower?.redisAddress ?? '');
    expect(await client.run('RPUSH', 'l', 'c')).toBe(3);
    expect(await client.run('LRANGE', 'l', '0', '-1')).toEqual(['a', 'b', 'c']);
    expect(await client.run('WAIT', '1', '0')).toBe(1);
  },
);

test.runIf(hasRealEtcd)(
  'a read that waits at a follower is served what the writer adds',
  { timeout: 60_000 },
  async () => {
    const nodes = await startNodes();
    const roles = await Promise.all(
      nodes.map(async ({ redisAddress }) => (await RedisClient.open(redisAddress)).run('ROLE')),
    );
    const writerAt = roles.findIndex((role) => Array.isArray(role) && role[0] === 'master');
    const followerAddress = nodes[1 - writerAt]?.redisAddress ?? '';
    const [client, other] = await Promise.all([
      RedisClient.open(followerAddress),
      RedisClient.open(followerAddress),
    ]);
    for (const one of [client, other]) await one.run('READONLY');
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', 's', '$');
    while (!showReply(await other.run('INFO', 'clients')).includes('blocked_clients:1'));
    const writer = await RedisClient.open(nodes[writerAt]?.redisAddress ?? '');
    expect(await writer.run('XADD', 's', '1-1', 'f', 'v')).toBe('1-1');
    expect(await client.next()).toEqual([['s', [['1-1', ['f', 'v']]]]]);
    expect(await client.run('XLEN', 's')).toBe(1);
  },
);

test.runIf(hasRealEtcd)(
  'functions are those of every node, before and after another one takes over',
  { timeout: 60_000 },
  async () => {
    const library = (value: number): string =>
      `#!lua name=lib
      redis.register_function('push', function(keys) return redis.call('rpush', keys[1], ${value}) end)
      redis.register_function{function_name = 'value', flags = {'no-writes'}, callback = function() return ${value} end}`;
    const nodes = await startNodes();
    const addresses = nodes.map(({ redisAddress }) => redisAddress);
    const roles = await Promise.all(
      addresses.map(async (address) => (await RedisClient.open(address)).run('ROLE')),
    );
    const writerAt = roles.findIndex((role) => Array.isArray(role) && role[0] === 'master');
    const [writerAddress = '', followerAddress = ''] = [addresses[writerAt], addresses[1 - writerAt]];
    const [writer, passedOn, reader] = await Promise.all([
      RedisClient.open(writerAddress),
      RedisClient.open(followerAddress),
      RedisClient.open(followerAddress),
    ]);
    await reader.run('READONLY');
    for (const value of [1, 2]) {
      expect(await passedOn.run('FUNCTION', 'LOAD', 'REPLACE', library(value))).toBe('lib');
      expect(await writer.run('FCALL', 'push', 1, 'l')).toBe(value);
      // What the follower shows may be behind.
      while ((await reader.run('FCALL_RO', 'value', 0)) !== value);
    }
    expect(showReply(await reader.run('FUNCTION', 'FLUSH'))).toMatch(/^-READONLY/);
    expect(await reader.run('FUNCTION', 'LIST')).toHaveLength(1);
    await nodes[writerAt]?.stop();
    const client = await RedisClient.open(followerAddress);
    expect(await client.run('FCALL', 'push', 1, 'l')).toBe(3);
    expect(await client.run('LRANGE', 'l', 0, -1)).toEqual(['1', '2', '2']);
  },
);

async function startNodes(): Promise<TestServer[]> {
  const etcd = await RealEtcd.start();
  onTestFinished(() => etcd.stop());
  const address = `etcd://${etcd.url.replace('http://', '')}/kelp/test`;
  const log = openEtcdLog({ address });
  await log.init(systemRandom.bytes(16), { timeoutMs: 10_000 });
  log.close();
  const nodeParts = {
    openSharedLog: () => openEtcdLog({ address }),
    peers: {
      snapshot: () => {
        throw new Error('no node needs a snapshot here');
      },
      report: async () => undefined,
    },
    peerTls: undefined,
  };
  const flags = { log: address, 'failover-after': '1s', 'redis-listen': '127.0.0.1:0' };
  return await Promise.all([0, 1].map(() => startTestServer({ flags, nodeParts })));
}

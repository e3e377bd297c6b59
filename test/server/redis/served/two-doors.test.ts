/** The same hashes, lists, sets and sorted sets by a client of Redis and by the TypeScript client: what one writes the other reads. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient, type KelpClient } from '../../../../src/client/client.ts';
import { SeededRandom } from '../../../support/random.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { RedisClient } from '../support/redis-client.ts';

const STEPS = 300;

interface Model {
  readonly hash: Map<string, string>;
  readonly list: string[];
  readonly set: Set<string>;
  readonly scores: Map<string, number>;
}

/** One random change by one of the doors, and of the model. */
async function change(
  redis: RedisClient,
  client: KelpClient,
  model: Model,
  random: SeededRandom,
): Promise<void> {
  const byRedis = random.chance(0.5);
  // Enough of them that collections leave their packed form, and come back to nothing.
  const name = `n${random.below(120)}`;
  const isRemoval = random.chance(0.3);
  switch (random.below(4)) {
    case 0: {
      const value = `v${random.below(1000)}`;
      if (isRemoval) {
        model.hash.delete(name);
        await (byRedis ? redis.run('HDEL', 'hash', name) : client.hash.delete('hash', [name]));
      } else {
        model.hash.set(name, value);
        await (byRedis ? redis.run('HSET', 'hash', name, value) : client.hash.set('hash', { [name]: value }));
      }
      break;
    }
    case 1:
      if (isRemoval) {
        model.list.shift();
        await (byRedis ? redis.run('LPOP', 'list') : client.list.pop('list'));
      } else {
        model.list.push(name);
        await (byRedis ? redis.run('RPUSH', 'list', name) : client.list.push('list', [name]));
      }
      break;
    case 2:
      if (isRemoval) {
        model.set.delete(name);
        await (byRedis ? redis.run('SREM', 'set', name) : client.set.remove('set', [name]));
      } else {
        model.set.add(name);
        await (byRedis ? redis.run('SADD', 'set', name) : client.set.add('set', [name]));
      }
      break;
    default: {
      const score = random.between(-20, 20) / 2;
      if (isRemoval) {
        model.scores.delete(name);
        await (byRedis ? redis.run('ZREM', 'scores', name) : client.sortedSet.remove('scores', [name]));
      } else {
        model.scores.set(name, score);
        await (byRedis
          ? redis.run('ZADD', 'scores', String(score), name)
          : client.sortedSet.add('scores', { [name]: score }));
      }
    }
  }
}

async function byClient(client: KelpClient): Promise<Model> {
  const model: Model = { hash: new Map(), list: [], set: new Set(), scores: new Map() };
  for await (const { name, value } of client.hash.scan('hash')) model.hash.set(name.text(), value.text());
  for await (const element of client.list.scan('list')) model.list.push(element.text());
  for await (const member of client.set.scan('set')) model.set.add(member.text());
  for await (const { member, score } of client.sortedSet.range('scores'))
    model.scores.set(member.text(), score);
  return model;
}

async function byRedis(redis: RedisClient): Promise<Model> {
  const texts = async (...words: string[]): Promise<string[]> => (await redis.run(...words)) as string[];
  const pairs = (list: readonly string[]): [string, string][] =>
    Array.from({ length: list.length / 2 }, (_, index) => [list[2 * index] ?? '', list[2 * index + 1] ?? '']);
  const scores = pairs(await texts('ZRANGE', 'scores', '0', '-1', 'WITHSCORES'));
  return {
    hash: new Map(pairs(await texts('HGETALL', 'hash'))),
    list: await texts('LRANGE', 'list', '0', '-1'),
    set: new Set(await texts('SMEMBERS', 'set')),
    scores: new Map(scores.map(([member, score]) => [member, Number(score)])),
  };
}

test.each([1, 2])('random changes by both are seen by both (seed %i)', { timeout: 120_000 }, async (seed) => {
  const random = new SeededRandom(seed);
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', fsync: 'never' } });
  const redis = await RedisClient.open(server.redisAddress);
  const client = createClient({ address: server.address });
  onTestFinished(() => client.close());
  const model: Model = { hash: new Map(), list: [], set: new Set(), scores: new Map() };
  for (let step = 1; step <= STEPS; step++) {
    await change(redis, client, model, random);
    if (step % 50 !== 0) continue;
    expect(await byClient(client)).toEqual(model);
    expect(await byRedis(redis)).toEqual(model);
  }
});

/** Pipelines of two clients with transactions and watched keys, to Redis and to the door: replies must be equal. */
import { expect, test } from 'vitest';
import { redisRows, sessionRows } from '../../../../src/server/redis/redis-rows.ts';
import { SeededRandom } from '../../../support/random.ts';
import { type DecodedReply, showReply } from '../support/decoded-reply.ts';
import { DoorHarness } from '../support/door-harness.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';
import { showWords, type Word } from '../support/words.ts';

function draw(random: SeededRandom): readonly Word[] {
  const key = `k${random.below(4)}`;
  const value = String(random.below(5));
  return random.pick<readonly Word[]>([
    ['SET', key, value],
    ['GET', key],
    ['INCR', key],
    ['APPEND', key, 'x'],
    ['DEL', key],
    ['LPUSH', key, value],
    ['RPOP', key],
    ['BLPOP', key, 'none', '0.01'],
    ['HSET', key, value, 'v'],
    ['HGETALL', key],
    ['ZADD', key, value, 'm'],
    ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
    ['EXPIRE', key, '100'],
    ['PERSIST', key],
    ['MULTI'],
    ['MULTI'],
    ['EXEC'],
    ['EXEC'],
    ['DISCARD'],
    ['WATCH', key],
    ['WATCH', key, 'k0'],
    ['UNWATCH'],
    ['NONE', key],
    ['GET'],
    ['OBJECT', 'NONE', key],
    ['SELECT', value],
    ['SELECT', '0'],
    ['SELECT', '16'],
    ['PING'],
    ['PING', value],
    ['ECHO', value],
    ['HELLO', '4'],
    ['HELLO', '3'],
    ['HELLO', '2'],
    ['RESET'],
  ]);
}

test.runIf(hasRealRedis).each([1, 2, 3, 4])(
  'pipelines of two clients, seed %i',
  { timeout: 120_000 },
  async (seed) => {
    const random = new SeededRandom(seed);
    const redis = await RealRedis.start();
    try {
      const theirs = await Promise.all([0, 1].map(() => RedisClient.open(`127.0.0.1:${redis.port}`)));
      const isSession = (name: string): boolean => sessionRows.some((row) => row.name === name);
      const harness = await DoorHarness.open({
        rows: redisRows.filter(({ name }) => !isSession(name)),
        fsync: 'never',
      });
      const ours = [harness.connect(), harness.connect()];
      const told: string[] = [];
      for (let round = 0; round < 400; round++) {
        const who = random.below(2);
        const calls = Array.from({ length: random.between(1, 8) }, () => draw(random));
        told.push(`${who}: ${calls.map(showWords).join(' | ')}`);
        const wanted: DecodedReply[] = [];
        for (const words of calls) theirs[who]?.send(...words);
        for (const _ of calls) wanted.push((await theirs[who]?.next()) ?? null);
        ours[who]?.pipeline(...calls);
        const got: DecodedReply[] = [];
        for (let turn = 0; turn < 200 && got.length < wanted.length; turn++) {
          await harness.settled();
          got.push(...(ours[who]?.replies() ?? []));
          if (got.length < wanted.length) await harness.seam.clock.pass(10);
        }
        const shown = (replies: readonly DecodedReply[]): string =>
          replies.map((reply) => showReply(reply).replace(/"id"(.) \d+/g, '"id"$1 0')).join('\n');
        expect(shown(got), `seed ${seed}\n${told.slice(-6).join('\n')}`).toBe(shown(wanted));
      }
      expect(harness.defects).toEqual([]);
    } finally {
      await redis.stop();
    }
  },
);

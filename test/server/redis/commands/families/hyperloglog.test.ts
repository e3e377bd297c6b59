/** Commands of HyperLogLogs, beside Redis' own: their bytes too. */
import { describe, expect, it } from 'vitest';
import { hyperLogLogCommands } from '../../../../../src/server/redis/commands/families/sketches/hyperloglog.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { otherCommands } from './drawn-words.ts';
import { drawOfHyperLogLogs } from '../drawn/hyperloglogs.ts';

const rows = [...hyperLogLogCommands, ...stringCommands, ...otherCommands];
describe.skipIf(!hasRealRedis)('beside Redis', () => {
  it.each([2, 3] as const)(
    'RESP%i: random commands have equal replies',
    { timeout: 60_000 },
    async (version) => {
      await differential({ rows, draw: drawOfHyperLogLogs, seed: 40 + version, count: 3000, version });
    },
  );
});

describe('a HyperLogLog', () => {
  it('knows how many elements it was given to 2 %, from a few to 100,000', async () => {
    const redis = await RedisHarness.open(rows);
    let added = 0;
    for (const count of [10, 100, 1000, 10_000, 100_000]) {
      while (added < count) {
        const elements = Array.from(
          { length: Math.min(500, count - added) },
          (_, index) => `element ${added + index}`,
        );
        added += elements.length;
        redis.run('PFADD', 'h', ...elements);
      }
      const counted = Number(redis.run('PFCOUNT', 'h'));
      expect(Math.abs(counted - count) / count).toBeLessThan(0.02);
    }
  });

  it('keeps its deadline while it is added to, counted and merged', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('PFADD', 'h', 'a');
    const bytes = redis.run('GET', 'h');
    if (typeof bytes !== 'string') throw new Error('a HyperLogLog is a string');
    redis.run('SET', 'h', Buffer.from(bytes, 'latin1'), 'PX', '100');
    redis.events();
    redis.run('PFADD', 'h', 'a', 'b');
    redis.run('PFADD', 'h', 'b');
    redis.run('PFCOUNT', 'h');
    redis.run('PFMERGE', 'h', 'none');
    expect(redis.events()).toEqual(['$ pfadd h', '$ pfadd h']);
    redis.clock.advance(100);
    expect(redis.run('PFCOUNT', 'h')).toBe(0);
  });
});

/** Commands of bitmaps, beside Redis' own. */
import { describe, expect, it } from 'vitest';
import { bitmapCommands } from '../../../../../src/server/redis/commands/families/bitmaps.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { otherCommands } from './drawn-words.ts';
import { drawOfBitmaps } from '../drawn/bitmaps.ts';

const rows = [...bitmapCommands, ...stringCommands, ...otherCommands];
describe.skipIf(!hasRealRedis)('beside Redis', () => {
  it.each([2, 3] as const)(
    'RESP%i: random commands have equal replies',
    { timeout: 60_000 },
    async (version) => {
      await differential({ rows, draw: drawOfBitmaps, seed: 20 + version, count: 5000, version });
    },
  );
});

describe('a bitmap', () => {
  it('is one string, whose deadline a change keeps, and its events are those of Redis', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'a', 'abc', 'PX', '100');
    redis.run('SETBIT', 'a', '7', '0');
    redis.run('SETBIT', 'a', '7', '0');
    redis.run('BITFIELD', 'a', 'SET', 'u8', '#1', '65', 'GET', 'u8', '#1');
    expect(redis.run('GET', 'a')).toBe('`Ac');
    redis.run('BITOP', 'NOT', 'b', 'a');
    redis.run('BITOP', 'AND', 'b', 'none', 'nothing');
    redis.clock.advance(100);
    expect(redis.run('GET', 'a')).toBeNull();
    expect(redis.events()).toEqual([
      '$ set a',
      'g expire a',
      '$ setbit a',
      '$ setbit a',
      '$ set b',
      'g del b',
    ]);
  });

  it('is as long as a value may be', async () => {
    const redis = await RedisHarness.open(rows);
    expect(redis.run('SETBIT', 'a', 16 * 1024 * 1024 * 8 - 1, 1)).toBe(0);
    expect(redis.run('BITCOUNT', 'a')).toBe(1);
    expect(redis.run('BITPOS', 'a', 1)).toBe(16 * 1024 * 1024 * 8 - 1);
    expect(redis.raw('SETBIT', 'a', 16 * 1024 * 1024 * 8, 1)).toMatch(
      /^-ERR the value is 16777217 bytes long/,
    );
    expect(redis.raw('SETBIT', 'a', '4294967296', 1)).toBe(
      '-ERR bit offset is not an integer or out of range\r\n',
    );
  });
});

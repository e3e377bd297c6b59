/** Commands of bitmaps, beside Redis' own. */
import { describe, expect, it } from 'vitest';
import { bitmapCommands } from '../../../../../src/server/redis/commands/families/strings/bitmaps.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
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

  it('is looked through block by block, from any bit and to any bit', async () => {
    const redis = await RedisHarness.open(rows);
    const total = 5000 * 8;
    for (const bit of [0, 1] as const) {
      for (const place of [0, 7, 8, 8191, 8192, 16_383, 24_581, total - 1]) {
        redis.run('SET', 'a', Buffer.alloc(5000, bit === 1 ? 0 : 0xff));
        redis.run('SETBIT', 'a', place, bit);
        for (const start of [0, 3, 8, 4099, place])
          for (const end of [place, Math.min(total - 1, place + 9000), total - 1]) {
            const isWithin = start <= place && place <= end;
            expect(redis.run('BITPOS', 'a', bit, start, end, 'BIT')).toBe(isWithin ? place : -1);
          }
        if (place > 0) expect(redis.run('BITPOS', 'a', bit, 0, place - 1, 'BIT')).toBe(-1);
      }
    }
  });

  it('pays for what is counted, so that a transaction counts some 48 MiB', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'a', Buffer.alloc(8 * 1024 * 1024, 1));
    const counted = redis
      .runTogether(...Array.from({ length: 8 }, () => ['BITCOUNT', 'a']))
      .filter((reply) => reply === 8 * 1024 * 1024);
    expect(counted.length).toBe(5);
  });
});

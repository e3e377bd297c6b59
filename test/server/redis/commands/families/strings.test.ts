/** Commands of strings, beside Redis' own. */
import { describe, expect, it } from 'vitest';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { otherCommands } from './drawn-words.ts';
import { drawOfStrings } from '../drawn/strings.ts';

const rows = [...stringCommands, ...otherCommands];
describe.skipIf(!hasRealRedis)('beside Redis', () => {
  it.each([2, 3] as const)(
    'RESP%i: random commands have equal replies',
    { timeout: 60_000 },
    async (version) => {
      await differential({ rows, draw: drawOfStrings, seed: 1 + version, count: 5000, version });
    },
  );
});

describe('the lifetime of a string', () => {
  it('ends at its deadline, and a change in place keeps it', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'n', '1', 'PX', '1500');
    expect(redis.run('INCRBY', 'n', '41')).toBe(42);
    redis.run('APPEND', 'n', '0');
    redis.run('SETRANGE', 'n', '0', '9');
    redis.clock.advance(1499);
    expect(redis.run('GET', 'n')).toBe('920');
    redis.clock.advance(1);
    expect(redis.run('GET', 'n')).toBeNull();
    expect(redis.run('INCR', 'n')).toBe(1);
    expect(redis.run('EXPIRETIME', 'n')).toBe(-1);
  });

  it('is over at once with a deadline that has passed', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'a', '1');
    expect(redis.raw('SET', 'a', '2', 'PXAT', '1')).toBe('+OK\r\n');
    expect(redis.run('GET', 'a')).toBeNull();
    redis.run('SET', 'a', '1');
    expect(redis.run('GETEX', 'a', 'EXAT', '1')).toBe('1');
    expect(redis.run('GET', 'a')).toBeNull();
    expect(redis.events()).toEqual(['$ set a', '$ set a', 'g expire a', 'x expired a', '$ set a', 'g del a']);
  });
});

describe('keyspace events of strings', () => {
  it('have the names of Redis', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('MSET', 'a', '1', 'b', '2');
    redis.run('SETNX', 'a', '1');
    redis.run('DECR', 'a');
    redis.run('INCRBYFLOAT', 'a', '1.5');
    redis.run('SETEX', 'c', '10', 'x');
    redis.run('GETEX', 'c', 'PERSIST');
    redis.run('GETEX', 'c', 'PERSIST');
    redis.run('APPEND', 'c', 'y');
    redis.run('SETRANGE', 'c', '0', '');
    redis.run('SETRANGE', 'c', '0', 'z');
    redis.run('GETSET', 'c', 'z');
    redis.run('GETDEL', 'c');
    redis.run('GETDEL', 'c');
    expect(redis.events()).toEqual([
      '$ set a',
      '$ set b',
      '$ incrby a',
      '$ incrbyfloat a',
      '$ set c',
      'g expire c',
      'g persist c',
      '$ append c',
      '$ setrange c',
      '$ set c',
      'g del c',
    ]);
  });
});

describe('bounds', () => {
  it('are the longest value of the store, and the longest string of Redis', async () => {
    const redis = await RedisHarness.open(rows);
    expect(redis.raw('SETRANGE', 'a', '536870912', 'x')).toBe(
      '-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n',
    );
    expect(redis.raw('SETRANGE', 'a', '9223372036854775807', 'x')).toMatch(/^-ERR string exceeds maximum/);
    expect(redis.raw('SETRANGE', 'a', '33554432', 'x')).toMatch(/^-ERR the value is 33554433 bytes long/);
    expect(redis.raw('SETRANGE', 'a', '134217728', 'x')).toMatch(/^-ERR the request reads more than/);
  });

  it('are those of the work of a request: a table of LCS that is too large is not begun', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'a', 'x'.repeat(10_000));
    expect(redis.raw('LCS', 'a', 'a', 'LEN')).toMatch(/^-ERR the request /);
  });

  it('of MGET is none: a long one is made in pieces', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'k7', 'x');
    const keys = Array.from({ length: 3500 }, (_, index) => `k${index % 10}`);
    expect(redis.run('MGET', ...keys)).toEqual(keys.map((key) => (key === 'k7' ? 'x' : null)));
  });
});

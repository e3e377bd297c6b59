/** Commands of strings, beside Redis' own. */
import { describe, expect, it } from 'vitest';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import { type DrawnCommand, differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import type { Word } from '../../support/words.ts';
import { drawBytes, drawFloat, drawInteger, otherCommands, withWrongArity } from './drawn-words.ts';

const rows = [...stringCommands, ...otherCommands];
const KEYS = ['a', 'b', 'c', 'dd', 'é', 'set'];

/** Its deadlines are counted from the present, which is not the same millisecond for both; it is not asked for them. */
const RELATIVE = 'c';

function drawOptions(random: SeededRandom, key: string, words: readonly string[]): Word[] {
  const options: Word[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const word = random.pick(words);
    options.push(random.below(2) === 0 ? word : word.toLowerCase());
    if (/^(?:EX|PX)/.test(word) && random.below(12) > 0) options.push(drawTime(random, key, word));
  }
  return options;
}

function drawTime(random: SeededRandom, key: string, word: string): string {
  const isRelative = !word.endsWith('AT');
  if (random.below(3) > 0 && (!isRelative || key === RELATIVE)) {
    if (isRelative) return random.pick(['1000', '50000', '999000000']);
    return word === 'EXAT' ? random.pick(['2000000000', '1', '2100000000']) : '2000000000000';
  }
  // Of a deadline that is beyond 100 years the store makes one in 100 years.
  if (word === 'PXAT') return random.pick(['0', '-1', 'x', '9223372036854775808']);
  return random.pick(['0', '-1', '9223372036854775807', '-9223372036854775808', 'x', '', '1.5']);
}

function drawWords(random: SeededRandom): readonly Word[] {
  const key = random.pick(KEYS);
  const other = random.pick(KEYS);
  switch (random.below(26)) {
    case 0:
    case 1:
      return ['SET', key, drawInteger(random)];
    case 2:
      return ['SET', key, drawBytes(random)];
    case 3:
    case 4:
      return [
        'SET',
        key,
        drawBytes(random),
        ...drawOptions(random, key, [
          'NX',
          'XX',
          'GET',
          'KEEPTTL',
          'EX',
          'PX',
          'EXAT',
          'PXAT',
          'PERSIST',
          'JUNK',
        ]),
      ];
    case 5:
      return ['GETEX', key, ...drawOptions(random, key, ['EX', 'EXAT', 'PXAT', 'PERSIST', 'KEEPTTL', 'NX'])];
    case 6:
      return [random.pick(['GETDEL', 'GET', 'STRLEN', 'INCR', 'DECR']), key];
    case 7:
      return ['GETSET', key, drawBytes(random)];
    case 8:
      return ['APPEND', key, random.below(3) === 0 ? String(random.below(100)) : drawBytes(random)];
    case 9:
      return ['SETRANGE', key, drawInteger(random), drawBytes(random)];
    case 10:
    case 11:
      return [random.pick(['GETRANGE', 'SUBSTR']), key, drawInteger(random), drawInteger(random)];
    case 12:
    case 13:
      return [random.pick(['INCRBY', 'DECRBY']), key, drawInteger(random)];
    case 14:
    case 15:
      return ['INCRBYFLOAT', key, drawFloat(random)];
    case 16:
      return ['MGET', key, other, random.pick(KEYS)];
    case 17:
      return [random.pick(['MSET', 'MSETNX']), key, drawBytes(random), other, drawInteger(random)];
    case 18:
      return ['LCS', key, other, ...drawLcsOptions(random)];
    case 19:
      return ['SETEX', key, drawTime(random, key, 'EX'), drawBytes(random)];
    case 20:
      return ['SETNX', key, drawFloat(random)];
    case 21:
      return ['EXPIRETIME', key === RELATIVE ? 'a' : key];
    case 22:
      return ['DEL', key];
    case 23:
      return ['SADD', 'set', 'x'];
    case 24:
      return ['SET', key, drawFloat(random)];
    default:
      return [
        'PSETEX',
        key,
        random.pick(['5000000', '0', '-1', 'x', '9223372036854775807']),
        drawBytes(random),
      ];
  }
}

function drawLcsOptions(random: SeededRandom): Word[] {
  const options: Word[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const word = random.pick(['LEN', 'IDX', 'idx', 'MINMATCHLEN', 'WITHMATCHLEN', 'JUNK']);
    options.push(word);
    if (word === 'MINMATCHLEN') options.push(drawInteger(random));
  }
  return options;
}

function draw(random: SeededRandom): DrawnCommand {
  const words = withWrongArity(random, drawWords(random));
  return { words };
}

describe.skipIf(!hasRealRedis)('beside Redis', () => {
  it.each([2, 3] as const)(
    'RESP%i: random commands have equal replies',
    { timeout: 60_000 },
    async (version) => {
      await differential({ rows, draw, seed: 1 + version, count: 5000, version });
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
    expect(redis.events()).toEqual(['$ set a', '$ set a', 'g expire a', '$ set a', 'g del a']);
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

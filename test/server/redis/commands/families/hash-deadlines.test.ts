/** HEXPIRE and its kin, as Redis 7.4 and 8.0 document them: the Redis that other tests compare with has none of them. */
import { describe, expect, it } from 'vitest';
import { redisRows } from '../../../../../src/server/redis/redis-rows.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { showReply } from '../../support/decoded-reply.ts';
import type { Word } from '../../support/words.ts';

async function open(): Promise<RedisHarness> {
  const redis = await RedisHarness.open(redisRows.filter((row) => !('session' in row)));
  redis.run('HSET', 'h', 'a', '1', 'b', '2', 'c', '3');
  redis.events();
  return redis;
}

const told = (redis: RedisHarness, ...words: readonly Word[]): string => showReply(redis.run(...words));

describe('HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT', () => {
  it('tell of each field what has become of it', async () => {
    const redis = await open();
    expect(redis.run('HEXPIRE', 'h', '10', 'FIELDS', '3', 'a', 'none', 'b')).toEqual([1, -2, 1]);
    expect(redis.run('HTTL', 'h', 'FIELDS', '4', 'a', 'b', 'c', 'none')).toEqual([10, 10, -1, -2]);
    expect(redis.run('HPTTL', 'h', 'FIELDS', '2', 'a', 'c')).toEqual([10_000, -1]);
    expect(redis.run('HPEXPIRE', 'h', '1500', 'fields', '1', 'a')).toEqual([1]);
    expect(redis.run('HTTL', 'h', 'FIELDS', '1', 'a')).toEqual([2]);
    const nowMs = redis.clock.nowMs();
    expect(redis.run('HEXPIREAT', 'h', String(nowMs / 1000 + 30), 'FIELDS', '1', 'a')).toEqual([1]);
    expect(redis.run('HPEXPIREAT', 'h', String(nowMs + 777), 'FIELDS', '1', 'b')).toEqual([1]);
    expect(redis.run('HPEXPIRETIME', 'h', 'FIELDS', '3', 'a', 'b', 'c')).toEqual([
      nowMs + 30_000,
      nowMs + 777,
      -1,
    ]);
    expect(redis.run('HEXPIRETIME', 'h', 'FIELDS', '2', 'a', 'b')).toEqual([
      nowMs / 1000 + 30,
      nowMs / 1000 + 1,
    ]);
    expect(redis.run('HGETALL', 'h')).toEqual(['a', '1', 'b', '2', 'c', '3']);
  });

  it('answer of a key that is not there as of fields that are not', async () => {
    const redis = await open();
    expect(redis.run('HEXPIRE', 'none', '10', 'FIELDS', '2', 'a', 'b')).toEqual([-2, -2]);
    expect(redis.run('HTTL', 'none', 'FIELDS', '2', 'a', 'b')).toEqual([-2, -2]);
    expect(redis.run('HPERSIST', 'none', 'FIELDS', '1', 'a')).toEqual([-2]);
    expect(redis.run('HGETEX', 'none', 'FIELDS', '1', 'a')).toEqual([null]);
    expect(redis.run('HGETDEL', 'none', 'FIELDS', '1', 'a')).toEqual([null]);
    expect(redis.run('EXISTS', 'none')).toBe(0);
    expect(redis.events()).toEqual([]);
  });

  it('hold by NX, XX, GT and LT; a field without a time lives longest', async () => {
    const redis = await open();
    redis.run('HEXPIRE', 'h', '100', 'FIELDS', '1', 'a');
    const set = (...words: readonly string[]): unknown =>
      redis.run('HEXPIRE', 'h', ...words, 'FIELDS', '2', 'a', 'b');
    expect(set('200', 'XX')).toEqual([1, 0]);
    expect(set('100', 'gt')).toEqual([0, 0]);
    expect(set('200', 'GT')).toEqual([0, 0]);
    expect(set('300', 'GT')).toEqual([1, 0]);
    expect(set('300', 'LT')).toEqual([0, 1]);
    expect(set('250', 'LT')).toEqual([1, 1]);
    expect(set('9', 'NX')).toEqual([0, 0]);
    expect(redis.run('HEXPIRE', 'h', '9', 'NX', 'FIELDS', '1', 'c')).toEqual([1]);
    expect(redis.run('HTTL', 'h', 'FIELDS', '3', 'a', 'b', 'c')).toEqual([250, 250, 9]);
    // A condition that does not hold keeps the field, whenever the time is.
    expect(set('0', 'NX')).toEqual([0, 0]);
  });

  it('remove fields at once with a time that is past, and the hash with the last', async () => {
    const redis = await open();
    expect(redis.run('HEXPIRE', 'h', '0', 'FIELDS', '1', 'a')).toEqual([2]);
    expect(redis.events()).toEqual(['h hdel h']);
    expect(redis.run('HLEN', 'h')).toBe(2);
    expect(redis.run('HPEXPIREAT', 'h', '1', 'FIELDS', '3', 'b', 'c', 'c')).toEqual([2, 2, -2]);
    expect(redis.events()).toEqual(['h hdel h', 'g del h']);
    expect(redis.run('EXISTS', 'h')).toBe(0);
  });

  it('refuse what they are not given rightly, with the words of Redis', async () => {
    const redis = await open();
    redis.run('SET', 'text', 'x');
    const wrongType = '-WRONGTYPE Operation against a key holding the wrong kind of value';
    expect(told(redis, 'HEXPIRE', 'text', 'x', 'FIELDS', '1', 'a')).toBe(wrongType);
    expect(told(redis, 'HTTL', 'text', 'x', '1', 'a')).toBe(wrongType);
    for (const [words, error] of [
      ['HEXPIRE h x FIELDS 1 a', 'value is not an integer or out of range'],
      ['HEXPIRE h -1 FIELDS 1 a', 'invalid expire time, must be >= 0'],
      ['HEXPIRE h 70368744178 FIELDS 1 a', "invalid expire time in 'hexpire' command"],
      ['HPEXPIREAT h 70368744177664 FIELDS 1 a', "invalid expire time in 'hpexpireat' command"],
      ['HEXPIRE h 10 OFTEN FIELDS 1 a', 'Mandatory argument FIELDS is missing or not at the right position'],
      ['HEXPIRE h 10 NX XX FIELDS 1 a', 'Mandatory argument FIELDS is missing or not at the right position'],
      ['HEXPIRE h 10 FIELDS 0 a', 'Parameter `numFields` should be greater than 0'],
      ['HEXPIRE h 10 FIELDS x a', 'Parameter `numFields` should be greater than 0'],
      ['HEXPIRE h 10 FIELDS 2 a', 'The `numfields` parameter must match the number of arguments'],
      ['HEXPIRE h 10 FIELDS 1', "wrong number of arguments for 'hexpire' command"],
      ['HTTL h FIELD 1 a', 'Mandatory argument FIELDS is missing or not at the right position'],
      ['HTTL h FIELDS 0 a', 'Number of fields must be a positive integer'],
      ['HPERSIST h FIELDS 1 a b', 'The `numfields` parameter must match the number of arguments'],
      ['HGETEX h EX -1 FIELDS 1 a', 'invalid expire time, must be >= 0'],
      ['HGETEX h KEEPTTL FIELDS 1 a', 'Mandatory argument FIELDS is missing or not at the right position'],
      ['HGETDEL h FIELDS x a', 'Number of fields must be a positive integer'],
      ['HSETEX h OFTEN FIELDS 1 a 1', 'unknown argument: OFTEN'],
      ['HSETEX h FNX FXX FIELDS 1 a 1', 'Only one of FXX or FNX arguments can be specified'],
      [
        'HSETEX h EX 1 KEEPTTL FIELDS 1 a 1',
        'Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified',
      ],
      ['HSETEX h FIELDS 0 a 1', 'invalid number of fields'],
      ['HSETEX h FIELDS 2 a 1', "wrong number of arguments for 'hsetex' command"],
    ] as const)
      expect(told(redis, ...words.split(' ')), words).toBe(`-ERR ${error}`);
    expect(redis.events()).toEqual(['$ set text']);
    expect(redis.run('HPTTL', 'h', 'FIELDS', '1', 'a')).toEqual([-1]);
  });

  it('have events', async () => {
    const redis = await open();
    redis.run('HEXPIRE', 'h', '10', 'FIELDS', '2', 'a', 'b');
    expect(redis.events()).toEqual(['h hexpire h']);
    redis.run('HPERSIST', 'h', 'FIELDS', '1', 'a');
    expect(redis.events()).toEqual(['h hpersist h']);
    redis.run('HPERSIST', 'h', 'FIELDS', '1', 'a');
    redis.run('HEXPIRE', 'h', '10', 'GT', 'FIELDS', '1', 'a');
    expect(redis.events()).toEqual([]);
  });
});

describe('HGETEX, HSETEX, HGETDEL', () => {
  it('HGETEX reads, and sets or takes away the time', async () => {
    const redis = await open();
    expect(redis.run('HGETEX', 'h', 'FIELDS', '2', 'a', 'none')).toEqual(['1', null]);
    expect(redis.run('HGETEX', 'h', 'EX', '10', 'FIELDS', '2', 'a', 'b')).toEqual(['1', '2']);
    expect(redis.events()).toEqual(['h hexpire h']);
    expect(redis.run('HGETEX', 'h', 'PERSIST', 'FIELDS', '1', 'a')).toEqual(['1']);
    expect(redis.events()).toEqual(['h hpersist h']);
    expect(redis.run('HTTL', 'h', 'FIELDS', '3', 'a', 'b', 'c')).toEqual([-1, 10, -1]);
    expect(redis.run('HGETEX', 'h', 'PXAT', '1', 'FIELDS', '3', 'a', 'b', 'c')).toEqual(['1', '2', '3']);
    expect(redis.events()).toEqual(['h hdel h', 'g del h']);
  });

  it('HSETEX writes all or none', async () => {
    const redis = await open();
    expect(redis.run('HSETEX', 'h', 'FNX', 'EX', '10', 'FIELDS', '2', 'x', '8', 'a', '9')).toBe(0);
    expect(redis.run('HSETEX', 'h', 'FXX', 'EX', '10', 'FIELDS', '2', 'x', '8', 'a', '9')).toBe(0);
    expect(redis.run('HSETEX', 'none', 'FXX', 'FIELDS', '1', 'x', '8')).toBe(0);
    expect(redis.events()).toEqual([]);
    expect(redis.run('HSETEX', 'h', 'FNX', 'EX', '10', 'FIELDS', '2', 'x', '8', 'y', '9')).toBe(1);
    expect(redis.events()).toEqual(['h hset h', 'h hexpire h']);
    expect(redis.run('HSETEX', 'h', 'KEEPTTL', 'FIELDS', '2', 'x', '80', 'a', '90')).toBe(1);
    expect(redis.events()).toEqual(['h hset h']);
    expect(redis.run('HTTL', 'h', 'FIELDS', '3', 'x', 'y', 'a')).toEqual([10, 10, -1]);
    expect(redis.run('HSETEX', 'h', 'FIELDS', '1', 'x', '81')).toBe(1);
    expect(redis.run('HMGET', 'h', 'x', 'y', 'a')).toEqual(['81', '9', '90']);
    expect(redis.run('HTTL', 'h', 'FIELDS', '2', 'x', 'y')).toEqual([-1, 10]);
    redis.events();
    expect(redis.run('HSETEX', 'new', 'PXAT', '1', 'FIELDS', '1', 'x', '1')).toBe(1);
    expect(redis.events()).toEqual(['h hset new', 'h hdel new', 'g del new']);
    expect(redis.run('EXISTS', 'new')).toBe(0);
  });

  it('HGETDEL reads and removes', async () => {
    const redis = await open();
    expect(redis.run('HGETDEL', 'h', 'FIELDS', '3', 'a', 'none', 'a')).toEqual(['1', null, null]);
    expect(redis.events()).toEqual(['h hdel h']);
    expect(redis.run('HGETDEL', 'h', 'FIELDS', '2', 'b', 'c')).toEqual(['2', '3']);
    expect(redis.events()).toEqual(['h hdel h', 'g del h']);
  });
});

describe('a field that is past its time and not removed yet', () => {
  /** `a` is past its time. */
  async function overdue(): Promise<RedisHarness> {
    const redis = await open();
    redis.run('HPEXPIRE', 'h', '100', 'FIELDS', '1', 'a');
    redis.clock.jump(100);
    redis.events();
    return redis;
  }

  it('is shown by no command; HLEN counts it', async () => {
    const redis = await overdue();
    expect(redis.run('HGET', 'h', 'a')).toBe(null);
    expect(redis.run('HMGET', 'h', 'a', 'b')).toEqual([null, '2']);
    expect(redis.run('HEXISTS', 'h', 'a')).toBe(0);
    expect(redis.run('HSTRLEN', 'h', 'a')).toBe(0);
    expect(redis.run('HGETALL', 'h')).toEqual(['b', '2', 'c', '3']);
    expect(redis.run('HKEYS', 'h')).toEqual(['b', 'c']);
    expect(redis.run('HVALS', 'h')).toEqual(['2', '3']);
    expect(redis.run('HSCAN', 'h', '0')).toEqual(['0', ['b', '2', 'c', '3']]);
    expect(redis.run('HTTL', 'h', 'FIELDS', '1', 'a')).toEqual([-2]);
    expect(redis.run('HEXPIRE', 'h', '10', 'FIELDS', '1', 'a')).toEqual([-2]);
    expect(redis.run('HPERSIST', 'h', 'FIELDS', '1', 'a')).toEqual([-2]);
    expect(redis.run('HGETEX', 'h', 'EX', '10', 'FIELDS', '1', 'a')).toEqual([null]);
    expect(redis.run('HGETDEL', 'h', 'FIELDS', '1', 'a')).toEqual([null]);
    expect(redis.run('HDEL', 'h', 'a')).toBe(0);
    expect(redis.run('HLEN', 'h')).toBe(3);
    redis.use({ version: 3 });
    expect(told(redis, 'HGETALL', 'h')).toBe('{"b": "2", "c": "3"}');
  });

  it('is not among fields by chance', async () => {
    const redis = await overdue();
    for (let round = 0; round < 30; round++) {
      expect(['b', 'c']).toContain(redis.run('HRANDFIELD', 'h'));
      expect(redis.run('HRANDFIELD', 'h', '1')).toHaveLength(1);
      expect([...(redis.run('HRANDFIELD', 'h', '5') as string[])].sort()).toEqual(['b', 'c']);
      const repeated = redis.run('HRANDFIELD', 'h', '-20', 'WITHVALUES') as string[];
      expect(repeated).toHaveLength(40);
      expect(repeated).not.toContain('a');
    }
    redis.run('HPEXPIRE', 'h', '100', 'FIELDS', '2', 'b', 'c');
    redis.clock.jump(100);
    expect(redis.run('HRANDFIELD', 'h')).toBe(null);
    expect(redis.run('HRANDFIELD', 'h', '3')).toEqual([]);
    expect(redis.run('HRANDFIELD', 'h', '-3')).toEqual([]);
    expect(redis.run('HGETALL', 'h')).toEqual([]);
  });

  it('is absent for what writes: HSET makes it anew, HINCRBY begins at 0, HSETNX sets it', async () => {
    const redis = await overdue();
    expect(redis.run('HINCRBY', 'h', 'a', '5')).toBe(5);
    expect(redis.run('HTTL', 'h', 'FIELDS', '1', 'a')).toEqual([-1]);
    redis.run('HPEXPIRE', 'h', '100', 'FIELDS', '2', 'a', 'b');
    redis.clock.jump(100);
    expect(redis.run('HSET', 'h', 'a', '1')).toBe(1);
    expect(redis.run('HSETNX', 'h', 'b', '7')).toBe(1);
    await redis.clock.pass(1000);
    expect(redis.run('HGETALL', 'h')).toEqual(['a', '1', 'b', '7', 'c', '3']);
    expect(redis.run('HLEN', 'h')).toBe(3);
  });

  it('is left out of copies, and of replies in pieces', async () => {
    const redis = await overdue();
    expect(redis.run('COPY', 'h', 'copy')).toBe(1);
    expect(redis.run('HLEN', 'copy')).toBe(2);
    const fields = Array.from({ length: 5000 }, (_, index) => [`field-${index}`, 'value']).flat();
    redis.run('HSET', 'large', ...fields);
    const names = Array.from({ length: 2000 }, (_, index) => `field-${index}`);
    redis.run('HPEXPIRE', 'large', '100', 'FIELDS', '2000', ...names);
    redis.clock.jump(100);
    expect(redis.run('HGETALL', 'large')).toHaveLength(6000);
    expect(redis.run('HKEYS', 'large')).toHaveLength(3000);
    expect(redis.run('HRANDFIELD', 'large', '2999')).toHaveLength(2999);
    expect(redis.run('HRANDFIELD', 'large', '-4000')).toHaveLength(4000);
    const [all, some] = redis.runTogether(['HVALS', 'large'], ['HRANDFIELD', 'large', '-10']);
    expect(all).toHaveLength(3000);
    expect(some).toHaveLength(10);
    expect(redis.run('HLEN', 'large')).toBe(5000);
    await redis.clock.pass(1000);
    expect(redis.run('HLEN', 'large')).toBe(3000);
    // What counts first is done in pieces.
    redis.run('HKEYS', 'large');
    expect(Math.max(...redis.visitsByPiece)).toBeLessThan(3000);
  });
});

describe('fields with a time to live', () => {
  it('keep it through HINCRBY, HINCRBYFLOAT, RENAME, MOVE and COPY; HSET takes it', async () => {
    const redis = await open();
    redis.run('HEXPIRE', 'h', '10', 'FIELDS', '3', 'a', 'b', 'c');
    redis.run('HINCRBY', 'h', 'a', '1');
    redis.run('HINCRBYFLOAT', 'h', 'b', '0.5');
    redis.run('HSET', 'h', 'c', '4');
    expect(redis.run('HTTL', 'h', 'FIELDS', '3', 'a', 'b', 'c')).toEqual([10, 10, -1]);
    redis.run('RENAME', 'h', 'g');
    expect(redis.run('HTTL', 'g', 'FIELDS', '3', 'a', 'b', 'c')).toEqual([10, 10, -1]);
    redis.run('COPY', 'g', 'copy');
    expect(redis.run('MOVE', 'g', '2')).toBe(1);
    expect(redis.run('HTTL', 'copy', 'FIELDS', '2', 'a', 'c')).toEqual([10, -1]);
    redis.use({ database: 2 });
    expect(redis.run('HTTL', 'g', 'FIELDS', '2', 'a', 'c')).toEqual([10, -1]);
    await redis.clock.pass(10_000);
    expect(redis.run('HGETALL', 'g')).toEqual(['c', '4']);
    expect(redis.run('HLEN', 'g')).toBe(1);
    redis.use({ database: 0 });
    expect(redis.run('HGETALL', 'copy')).toEqual(['c', '4']);
  });

  it('are what DUMP has no form for, until none has one any more', async () => {
    const redis = await open();
    redis.run('HEXPIRE', 'h', '10', 'FIELDS', '1', 'a');
    expect(told(redis, 'DUMP', 'h')).toMatch(/^-ERR a field of the hash has a time to live/);
    redis.run('HPERSIST', 'h', 'FIELDS', '1', 'a');
    expect(redis.run('DUMP', 'h')).toBeTypeOf('string');
    redis.run('HEXPIRE', 'h', '10', 'FIELDS', '1', 'a');
    await redis.clock.pass(10_000);
    expect(redis.run('DUMP', 'h')).toBeTypeOf('string');
  });

  it('go together with a script, and undo with a failed command of MULTI', async () => {
    const redis = await open();
    const replies = redis.runTogether(
      ['HEXPIRE', 'h', '10', 'FIELDS', '1', 'a'],
      ['HTTL', 'h', 'FIELDS', '1', 'a'],
      ['HDEL', 'h', 'b', 'c'],
      ['HEXPIRE', 'h', '0', 'FIELDS', '1', 'a'],
      ['EXISTS', 'h'],
    );
    expect(replies.map((reply) => showReply(reply))).toEqual(['[1]', '[10]', '2', '[2]', '0']);
  });
});

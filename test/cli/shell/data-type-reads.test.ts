/** The words of Redis' data types that read, in a shell against a server and in one with an embedded store. */
import { expect, test } from 'vitest';
import { jsonReplies, replies, shells } from './shells.ts';

test.each(shells)('%s: what was written is read by name, by index, by score and whole', async (_, open) => {
  const run = await open();
  expect(
    await replies(
      run,
      "HSET h name 'Alice Adams' age 42",
      'HGET h name',
      'HGET h none',
      'HMGET h age none',
      'HEXISTS h age',
      'HLEN h',
    ),
  ).toEqual(['2', 'Alice Adams', 'field not found', '42', 'field not found', 'yes', '2']);
  expect((await replies(run, 'HGETALL h')).sort()).toEqual(['age 42', "name 'Alice Adams'"]);
  expect((await replies(run, 'HKEYS h')).sort()).toEqual(['age', 'name']);
  expect(await replies(run, 'RPUSH l a b c', 'LRANGE l 0 -1', 'LINDEX l -1', 'LINDEX l 9', 'LLEN l')).toEqual(
    ['3', 'a', 'b', 'c', 'c', 'element not found', '3'],
  );
  expect(await replies(run, 'SADD s x y', 'SISMEMBER s x', 'SMISMEMBER s x z', 'SCARD s')).toEqual([
    '2',
    'yes',
    'yes',
    'no',
    '2',
  ]);
  expect((await replies(run, 'SMEMBERS s')).sort()).toEqual(['x', 'y']);
  expect(
    await replies(
      run,
      'ZADD z 1 a 2 b 3 c',
      'ZRANGE z 0 -1',
      'ZRANGE z 0 0 REV WITHSCORES',
      'ZRANGE z (1 2 BYSCORE',
      'ZSCORE z b',
      'ZMSCORE z b none',
      'ZRANK z c',
      'ZREVRANK z c',
      'ZCARD z',
      'ZCOUNT z 2 +inf',
    ),
  ).toEqual(['3', 'a', 'b', 'c', 'c 3', 'b', '2', '2', 'member not found', '2', '0', '3', '2']);
  expect(
    await replies(run, 'PFADD p a b', 'PFCOUNT p', 'BF.ADD f a', 'BF.EXISTS f a', 'BF.MEXISTS f a zz'),
  ).toEqual(['1', '2', '1', 'yes', 'yes', 'no']);
  expect(await jsonReplies(run, 'HGETALL none', 'LRANGE l 0 0', 'ZRANGE z 0 0 WITHSCORES')).toEqual([
    { fields: [] },
    { elements: ['a'] },
    { members: [{ member: 'a', score: 1 }] },
  ]);
});

test.each(shells)('%s: a key of another type is no failure of the store', async (_, open) => {
  const run = await open();
  await replies(run, 'SADD s a');
  const { stderr, code } = await run(['HGETALL s']);
  expect(stderr).toMatch(/^kelp: line 1: .*the key holds a set, not a hash/);
  expect(code).not.toBe(0);
});

test.each(shells)('%s: long collections are listed whole', async (_, open) => {
  const run = await open();
  const names = Array.from({ length: 2500 }, (_each, place) => `name-${String(place).padStart(4, '0')}`);
  await replies(run, `SADD s ${names.join(' ')}`, `RPUSH l ${names.join(' ')}`);
  expect((await replies(run, 'SMEMBERS s')).sort()).toEqual(names);
  expect(await replies(run, 'LRANGE l 100 -1')).toEqual(names.slice(100));
});

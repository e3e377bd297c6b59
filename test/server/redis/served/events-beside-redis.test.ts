/** Keyspace events of commands, beside those of redis-server: the same names, of the same keys, in the same order. */
import { expect, test } from 'vitest';
import { startTestServer } from '../../../support/test-server.ts';

import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';

const calls = callsOf(`
SET a 1|RENAME a b|SET c 1|RENAME b c|RENAMENX c d|SET e 1|RENAMENX d e|COPY d f|COPY d f REPLACE|MOVE f 3
RENAME d d|DEL e d none|UNLINK none
RPUSH l 1 2|LPUSH l 0|RPUSHX l 3|LINSERT l BEFORE 1 x|LSET l 0 y|LREM l 0 x|LTRIM l 0 1|RPOPLPUSH l l2|LMOVE l l2 LEFT RIGHT
LMOVE l2 l2 LEFT LEFT|LPOP l2|LMPOP 2 l l2 LEFT COUNT 9|RPUSH l 1 2 3|LTRIM l 5 6|RPUSH l 2 1|SORT l STORE s2|BLPOP l 0|BLMOVE l l3 LEFT LEFT 0
SADD s 1 2|SADD s 1|SMOVE s t 1|SMOVE s t 2|SREM t 1 9|SPOP t|SADD s 1 2|SADD t 2 3|SINTERSTORE u s t|SUNIONSTORE u s t|SDIFFSTORE u s s
HSET h f v|HSETNX h g v|HINCRBY h n 1|HINCRBYFLOAT h n 0.5|HDEL h f g|HDEL h n
ZADD z 1 m 2 n|ZADD z 1 m|ZADD z XX INCR 1 m|ZINCRBY z 1 m|ZREM z m|ZUNIONSTORE z2 1 z|ZRANGESTORE z3 z 0 -1|ZRANGESTORE z3 none 0 -1|ZDIFFSTORE z2 2 z z
ZPOPMIN z|ZADD z 1 a 2 b 3 c|ZREMRANGEBYSCORE z 1 1|ZREMRANGEBYRANK z 0 0|ZMPOP 1 z MIN|ZADD z 1 a 1 b|ZREMRANGEBYLEX z - +|ZADD z 1 a|BZPOPMAX z 0
SETEX x 100 v|GETEX x PERSIST|GETEX x EX 100|EXPIRE x 50|PERSIST x|EXPIRE x -1|SET y v EX 100|SET y w GET|SET y v KEEPTTL|SETNX y 1|SETNX w 1|GETSET w 2|GETDEL w
INCR n|INCRBY n 5|DECR n|INCRBYFLOAT n 0.5|SETRANGE sr 0 abc|APPEND sr x|SETBIT sr 1 1|BITOP NOT bo sr|BITFIELD bf SET u8 0 1|BITFIELD bf GET u8 0
PFADD pf a|PFADD pf a|PFMERGE pf2 pf|PFCOUNT pf|MSET m1 a m2 b|MSETNX m3 a m4 b|MSETNX m1 a m5 b
XADD xs 1-1 a b|XADD xs MAXLEN 1 2-1 a b|XADD xs NOMKSTREAM 3-1 a b|XADD none NOMKSTREAM 3-1 a b|XDEL xs 2-1 9-9|XDEL xs 2-1|XTRIM xs MAXLEN 1
XTRIM xs MAXLEN 0|XTRIM xs MINID 1|XSETID xs 9-9|XREAD STREAMS xs 0|COPY xs xs2|RENAME xs2 xs|XGROUP CREATE xs g 0|XGROUP CREATE xn g 0 MKSTREAM|XGROUP SETID xs g 0|XGROUP CREATECONSUMER xs g c|XGROUP CREATECONSUMER xs g c
XADD xs 10-1 a b|XADD xs 11-1 a b|XREADGROUP GROUP g c COUNT 1 STREAMS xs >|XREADGROUP GROUP g d STREAMS xs >|XREADGROUP GROUP g e STREAMS xs 0|XCLAIM xs g f 0 10-1|XAUTOCLAIM xs g h 0 0
XACK xs g 10-1|XPENDING xs g|XGROUP DELCONSUMER xs g c|XGROUP DELCONSUMER xs g c|XGROUP DESTROY xs g|XGROUP DESTROY xs g|DEL xs xn
SET t1 a|MULTI|SET t3 a|LPUSH t2 b|RENAME t1 t2|INCR t4|EXEC|FLUSHDB|SET a 1|HSET h f v|FLUSHALL`);

/** Each transaction leaves all as it was, or its last key alone; the commands beside them change nothing either. */
const unchangingCalls = callsOf(`
MULTI|SET m 1|DEL m|EXEC|GET m|MULTI|LPUSH l 1 2|LPOP l 2|EXEC|MULTI|HSET h f v|HDEL h f|EXEC|MULTI|SADD s 1|SMOVE s t 1|SPOP t|EXEC
MULTI|SET m 1|RENAME m n|GETDEL n|EXEC|MULTI|SET m 1|DEL m|SET k 1|EXEC|MULTI|SET m 1|LPUSH m x|DEL m|EXEC|MULTI|ZADD z 1 a|FLUSHDB|EXEC
SET k 1|MULTI|SET m 1|DEL m|EXEC|MULTI|SET m 1|DEL m|EXEC|INCR k|MULTI|SET m 1|SELECT 3|SET m 1|DEL m|SELECT 0|DEL m|EXEC
MULTI|SET m 1|EXPIRE m -1|EXEC`);

function callsOf(text: string): string[][] {
  return text
    .trim()
    .split(/[|\n]/)
    .map((line) => line.split(' '));
}

async function eventsOf(
  address: string,
  classes: string,
  calls: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const [client, subscriber, marker] = await Promise.all([
    RedisClient.open(address),
    RedisClient.open(address),
    RedisClient.open(address),
  ]);
  await client.run('FLUSHALL');
  await client.run('CONFIG', 'SET', 'notify-keyspace-events', classes);
  await subscriber.run('PSUBSCRIBE', '*');
  const told: string[] = [];
  for (const words of calls) {
    await client.run(...words);
    await marker.run('PUBLISH', 'mark', '');
    const events: string[] = [];
    for (;;) {
      const [, , channel = '', key = ''] = (await subscriber.next()) as readonly string[];
      if (channel === 'mark') break;
      events.push(`${channel.replace('__keyevent@', '').replace('__:', ':')} ${key}`);
    }
    told.push(`${words.join(' ')} -> ${events.join(', ')}`);
  }
  return told;
}

test.runIf(hasRealRedis).each([
  ['events of commands', 'EAn', calls],
  // `new` of what is removed again is not told.
  ['events of what leaves all as it was', 'EA', unchangingCalls],
])('%s are those of redis-server, in its order', { timeout: 60_000 }, async (_, classes, told) => {
  const redis = await RealRedis.start();
  try {
    const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
    expect(await eventsOf(server.redisAddress, classes, told)).toEqual(
      await eventsOf(`127.0.0.1:${redis.port}`, classes, told),
    );
  } finally {
    await redis.stop();
  }
});

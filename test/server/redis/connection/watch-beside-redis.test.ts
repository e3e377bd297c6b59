/** Which commands break a WATCH of which keys, beside redis-server: all that touch a key do, and be it that they leave it as it was. */
import { expect, test } from 'vitest';
import { redisRows, sessionRows } from '../../../../src/server/redis/redis-rows.ts';
import type { DecodedReply } from '../support/decoded-reply.ts';
import { DoorHarness, type TestClient } from '../support/door-harness.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';

/** What there is before each step; no key is `x` or `y`. */
const setup = wordsOf(
  `FLUSHALL|SET s abc|SET n 5|SETEX e 100 v|RPUSH l a b c|RPUSH one a|HSET h f 1 g x|SADD t 1 2 3|SADD u 2|ZADD z 1 a 2 b|ZADD w 1 a
PFADD p a b|SELECT 3|SET s other|SELECT 0`,
);
const watched = ['s', 'n', 'e', 'l', 'one', 'h', 't', 'u', 'z', 'w', 'p', 'x', 'y'];

/** One step in each line. Of a key that BITFIELD makes and whose operations all fail redis-server does not tell: that is left out. */
const steps = `
MULTI|SET x 1|DEL x|EXEC
MULTI|SET x 1|DEL x|SET y 1|EXEC
MULTI|LPUSH x 1|LPOP x|EXEC
MULTI|SADD x 1|SREM x 1|EXEC
MULTI|HSET x f v|HDEL x f|EXEC
MULTI|ZADD x 1 m|ZPOPMIN x|EXEC
MULTI|SET x 1|RENAME x y|DEL y|EXEC
MULTI|SET x 1|EXPIRE x -1|EXEC
MULTI|SET x 1|GETDEL x|INCR x|GETDEL x|EXEC
MULTI|SET x 1|FLUSHDB|EXEC
MULTI|SET x 1|SELECT 3|DEL x|SELECT 0|DEL x|EXEC
MULTI|INCR n|DECR n|EXEC
MULTI|SADD t 9|SREM t 9|EXEC
MULTI|DEL s|SET s abc|EXEC
MULTI|SET x 1|DEL x|LPUSH s 1|EXEC
MULTI|LPUSH s 1|GET x|EXEC
MULTI|GET s|EXISTS x|EXEC
MULTI|SET x 1|DEL x|DISCARD
SELECT 3|MULTI|SET x 1|DEL x|EXEC|SELECT 0
SELECT 3|SET s same|SELECT 0
SET s abc
SET s abc NX
SET x v XX
SET s abc KEEPTTL
SET s abc GET
SET x v PXAT 1
SET s v PXAT 1
SET x v EX 100
SETNX s v
SETEX s 100 abc
GETSET s abc
GETEX s
GETEX s PERSIST
GETEX e PERSIST
GETEX e EX 100
GETEX s PXAT 1
GETEX x EX 100
GETDEL x
GETDEL s
MSET s abc n 5
MSETNX x 1 s 2
MSETNX x 1 y 2
APPEND s ""
APPEND x ""
SETRANGE s 0 ""
SETRANGE x 0 ""
SETRANGE s 0 abc
SETRANGE x 5 ""
SETBIT s 0 0
SETBIT s 0 1
SETBIT x 0 0
BITFIELD s GET u8 0
BITFIELD s SET u8 0 97
BITFIELD s SET u8 0 98
BITFIELD s INCRBY u8 0 0
BITFIELD x SET u8 0 0
BITFIELD s OVERFLOW FAIL INCRBY u8 0 250
BITOP AND x y
BITOP AND s x
BITOP NOT s s
BITOP OR s s
INCRBY n 0
INCRBYFLOAT n 0
DECRBY n 0
INCR s
EXPIRE s 100
EXPIRE x 100
EXPIRE e 100 NX
EXPIRE e 50 GT
EXPIRE e 200 GT
EXPIRE s -1
EXPIRE x -1
PEXPIREAT s 1
PERSIST s
PERSIST e
PERSIST x
DEL x
DEL s x
UNLINK s
UNLINK x
RENAME s s
RENAME s x
RENAME s n
RENAMENX s n
RENAMENX s s
RENAME x y
COPY s x
COPY s n
COPY s n REPLACE
COPY s s
COPY x y
MOVE s 3
MOVE n 3
MOVE x 3
TOUCH s
OBJECT ENCODING s
TYPE s
EXISTS s x
SORT l ALPHA
SORT l ALPHA STORE l
SORT x STORE y
SORT x STORE s
SORT l ALPHA STORE x
FLUSHDB
FLUSHALL
SELECT 3|FLUSHDB|SELECT 0
LPUSH l x
LPUSHX x 1
LPUSHX l 1
LPOP x
LPOP l
LPOP l 0
LPOP one
LPOP x 0
RPOPLPUSH one one
RPOPLPUSH x y
RPOPLPUSH one x
RPOPLPUSH l s
LMOVE one one LEFT RIGHT
LMOVE x one LEFT LEFT
BLMOVE one one LEFT RIGHT 0
LSET l 0 a
LSET l 9 a
LREM l 0 none
LREM l 0 a
LREM x 0 a
LTRIM l 0 -1
LTRIM l 5 6
LTRIM x 0 1
LINSERT l BEFORE none y
LINSERT l BEFORE a y
LINSERT x BEFORE a y
LMPOP 2 x l LEFT
LMPOP 1 x LEFT
LPOS l a
LRANGE l 0 -1
BLPOP l 0
BLPOP x 0.01
HSET h f 1
HSET h f 2
HSETNX h f 1
HSETNX h i 1
HMSET h f 1
HINCRBY h f 0
HINCRBYFLOAT h f 0
HINCRBY h g 1
HDEL h none
HDEL h f g
HDEL x f
HGETALL h
HRANDFIELD h
SADD t 1
SADD t 9
SADD x 1
SREM t 9
SREM u 2
SREM x 1
SPOP t
SPOP t 0
SPOP u
SPOP x
SMOVE t u 9
SMOVE t u 2
SMOVE t t 1
SMOVE t u 1
SMOVE u t 2
SMOVE x t 1
SINTERSTORE x t y
SINTERSTORE u t y
SINTERSTORE t t
SUNIONSTORE t t
SDIFFSTORE u t t
SDIFFSTORE x t t
SRANDMEMBER t
ZADD z 1 a
ZADD z 3 a
ZADD z NX 5 a
ZADD z XX 5 none
ZADD z GT 0 a
ZADD z INCR 0 a
ZADD x XX 1 a
ZADD z NX INCR 1 a
ZADD z nan a
ZINCRBY z 0 a
ZINCRBY z 1 a
ZREM z none
ZREM w a
ZREMRANGEBYSCORE z 9 10
ZREMRANGEBYRANK z 5 6
ZREMRANGEBYLEX z [y [z
ZREMRANGEBYRANK w 0 -1
ZPOPMIN x
ZPOPMIN z 0
ZPOPMIN z
BZPOPMIN z 0
ZMPOP 1 x MIN
ZMPOP 2 x z MIN
ZRANGESTORE x z 5 6
ZRANGESTORE w z 5 6
ZRANGESTORE z z 0 -1
ZUNIONSTORE z 1 z
ZUNIONSTORE x 1 y
ZINTERSTORE w 2 w x
ZDIFFSTORE w 2 w w
ZDIFFSTORE x 2 w w
PFADD p a
PFADD p c
PFADD x
PFMERGE p
PFMERGE x
PFMERGE x p
PFMERGE p p
PFCOUNT p
PFCOUNT p|PFCOUNT p
PFCOUNT p x
SETEX s 0 v
LPUSH s 1
SADD s 1
WATCH x
PUBLISH s m
DBSIZE
`
  .trim()
  .split('\n');

function wordsOf(line: string): string[][] {
  return line.split(/[|\n]/).map((call) => call.split(' ').map((word) => (word === '""' ? '' : word)));
}

/** Sends calls, and waits for their replies. */
type Run = (calls: readonly (readonly string[])[]) => Promise<readonly DecodedReply[]>;

/** The keys of which each step has broken the WATCH. */
async function brokenBy(connect: () => Promise<Run>): Promise<readonly string[]> {
  const client = await connect();
  const watchers = await Promise.all(watched.map(connect));
  const told: string[] = [];
  for (const step of steps) {
    await client(setup);
    await Promise.all(watchers.map((run, index) => run([['WATCH', watched[index] ?? '']])));
    await client(wordsOf(step));
    const outcomes = await Promise.all(watchers.map((run) => run([['MULTI'], ['PING'], ['EXEC']])));
    const broken = watched.filter((_, index) => outcomes[index]?.at(-1) === null);
    told.push(`${step} -> ${broken.join(' ')}`);
  }
  return told;
}

function sent(client: RedisClient): Run {
  return async (calls) => {
    for (const words of calls) client.send(...words);
    const replies: DecodedReply[] = [];
    for (const _ of calls) replies.push(await client.next());
    return replies;
  };
}

function received(harness: DoorHarness, client: TestClient): Run {
  return async (calls) => {
    client.pipeline(...calls);
    const replies: DecodedReply[] = [];
    for (;;) {
      await harness.settled();
      replies.push(...client.replies());
      if (replies.length >= calls.length) return replies;
      await harness.seam.clock.pass(10);
    }
  };
}

test.runIf(hasRealRedis)(
  'a command breaks a WATCH where redis-server says that it touches the key',
  { timeout: 120_000 },
  async () => {
    const redis = await RealRedis.start();
    try {
      const isSession = (name: string): boolean => sessionRows.some((row) => row.name === name);
      const harness = await DoorHarness.open({
        rows: redisRows.filter(({ name }) => !isSession(name)),
        fsync: 'never',
      });
      const ours = await brokenBy(async () => received(harness, harness.connect()));
      const theirs = await brokenBy(async () => sent(await RedisClient.open(`127.0.0.1:${redis.port}`)));
      expect(ours).toEqual(theirs);
      expect(harness.defects).toEqual([]);
    } finally {
      await redis.stop();
    }
  },
);

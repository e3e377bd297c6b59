/**
 * Words that are at the edge of what commands take, to Redis and to KelpDB over sockets, in both versions of the protocol: replies must
 * be equal. A line is a call; its words are parted by spaces, and `""` is the empty word.
 */
import { expect, test } from 'vitest';
import { hasRealRedis } from '../support/real-redis.ts';
import { TwoServers } from './two-servers.ts';

const filled = [
  'SADD s a b c',
  'HSET h a 1 b 2',
  'ZADD z 1 a 2 b',
  'RPUSH l a b c a',
  'SET f 1',
  'SET i 9223372036854775807',
];

const cases: readonly (readonly [what: string, calls: readonly string[]])[] = [
  [
    'logins where no user has a password',
    [
      'AUTH x',
      'AUTH default x',
      'AUTH default ""',
      'AUTH other x',
      'AUTH a b c',
      'AUTH',
      'HELLO 2 AUTH other x',
    ],
  ],
  [
    'what COMMAND tells',
    [
      'COMMAND INFO nosuch',
      'COMMAND INFO nosuch|x nosuch',
      'COMMAND INFO debug',
      'COMMAND INFO get restore geoadd geosearch geosearchstore lmove rename renamenx setnx append sadd srem smove zadd zrem hset hsetnx hdel hlen lpush lpop lset ltrim',
      'COMMAND GETKEYSANDFLAGS LMOVE a b LEFT RIGHT',
      'COMMAND GETKEYSANDFLAGS BLMPOP 0 2 a b LEFT',
      'COMMAND GETKEYSANDFLAGS SET a b GET',
      'COMMAND GETKEYSANDFLAGS SET a b',
      'COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0',
      'COMMAND GETKEYSANDFLAGS BITFIELD a OVERFLOW SAT SET u8 0 1',
      'COMMAND GETKEYSANDFLAGS BITFIELD a GET',
      'COMMAND GETKEYSANDFLAGS SINTERSTORE a b c',
      'COMMAND GETKEYSANDFLAGS PFMERGE a b c',
      'COMMAND GETKEYSANDFLAGS OBJECT ENCODING a',
      'COMMAND GETKEYSANDFLAGS SORT a STORE b',
      'COMMAND GETKEYSANDFLAGS RESTORE a 0 b',
      'COMMAND GETKEYSANDFLAGS DUMP a',
      'COMMAND GETKEYSANDFLAGS GEOADD a 1 2 b',
      'COMMAND GETKEYSANDFLAGS GEORADIUS a 1 2 3 m STORE b',
      'COMMAND GETKEYSANDFLAGS GEORADIUSBYMEMBER a b 3 m STORE c',
      'COMMAND GETKEYSANDFLAGS GEOSEARCHSTORE a b FROMMEMBER c BYRADIUS 1 m',
      'COMMAND GETKEYS GEORADIUS a 1 2 3 m STORE b STOREDIST c',
      'COMMAND GETKEYS ZUNION x a b',
      'COMMAND GETKEYS ZUNION 5 a b',
      'COMMAND GETKEYS ZUNION 0 a b',
      'COMMAND GETKEYS ZUNIONSTORE d 3 a b',
      'COMMAND GETKEYS BLMPOP 0 3 a b LEFT',
      'COMMAND GETKEYS PING x',
      'COMMAND GETKEYS XREAD COUNT 1 BLOCK 5 STREAMS a b 0 0',
      'COMMAND GETKEYS XREAD STREAMS a',
      'COMMAND GETKEYS XREAD WORD STREAMS a 0',
      'COMMAND GETKEYSANDFLAGS XREADGROUP GROUP g c NOACK STREAMS streams 0',
      'COMMAND GETKEYSANDFLAGS XADD s * f v',
      'COMMAND GETKEYSANDFLAGS XDEL s 1',
      'COMMAND GETKEYSANDFLAGS XAUTOCLAIM s g c 0 0',
      'COMMAND GETKEYSANDFLAGS XGROUP CREATE s g 0',
      'COMMAND GETKEYSANDFLAGS XGROUP DESTROY s g',
      'COMMAND GETKEYSANDFLAGS XINFO STREAM s',
    ],
  ],
  [
    'counts and ranks beyond what a double has',
    [
      'SRANDMEMBER s -9223372036854775808',
      'SRANDMEMBER none -9223372036854775807',
      'SRANDMEMBER s 9223372036854775808',
      'HRANDFIELD none -9007199254740993',
      'HRANDFIELD h -9223372036854775807 WITHVALUES',
      'ZRANDMEMBER none -9223372036854775807',
      'ZRANDMEMBER z 9223372036854775807 WITHSCORES',
      'LPOS l a RANK -9223372036854775808',
      'LPOS l a RANK -9223372036854775807',
      'LPOS l a RANK 9223372036854775807',
      'LPOS l a RANK -9223372036854775808 COUNT 0 MAXLEN 2',
      'SPOP s 9223372036854775808',
    ],
  ],
  [
    'databases',
    [
      'SELECT a',
      'SELECT -1',
      'SELECT 16',
      'SELECT 99999999999',
      'SELECT ""',
      'SELECT 1.5',
      'MOVE s x',
      'MOVE s 99999999999',
      'COPY s t DB -1',
    ],
  ],
  [
    'times to wait',
    [
      'BLPOP k 1e400',
      'BLPOP k -1e400',
      'BLPOP k 1e4931',
      'BLPOP k 1e4933',
      'BLPOP k 1.5e400',
      'BLPOP k 1e400x',
      'BLPOP k inf',
      'BLPOP k nan',
      'BLPOP k ""',
      'BLMOVE k k2 LEFT LEFT 1e400',
      'BZPOPMIN k 1e400',
      'BLMPOP 1e400 1 k LEFT',
      'BZMPOP x 1 k MIN',
      'WAIT 0 x',
      'WAIT x 0',
      'WAIT 0 -1',
      'DEBUG SLEEP 0',
    ],
  ],
  [
    'subcommands with other words than they take',
    [
      'MEMORY USAGE k SAMPLES -1',
      'MEMORY USAGE k SAMPLES x',
      'PUBSUB CHANNELS a b',
      'PUBSUB SHARDCHANNELS a b',
      'PUBSUB NUMPAT x',
      'SLOWLOG GET -1 x',
      'SLOWLOG GET -2',
      'DEBUG FOO',
      'OBJECT FOO s',
    ],
  ],
  [
    'EXEC with words',
    ['EXEC x', 'MULTI', 'SET a 1', 'EXEC x', 'GET a', 'EXEC', 'MULTI', 'DISCARD x', 'GET', 'EXEC'],
  ],
  [
    'numbers with a fraction',
    [
      'INCRBYFLOAT f 1e308',
      'INCRBYFLOAT f inf',
      'INCRBYFLOAT f 0x10',
      'INCRBYFLOAT f ""',
      'HINCRBYFLOAT h n 5.0e3',
      'HINCRBYFLOAT h n -5.0e3',
      'INCR i',
      'DECRBY i -9223372036854775808',
    ],
  ],
];

test.runIf(hasRealRedis)('the edges of words are answered as by Redis', { timeout: 120_000 }, async () => {
  const servers = await TwoServers.start(['--enable-debug-command', 'yes']);
  try {
    for (const [what, calls] of cases) {
      await servers.begin();
      await servers.run({ client: 0, commands: filled.map(toCommand) });
      for (const client of [0, 1] as const) {
        for (const call of calls) {
          const difference = await servers.run({ client, commands: [toCommand(call)] });
          expect(difference, `${what}: ${call}, RESP${client + 2}`).toBeUndefined();
        }
      }
    }
  } finally {
    await servers.stop();
  }
});

function toCommand(call: string): { readonly words: readonly string[] } {
  return { words: call.split(' ').map((word) => (word === '""' ? '' : word)) };
}

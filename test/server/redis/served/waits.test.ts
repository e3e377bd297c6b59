/** Clients that wait for keys, over sockets, beside redis-server: who is served, in which order, and how a wait ends. */
import { expect, test } from 'vitest';
import { startTestServer } from '../../../support/test-server.ts';
import { showReply } from '../support/decoded-reply.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';

/**
 * `a: WORDS` runs a command by a client, which is made when it is first named; `a+ WORDS` sends one and waits until it is blocked;
 * `a? ` takes its next reply; `#a` in the words is its number.
 */
const scenarios: readonly (readonly [name: string, steps: readonly string[]])[] = [
  [
    'two clients on many keys',
    ['a+ BLPOP k1 k2 0', 'b+ BRPOP k2 k1 0', 'w: RPUSH k2 x y z', 'a?', 'b?', 'w: LRANGE k2 0 -1'],
  ],
  [
    'a push of several elements serves several, first come first served',
    [
      'a+ BLPOP q 0',
      'b+ BLPOP q 0',
      'c+ BLPOP q 0',
      'd+ BLPOP q 0',
      'w: RPUSH q 1 2 3',
      'a?',
      'b?',
      'c?',
      'w: EXISTS q',
      'w: RPUSH q 4',
      'd?',
    ],
  ],
  [
    'another key of another type does not hold it up',
    ['a+ BLPOP k1 k2 0', 'w: SET k1 text', 'w: RPUSH k2 v', 'a?', 'w: GET k1'],
  ],
  [
    'a sorted set beside a list',
    [
      'a+ BZPOPMIN z1 z2 0',
      'b+ BZMPOP 0 2 z1 z2 MAX COUNT 2',
      'w: RPUSH z1 text',
      'w: ZADD z2 1 a 2 b 3 c 4 d',
      'a?',
      'b?',
      'w: ZRANGE z2 0 -1',
    ],
  ],
  [
    'a key that becomes another type in the same transaction',
    [
      'a+ BLPOP k 0',
      'w: MULTI',
      'w: RPUSH k x',
      'w: DEL k',
      'w: SADD k m',
      'w: EXEC',
      'w: DEL k',
      'w: RPUSH k z',
      'a?',
    ],
  ],
  [
    'a key that is pushed to and deleted in a transaction',
    ['a+ BLPOP k 0', 'w: MULTI', 'w: RPUSH k x', 'w: DEL k', 'w: EXEC', 'w: RPUSH k y', 'a?'],
  ],
  [
    'a target of another type',
    ['a+ BLMOVE s d LEFT RIGHT 0', 'w: SET d text', 'w: RPUSH s v', 'a?', 'w: LRANGE s 0 -1', 'a: PING'],
  ],
  [
    'a target of another type, and one that waits behind it',
    ['a+ BLMOVE s d LEFT RIGHT 0', 'b+ BLPOP s 0', 'w: SET d text', 'w: RPUSH s v', 'a?', 'b?'],
  ],
  [
    'a chain of moves',
    [
      'a+ BLMOVE s d LEFT RIGHT 0',
      'b+ BRPOPLPUSH d e 0',
      'c+ BLPOP e 0',
      'w: RPUSH s v',
      'a?',
      'b?',
      'c?',
      'w: KEYS *',
    ],
  ],
  ['a move in a ring', ['a+ BLMOVE s s LEFT RIGHT 0', 'w: RPUSH s 1 2', 'a?', 'w: LRANGE s 0 -1']],
  [
    'the key that is written first serves first',
    [
      'a+ BLPOP k1 k2 0',
      'w: MULTI',
      'w: RPUSH k2 b',
      'w: RPUSH k1 a',
      'w: EXEC',
      'a?',
      'w: LLEN k1',
      'w: LLEN k2',
    ],
  ],
  [
    'an entry of a stream is read by all that wait for it, and by those behind their ids alone',
    [
      'w: XADD s 1-1 f v',
      'a+ XREAD BLOCK 0 STREAMS s $',
      'b+ XREAD COUNT 2 BLOCK 0 STREAMS other s 0 1-1',
      'c+ XREAD BLOCK 0 STREAMS s 5-0',
      'd: HELLO 3',
      'd+ XREAD BLOCK 0 STREAMS s 1-1',
      'w: MULTI',
      'w: XADD s 2-1 f v',
      'w: XADD s 2-2 f v',
      'w: XADD s 2-3 f v',
      'w: EXEC',
      'a?',
      'b?',
      'd?',
      'w: XADD s 6-1 f w',
      'c?',
      'a: XREAD BLOCK 0 STREAMS s 0',
    ],
  ],
  [
    'a stream that is named twice is waited for where it is named first',
    [
      'w: XADD s 1-1 f v',
      'a+ XREAD BLOCK 0 STREAMS s s 5-0 1-1',
      'w: XADD s 2-1 f v',
      'w: XADD s 6-1 f v',
      'a?',
    ],
  ],
  [
    'a stream that is deleted, comes again, and is of another type meanwhile',
    [
      'w: XADD s 5-1 f v',
      'a+ XREAD BLOCK 0 STREAMS s $',
      'w: DEL s',
      'w: SET s text',
      'w: DEL s',
      'w: XADD s 1-1 f v',
      'w: XADD s 5-1 f v',
      'w: XADD s 5-2 f v',
      'a?',
    ],
  ],
  [
    'a stream that does not come',
    [
      'a: XREAD BLOCK 1 STREAMS s $',
      'a: XREAD BLOCK 1 COUNT 1 STREAMS s t 0 0',
      'a+ XREAD BLOCK 0 STREAMS s t 0 0',
      'w: CLIENT UNBLOCK #a',
      'a?',
      'a: HELLO 3',
      'a: XREAD BLOCK 1 STREAMS s $',
      'a: MULTI',
      'a: XREAD BLOCK 0 STREAMS s $',
      'a: XADD s 1-1 f v',
      'a: XREAD BLOCK 0 STREAMS s 0',
      'a: EXEC',
    ],
  ],
  [
    'a stream by another name',
    [
      'a+ XREAD BLOCK 0 STREAMS s 0',
      'w: XADD t 1-1 f v',
      'w: RENAME t s',
      'a?',
      'b+ XREAD BLOCK 0 STREAMS u 0',
      'w: COPY s u',
      'b?',
    ],
  ],
  [
    'new entries go to one consumer of a group each, first come first served, and to each group',
    [
      'w: XGROUP CREATE s g $ MKSTREAM',
      'w: XGROUP CREATE s h $',
      'a+ XREADGROUP GROUP g a COUNT 1 BLOCK 0 STREAMS s >',
      'b+ XREADGROUP GROUP g b COUNT 1 BLOCK 0 STREAMS s >',
      'c+ XREADGROUP GROUP g c BLOCK 0 STREAMS s >',
      'd: HELLO 3',
      'd+ XREADGROUP GROUP h d BLOCK 0 NOACK STREAMS s >',
      'e+ XREAD BLOCK 0 STREAMS s $',
      'w: MULTI',
      'w: XADD s 1-1 f v',
      'w: XADD s 1-2 f v',
      'w: EXEC',
      'a?',
      'b?',
      'd?',
      'e?',
      'w: XPENDING s g',
      'w: XPENDING s h',
      'w: XADD s 2-1 f v',
      'c?',
      'a: XREADGROUP GROUP g a BLOCK 0 STREAMS s 0',
      'w: XACK s g 1-1 1-2 2-1',
      'a: XREADGROUP GROUP g a BLOCK 0 STREAMS s 0',
      'a: XREADGROUP GROUP g a BLOCK 1 STREAMS s >',
    ],
  ],
  [
    'a stream that is gone, or its group, ends the waits of its consumers',
    [
      'w: XGROUP CREATE s g $ MKSTREAM',
      'w: XGROUP CREATE t g $ MKSTREAM',
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS s t > >',
      'b+ XREADGROUP GROUP g b BLOCK 0 STREAMS t >',
      'c+ XREAD BLOCK 0 STREAMS s $',
      'w: DEL s',
      'a?',
      'a: PING',
      'w: XGROUP DESTROY t g',
      'b?',
      'w: XADD s 1-1 f v',
      'c?',
      'w: DEL s',
      'w: XGROUP CREATE s g $ MKSTREAM',
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'w: SET s text',
      'a?',
      'w: DEL s',
      'w: XGROUP CREATE s g $ MKSTREAM',
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'w: MULTI',
      'w: DEL s',
      'w: XADD s 1-1 f v',
      'w: EXEC',
      'a?',
      'w: DEL s',
      'w: XGROUP CREATE s g $ MKSTREAM',
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'w: RENAME s t',
      'a?',
      'w: RENAME t s',
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'w: FLUSHALL',
      'a?',
    ],
  ],
  [
    'what others do goes on beside waits that it does not end',
    [
      'w: XADD s 1-1 f v',
      'w: XADD s 1-2 f v',
      'w: XGROUP CREATE s g 0',
      'w: XGROUP CREATE s h $',
      'a+ XREAD BLOCK 0 STREAMS s $',
      'b+ XREADGROUP GROUP h b BLOCK 0 STREAMS s >',
      'w: XREADGROUP GROUP g w COUNT 1 STREAMS s >',
      'w: PING',
      'w: XREADGROUP GROUP g w COUNT 1 STREAMS s >',
      'w: PING',
      'w: XADD s 2-1 f v',
      'a?',
      'b?',
    ],
  ],
  [
    'what is done in parts goes on behind the end of a wait',
    [
      'w: XGROUP CREATE a g $ MKSTREAM',
      `w: MSET ${Array.from({ length: 5000 }, (_, index) => `k${index} v`).join(' ')}`,
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS a >',
      'w: FLUSHALL',
      'a?',
      'w: DBSIZE',
    ],
  ],
  [
    'what a group does not wait for',
    [
      'w: XADD s 1-1 f v',
      'w: XGROUP CREATE s g 0',
      'a: XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'w: XDEL s 1-1',
      'w: XACK s g 1-1',
      'w: XGROUP SETID s g 0',
      'w: XADD s 2-1 f v',
      'a?',
      'a: MULTI',
      'a: XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'a: XADD s 3-1 f v',
      'a: XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'a: EXEC',
      'a+ XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      'w: CLIENT UNBLOCK #a ERROR',
      'a?',
      'w: XINFO GROUPS s',
    ],
  ],
  [
    'the end by CLIENT UNBLOCK',
    [
      'a+ BLPOP k 0',
      'w: CLIENT UNBLOCK #a',
      'a?',
      'w: CLIENT UNBLOCK #a',
      'a+ BLMOVE k l LEFT LEFT 0',
      'w: CLIENT UNBLOCK #a TIMEOUT',
      'a?',
      'a+ BZPOPMAX k 0',
      'w: CLIENT UNBLOCK #a ERROR',
      'a?',
      'a: PING',
      'w: CLIENT UNBLOCK #a NONE',
    ],
  ],
  [
    'the end by time',
    [
      'a: BLPOP k 0.01',
      'a: BRPOP k .001',
      'a: BLMPOP 0.01 1 k LEFT',
      'a: BLMOVE k l LEFT LEFT 0.01',
      'a: BRPOPLPUSH k l 0.01',
      'a: BZPOPMIN k 0.01',
      'a: BZMPOP 0.01 1 k MIN',
      'a: BLPOP k -1',
      'a: BLPOP k x',
      'a: BLPOP k inf',
      'a: BLPOP k nan',
      'a: BLPOP k 1e300',
      'a: HELLO 3',
      'a: BLPOP k 0.01',
      'a: BZPOPMIN k 0.01',
      'a: BLMOVE k l LEFT LEFT 0.01',
    ],
  ],
  [
    'within a transaction',
    [
      'a: MULTI',
      'a: BLPOP k 0',
      'a: BLMOVE k l LEFT LEFT 0',
      'a: BZPOPMIN k 0',
      'a: BLMPOP 0 1 k LEFT',
      'a: EXEC',
      'a: RPUSH k 1',
      'a: MULTI',
      'a: BLPOP k 0',
      'a: EXEC',
    ],
  ],
  [
    'keys that come by other commands',
    [
      'a+ BLPOP k 0',
      'w: RPUSH o 1',
      'w: RENAME o k',
      'a?',
      'a+ BLPOP k 0',
      'w: RPUSH o 2',
      'w: COPY o k',
      'a?',
      'a+ BLPOP k 0',
      'w: SORT o STORE k',
      'a?',
      'a+ BLPOP k 0',
      'w: LMOVE o k LEFT LEFT',
      'a?',
      'a+ BZPOPMIN k 0',
      'w: ZADD z 1 m',
      'w: ZUNIONSTORE k 1 z',
      'a?',
      'a+ BZPOPMIN k 0',
      'w: ZRANGESTORE k z 0 -1',
      'a?',
    ],
  ],
  ['databases', ['a: SELECT 3', 'a+ BLPOP k 0', 'w: RPUSH k 0', 'w: MOVE k 3', 'a?', 'a: PING']],
  ['a client that is killed', ['a+ BLPOP k 0', 'w: CLIENT KILL ID #a', 'w: RPUSH k 1', 'w: LLEN k']],
  [
    'commands behind one that waits',
    ['a+ BLPOP k 0', 'a- PING', 'a- QUIT', 'w: RPUSH k 1', 'a?', 'a?', 'a?', 'a!'],
  ],
];

class Stage {
  readonly #address: string;
  readonly #clients = new Map<string, RedisClient>();
  readonly #ids = new Map<string, string>();
  #control: RedisClient | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  async play(steps: readonly string[]): Promise<string[]> {
    this.#control = await RedisClient.open(this.#address);
    await this.#control.run('FLUSHALL');
    const told: string[] = [];
    for (const step of steps) told.push(`${step} -> ${await this.#step(step)}`);
    for (const client of this.#clients.values()) client.socket.destroy();
    while ((await this.#blockedCount()) > 0);
    return told;
  }

  async #step(step: string): Promise<string> {
    const name = step.charAt(0);
    const client = await this.#client(name);
    const words = step
      .slice(2)
      .trim()
      .split(' ')
      .map((word) => (word.startsWith('#') ? (this.#ids.get(word.slice(1)) ?? '') : word));
    const kind = step.charAt(1);
    if (kind === ':') return showReply(await client.run(...words));
    if (kind === '?') return showReply(await client.next());
    if (kind === '!') {
      await client.closed;
      return 'closed';
    }
    const before = await this.#blockedCount();
    client.send(...words);
    if (kind === '+') while ((await this.#blockedCount()) <= before);
    return 'sent';
  }

  async #client(name: string): Promise<RedisClient> {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const client = await RedisClient.open(this.#address);
    this.#clients.set(name, client);
    this.#ids.set(name, showReply(await client.run('CLIENT', 'ID')));
    return client;
  }

  async #blockedCount(): Promise<number> {
    const info = showReply((await this.#control?.run('INFO', 'clients')) ?? null);
    return Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
  }
}

test.runIf(hasRealRedis)(
  'waits begin, are served and end as those of redis-server',
  { timeout: 120_000 },
  async () => {
    const redis = await RealRedis.start();
    try {
      const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
      for (const [name, steps] of scenarios) {
        const wanted = await new Stage(`127.0.0.1:${redis.port}`).play(steps);
        const got = await new Stage(server.redisAddress).play(steps);
        const shown = (told: readonly string[]): string =>
          told.map((line) => line.replace(/"id", \d+/, '"id", 0').replace(/"id": \d+/, '"id": 0')).join('\n');
        expect.soft(shown(got), name).toBe(shown(wanted));
      }
    } finally {
      await redis.stop();
    }
  },
);

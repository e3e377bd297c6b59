/** CLIENT TRACKING beside redis-server: the same replies, and the same keys told to the same clients behind each step. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../../support/random.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { showReply } from '../support/decoded-reply.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { TrackedClient } from './tracked-clients.ts';

/** `client: command; command`: calls in one piece. `$t` is the number of the client t. */
type Step = string;

/** Of RESP3: a, b and w; of RESP2: m, and t, which listens to messages. */
const CLIENTS = { a: 3, b: 3, w: 3, m: 2, t: 2 } as const;
type Name = keyof typeof CLIENTS;
const NAMES = Object.keys(CLIENTS) as Name[];

/** Numbers of clients before this one are of others, so that they have the same ones at both servers. */
const FIRST_ID = 20;

async function told(address: string, steps: readonly Step[]): Promise<string[]> {
  let lastId = 0;
  while (lastId < FIRST_ID) lastId = (await TrackedClient.open(address, 2)).id;
  const clients = new Map<string, TrackedClient>();
  for (const name of NAMES) clients.set(name, await TrackedClient.open(address, CLIENTS[name]));
  const clientOf = (name: string): TrackedClient => {
    const client = clients.get(name);
    if (client === undefined) throw new Error(`there is no client ${name}`);
    return client;
  };
  await clientOf('t').run(['SUBSCRIBE', '__redis__:invalidate']);
  await clientOf('w').run(['FLUSHALL']);
  const lines: string[] = [];
  for (const step of steps) {
    const [name = '', calls = ''] = step.split(': ');
    if (calls === 'CLOSE') {
      await close(clientOf(name), clientOf('w'));
      clients.delete(name);
      continue;
    }
    const words = calls
      .split('; ')
      .map((call) => call.replaceAll(/\$(\w)/g, (_, other: string) => String(clientOf(other).id)).split(' '));
    const { replies, told: own } = await clientOf(name).run(...words);
    const all: string[] = [];
    for (const [other, client] of clients) {
      const theirs = new Set((await client.run()).told);
      if (other === name) for (const one of own) theirs.add(one);
      if (theirs.size > 0) all.push(`${other}: ${[...theirs].toSorted().join(' ')}`);
    }
    lines.push(`${step} -> ${replies.map((reply) => showReply(reply)).join(' ')} | ${all.join(', ')}`);
  }
  return lines;
}

/** Until the server knows of it. */
async function close({ client, id }: TrackedClient, other: TrackedClient): Promise<void> {
  client.socket.destroy();
  await client.closed;
  for (;;) {
    const { replies } = await other.run(['CLIENT', 'LIST', 'ID', String(id)]);
    if (
      !replies
        .map((reply) => showReply(reply))
        .join('')
        .includes(`id=${id} `)
    )
      return;
  }
}

async function compare(steps: readonly Step[]): Promise<void> {
  const redis = await RealRedis.start();
  try {
    const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
    expect(await told(server.redisAddress, steps)).toEqual(await told(`127.0.0.1:${redis.port}`, steps));
  } finally {
    await redis.stop();
  }
}

const info = 'CLIENT TRACKINGINFO; CLIENT GETREDIR';

const scripts: Readonly<Record<string, readonly Step[]>> = {
  'words that are wrong or do not go together': [
    'a: CLIENT TRACKING; CLIENT TRACKING x; CLIENT TRACKING on x; CLIENT TRACKING off x; CLIENT TRACKING on PREFIX',
    'a: CLIENT TRACKING on PREFIX p; CLIENT TRACKING on BCAST OPTIN; CLIENT TRACKING on OPTOUT BCAST; CLIENT TRACKING on OPTIN OPTOUT',
    'a: CLIENT TRACKING on REDIRECT x; CLIENT TRACKING on REDIRECT 999999; CLIENT TRACKING on REDIRECT $t REDIRECT $w; CLIENT TRACKING off REDIRECT 999999',
    'a: CLIENT TRACKING on BCAST PREFIX aa PREFIX a; CLIENT TRACKING on BCAST PREFIX a PREFIX aa; CLIENT TRACKING on BCAST PREFIX a PREFIX a',
    `a: ${info}; CLIENT CACHING yes; CLIENT CACHING no; CLIENT CACHING x`,
    `a: CLIENT TRACKING on; CLIENT CACHING yes; CLIENT CACHING no; CLIENT CACHING x; CLIENT TRACKING on BCAST; ${info}`,
    `a: CLIENT TRACKING on OPTIN; CLIENT TRACKING on OPTOUT; CLIENT CACHING no; CLIENT CACHING yes; ${info}; CLIENT CACHING yes; PING; ${info}`,
    `a: CLIENT TRACKING on; CLIENT TRACKING on OPTOUT NOLOOP; CLIENT CACHING yes; CLIENT CACHING no; ${info}; CLIENT TRACKING on OPTIN`,
    `a: CLIENT TRACKING off; ${info}; CLIENT TRACKING off; CLIENT TRACKING on REDIRECT $t; ${info}; CLIENT TRACKING on; ${info}`,
    `a: CLIENT TRACKING off; CLIENT TRACKING on BCAST PREFIX b PREFIX a NOLOOP; ${info}; CLIENT TRACKING on; CLIENT TRACKING on BCAST PREFIX ab`,
    `a: CLIENT TRACKING on BCAST PREFIX a; CLIENT TRACKING on BCAST PREFIX c; ${info}; CLIENT TRACKING on BCAST; ${info}; RESET; ${info}`,
    'a: HELLO 3; MULTI; CLIENT TRACKING on; CLIENT TRACKINGINFO; EXEC; CLIENT TRACKINGINFO; HELLO 2; CLIENT GETREDIR; HELLO 3',
  ],
  'what was read is told once, to those that read it': [
    'w: SET x 1; SET y 1; HSET h f v; RPUSH l a b; SADD s a; ZADD z 1 a',
    'a: CLIENT TRACKING on; GET x; GET y; GET none; HGET h f',
    'b: CLIENT TRACKING on; MGET x none; LRANGE l 0 -1; SMEMBERS s; ZRANGE z 0 -1; EXISTS none2 h; TTL x',
    'w: SET x 2',
    'w: SET x 3; SET none 1',
    'w: HSET h f2 v; DEL y; RPUSH l c; SREM s a; ZADD z 2 b; SET none2 v',
    'a: GET x; GET x; SET x 4; SET x 5',
    'a: GET x; GET y; MULTI; GET none; GET h; EXEC',
    'b: MULTI; SET x 1; SET none 1; INCR n; EXEC',
    'a: GET x; CLIENT TRACKING off; GET y',
    'w: SET y 1',
    'a: CLIENT TRACKING on; GET y; RESET',
    'w: SET y 2',
    'b: GET k; SET k 1; GET k; EXPIRE k 100',
    'b: GET k; PERSIST k',
    'b: GET k; EXPIRE k -1',
    'b: GET p; GET q; MGET p q r',
    'w: MSET p 1 q 2 r 3 o 4; RENAME p p2; COPY q q2',
    'b: GET q; GET q2; GET p2',
    'w: RENAME p2 q; UNLINK q2; SELECT 3; SET r 1; SELECT 0',
    'b: GET q; DBSIZE; PFCOUNT q3; OBJECT ENCODING q; SORT_RO l; SORT l; TYPE x; TOUCH o',
    'w: SET q 1; PFADD q3 1; RPUSH l d; SET x 1; SET o 1',
    'b: GETEX o; GETSET x 1; WATCH x; UNWATCH; APPEND x 2',
    'w: SET o 2; SET x 3',
  ],
  'FLUSHDB and FLUSHALL are told as all keys': [
    'w: SET x 1; SET y 1',
    'a: CLIENT TRACKING on; GET x',
    'b: CLIENT TRACKING on BCAST PREFIX nothing',
    'm: CLIENT TRACKING on REDIRECT $t; GET y',
    'w: FLUSHDB',
    'w: SET x 1',
    'a: GET x',
    'w: EVAL redis.call("FLUSHDB") 0',
    'w: SET x 1; SET y 1',
    'a: GET x; FLUSHALL',
    'w: FLUSHALL ASYNC',
    'a: CLIENT TRACKING off',
    'w: FLUSHALL',
  ],
  'OPTIN and OPTOUT': [
    'w: MSET x 1 y 1 z 1',
    'a: CLIENT TRACKING on OPTIN; GET x; CLIENT CACHING yes; GET y; GET z',
    'b: CLIENT TRACKING on OPTOUT; GET x; CLIENT CACHING no; GET y; GET z',
    'w: MSET x 2 y 2 z 2',
    'a: CLIENT CACHING yes; CLIENT ID; GET x; GET y',
    'b: CLIENT CACHING no; NONE; GET x; GET y; CLIENT CACHING no; GET z',
    'w: MSET x 2 y 2 z 2',
    'a: CLIENT CACHING yes; MULTI; GET x; PING; GET y; EXEC; GET z',
    'b: CLIENT CACHING no; MULTI; GET x; PING; GET y; EXEC; GET z',
    'w: MSET x 2 y 2 z 2',
    'a: MULTI; GET x; CLIENT CACHING yes; GET y; GET z; EXEC',
    'w: MSET x 2 y 2 z 2',
    'a: CLIENT CACHING yes; GET; GET x; CLIENT CACHING yes; MGET x y',
    'w: MSET x 2 y 2 z 2',
  ],
  'NOLOOP leaves out what the client itself has done': [
    'a: CLIENT TRACKING on NOLOOP; GET x; SET x 1',
    'a: GET x; MULTI; SET x 2; EXEC',
    'a: GET x',
    'w: SET x 3',
    'b: CLIENT TRACKING on BCAST NOLOOP PREFIX x; SET x 1; SET x2 1; DEL x2',
    'w: SET x 3; SET y 2; SET x2 1',
    'b: LPUSH xl 1',
    'a: GET x; FLUSHALL',
  ],
  BCAST: [
    'a: CLIENT TRACKING on BCAST',
    'b: CLIENT TRACKING on BCAST PREFIX x PREFIX yy',
    'm: CLIENT TRACKING on BCAST PREFIX z REDIRECT $t',
    'w: SET x 1',
    'w: SET xx 1; SET y 1; SET yyy 2; SET z 1; DEL z; INCR x',
    'a: GET x; SET x 2',
    'b: SET x 3; EXPIRE x 100; HSET h f v',
    'b: CLIENT TRACKING off; SET x 1',
    'w: MULTI; SET x 1; SET zz 1; EXEC',
  ],
  REDIRECT: [
    'm: CLIENT TRACKING on REDIRECT $t; GET x; GET y',
    'a: CLIENT TRACKING on REDIRECT $b; GET x',
    'w: SET x 1; SET y 1',
    'm: GET x; CLIENT TRACKING on REDIRECT $b; CLIENT GETREDIR',
    'w: SET x 2',
    'm: GET x; CLIENT TRACKING on REDIRECT $w',
    'w: HELLO 2; SET x 3',
    'm: GET x; CLIENT TRACKING on',
    'w: SET x 4; HELLO 3',
    'a: GET x',
    'b: CLOSE',
    'w: SET x 5',
    'a: CLIENT TRACKINGINFO; GET x',
    'w: SET x 6',
    'a: GET x; CLIENT TRACKING on REDIRECT $w; CLIENT TRACKINGINFO',
    'w: SET x 7',
  ],
};

test.runIf(hasRealRedis).each(Object.entries(scripts))('%s', { timeout: 60_000 }, async (_, steps) => {
  await compare(steps);
});

/** What CLIENT INFO has of it. */
async function flags(address: string): Promise<string[]> {
  const [client, target] = [await TrackedClient.open(address, 3), await TrackedClient.open(address, 3)];
  const { client: other } = await TrackedClient.open(address, 2);
  const shown: string[] = [];
  const show = async (...words: readonly string[]): Promise<void> => {
    await client.run(words);
    const { replies } = await client.run(['CLIENT', 'INFO']);
    const [, set, redirect = ''] = / flags=(\S+) .* redir=(\S+) /.exec(showReply(replies[0] ?? null)) ?? [];
    shown.push(`${words.join(' ')}: ${set} ${redirect === String(target.id) ? 'target' : redirect}`);
  };
  await show('PING');
  await show('CLIENT', 'TRACKING', 'on', 'BCAST');
  await show('CLIENT', 'TRACKING', 'off');
  await show('CLIENT', 'NO-EVICT', 'on');
  await client.run(['CLIENT', 'TRACKING', 'on', 'REDIRECT', String(target.id)]);
  await show('GET', 'k');
  await close(target, client);
  await other.run('SET', 'k', '1');
  await show('GET', 'k');
  await show('CLIENT', 'TRACKING', 'on');
  return shown;
}

test.runIf(hasRealRedis)('flags and redir of CLIENT INFO are those of redis-server', async () => {
  const redis = await RealRedis.start();
  try {
    const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
    expect(await flags(server.redisAddress)).toEqual(await flags(`127.0.0.1:${redis.port}`));
  } finally {
    await redis.stop();
  }
});

/**
 * Left out is what KelpDB tells of otherwise: keys that one transaction reads and writes (once more), those that a transaction leaves as
 * they were (not at all), and what was read before tracking was off for a while (not at all).
 */
function draw(random: SeededRandom, index: number): Step[] {
  const key = (): string => random.pick(['x1', 'x2', 'y1', 'y2', 'z']);
  const write = (): string =>
    random.pick([
      `SET ${key()} ${index}`,
      `SET ${key()} ${index}`,
      `DEL ${key()} ${key()}`,
      `MSET ${key()} ${index} ${key()} x${index}`,
      `HSET h f ${index}`,
      `RPUSH l ${index}`,
      `RENAME ${key()} ${key()}2`,
      `EXPIRE ${key()} ${1000 + index}`,
      `SADD s ${index}`,
      `ZADD zs ${index} m`,
      `APPEND ${key()} ${index}`,
    ]);
  const writeWithin = (): string =>
    random.pick([
      `SET ${key()} ${index}`,
      `APPEND ${key()} ${index}`,
      `MSET ${key()} ${index}`,
      `RPUSH l ${index}`,
    ]);
  const read = (): string =>
    random.pick([
      `GET ${key()}`,
      `GET ${key()}`,
      `MGET ${key()} ${key()} ${key()}2`,
      'HGETALL h',
      'LRANGE l 0 -1',
      `EXISTS ${key()} h`,
      'SMEMBERS s',
      'ZRANGE zs 0 -1',
      `STRLEN ${key()}`,
      `TYPE ${key()}`,
    ]);
  const several = (make: () => string): string =>
    Array.from({ length: random.between(1, 4) }, make).join('; ');
  const reader = random.pick(['a', 'b', 'm']);
  switch (random.below(12)) {
    case 0: {
      const mode = random.pick(['', ' BCAST PREFIX x', ' OPTIN', ' OPTOUT', ' BCAST']);
      return ['w: FLUSHDB', `${random.pick(['a', 'b'])}: CLIENT TRACKING off; CLIENT TRACKING on${mode}`];
    }
    case 1:
      return [`${reader}: ${random.pick(['MULTI', 'CLIENT CACHING yes; MULTI'])}; ${several(read)}; EXEC`];
    case 2:
      return [`${reader}: CLIENT CACHING ${random.pick(['yes', 'no'])}; ${read()}; ${read()}`];
    case 3:
      return [random.below(4) === 0 ? 'w: FLUSHDB' : `w: MULTI; ${several(writeWithin)}; EXEC`];
    case 4:
      return [`${reader}: ${several(write)}`];
    case 5:
    case 6:
    case 7:
      return [`w: ${several(write)}`];
    default:
      return [`${reader}: ${several(read)}`];
  }
}

test.runIf(hasRealRedis).each([1, 2])('steps by chance, with seed %i', { timeout: 120_000 }, async (seed) => {
  const random = new SeededRandom(seed);
  const begin = ['a: CLIENT TRACKING on', 'b: CLIENT TRACKING on BCAST', 'm: CLIENT TRACKING on REDIRECT $t'];
  await compare([...begin, ...Array.from({ length: 400 }, (_, index) => draw(random, index)).flat()]);
});

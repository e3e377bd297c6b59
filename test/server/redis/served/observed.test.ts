/** What SLOWLOG, MONITOR and the counts of INFO tell of commands, beside redis-server. */
import { expect, test } from 'vitest';
import { startTestServer } from '../../../support/test-server.ts';
import { type DecodedReply, showReply } from '../support/decoded-reply.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';
import type { Word } from '../support/words.ts';

interface Told {
  readonly replies: readonly string[];
  /** Without times and addresses. */
  readonly lines: readonly string[];
  /** By command: calls, refused and failed ones. */
  readonly counts: readonly string[];
  /** Words of SLOWLOG, in no order. */
  readonly slow: readonly string[];
}

const calls: readonly (readonly Word[])[] = [
  ['SET', 'text', 'a "quoted"\n\x01 one'],
  ['LPOP', 'text'],
  ['LPOP'],
  ['GETT', 'text'],
  ['AUTH', 'ada', 'secret'],
  ['HELLO', '2', 'AUTH', 'ada', 'secret', 'SETNAME', 'me'],
  ['MULTI'],
  ['INCR', 'count'],
  ['SELECT', '3'],
  ['LPOP', 'text'],
  ['BLPOP', 'none', '0'],
  ['EXEC'],
  ['SELECT', '0'],
  ['MULTI'],
  ['INCR'],
  ['EXEC'],
  ['FLUSHALL'],
  ['CLIENT', 'REPLY', 'SKIP'],
];

async function tellOf(address: string): Promise<Told> {
  const [client, other, monitor] = await Promise.all([
    RedisClient.open(address),
    RedisClient.open(address),
    RedisClient.open(address),
  ]);
  await client.run('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
  await client.run('CONFIG', 'SET', 'slowlog-max-len', '1000');
  await client.run('CONFIG', 'RESETSTAT');
  await client.run('SLOWLOG', 'RESET');
  await monitor.run('MONITOR');
  const replies: string[] = [];
  for (const words of calls) {
    if (words[2] === 'SKIP') client.send(...words);
    else replies.push(showReply(await client.run(...words)).replace(/"id", \d+/, '"id", 0'));
  }
  client.send('PING');
  // It waits, and is served and ended.
  client.send('BLPOP', 'row', 'other', '0');
  while (!showReply(await other.run('CLIENT', 'LIST')).includes('cmd=blpop'));
  await other.run('RPUSH', 'other', 'x');
  replies.push(showReply(await client.next()));
  await client.run('ECHO', 'the end');
  const lines: string[] = [];
  for (let line = ''; !line.includes('the end'); lines.push(line))
    line = showReply(await monitor.next()).replace(/^\+\d+\.\d{6} \[(\d+) [^\]]*\]/, '$1');
  const info = String(textOf(await other.run('INFO', 'commandstats')));
  const counts = [...info.matchAll(/cmdstat_([^:]+):calls=(\d+),.*rejected_calls=(\d+),failed_calls=(\d+)/g)]
    .map(([, name = '', ...numbers]) => `${name} ${numbers.join(' ')}`)
    .filter((line) => !/^(client\|list|info|config\|resetstat) /.test(line))
    .sort();
  const log = (await other.run('SLOWLOG', 'GET', '-1')) as readonly (readonly DecodedReply[])[];
  const slow = log
    .map((entry) => showReply(entry[3] ?? null))
    .filter((words) => !words.includes('LIST') && !words.includes('INFO') && !words.includes('SLOWLOG'))
    .sort();
  return { replies, lines: lines.filter((line) => !line.includes('"LIST"')), counts, slow };
}

function textOf(reply: DecodedReply): unknown {
  return typeof reply === 'object' && reply !== null && 'text' in reply ? reply.text : reply;
}

test.runIf(hasRealRedis)('of each command as much is told as redis-server tells', async () => {
  const redis = await RealRedis.start();
  try {
    const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
    const [ours, theirs] = [await tellOf(server.redisAddress), await tellOf(`127.0.0.1:${redis.port}`)];
    expect(ours).toEqual(theirs);
  } finally {
    await redis.stop();
  }
});

test('a reply that takes several turns, and a command that takes its time, are told of when they end', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = await RedisClient.open(server.redisAddress);
  const fields = Array.from({ length: 20_000 }, (_, index) => [`f${index}`, 'v']).flat();
  await client.run('HSET', 'hash', ...fields);
  await client.run('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
  await client.run('SLOWLOG', 'RESET');
  const answered = client.run('HGETALL', 'hash');
  await answered;
  await client.run('DEBUG', 'SLEEP', '0');
  await client.run('FLUSHALL');
  const log = (await client.run('SLOWLOG', 'GET')) as readonly (readonly DecodedReply[])[];
  expect(log.map((entry) => showReply(entry[3] ?? null))).toEqual([
    '["FLUSHALL"]',
    '["DEBUG", "SLEEP", "0"]',
    '["HGETALL", "hash"]',
    '["SLOWLOG", "RESET"]',
  ]);
  const page = await (await fetch(`${server.url}/metrics`)).text();
  expect(page).toMatch(/redis[a-z_]*commands[a-z_]*\{command="debug\|sleep"\} 1\n/);
  expect(page).toMatch(/redis[a-z_]*commands[a-z_]*\{command="flushall"\} 1\n/);
});

test('maxclients is what one port may have of the connections that the open files leave room for', async () => {
  const server = await startTestServer({
    flags: { 'redis-listen': '127.0.0.1:0', 'connections-max': '1000000000' },
  });
  const client = await RedisClient.open(server.redisAddress);
  const page = await (await fetch(`${server.url}/metrics`)).text();
  const limit = /^kelp_connections_limit (\d+)$/m.exec(page)?.[1];
  expect(await client.run('CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', limit]);
  expect(await client.run('INFO', 'clients')).toMatch(`\r\nmaxclients:${limit}\r\n`);
});

test('a client that wants no replies gets none, of whatever sort', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = await RedisClient.open(server.redisAddress);
  const fields = Array.from({ length: 20_000 }, (_, index) => [`f${index}`, 'v']).flat();
  await client.run('HSET', 'hash', ...fields);
  const quiet: readonly (readonly Word[])[] = [
    ['HGETALL', 'hash'],
    ['DEBUG', 'SLEEP', '0'],
    ['BLPOP', 'none', '0.001'],
    ['NONE'],
    ['GET'],
  ];
  for (const words of quiet) {
    client.send('CLIENT', 'REPLY', 'SKIP');
    client.send(...words);
    expect(await client.run('ECHO', 'heard')).toBe('heard');
  }
  client.send('CLIENT', 'REPLY', 'OFF');
  for (const words of quiet) client.send(...words);
  expect(showReply(await client.run('CLIENT', 'REPLY', 'ON'))).toBe('+OK');
});

test('INFO tells of each database how many of its keys have a time to live, and how long that is', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = await RedisClient.open(server.redisAddress);
  const told = async (): Promise<readonly string[]> =>
    [
      ...showReply(await client.run('INFO', 'keyspace')).matchAll(/db\d+:keys=\d+,expires=\d+,avg_ttl=\d+/g),
    ].map(([line]) => line);
  const hoursOf = (line = ''): number => Math.round(Number(line.split('avg_ttl=')[1]) / 3_600_000);
  await client.run('SET', 'a', 'v', 'EX', String(100 * 3600));
  await client.run('SET', 'b', 'v', 'EX', String(300 * 3600));
  await client.run('HSET', 'h', 'f', 'v');
  await client.run('SET', Buffer.of(0xf9, 1), 'v');
  await client.run('EXPIRE', Buffer.of(0xf9, 1), String(200 * 3600));
  await client.run('SELECT', '15');
  await client.run('SET', 'c', 'v', 'EX', String(500 * 3600));
  const before = await told();
  expect(before.map((line) => line.replace(/\d+$/, ''))).toEqual([
    'db0:keys=4,expires=3,avg_ttl=',
    'db15:keys=1,expires=1,avg_ttl=',
  ]);
  expect(before.map(hoursOf)).toEqual([200, 500]);
  await client.run('PERSIST', 'c');
  await client.run('SELECT', '0');
  await client.run('DEL', 'b');
  await client.run('EXPIRE', 'h', String(300 * 3600));
  await client.run('SET', 'a', 'w');
  const after = await told();
  expect(after.map(hoursOf)).toEqual([250, 0]);
  expect(after[1]).toBe('db15:keys=1,expires=0,avg_ttl=0');
});

test('INFO and MEMORY count keys without their elements, and what these take', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = await RedisClient.open(server.redisAddress);
  const fields = Array.from({ length: 2000 }, (_, index) => [`f${index}`, 'v'.repeat(100)]).flat();
  await client.run('HSET', 'hash', ...fields);
  await client.run('SET', 'text', 'v');
  await client.run('SELECT', '2');
  await client.run('SET', 'other', 'v');
  await client.run('SELECT', '0');
  const info = showReply(await client.run('INFO', 'keyspace'));
  expect(info).toContain('db0:keys=2,expires=0,avg_ttl=0\\r\\ndb2:keys=1,expires=0,avg_ttl=0\\r\\n');
  const stats = (await client.run('MEMORY', 'STATS')) as readonly DecodedReply[];
  expect(stats[stats.indexOf('keys.count') + 1]).toBe(3);
  const usage = async (...words: readonly Word[]): Promise<number> =>
    Number(await client.run('MEMORY', 'USAGE', ...words));
  expect(await usage('hash')).toBeGreaterThan(2000 * 100);
  expect(await usage('hash', 'SAMPLES', '0')).toBeGreaterThan(2000 * 100);
  expect(await usage('text')).toBeLessThan(200);
  expect(await client.run('MEMORY', 'USAGE', 'none')).toBe(null);
  expect(showReply(await client.run('MEMORY', 'USAGE', 'text', 'SAMPLES', '-1'))).toMatch(/^-ERR/);
});

/** What a client sends, one command behind the other. */
const silences = [
  'multi|client reply skip|set a 1|get a|exec|ping|ping',
  'multi|client reply off|set a 1|exec|ping|client reply on|ping',
  'multi|client reply skip|exec|ping|ping',
  'multi|set a 1|client reply skip|exec|ping|ping',
  'client reply skip|multi|set a 1|exec|ping',
  'multi|set a 1|get a|client reply off|get a|exec|ping|client reply on|ping',
  'multi|client reply off|client reply on|get a|exec|ping',
  'client reply off|multi|get a|client reply on|get a|exec|ping',
  'client reply skip|client reply skip|ping|ping',
  'multi|client reply skip|client reply on|get a|exec|ping',
  'client reply off|client reply skip|ping|client reply on|ping',
  'multi|client reply skip|get a|client reply skip|exec|ping|ping',
  'multi|client reply skip|client reply off|get a|exec|ping|client reply on|ping',
  'client reply skip|nosuch|ping',
  'client reply skip|client reply|ping',
  'client reply skip|client reply bla|ping|ping',
  'multi|client reply bla|client reply skip|exec|ping|ping',
  'set a 1|watch a|set a 2|multi|client reply skip|exec|ping|ping',
  'multi|client reply skip|nosuch|exec|ping|ping',
] as const;

test.skipIf(!hasRealRedis)('CLIENT REPLY silences what Redis silences, in transactions too', async () => {
  const redis = await RealRedis.start();
  try {
    const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
    const addresses = [server.redisAddress, `127.0.0.1:${redis.port}`] as const;
    for (const line of silences) {
      const [ours, theirs] = await Promise.all(addresses.map((address) => heardOf(address, line)));
      expect(ours, line).toEqual(theirs);
    }
  } finally {
    await redis.stop();
  }
});

/** The replies to commands, up to that to the last one, which is told apart. */
async function heardOf(address: string, line: string): Promise<DecodedReply[]> {
  const client = await RedisClient.open(address);
  for (const command of [...line.split('|'), 'client reply on', 'echo end'])
    client.send(...command.split(' '));
  const heard: DecodedReply[] = [];
  for (;;) {
    const reply = await client.next();
    if (reply === 'end') break;
    heard.push(reply);
  }
  client.socket.destroy();
  return heard;
}

test('DEBUG OBJECT tells the encoding, and how long a value is, packed or spread', async () => {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const client = await RedisClient.open(server.redisAddress);
  const fields = Array.from({ length: 2000 }, (_, index) => [`f${1000 + index}`, 'v'.repeat(100)]).flat();
  await client.run('SET', 'number', '12');
  await client.run('SET', 'text', 'v'.repeat(300));
  await client.run('HSET', 'few', 'f', 'v');
  await client.run('HSET', 'many', ...fields);
  const told = async (key: string): Promise<{ readonly facts: string; readonly bytes: number }> => {
    const line = showReply(await client.run('DEBUG', 'OBJECT', key));
    const [, facts = line, bytes] =
      /^\+Value at:0x[0-9a-f]+ (refcount:\d+ encoding:\w+) serializedlength:(\d+) lru:\d+ lru_seconds_idle:0$/.exec(
        line,
      ) ?? [];
    return { facts, bytes: Number(bytes) };
  };
  expect(await told('number')).toEqual({ facts: 'refcount:2147483647 encoding:int', bytes: 2 });
  expect(await told('text')).toEqual({ facts: 'refcount:1 encoding:raw', bytes: 300 });
  const [few, many] = [await told('few'), await told('many')];
  expect([few.facts, many.facts]).toEqual(['refcount:1 encoding:listpack', 'refcount:1 encoding:hashtable']);
  expect(few.bytes).toBeLessThan(100);
  expect(many.bytes).toBeGreaterThanOrEqual(2000 * 105);
  expect(many.bytes).toBeLessThan(2000 * 120);
  expect(showReply(await client.run('DEBUG', 'OBJECT', 'none'))).toBe('-ERR no such key');
});

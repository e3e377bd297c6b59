/** Scripts at a server: what they may take, what stays of them, their rights, their events and messages, and a restart. */
import { describe, expect, test } from 'vitest';
import { serverFixed } from '../../../../src/limits.ts';
import { sha1Of } from '../../../../src/server/redis/scripting/script-cache.ts';
import { startTestServer, type TestServer } from '../../../support/test-server.ts';
import { ErrorReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';
import type { Word } from '../support/words.ts';

const start = (flags: Readonly<Record<string, string>> = {}): Promise<TestServer> =>
  startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', ...flags } });

async function open(flags: Readonly<Record<string, string>> = {}): Promise<RedisClient> {
  return RedisClient.open((await start(flags)).redisAddress);
}

const run = (client: RedisClient, script: string, ...argv: readonly Word[]): ReturnType<RedisClient['run']> =>
  client.run('EVAL', script, 0, ...argv);

async function errorOf(client: RedisClient, script: string): Promise<string> {
  const reply = await run(client, script);
  if (!(reply instanceof ErrorReply)) throw new Error(`no error: ${JSON.stringify(reply)}`);
  return reply.text;
}

describe('a script that takes more than it may is given up as a whole', { timeout: 60_000 }, () => {
  const WRITE = "redis.call('set', 'a', 'changed') ";
  test.each([
    ['a loop without end', 'while true do end', /steps/],
    ['a loop without end behind pcall', 'pcall(function() while true do end end) while true do end', /steps/],
    ['a loop of calls', "while true do redis.call('get', 'a') end", /keys|steps/],
    ['a string without end', "local s = 'x' while true do s = s .. s end", /memory/],
    ['a table without end', 'local t = {} local i = 1 while true do t[i] = i i = i + 1 end', /memory|steps/],
    ['a reply without end', 'local t = {1} for i = 1, 60 do t = {t, t} end return t', /steps/],
    ['100,001 writes', "for i = 1, 100001 do redis.call('set', 'k' .. i, 1) end", /keys/],
    [
      'a pattern that searches for ever',
      "return string.find(string.rep('a', 100000), string.rep('a-', 100) .. 'b')",
      /steps|pattern/,
    ],
  ])('%s', async (_, script, limit) => {
    const client = await open();
    await client.run('SET', 'a', 'before');
    const text = await errorOf(client, WRITE + script);
    expect(text).toMatch(limit);
    expect(await client.run('GET', 'a')).toBe('before');
    expect(await client.run('DBSIZE')).toBe(1);
    expect(await run(client, 'return 1')).toBe(1);
  });

  test('calls of commands about the server are paid for by the length of their texts', async () => {
    const client = await open();
    expect(await errorOf(client, "for i = 1, 2000 do redis.call('info') end")).toMatch(/keys/);
    expect(await run(client, "for i = 1, 2000 do redis.call('ping') end return 1")).toBe(1);
  });

  test('what compiling takes counts for a transaction', async () => {
    const client = await open();
    const scripts = Array.from({ length: 5 }, (_, index) => `return ${index} --${'x'.repeat(60_000)}`);
    await client.run('MULTI');
    for (const script of scripts) await client.run('EVAL', script, 0);
    const replies = (await client.run('EXEC')) as readonly unknown[];
    expect(replies[0]).toBe(0);
    expect(replies[4]).toBeInstanceOf(ErrorReply);
    // They are known now.
    await client.run('MULTI');
    for (const script of scripts) await client.run('EVAL', script, 0);
    const again = (await client.run('EXEC')) as readonly unknown[];
    expect(again[2]).toBe(2);
  });

  test('and so it is within MULTI, where the other calls stay', async () => {
    const client = await open();
    for (const words of [
      ['MULTI'],
      ['SET', 'a', '1'],
      ['EVAL', `${WRITE} while true do end`, 0],
      ['GET', 'a'],
    ])
      await client.run(...words);
    const replies = (await client.run('EXEC')) as readonly unknown[];
    expect(replies[1]).toMatchObject({ text: expect.stringMatching(/steps/) as string });
    expect(await client.run('GET', 'a')).toBe('1');
  });

  test('deep calls end in an error of Lua, which leaves what was written', async () => {
    const client = await open();
    const text = await errorOf(
      client,
      "redis.call('set', 'a', 1) local function f() return 1 + f() end return f()",
    );
    expect(text).toMatch(/stack overflow/);
    expect(await client.run('GET', 'a')).toBe('1');
  });
});

test('50,000 writes are one transaction', { timeout: 60_000 }, async () => {
  const client = await open();
  await client.run('SET', 'a', 'before');
  const before = await revisionOf(client);
  await run(client, "for i = 1, 50000 do redis.call('set', 'k' .. i, i) end");
  expect(await client.run('DBSIZE')).toBe(50_001);
  expect(await revisionOf(client)).toBe(before + 1);
});

/** ROLE tells the revision as the offset. */
async function revisionOf(client: RedisClient): Promise<number> {
  return Number(((await client.run('ROLE')) as readonly unknown[])[1]);
}

test('time stands still within a script', async () => {
  const client = await open();
  const same = await run(
    client,
    `local a = redis.call('time') for i = 1, 200000 do end local b = redis.call('time')
     return a[1] == b[1] and a[2] == b[2]`,
  );
  expect(same).toBe(1);
});

test('messages of a script go out behind its transaction, and those of one that is given up do not', async () => {
  const server = await start();
  const client = await RedisClient.open(server.redisAddress);
  const listener = await RedisClient.open(server.redisAddress);
  await listener.run('SUBSCRIBE', 'c');
  await errorOf(client, "redis.call('publish', 'c', 'never') while true do end");
  await client.run('MULTI');
  await client.run('PUBLISH', 'c', 'before');
  await client.run('EVAL', "redis.call('publish', 'c', 'never') while true do end", 0);
  await client.run('EXEC');
  expect(await run(client, "redis.call('set', 'a', 1) return redis.call('publish', 'c', 'sent')")).toBe(1);
  expect([await listener.next(), await listener.next()]).toEqual([
    ['message', 'c', 'before'],
    ['message', 'c', 'sent'],
  ]);
  expect(listener.waitingCount).toBe(0);
});

test('what a script does has its keyspace events, and wakes those who wait and watch', async () => {
  const server = await start({ 'redis-notify-keyspace-events': 'KA' });
  const client = await RedisClient.open(server.redisAddress);
  const listener = await RedisClient.open(server.redisAddress);
  const waiting = await RedisClient.open(server.redisAddress);
  await listener.run('PSUBSCRIBE', '__keyspace@0__:*');
  waiting.send('BLPOP', 'list', 0);
  await client.run('WATCH', 'a');
  const other = await RedisClient.open(server.redisAddress);
  await run(other, "redis.call('set', 'a', 1) redis.pcall('lpush', 'a', 1) redis.call('rpush', 'list', 'x')");
  expect(await waiting.next()).toEqual(['list', 'x']);
  const events: unknown[] = [];
  for (let count = 0; count < 3; count++)
    events.push(((await listener.next()) as readonly unknown[]).slice(2));
  expect(events).toEqual([
    ['__keyspace@0__:a', 'set'],
    ['__keyspace@0__:list', 'rpush'],
    ['__keyspace@0__:list', 'lpop'],
  ]);
  await client.run('MULTI');
  await client.run('PING');
  expect(await client.run('EXEC')).toBeNull();
});

test('scripts are forgotten by a restart, and what they have written is not', async () => {
  const server = await start();
  const client = await RedisClient.open(server.redisAddress);
  expect(await run(client, "return redis.call('incr', 'n')")).toBe(1);
  await server.stop();
  const again = await start({ 'data-dir': server.dataDir });
  const other = await RedisClient.open(again.redisAddress);
  const sha = sha1Of("return redis.call('incr', 'n')");
  expect(await other.run('EVALSHA', sha, 0)).toMatchObject({
    text: 'NOSCRIPT No matching script. Please use EVAL.',
  });
  expect(await other.run('GET', 'n')).toBe('1');
});

test('SCRIPT FLUSH forgets the settings of libraries, too', async () => {
  const client = await open();
  await run(client, 'cjson.encode_max_depth(7)');
  expect(await run(client, 'return cjson.encode_max_depth()')).toBe(7);
  await client.run('SCRIPT', 'FLUSH');
  expect(await run(client, 'return cjson.encode_max_depth()')).toBe(1000);
});

test('more scripts than are kept: the oldest are sent again', { timeout: 60_000 }, async () => {
  const client = await open();
  const loaded = sha1Of("return 'loaded'");
  expect(await client.run('SCRIPT', 'LOAD', "return 'loaded'")).toBe(loaded);
  for (let index = 0; index < serverFixed.redisScriptsMax; index++) client.send('EVAL', `return ${index}`, 0);
  for (let index = 0; index < serverFixed.redisScriptsMax; index++) expect(await client.next()).toBe(index);
  expect(await client.run('SCRIPT', 'EXISTS', loaded, sha1Of('return 0'), sha1Of('return 1'))).toEqual([
    1, 0, 1,
  ]);
});

test('each call is checked for what the user may do, in whichever script it stands', async () => {
  const server = await start();
  const call = async (method: string, body: object, authorization = ''): Promise<void> => {
    const response = await fetch(`${server.url}/kelp.v1.AccessService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method}: ${await response.text()}`);
  };
  await call('CreateUser', { name: 'root', password: 'secret of root' });
  const asRoot = `Basic ${Buffer.from('root:secret of root').toString('base64')}`;
  await call('CreateRole', { name: 'team' }, asRoot);
  for (const [permission, prefix] of [
    ['PERMISSION_READWRITE', 'team:'],
    ['PERMISSION_READ', 'shared:'],
  ] as const) {
    const grant = { permission, keys: { prefix: Buffer.from(prefix).toString('base64') } };
    await call('AddGrant', { role: 'team', grant }, asRoot);
  }
  await call('CreateUser', { name: 'ann', password: 'secret of ann', roles: ['team'] }, asRoot);
  const root = await RedisClient.open(server.redisAddress);
  await root.run('AUTH', 'root', 'secret of root');
  const sha = sha1Of('return redis.call(unpack(ARGV))');
  await root.run('SCRIPT', 'LOAD', 'return redis.call(unpack(ARGV))');
  const ann = await RedisClient.open(server.redisAddress);
  await ann.run('AUTH', 'ann', 'secret of ann');
  const allowed = (...words: readonly Word[]): ReturnType<RedisClient['run']> =>
    ann.run('EVALSHA', sha, 0, ...words);
  expect(await allowed('SET', 'team:a', 1)).toMatchObject({ text: 'OK' });
  expect(await allowed('GET', 'shared:a')).toBeNull();
  const key = expect.stringMatching(/can't access at least one of the keys/) as string;
  const command = expect.stringMatching(/can't run this command/) as string;
  expect(await allowed('SET', 'shared:a', 1)).toMatchObject({ text: key });
  expect(await allowed('GET', 'other')).toMatchObject({ text: key });
  expect(await allowed('FLUSHALL')).toMatchObject({ text: command });
  expect(await allowed('KEYS', '*')).toMatchObject({ text: command });
  const keyed = (command: string, key: string): ReturnType<RedisClient['run']> =>
    ann.run(command, 'return 1', 1, key);
  expect(await keyed('EVAL', 'team:a')).toBe(1);
  expect(await keyed('EVAL', 'shared:a')).toMatchObject({ text: expect.stringMatching(/^NOPERM/) as string });
  expect(await keyed('EVAL_RO', 'shared:a')).toBe(1);
  const may = "return {redis.acl_check_cmd('set', 'team:a', 1), redis.acl_check_cmd('set', 'other', 1)}";
  expect(await run(ann, may)).toEqual([1, null]);
});

test('lines for the log come there, cut to a length', async () => {
  const server = await start({ 'log-level': 'info' });
  const client = await RedisClient.open(server.redisAddress);
  await run(
    client,
    "redis.log(redis.LOG_DEBUG, 'not told') redis.log(redis.LOG_WARNING, 'told', 7, string.rep('x', 5000))",
  );
  const line = await server.log.message('a script of Redis says');
  expect(String(line['text'])).toBe(
    `told 7 ${'x'.repeat(5000)}`.slice(0, serverFixed.redisScriptLogBytesMax),
  );
});

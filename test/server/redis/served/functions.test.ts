/** Functions at a server: where their libraries are kept, what they may take, their rights, and a restart. */
import { describe, expect, test } from 'vitest';
import { serverFixed } from '../../../../src/limits.ts';
import { dumpLibraries } from '../../../../src/types/rdb/functions.ts';
import { startTestServer, type TestServer } from '../../../support/test-server.ts';
import { ErrorReply, showReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';
import type { Word } from '../support/words.ts';

const start = (flags: Readonly<Record<string, string>> = {}): Promise<TestServer> =>
  startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', ...flags } });

async function open(flags: Readonly<Record<string, string>> = {}): Promise<RedisClient> {
  return RedisClient.open((await start(flags)).redisAddress);
}

const library = (name: string, text: string): string => `#!lua name=${name}\n${text}`;
const returning = (name: string, value: number): string =>
  library(name, `redis.register_function('${name}', function() return ${value} end)`);
const calling = (name: string, body: string): string =>
  library(name, `redis.register_function('${name}', function(keys, args) ${body} end)`);

const load = (client: RedisClient, text: string): ReturnType<RedisClient['run']> =>
  client.run('FUNCTION', 'LOAD', 'REPLACE', text);
const call = (client: RedisClient, name: string, ...argv: readonly Word[]): ReturnType<RedisClient['run']> =>
  client.run('FCALL', name, 0, ...argv);

async function errorOf(reply: ReturnType<RedisClient['run']>): Promise<string> {
  const error = await reply;
  if (!(error instanceof ErrorReply)) throw new Error(`no error: ${JSON.stringify(error)}`);
  return error.text;
}

const shownList = async (client: RedisClient): Promise<string> =>
  showReply(await client.run('FUNCTION', 'LIST', 'WITHCODE'));

test('libraries are there after a restart, from the log and from a snapshot', async () => {
  const server = await start();
  const client = await RedisClient.open(server.redisAddress);
  await load(client, calling('count', "return redis.call('incr', 'n')"));
  await client.run('SAVE');
  await load(client, returning('later', 7));
  await load(client, returning('gone', 8));
  await client.run('FUNCTION', 'DELETE', 'gone');
  expect(await call(client, 'count')).toBe(1);
  const list = await shownList(client);
  await server.stop();
  const again = await RedisClient.open((await start({ 'data-dir': server.dataDir })).redisAddress);
  expect(await shownList(again)).toBe(list);
  expect(await call(again, 'count')).toBe(2);
  expect(await call(again, 'later')).toBe(7);
  expect(await errorOf(call(again, 'gone'))).toBe('ERR Function not found');
});

test('the text of a library runs once as it is loaded, and once more behind a restart', async () => {
  const server = await start({ 'log-level': 'info' });
  const client = await RedisClient.open(server.redisAddress);
  const text = library(
    'f',
    "redis.log(redis.LOG_WARNING, 'loads') redis.register_function('f', function() return 1 end)",
  );
  await load(client, text);
  for (let count = 0; count < 3; count++) expect(await call(client, 'f')).toBe(1);
  await server.log.message('a script of Redis says');
  const linesOf = ({ log }: TestServer): number =>
    log.lines.filter((line) => line['text'] === 'loads').length;
  expect(linesOf(server)).toBe(1);
  await server.stop();
  const again = await start({ 'log-level': 'info', 'data-dir': server.dataDir });
  const other = await RedisClient.open(again.redisAddress);
  for (let count = 0; count < 3; count++) expect(await call(other, 'f')).toBe(1);
  await again.log.message('a script of Redis says');
  expect(linesOf(again)).toBe(1);
});

test('a call runs what any connection has loaded last', async () => {
  const server = await start();
  const loader = await RedisClient.open(server.redisAddress);
  const caller = await RedisClient.open(server.redisAddress);
  for (const value of [1, 2, 1]) {
    expect(await load(loader, returning('f', value))).toBe('f');
    expect(await call(caller, 'f')).toBe(value);
  }
  await loader.run('FUNCTION', 'FLUSH');
  expect(await errorOf(call(caller, 'f'))).toBe('ERR Function not found');
});

test('what is refused leaves the libraries as they are', async () => {
  const client = await open();
  await load(client, returning('a', 1));
  await load(client, returning('b', 2));
  const list = await shownList(client);
  const both = library('a', "for _, name in redis.x do end redis.register_function('a', function() end)");
  expect(await errorOf(load(client, both))).toMatch(/^ERR Error registering functions/);
  const taken = library(
    'a',
    ['c', 'b'].map((f) => `redis.register_function('${f}', function() end)`).join('\n'),
  );
  expect(await errorOf(load(client, taken))).toBe('ERR Function b already exists');
  const payload = dumpLibraries([returning('c', 3), taken]);
  for (const policy of ['APPEND', 'REPLACE'])
    expect(await errorOf(client.run('FUNCTION', 'RESTORE', payload, policy))).toMatch(/already exists/);
  expect(await errorOf(client.run('FUNCTION', 'RESTORE', dumpLibraries([taken, 'none']), 'FLUSH'))).toMatch(
    /metadata/,
  );
  expect(await shownList(client)).toBe(list);
});

test('names of one function in upper and lower case are one name within a library, too', async () => {
  const client = await open();
  const text = library(
    'a',
    "redis.register_function('f', function() end) redis.register_function('F', function() end)",
  );
  expect(await errorOf(load(client, text))).toBe(
    'ERR Error registering functions: ERR Function already exists in the library',
  );
});

test('libraries are no keys: they are not counted, not listed, told of or flushed', async () => {
  const server = await start({ 'redis-notify-keyspace-events': 'KA' });
  const client = await RedisClient.open(server.redisAddress);
  const listener = await RedisClient.open(server.redisAddress);
  await listener.run('PSUBSCRIBE', '*');
  const caching = await RedisClient.open(server.redisAddress);
  await caching.run('HELLO', 3);
  await caching.run('CLIENT', 'TRACKING', 'ON', 'BCAST');
  await load(client, returning('f', 1));
  expect(await client.run('DBSIZE')).toBe(0);
  expect(await client.run('KEYS', '*')).toEqual([]);
  expect(await client.run('FLUSHALL')).toMatchObject({ text: 'OK' });
  expect(await call(client, 'f')).toBe(1);
  await client.run('FUNCTION', 'FLUSH');
  await client.run('SET', 'k', 'v');
  expect(await listener.next()).toEqual(['pmessage', '*', '__keyspace@0__:k', 'set']);
  // FLUSHALL is told as all keys.
  expect(showReply(await caching.next())).toContain('(nil)');
  expect(showReply(await caching.next())).toContain('"k"');
});

describe('what takes more than it may', { timeout: 60_000 }, () => {
  test('a library that does not end is not kept', async () => {
    const client = await open();
    expect(await errorOf(load(client, library('a', 'while true do end')))).toMatch(
      /^ERR Error registering functions: ERR .*steps/,
    );
    expect(
      await errorOf(load(client, library('a', `-- ${'x'.repeat(serverFixed.luaSourceBytesMax)}`))),
    ).toMatch(/^ERR Error compiling function/);
    expect(await client.run('FUNCTION', 'LIST')).toEqual([]);
  });

  test('what a library says of its functions is paid for, and counts for what there may be', async () => {
    const client = await open();
    const flags = `local flags = {} for i = 1, 100000 do flags[i] = 'no-writes' end
      for i = 1, 4000 do
        redis.register_function{function_name = 'f' .. i, callback = function() end, flags = flags}
      end`;
    expect(await errorOf(load(client, library('a', flags)))).toMatch(/steps/);
    const described = `for i = 1, 300 do
        redis.register_function{function_name = 'f' .. i, callback = function() end, description = ('x'):rep(4000)}
      end`;
    expect(await errorOf(load(client, library('a', described)))).toMatch(/redisLibraryBytesMax/);
    expect(await client.run('FUNCTION', 'LIST')).toEqual([]);
  });

  test('a function that does not end has changed nothing', async () => {
    const client = await open();
    await load(client, calling('f', "redis.call('set', 'a', 1) while true do end"));
    expect(await errorOf(call(client, 'f'))).toMatch(/steps.*nothing/);
    expect(await client.run('GET', 'a')).toBeNull();
    await load(client, calling('f', "redis.call('set', 'a', 1) error('later')"));
    expect(await errorOf(call(client, 'f'))).toMatch(/later script: f, on @user_function:2\.$/);
    expect(await client.run('GET', 'a')).toBe('1');
  });

  test('what libraries keep for themselves is forgotten when it may be too much', async () => {
    const client = await open();
    const kept = `local n, all = 0, {} redis.register_function('f', function(keys, args)
      n = n + 1 all[n] = string.rep('x', tonumber(args[1])) return n end)`;
    await load(client, library('f', kept));
    expect(await call(client, 'f', 10)).toBe(1);
    expect(await call(client, 'f', 10)).toBe(2);
    const most = serverFixed.redisLibraryStateBytesMax;
    for (let count = 0; count < 3; count++) expect(await call(client, 'f', most / 4)).toBe(3 + count);
    expect(await call(client, 'f', most / 4)).toBe(6);
    expect(await call(client, 'f', 10)).toBe(1);
  });

  test('libraries, functions, bytes, names and descriptions are bounded', async () => {
    const client = await open();
    const { redisLibrariesMax, redisFunctionsMax, redisFunctionNameBytesMax } = serverFixed;
    const long = 'x'.repeat(redisFunctionNameBytesMax + 1);
    expect(await errorOf(load(client, returning(long, 1)))).toMatch(/longer than 128 bytes/);
    expect(await load(client, returning('x'.repeat(redisFunctionNameBytesMax), 1))).toHaveLength(128);
    const many = (count: number): string =>
      library(
        'many',
        `local function f() end for i = 1, ${count} do redis.register_function('f' .. i, f) end`,
      );
    expect(await errorOf(load(client, many(redisFunctionsMax + 1)))).toMatch(/redisFunctionsMax/);
    expect(await errorOf(load(client, many(redisFunctionsMax)))).toMatch(/4097 functions.*redisFunctionsMax/);
    expect(await load(client, many(redisFunctionsMax - 1))).toBe('many');
    await client.run('FUNCTION', 'FLUSH');
    const described = library(
      'a',
      `redis.register_function{function_name = 'a', callback = function() end, description = ('x'):rep(5000)}`,
    );
    expect(await errorOf(load(client, described))).toMatch(/redisFunctionDescriptionBytesMax/);
    for (let index = 0; index < redisLibrariesMax; index++)
      client.send('FUNCTION', 'LOAD', returning(`l${index}`, index));
    for (let index = 0; index < redisLibrariesMax; index++) expect(await client.next()).toBe(`l${index}`);
    expect(await errorOf(load(client, returning('more', 1)))).toMatch(/257 libraries.*redisLibrariesMax/);
    expect(await load(client, returning('l0', 7))).toBe('l0');
    expect(await client.run('FUNCTION', 'STATS')).toEqual([
      'running_script',
      null,
      'engines',
      ['LUA', ['libraries_count', redisLibrariesMax, 'functions_count', redisLibrariesMax]],
    ]);
  });

  const long = (name: string): string => `${returning(name, 1)}\n--${'x'.repeat(60_000)}`;

  test('a payload of many long libraries takes several turns, and is put at once', async () => {
    const server = await start();
    const client = await RedisClient.open(server.redisAddress);
    const names = Array.from({ length: 17 }, (_, index) => `l${index}`);
    const payload = dumpLibraries(names.map(long));
    await client.run('MULTI');
    await client.run('FUNCTION', 'RESTORE', payload);
    const [within] = (await client.run('EXEC')) as readonly unknown[];
    expect(within).toBeInstanceOf(ErrorReply);
    expect(await client.run('FUNCTION', 'LIST')).toEqual([]);
    const before = await revisionOf(client);
    expect(await client.run('FUNCTION', 'RESTORE', payload)).toMatchObject({ text: 'OK' });
    expect(await revisionOf(client)).toBe(before + 1);
    for (const name of names) expect(await call(client, name)).toBe(1);
    const most = dumpLibraries([...names, 'more'].map(long));
    expect(await errorOf(client.run('FUNCTION', 'RESTORE', most, 'FLUSH'))).toMatch(/redisLibraryBytesMax/);
    expect(await errorOf(load(client, long('more')))).toMatch(/redisLibraryBytesMax/);
  });
});

/** ROLE tells the revision as the offset. */
async function revisionOf(client: RedisClient): Promise<number> {
  return Number(((await client.run('ROLE')) as readonly unknown[])[1]);
}

test('functions do what their caller may do, and libraries are for users who may write all keys', async () => {
  const server = await start();
  const grant = async (method: string, body: object, authorization = ''): Promise<void> => {
    const response = await fetch(`${server.url}/kelp.v1.AccessService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method}: ${await response.text()}`);
  };
  await grant('CreateUser', { name: 'root', password: 'secret of root' });
  const asRoot = `Basic ${Buffer.from('root:secret of root').toString('base64')}`;
  await grant('CreateRole', { name: 'team' }, asRoot);
  const keys = { prefix: Buffer.from('team:').toString('base64') };
  await grant('AddGrant', { role: 'team', grant: { permission: 'PERMISSION_READWRITE', keys } }, asRoot);
  await grant('CreateUser', { name: 'ann', password: 'secret of ann', roles: ['team'] }, asRoot);
  const root = await RedisClient.open(server.redisAddress);
  await root.run('AUTH', 'root', 'secret of root');
  await load(root, calling('run', 'return redis.call(unpack(args))'));
  const payload = Buffer.from((await root.run('FUNCTION', 'DUMP')) as string, 'latin1');
  const ann = await RedisClient.open(server.redisAddress);
  await ann.run('AUTH', 'ann', 'secret of ann');
  expect(await call(ann, 'run', 'SET', 'team:a', 1)).toMatchObject({ text: 'OK' });
  expect(await errorOf(call(ann, 'run', 'SET', 'other', 1))).toMatch(/can't access at least one of the keys/);
  expect(await errorOf(ann.run('FCALL', 'run', 1, 'other', 'PING'))).toMatch(/^NOPERM/);
  for (const words of [
    ['LOAD', 'REPLACE', returning('run', 1)],
    ['DELETE', 'run'],
    ['FLUSH'],
    ['RESTORE', payload, 'FLUSH'],
  ])
    expect(await errorOf(ann.run('FUNCTION', ...words))).toMatch(/^NOPERM/);
  expect(await ann.run('FUNCTION', 'LIST')).toHaveLength(1);
  expect(await call(root, 'run', 'GET', 'team:a')).toBe('1');
});

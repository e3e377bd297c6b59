/**
 * Libraries of functions, to Redis and to KelpDB over sockets, in both versions of the protocol: replies must be equal, errors with their
 * places among them. Each case is a list of calls to servers without libraries; payloads go both ways.
 */
import { expect, onTestFinished, test } from 'vitest';
import { LIBRARY } from '../../../../src/types/rdb/format.ts';
import { dumpLibraries } from '../../../../src/types/rdb/functions.ts';
import { ValueWriter } from '../../../../src/types/rdb/value-writer.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { SeededRandom } from '../../../support/random.ts';
import { showReply } from '../support/decoded-reply.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';
import { showWords, type Word } from '../support/words.ts';
import { TwoServers } from './two-servers.ts';

type Call = readonly Word[];

const library = (text: string, name = 'lib'): string => `#!lua name=${name}\n${text}`;
const load = (text: string, name = 'lib'): Call => ['FUNCTION', 'LOAD', 'REPLACE', library(text, name)];
const loads = (...texts: readonly string[]): readonly Call[] => texts.map((text) => load(text));
/** A library of one function, which is called. */
const calls = (...callbacks: readonly string[]): readonly Call[] =>
  callbacks.flatMap((callback) => [
    load(`redis.register_function('f', ${callback})`),
    ['FCALL', 'f', 1, 'key', 'a', 'b'],
  ]);
const firstLines = (...lines: readonly string[]): readonly Call[] =>
  lines.map((line) => [
    'FUNCTION',
    'LOAD',
    'REPLACE',
    `${line}\nredis.register_function('f', function() end)`,
  ]);
const registers = (...args: readonly string[]): readonly Call[] =>
  args.map((list) => load(`redis.register_function(${list})`));

/** With a checksum that is right. */
function payloadOf(...bytes: readonly number[]): Uint8Array {
  const writer = new ValueWriter();
  for (const byte of bytes) writer.byte(byte);
  return writer.finish();
}

const ONE = "redis.register_function('f', function() return 1 end)";
const COUNTER = `local n = 0
  redis.register_function{function_name = 'f', flags = {'no-writes'}, callback = function() n = n + 1 return n end}`;

const cases: readonly (readonly [what: string, calls: readonly Call[]])[] = [
  [
    'first lines',
    [
      ...['', 'return 1', '#!lua', '#!lua name=a', 'name=a\n'].map((text): Call => [
        'FUNCTION',
        'LOAD',
        text,
      ]),
      ...firstLines(
        '#!lua',
        '#!lua name=',
        '#!lua name=a name=b',
        '#!lua foo=a',
        '#!lua name=a foo',
        '#!lua name=a-b',
        '#!lua name=é',
        '#!js name=a',
        '#!LUA NAME=a',
        '#! name=a',
        '#!',
        '#!lua name="a"',
        "#!lua 'name=a'",
        "#!lua 'name=a",
        '#!lua name="\\x61"',
        '#!lua\tname=a  ',
        '#!lua name=a flags=no-writes',
        '#!lua name=a\r',
        '#!js name=a-b',
        '#!js',
      ),
    ],
  ],
  [
    'what a library may do while it is loaded',
    loads(
      '',
      'return 1',
      `return redis.call ${ONE}`,
      ...[
        "redis.call('get', 'x')",
        "redis.pcall('get', 'x')",
        'local x = math.floor(1)',
        'local x = cjson',
        'for k, v in pairs({}) do end',
        'for i = 1, 3 do end',
        'print(1)',
        "redis.log(redis.LOG_DEBUG, 'x')",
        'redis.log(1)',
        'redis.setresp(3)',
        "redis.sha1hex('')",
        'local x = redis.REDIS_VERSION .. redis.REDIS_VERSION_NUM',
        'local x = redis.REPL_ALL',
        'x = 1',
        "error('boom')",
        'this is no Lua',
        'local x = nil; x.y = 1',
        'local x = 1 + {}',
        'redis.x = 1',
        'redis.register_function = 1',
        'local x = KEYS',
        "local x = ('a'):rep(3)",
        'local x = _G',
        'local x = tostring(1)',
        'local x = getmetatable(redis)',
        'local function g()\n redis.x()\nend\ng()',
        'local t = {} for i = 1, 10 do t[i] = i end',
        'do return end',
      ].map((text) => `${text}\n${ONE}`),
    ),
  ],
  [
    'what is registered',
    [
      ...registers(
        '',
        "'f'",
        '1, function() end',
        '{}, function() end',
        "'f', 1",
        "'f-x', function() end",
        "'', function() end",
        "'é', function() end",
        "'f', function() end, 1",
        '{}',
        "{function_name = 'f'}",
        '{callback = function() end}',
        "{function_name = 'f', callback = 1}",
        '{function_name = 1, callback = function() end}',
        '{function_name = {}, callback = function() end}',
        "{function_name = 'f', callback = function() end, flags = 1}",
        "{function_name = 'f', callback = function() end, flags = {'x'}}",
        "{function_name = 'f', callback = function() end, flags = {1}}",
        "{function_name = 'f', callback = function() end, flags = {no_writes = 1}}",
        "{function_name = 'f', callback = function() end, flags = {'no-writes', 'no-writes'}}",
        "{function_name = 'f', callback = function() end, x = 1}",
        "{function_name = 'f', callback = function() end, [1] = 1}",
        "{function_name = 'f', callback = function() end, [true] = 1}",
        "{function_name = 'f', callback = function() end, description = {}}",
        "{function_name = 'f', callback = function() end, description = 12}",
        "{FUNCTION_NAME = 'f', CALLBACK = function() end, Description = 'told'}",
        "{function_name = 'f-x', callback = function() end}",
        "'f', redis.register_function",
        "'f', redis.log",
      ),
      load("redis.register_function('f', function() end) redis.register_function('f', function() end)"),
      load("return redis.register_function('f', function() end)"),
      ['FUNCTION', 'LIST', 'WITHCODE'],
    ],
  ],
  [
    'what functions are called with, and what they return',
    [
      ...calls(
        'function(keys, args) return {keys, args} end',
        "function(...) return select('#', ...) end",
        'function(keys, args) return {#keys, #args} end',
        'function(keys, args) return KEYS end',
        'function(keys, args) return ARGV end',
        'function() end',
        'function() return 3.99 end',
        'function() return {1, {2, {}}, true, false} end',
        "function() return redis.status_reply('FINE') end",
        "function() return redis.error_reply('My boom') end",
        'function() redis.setresp(3) return {true, false} end',
        "function(keys, args) return redis.call('set', keys[1], args[1]) end",
        "function(keys, args) return redis.call('get', keys[1]) end",
        "function(keys, args) return redis.call('lpush', keys[1], args[1]) end",
        "function(keys, args) return redis.pcall('lpush', keys[1], args[1]).err end",
        "function()\nerror('boom') end",
        "function() error({err = 'My boom'}) end",
        'function() error() end',
        'function() x = 1 end',
        'function() return nosuch end',
        'function() return redis.register_function end',
        "function() redis.register_function('a', function() end) end",
        "function() return redis.call('fcall', 'f', 0) end",
        "function() return redis.call('fcall_ro', 'f', 0) end",
        "function() return redis.call('function', 'list') end",
        "function() return redis.call('function', 'flush') end",
        "function() return redis.call('eval', 'return 1', 0) end",
        "function() return redis.call('nosuch') end",
        "function() return loadstring('return 5')() end",
        "function() local ok, e = pcall(function() error('x') end) return e end",
        'function() return {redis.REDIS_VERSION, math.random(1000)} end',
        'function() return cjson.encode({1, 2}) end',
        "function() redis.call('select', 3) return redis.call('dbsize') end",
        'redis.log',
      ),
      load("local r = redis.register_function redis.register_function('f', function() r('g', print) end)"),
      ['FCALL', 'f', 0],
      load("local r = redis redis.register_function('f', function() return r.call('get', 'x') end)"),
      ['FCALL', 'f', 0],
      load(
        "local function double(x) return 2 * x end\nlocal base = 20\nredis.register_function('f', function(keys, args) return double(args[1]) + base end)",
      ),
      ['FCALL', 'f', 0, 11],
      ['FCALL', 'F', 0, 11],
    ],
  ],
  [
    'what FCALL refuses',
    [
      load(ONE),
      ['FCALL', 'nosuch', 0],
      ['FCALL', 'nosuch', 'x'],
      ['FCALL', '', 0],
      ['FCALL', 'f'],
      ['FCALL', 'f', 'x'],
      ['FCALL', 'f', '1.5'],
      ['FCALL', 'f', -1],
      ['FCALL', 'f', 5, 'a'],
      ['FCALL', 'f', '99999999999999999999'],
      ['FCALL_RO', 'f', 0],
      ['FCALL_RO', 'f', 'x'],
      ['FCALL_RO', 'nosuch', 0],
      ['FCALL_RO', 'f'],
      load(
        "redis.register_function{function_name = 'f', flags = {'no-writes'}, callback = function() return redis.call('set', 'a', 'b') end}",
      ),
      ['FCALL', 'f', 0],
      ['FCALL_RO', 'f', 0],
      load(
        "redis.register_function{function_name = 'f', flags = {'no-writes', 'allow-stale'}, callback = function(keys) return redis.call('get', keys[1]) end}",
      ),
      ['SET', 'a', 'value'],
      ['FCALL', 'f', 1, 'a'],
      ['FCALL_RO', 'f', 1, 'a'],
    ],
  ],
  [
    'what a library keeps for itself',
    [
      load(COUNTER),
      ['FCALL', 'f', 0],
      ['FCALL_RO', 'f', 0],
      ['SCRIPT', 'FLUSH'],
      ['FLUSHALL'],
      ['FCALL', 'f', 0],
      load(COUNTER),
      ['FCALL', 'f', 0],
      ['FCALL', 'f', 0],
      ['FUNCTION', 'DELETE', 'lib'],
      load(COUNTER),
      ['FCALL', 'f', 0],
    ],
  ],
  [
    'libraries beside each other',
    [
      ['FUNCTION', 'LOAD', library("redis.register_function('a', function() return 1 end)", 'one')],
      ['FUNCTION', 'LOAD', library("redis.register_function('a', function() return 1 end)", 'one')],
      ['FUNCTION', 'LOAD', library("redis.register_function('a', function() return 2 end)", 'two')],
      ['FUNCTION', 'LOAD', library("redis.register_function('A', function() return 2 end)", 'two')],
      ['FUNCTION', 'LOAD', library("redis.register_function('B', function() return 2 end)", 'One')],
      [
        'FUNCTION',
        'LOAD',
        'replace',
        library("redis.register_function('C', function() return 3 end)", 'one'),
      ],
      ['FCALL', 'a', 0],
      ['FCALL', 'b', 0],
      ['FCALL', 'c', 0],
      ['FUNCTION', 'LOAD', 'REPLACE', library('no Lua', 'one')],
      ['FUNCTION', 'LOAD', 'REPLACE', library("redis.register_function('b', function() end)", 'one')],
      ['FCALL', 'c', 0],
      ['FUNCTION', 'LOAD', 'X', library(ONE)],
      ['FUNCTION', 'LOAD', 'REPLACE'],
      ['FUNCTION', 'LOAD', 'REPLACE', 'REPLACE', library(ONE)],
      ['FUNCTION', 'STATS'],
      ['FUNCTION', 'LIST'],
      ['FUNCTION', 'LIST', 'WITHCODE'],
      ['FUNCTION', 'LIST', 'withcode', 'libraryname', 'l*'],
      ['FUNCTION', 'LIST', 'LIBRARYNAME', 'O?E'],
      ['FUNCTION', 'LIST', 'LIBRARYNAME', 'nosuch'],
      ['FUNCTION', 'LIST', 'LIBRARYNAME', ''],
      ['FUNCTION', 'LIST', 'LIBRARYNAME'],
      ['FUNCTION', 'LIST', 'LIBRARYNAME', 'a', 'LIBRARYNAME', 'b'],
      ['FUNCTION', 'LIST', 'WITHCODE', 'WITHCODE'],
      ['FUNCTION', 'LIST', 'x'],
      ['FUNCTION', 'DELETE', 'nosuch'],
      ['FUNCTION', 'DELETE', 'ONE'],
      ['FUNCTION', 'DELETE', 'one'],
      ['FUNCTION', 'DELETE', 'one'],
      ['FCALL', 'c', 0],
      ['FUNCTION', 'STATS'],
      ['FUNCTION', 'FLUSH', 'x'],
      ['FUNCTION', 'FLUSH', 'SYNC', 'ASYNC'],
      ['FUNCTION', 'FLUSH', 'async'],
      ['FUNCTION', 'STATS'],
      ['FUNCTION', 'LIST'],
      ['FUNCTION', 'KILL'],
      ['FUNCTION', 'nosuch'],
      ['FUNCTION', 'LOAD'],
      ['FUNCTION', 'DELETE'],
      ['FUNCTION', 'STATS', 'x'],
      ['FUNCTION'],
    ],
  ],
  [
    'what functions say of themselves',
    [
      load(
        `redis.register_function{function_name = 'all', description = 'does\\nit', callback = function() end,
        flags = {'allow-cross-slot-keys', 'no-cluster', 'allow-stale', 'allow-oom', 'no-writes'}}`,
        'one',
      ),
      load(
        "redis.register_function{function_name = 'none', description = '', callback = function() end, flags = {}}",
        'two',
      ),
      load("redis.register_function('plain', function() end)", 'three'),
      ['FUNCTION', 'LIST'],
      ['FUNCTION', 'LIST', 'WITHCODE'],
      ['FUNCTION', 'STATS'],
    ],
  ],
  [
    'transactions',
    [
      ['MULTI'],
      load("redis.register_function('f', function() return redis.call('incr', 'n') end)"),
      ['FCALL', 'f', 0],
      load("redis.register_function('f', function() redis.call('incr', 'n') error('fails') end)"),
      ['FCALL', 'f', 0],
      ['FUNCTION', 'LOAD', library(ONE)],
      ['FUNCTION', 'STATS'],
      ['EXEC'],
      ['GET', 'n'],
      ['MULTI'],
      ['FUNCTION', 'FLUSH'],
      ['FCALL', 'f', 0],
      ['FUNCTION', 'LOAD', library(ONE)],
      ['FCALL', 'f', 0],
      ['DISCARD'],
      ['FCALL', 'f', 0],
    ],
  ],
  [
    'payloads that are none',
    [
      ['FUNCTION', 'RESTORE', ''],
      ['FUNCTION', 'RESTORE', 'x'],
      ['FUNCTION', 'RESTORE', 'x', 'y'],
      ['FUNCTION', 'RESTORE', 'x', 'APPEND', 'FLUSH'],
      ['FUNCTION', 'RESTORE'],
      ['FUNCTION', 'RESTORE', payloadOf(LIBRARY)],
      ['FUNCTION', 'RESTORE', payloadOf(LIBRARY, 40, 65)],
      ['FUNCTION', 'RESTORE', payloadOf(LIBRARY, 1, 65)],
      ['FUNCTION', 'RESTORE', dumpLibraries([library(ONE), library(ONE)])],
      ['FUNCTION', 'RESTORE', dumpLibraries([library(ONE), library(ONE, 'other')])],
      ['FUNCTION', 'RESTORE', dumpLibraries([library(ONE), library('no Lua', 'other')])],
      ['FUNCTION', 'RESTORE', dumpLibraries([library(ONE), 'no library'])],
      // The string `v`.
      ['FUNCTION', 'RESTORE', Buffer.from('00 01 76 0a 00 38 e6 3c fa a9 5f 0d b3'.replace(/ /g, ''), 'hex')],
      // No library at all.
      ['FUNCTION', 'RESTORE', Buffer.from('0a005d9b5c400f7fa2da', 'hex')],
      ['FUNCTION', 'LIST'],
    ],
  ],
];

const unordered = (words: Call): boolean =>
  /^(list|exec)$/i.test(String(words.at(words[0] === 'FUNCTION' ? 1 : 0)));

test.runIf(hasRealRedis)('functions are answered as by Redis', { timeout: 240_000 }, async () => {
  const servers = await TwoServers.start();
  try {
    for (const [what, calls] of cases) {
      await servers.begin();
      for (const client of [0, 1] as const) {
        for (const words of [['FLUSHALL'], ['FUNCTION', 'FLUSH']])
          await servers.run({ client, commands: [{ words }] });
        for (const words of calls) {
          const commands = [{ words, isUnordered: unordered(words) }];
          const difference = await servers.run({ client, commands });
          expect.soft(difference, `${what}: ${showWords(words)}, RESP${client + 2}`).toBeUndefined();
        }
      }
    }
  } finally {
    await servers.stop();
  }
});

const LIBRARY_NAMES = ['one', 'two', 'One'];
const FUNCTION_NAMES = ['a', 'b', 'C', 'd'];

/** Of functions that say which text they are of, and what a call of it before has left. */
function drawLibrary(random: SeededRandom): string {
  const functions = FUNCTION_NAMES.filter(() => random.chance(0.3)).map((name) => {
    const flags = random.chance(0.5) ? "'no-writes'" : '';
    const body = random.pick([
      `n = n + 1 return {'${name}', n, ${random.below(3)}}`,
      "return redis.call('get', keys[1])",
      "return redis.call('append', 'k', args[1])",
      "redis.call('set', 'k', 'x') return redis.call('lpush', 'k', 1)",
      "n = n + 1 error('boom ' .. n)",
    ]);
    const written = random.chance(0.2) ? name.toUpperCase() : name;
    return `redis.register_function{function_name = '${written}', flags = {${flags}},
      callback = function(keys, args) ${body} end}`;
  });
  return library(`local n = 0\n${functions.join('\n')}`, random.pick(LIBRARY_NAMES));
}

/** Of several names that are taken one is told, whichever. */
const mask = (shown: string): string =>
  shown.replace(/(Library|Function) \w+ already/, '$1 (a name) already');

function drawCall(random: SeededRandom): Call {
  const some = (max: number): string[] =>
    Array.from({ length: random.between(1, max) }, () => drawLibrary(random));
  const option = (words: Call, chance: number): Call => (random.chance(chance) ? words : []);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return ['FUNCTION', 'LOAD', ...option(['REPLACE'], 0.6), drawLibrary(random)];
    case 3:
      return ['FUNCTION', 'DELETE', random.pick(LIBRARY_NAMES)];
    case 4:
      return random.chance(0.2) ? ['FUNCTION', 'FLUSH'] : ['FUNCTION', 'STATS'];
    case 5:
      return [
        'FUNCTION',
        'RESTORE',
        dumpLibraries(some(3)),
        ...option([random.pick(['APPEND', 'REPLACE', 'FLUSH'])], 0.7),
      ];
    case 6:
      return random.chance(0.5) ? ['MULTI'] : ['EXEC'];
    default: {
      const name = random.pick(FUNCTION_NAMES);
      const written = random.chance(0.2) ? name.toUpperCase() : name;
      return [random.chance(0.7) ? 'FCALL' : 'FCALL_RO', written, 1, 'k', 'v'];
    }
  }
}

test.runIf(hasRealRedis).each([1, 2, 3, 4])(
  'random libraries and calls are answered as by Redis, seed %i',
  { timeout: 120_000 },
  async (seed) => {
    const random = new SeededRandom(seed);
    const servers = await TwoServers.start();
    try {
      const last: string[] = [];
      for (let count = 0; count < 1500; count++) {
        const words = drawCall(random);
        last.push(showWords(words));
        const difference = await servers.run({ client: seed % 2 === 0 ? 0 : 1, commands: [{ words, mask }] });
        expect(difference, last.slice(-20).join('\n')).toBeUndefined();
      }
    } finally {
      await servers.stop();
    }
  },
);

test.runIf(hasRealRedis)('payloads go both ways between Redis and KelpDB', { timeout: 60_000 }, async () => {
  const { redisAddress } = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const redis = await RealRedis.start();
  onTestFinished(() => redis.stop());
  const [theirs, ours] = await Promise.all(
    [`127.0.0.1:${redis.port}`, redisAddress].map((address) => RedisClient.open(address)),
  );
  if (theirs === undefined || ours === undefined) throw new Error('no clients');
  const listOf = async (client: RedisClient): Promise<string> =>
    showReply(await client.run('FUNCTION', 'LIST', 'WITHCODE'), true);
  const dumpOf = async (client: RedisClient): Promise<Buffer> =>
    Buffer.from((await client.run('FUNCTION', 'DUMP')) as string, 'latin1');
  const texts = [
    library("redis.register_function('a', function() return 'a' end)", 'one'),
    // Redis compresses what repeats itself.
    library(`-- ${'long '.repeat(2000)}\nredis.register_function('b', function() return 'b' end)`, 'two'),
    library(
      "redis.register_function{function_name = 'c', description = '\xe9\x00', callback = function() return 'c' end}",
      'three',
    ),
  ].map((text) => Buffer.from(text, 'latin1'));
  for (const [from, to] of [
    [theirs, ours],
    [ours, theirs],
  ] as const) {
    for (const client of [from, to]) await client.run('FUNCTION', 'FLUSH');
    for (const text of texts) await from.run('FUNCTION', 'LOAD', text);
    const payload = await dumpOf(from);
    const run = async (...words: readonly Word[]): Promise<string> =>
      showReply(await to.run('FUNCTION', 'RESTORE', payload, ...words));
    expect(await run()).toBe('+OK');
    expect(await listOf(to)).toBe(await listOf(from));
    expect(await to.run('FCALL', 'b', 0)).toBe('b');
    expect(await run('APPEND')).toMatch(/ERR Library \w+ already exists/);
    expect(await run('REPLACE')).toBe('+OK');
    await to.run('FUNCTION', 'DELETE', 'two');
    await to.run('FUNCTION', 'LOAD', library("redis.register_function('B', function() end)", 'other'));
    expect(await run('REPLACE')).toBe('-ERR Function b already exists');
    expect(await to.run('FUNCTION', 'STATS')).toMatchObject({});
    expect(await run('FLUSH')).toBe('+OK');
    expect(await listOf(to)).toBe(await listOf(from));
  }
});

/** DUMP and RESTORE: values go from Redis to KelpDB and back, and stay what they are. */
import { describe, expect, test } from 'vitest';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { listCommands } from '../../../../../src/server/redis/commands/families/lists/list.ts';
import { listReadCommands } from '../../../../../src/server/redis/commands/families/lists/reads.ts';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { bloomCommands } from '../../../../../src/server/redis/commands/families/sketches/bloom.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { StoreError } from '../../../../../src/errors.ts';
import { writeCrc64 } from '../../../../../src/types/rdb/crc64.ts';
import { PayloadError } from '../../../../../src/types/rdb/payload-error.ts';
import { readValue } from '../../../../../src/types/rdb/restore.ts';
import { WorkBudget } from '../../../../../src/work-budget.ts';
import { SeededRandom } from '../../../../support/random.ts';
import { type DecodedReply, ErrorReply, showReply } from '../../support/decoded-reply.ts';
import { type DrawnCommand, differential } from '../../support/differential.ts';
import { hasRealRedis, RealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import type { Word } from '../../support/words.ts';
import { asArray, textOf } from './key-words.ts';
import { sortedSetRows } from './sorted-set-rows.ts';

const rows = [
  ...stringCommands,
  ...keysCommands,
  ...hashCommands,
  ...listCommands,
  ...listReadCommands,
  ...setCommands,
  ...sortedSetRows,
  ...bloomCommands,
];

const WIDTHS =
  '0 1 -1 63 64 127 128 -128 4095 4096 -4096 -4097 32767 -32768 32768 8388607 -8388609 2147483647 -2147483649 9223372036854775807 -9223372036854775808 00 -0 1.5'.split(
    ' ',
  );
const LONG = [
  'x'.repeat(63),
  'y'.repeat(64),
  'z'.repeat(4095),
  'a'.repeat(4096),
  'b'.repeat(16_380),
  'c'.repeat(20_000),
];

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** What a key is made by, and what tells all of it. */
const values: readonly (readonly [what: string, make: readonly Word[], tell: readonly Word[]])[] = [
  ...WIDTHS.map((width) => [`the string ${width}`, ['SET', 'k', width], ['GET', 'k']] as const),
  ['an empty string', ['SET', 'k', ''], ['GET', 'k']],
  ['a string that is compressed', ['SET', 'k', 'abcabcabcd'.repeat(3000)], ['GET', 'k']],
  ['a string of one byte', ['SET', 'k', 'x'.repeat(100_000)], ['GET', 'k']],
  ['a string by chance', ['SET', 'k', new SeededRandom(1).bytes(70_000)], ['GET', 'k']],
  ['a short list', ['RPUSH', 'k', ...WIDTHS, 'a', ''], ['LRANGE', 'k', 0, -1]],
  ['a list of long elements', ['RPUSH', 'k', 'a', ...LONG, 'b', ...LONG], ['LRANGE', 'k', 0, -1]],
  ['a long list', ['RPUSH', 'k', ...numbered(9000)], ['LRANGE', 'k', 0, -1]],
  ['a long list of texts', ['RPUSH', 'k', ...numbered(5000, 'element ')], ['LRANGE', 'k', 0, -1]],
  ['a set of small numbers', ['SADD', 'k', '1', '-5', '300'], ['SMEMBERS', 'k']],
  ['a set of numbers', ['SADD', 'k', '1', '-70000', '300'], ['SMEMBERS', 'k']],
  ['a set of large numbers', ['SADD', 'k', '1', '-9223372036854775808', '5000000000'], ['SMEMBERS', 'k']],
  ['a set', ['SADD', 'k', ...WIDTHS, 'a', '', ...LONG.slice(0, 3)], ['SMEMBERS', 'k']],
  ['a large set', ['SADD', 'k', ...numbered(3000, 'm')], ['SMEMBERS', 'k']],
  ['a large set of numbers', ['SADD', 'k', ...numbered(3000)], ['SMEMBERS', 'k']],
  ['a short hash', ['HSET', 'k', ...WIDTHS, 'f', ''], ['HGETALL', 'k']],
  [
    'a hash of long values',
    ['HSET', 'k', ...LONG.slice(0, 3).flatMap((long) => [long, long])],
    ['HGETALL', 'k'],
  ],
  ['a large hash', ['HSET', 'k', ...numbered(4000)], ['HGETALL', 'k']],
  [
    'a short sorted set',
    [
      'ZADD',
      'k',
      ...['1', '-2', '1.5', 'inf', '-inf', '1e300', '0.1'].flatMap((score) => [score, `m${score}`]),
    ],
    ['ZRANGE', 'k', 0, -1, 'WITHSCORES'],
  ],
  [
    'a large sorted set',
    ['ZADD', 'k', 'inf', 'x', '-inf', 'y', ...numbered(1000).flatMap((name, index) => [index / 7, name])],
    ['ZRANGE', 'k', 0, -1, 'WITHSCORES'],
  ],
];

function bytesOf(reply: DecodedReply): Buffer {
  return Buffer.from(textOf(reply), 'latin1');
}

describe.skipIf(!hasRealRedis)('values beside Redis', () => {
  test('move from Redis to KelpDB and back, and are as they were', { timeout: 120_000 }, async () => {
    const redis = await RealRedis.start(['--enable-debug-command', 'yes', '--sanitize-dump-payload', 'yes']);
    const harness = await RedisHarness.open(rows);
    try {
      for (const threshold of ['1gb', '100b']) {
        await redis.run('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', threshold);
        for (const [what, make, tell] of values) {
          await redis.run('FLUSHALL');
          harness.run('FLUSHALL');
          await redis.run(...make);
          const theirs = await redis.run(...tell);
          expect(harness.run('RESTORE', 'k', 0, bytesOf(await redis.run('DUMP', 'k'))), what).toMatchObject({
            text: 'OK',
          });
          expect(showReply(harness.run(...tell), true), what).toBe(showReply(theirs, true));
          expect(harness.run('TYPE', 'k'), what).toEqual(await redis.run('TYPE', 'k'));

          expect(
            await redis.run('RESTORE', 'back', 0, bytesOf(harness.run('DUMP', 'k'))),
            what,
          ).toMatchObject({ text: 'OK' });
          const [ofTheirs, ofBack] = asArray(await redis.run('DEBUG', 'DIGEST-VALUE', 'k', 'back'));
          expect(ofBack, what).toEqual(ofTheirs);
          expect(await redis.run('OBJECT', 'ENCODING', 'back'), what).toEqual(
            await redis.run('OBJECT', 'ENCODING', 'k'),
          );
        }
      }
    } finally {
      await redis.stop();
    }
  });

  test('of older versions are read as Redis reads them', async () => {
    const redis = await RealRedis.start();
    const harness = await RedisHarness.open(rows);
    try {
      for (const [type, body, tell] of olderValues) {
        const payload = payloadOf(Buffer.concat([Buffer.of(type), ...body]));
        await redis.run('FLUSHALL');
        harness.run('FLUSHALL');
        expect(await redis.run('RESTORE', 'k', 0, payload), String(type)).toMatchObject({ text: 'OK' });
        expect(harness.run('RESTORE', 'k', 0, payload), String(type)).toMatchObject({ text: 'OK' });
        const theirs = showReply(await redis.run(...tell), true);
        expect(showReply(harness.run(...tell), true), String(type)).toBe(theirs);
      }
    } finally {
      await redis.stop();
    }
  });

  test('are taken and refused as by Redis', { timeout: 120_000 }, async () => {
    const payloads = await readyPayloads();
    await differential({ rows, seed: 4, count: 3000, draw: (random) => drawRestore(random, payloads) });
  });
});

/** As Redis before 7.0 has it. */
function ziplist(...entries: readonly (readonly number[] | string)[]): Buffer {
  const parts: Buffer[] = [];
  let before = 0;
  for (const entry of entries) {
    const bytes =
      typeof entry === 'string'
        ? Buffer.concat([
            entry.length < 64
              ? Buffer.of(entry.length)
              : Buffer.of(0x40 | (entry.length >>> 8), entry.length & 0xff),
            Buffer.from(entry),
          ])
        : Buffer.from(entry);
    const head = before < 254 ? Buffer.of(before) : Buffer.of(0xfe, before & 0xff, before >>> 8, 0, 0);
    parts.push(head, bytes);
    before = head.length + bytes.length;
  }
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(10);
  head.writeUInt32LE(10 + body.length + 1, 0);
  head.writeUInt32LE(10 + body.length - before, 4);
  head.writeUInt16LE(entries.length, 8);
  return Buffer.concat([head, body, Buffer.of(0xff)]);
}

function string(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([Buffer.of(0x40 | (content.length >>> 8), content.length & 0xff), content]);
}

const NUMBERS: readonly (readonly number[])[] = [
  [0xf1],
  [0xfd],
  [0xfe, 0x80],
  [0xc0, 0xff, 0x7f],
  [0xf0, 0x00, 0x00, 0x80],
  [0xd0, 0xff, 0xff, 0xff, 0x7f],
  [0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80],
];

const olderValues: readonly (readonly [type: number, body: readonly Buffer[], tell: readonly Word[]])[] = [
  [1, [Buffer.of(2), string('a'), Buffer.of(0xc1, 0xff, 0x7f)], ['LRANGE', 'k', 0, -1]],
  [
    3,
    [
      Buffer.of(4),
      string('a'),
      Buffer.of(3),
      Buffer.from('1.5'),
      string('b'),
      Buffer.of(254),
      string('c'),
      Buffer.of(255),
      string('d'),
      Buffer.of(2),
      Buffer.from('-7'),
    ],
    ['ZRANGE', 'k', 0, -1, 'WITHSCORES'],
  ],
  [10, [string(ziplist('a', ...NUMBERS, 'x'.repeat(300), 'b'))], ['LRANGE', 'k', 0, -1]],
  [12, [string(ziplist('a', '1.5', 'b', [0xf3], 'c', '-inf'))], ['ZRANGE', 'k', 0, -1, 'WITHSCORES']],
  [13, [string(ziplist('f', 'v', 'g', 'x'.repeat(200), ...NUMBERS, 'h'))], ['HGETALL', 'k']],
  [14, [Buffer.of(2), string(ziplist('a', [0xf3])), string(ziplist('b'))], ['LRANGE', 'k', 0, -1]],
];

function payloadOf(value: Uint8Array, version = 10): Buffer {
  const checked = Buffer.concat([value, Buffer.of(version, 0)]);
  const payload = Buffer.concat([checked, Buffer.alloc(8)]);
  writeCrc64(payload, checked.length, checked);
  return payload;
}

/** One of each type, as KelpDB dumps it. */
async function readyPayloads(): Promise<readonly Buffer[]> {
  const harness = await RedisHarness.open(rows);
  return values.map(([, make]) => {
    harness.run('DEL', 'k');
    harness.run(...make);
    return bytesOf(harness.run('DUMP', 'k'));
  });
}

function drawRestore(random: SeededRandom, payloads: readonly Buffer[]): DrawnCommand {
  const key = random.pick(['a', 'b', 'c']);
  const payload = random.pick(payloads);
  const damaged = Buffer.from(payload);
  damaged[random.below(damaged.length)] = random.below(256);
  const options: Word[] = [];
  if (random.chance(0.7)) options.push('REPLACE');
  if (random.chance(0.2)) options.push('ABSTTL');
  if (random.chance(0.2)) options.push('IDLETIME', random.pick(['5', '0', '-1', 'x']));
  if (random.chance(0.2)) options.push('FREQ', random.pick(['5', '255', '256', '-1', 'x']));
  if (random.chance(0.05)) options.push(random.pick(['IDLETIME', 'x', 'FREQ']));
  // Deadlines that are far away in both, but no more than 100 years.
  const some = options.includes('ABSTTL') ? ['1', '4000000000000'] : ['1000000', '100000000'];
  const time = random.pick(['0', ...some, ...some, '-1', 'x']);
  const draws: (() => DrawnCommand)[] = [
    () => ({
      words: ['RESTORE', key, time, payload, ...options],
    }),
    () => ({ words: ['RESTORE', key, '0', payload, 'REPLACE'] }),
    () => ({ words: ['RESTORE', key, '0', damaged, 'REPLACE'] }),
    () => ({
      words: ['RESTORE', key, '0', payloadOf(payload.subarray(0, -10), random.pick([9, 10, 11])), 'REPLACE'],
    }),
    () => ({ words: ['RESTORE', key, '0', random.bytes(random.below(12)), 'REPLACE'] }),
    () => ({ words: ['TYPE', key] }),
    () => ({ words: ['EXISTS', key] }),
    () => ({ words: ['DUMP', 'none'] }),
    () => ({ words: ['PEXPIRETIME', key], compare: 'near' }),
    () => ({ words: ['GET', key] }),
    () => ({ words: ['LRANGE', key, '0', '-1'] }),
    () => ({ words: ['HGETALL', key], isUnordered: true }),
    () => ({ words: ['ZRANGE', key, '0', '-1', 'WITHSCORES'] }),
    () => ({ words: ['SMEMBERS', key], isUnordered: true }),
    () => ({ words: ['DEL', key] }),
  ];
  return random.pick(draws)();
}

describe('RESTORE', () => {
  test('refuses damaged values of right checksums, and ends on each', async () => {
    const payloads = await readyPayloads();
    const random = new SeededRandom(7);
    let refusedCount = 0;
    for (let left = 3000; left > 0; left--) {
      const payload = random.pick(payloads);
      if (payload.length > 100_000) continue;
      const value = Buffer.from(payload.subarray(0, -10));
      for (let damages = random.between(1, 4); damages > 0; damages--)
        value[random.below(Math.min(value.length, 64))] = random.pick([
          0,
          1,
          0x7f,
          0x80,
          0x81,
          0xc3,
          0xff,
          random.below(256),
        ]);
      try {
        readValue(
          random.chance(0.3) ? value.subarray(0, random.below(value.length)) : value,
          new WorkBudget(100_000),
        );
      } catch (error) {
        if (!(error instanceof StoreError && error.code === 'limitReached'))
          expect(error).toBeInstanceOf(PayloadError);
        refusedCount++;
      }
    }
    expect(refusedCount).toBeGreaterThan(100);
  });

  test('changes nothing when a payload has an element twice', async () => {
    const harness = await RedisHarness.open(rows);
    harness.run('SET', 'k', 'before');
    for (const body of [
      [Buffer.of(2, 2), string('a'), string('a')],
      [Buffer.of(4, 2), string('a'), string('1'), string('a'), string('2')],
      [Buffer.of(5, 2), string('a'), Buffer.alloc(8), string('a'), Buffer.alloc(8)],
      [Buffer.of(2, 0)],
    ]) {
      const reply = harness.run('RESTORE', 'k', 0, payloadOf(Buffer.concat(body)), 'REPLACE');
      expect(reply).toMatchObject({ text: 'ERR Bad data format' });
      expect(harness.run('GET', 'k')).toBe('before');
    }
    expect(harness.events()).toEqual(['$ set k']);
  });

  test('tells keyspace events, and DUMP refuses what Redis has no form for', async () => {
    const harness = await RedisHarness.open(rows);
    harness.run('SET', 'k', '1');
    const payload = bytesOf(harness.run('DUMP', 'k'));
    harness.run('RESTORE', 'copy', 1000, payload);
    harness.run('RESTORE', 'copy', 1, payload, 'ABSTTL', 'REPLACE');
    expect(harness.run('EXISTS', 'copy')).toBe(0);
    expect(harness.events()).toEqual(['$ set k', 'g restore copy', 'g del copy']);
    harness.run('BF.ADD', 'bloom', 'x');
    expect(harness.run('DUMP', 'bloom')).toBeInstanceOf(ErrorReply);
  });
});

/** DUMP and RESTORE of streams: they go from Redis to KelpDB and back with their groups, and are what they were. */
import { describe, expect, test } from 'vitest';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { streamCommands } from '../../../../../src/server/redis/commands/families/streams/entries.ts';
import { streamGroupCommands } from '../../../../../src/server/redis/commands/families/streams/groups.ts';
import { streamInfoCommands } from '../../../../../src/server/redis/commands/families/streams/info.ts';
import { streamPendingCommands } from '../../../../../src/server/redis/commands/families/streams/pending.ts';
import { streamReadCommands } from '../../../../../src/server/redis/commands/families/streams/reads.ts';
import { writeCrc64 } from '../../../../../src/types/rdb/crc64.ts';
import { entryFlags, valueTypes } from '../../../../../src/types/rdb/format.ts';
import { ListpackWriter } from '../../../../../src/types/rdb/listpack-writer.ts';
import { ValueWriter } from '../../../../../src/types/rdb/value-writer.ts';
import { idOfHalves } from '../../../../../src/types/stream/stream-id.ts';
import { SeededRandom } from '../../../../support/random.ts';
import { type DecodedReply, ErrorReply, showReply } from '../../support/decoded-reply.ts';
import { hasRealRedis, RealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import type { Word } from '../../support/words.ts';
import { DrawnStreams } from '../drawn/streams.ts';
import { textOf } from './key-words.ts';

const rows = [
  ...streamCommands,
  ...streamReadCommands,
  ...streamGroupCommands,
  ...streamPendingCommands,
  ...streamInfoCommands,
  ...keysCommands,
  ...stringCommands,
];
const COUNT = Number(process.env['REDIS_COMMANDS'] ?? 3000);
const SEED = Number(process.env['REDIS_SEED'] ?? 21);

const TELL = ['XINFO', 'STREAM', 'k', 'FULL', 'COUNT', 0] as const;

function bytesOf(reply: DecodedReply): Buffer {
  return Buffer.from(textOf(reply), 'latin1');
}

/** All that there is of a stream, times too, but for the tree that Redis has it in; counts are safe integers in KelpDB. */
function shown(reply: DecodedReply): string {
  return showReply(reply)
    .replace(/("radix-tree-(?:keys|nodes)"[,:]) \d+/g, '$1 _')
    .replaceAll('9223372036854775807', '9007199254740991');
}

function payloadOf(value: Uint8Array): Buffer {
  const checked = Buffer.concat([value, Buffer.of(10, 0)]);
  const payload = Buffer.concat([checked, Buffer.alloc(8)]);
  writeCrc64(payload, checked.length, checked);
  return payload;
}

/** What makes a stream at the key `k` each. */
const streams: readonly (readonly [what: string, calls: readonly (readonly Word[])[]])[] = [
  ['an empty stream', [['XGROUP', 'CREATE', 'k', 'g', '$', 'MKSTREAM']]],
  ['one entry', [['XADD', 'k', '1-1', 'f', 'v']]],
  [
    'entries with the fields of the first, and with others',
    Array.from({ length: 350 }, (_, index) => [
      'XADD',
      'k',
      `${index + 1}-${index % 3}`,
      ...(index % 5 === 0 ? ['other', index] : ['a', 1, 'b', 'x'.repeat(index)]),
    ]),
  ],
  [
    'ids far apart',
    [
      '0-1',
      '0-18446744073709551615',
      '5-0',
      '9223372036854775807-1',
      '18446744073709551615-18446744073709551615',
    ].map((id) => ['XADD', 'k', id, 'f', id]),
  ],
  [
    'numbers of all widths',
    [0, 127, 128, -1, 4095, -4097, 32_768, 8_388_608, 2_147_483_648, '9223372036854775807', '007'].map(
      (value, index) => ['XADD', 'k', `${10 ** index}-1`, value, value],
    ),
  ],
  [
    'long values',
    [63, 64, 4095, 4096, 20_000, 300_000].map((length, index) => [
      'XADD',
      'k',
      `${index + 1}-0`,
      'y'.repeat(length % 5000),
      'x'.repeat(length),
    ]),
  ],
  [
    'an entry of many fields',
    [['XADD', 'k', '1-0', ...Array.from({ length: 70_000 }, (_, index) => `i${index}`)]],
  ],
  [
    'deleted entries',
    [
      ...Array.from({ length: 30 }, (_, index) => ['XADD', 'k', `${index + 1}-0`, 'f', index]),
      ['XDEL', 'k', '1-0', '7-0', '8-0', '30-0'],
      ['XTRIM', 'k', 'MAXLEN', '=', '20'],
    ],
  ],
  [
    'all entries deleted',
    [
      ['XADD', 'k', '1-0', 'f', 'v'],
      ['XADD', 'k', '5-0', 'f', 'v'],
      ['XDEL', 'k', '1-0', '5-0'],
      ['XGROUP', 'CREATE', 'k', 'g', '3-0'],
    ],
  ],
  [
    'groups, consumers and what is pending',
    [
      ...Array.from({ length: 20 }, (_, index) => ['XADD', 'k', `${index + 1}-0`, 'f', index]),
      ['XGROUP', 'CREATE', 'k', 'g', '0'],
      ['XGROUP', 'CREATE', 'k', 'unknown', '5-5'],
      ['XGROUP', 'CREATE', 'k', 'many', '5-0', 'ENTRIESREAD', '9223372036854775807'],
      ['XGROUP', 'CREATE', 'k', '', '99-0'],
      ['XGROUP', 'CREATECONSUMER', 'k', 'g', 'idle'],
      ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', 7, 'STREAMS', 'k', '>'],
      ['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', 7, 'STREAMS', 'k', '>'],
      ['XREADGROUP', 'GROUP', 'unknown', 'alice', 'STREAMS', 'k', '>'],
      ['XCLAIM', 'k', 'g', 'bob', 0, '3-0', 'TIME', 12_345, 'RETRYCOUNT', 70_000],
      ['XACK', 'k', 'g', '2-0'],
      ['XDEL', 'k', '4-0', '9-0'],
    ],
  ],
];

describe.skipIf(!hasRealRedis)('streams beside Redis', () => {
  test.each(['100', '3'])(
    'move both ways and are as they were, nodes of %s',
    { timeout: 120_000 },
    async (entries) => {
      const redis = await RealRedis.start([
        '--stream-node-max-entries',
        entries,
        '--sanitize-dump-payload',
        'yes',
      ]);
      const harness = await RedisHarness.open(rows);
      try {
        for (const [what, calls] of streams) {
          await redis.run('FLUSHALL');
          harness.run('FLUSHALL');
          for (const words of calls) expect(await redis.run(...words), what).not.toBeInstanceOf(ErrorReply);
          const theirs = shown(await redis.run(...TELL)).replaceAll(
            '9223372036854775807',
            '9007199254740991',
          );
          const payload = bytesOf(await redis.run('DUMP', 'k'));
          expect(harness.run('RESTORE', 'k', 0, payload), what).toMatchObject({ text: 'OK' });
          expect(shown(harness.run(...TELL)), what).toBe(theirs);
          await redis.run('DEL', 'k');
          const back = await redis.run('RESTORE', 'k', 0, bytesOf(harness.run('DUMP', 'k')));
          expect(back, what).toMatchObject({ text: 'OK' });
          expect(shown(await redis.run(...TELL)), what).toBe(theirs);
        }
      } finally {
        await redis.stop();
      }
    },
  );

  test('that are made by chance change places, and go on alike', { timeout: 240_000 }, async () => {
    const random = new SeededRandom(SEED);
    const drawing = new DrawnStreams(random);
    const redis = await RealRedis.start(['--stream-node-max-entries', '5', '--sanitize-dump-payload', 'yes']);
    const harness = await RedisHarness.open(rows);
    let movedCount = 0;
    try {
      for (let index = 0; index < COUNT; index++) {
        const { words, compare, isUnordered = false, mask = (text) => text } = drawing.groupCommand();
        harness.clock.jump(Date.now() - harness.clock.nowMs());
        const theirs = await redis.run(...words);
        const ours = harness.run(...words);
        if (compare !== 'nothing')
          expect(
            mask(showReply(ours, isUnordered)),
            `seed ${SEED}, command ${index}: ${words.join(' ')}`,
          ).toBe(mask(showReply(theirs, isUnordered)));
        if (index % 20 !== 0) continue;
        const key = drawing.key();
        const tell = ['XINFO', 'STREAM', key, 'FULL', 'COUNT', 0];
        const [theirStream, ourStream] = [await redis.run(...tell), harness.run(...tell)];
        if (theirStream instanceof ErrorReply) continue;
        const [theirPayload, ourPayload] = [await redis.run('DUMP', key), harness.run('DUMP', key)].map(
          bytesOf,
        );
        // Each has the other's from now on.
        expect(await redis.run('RESTORE', key, 0, ourPayload ?? '', 'REPLACE')).toMatchObject({ text: 'OK' });
        expect(harness.run('RESTORE', key, 0, theirPayload ?? '', 'REPLACE')).toMatchObject({ text: 'OK' });
        expect(shown(harness.run(...tell)), `seed ${SEED}, command ${index}`).toBe(shown(theirStream));
        expect(shown(await redis.run(...tell)), `seed ${SEED}, command ${index}`).toBe(shown(ourStream));
        movedCount++;
      }
    } finally {
      await redis.stop();
    }
    expect(movedCount).toBeGreaterThan(COUNT / 60);
  });

  test('of versions before 7.0 are read as Redis reads them', async () => {
    const redis = await RealRedis.start();
    const harness = await RedisHarness.open(rows);
    try {
      for (const groupId of [0n, 1n, 2n, 3n, 4n, 9n]) {
        const payload = olderStream(groupId);
        expect(await redis.run('RESTORE', 'k', 0, payload, 'REPLACE')).toMatchObject({ text: 'OK' });
        expect(harness.run('RESTORE', 'k', 0, payload, 'REPLACE')).toMatchObject({ text: 'OK' });
        expect(shown(harness.run(...TELL)), String(groupId)).toBe(shown(await redis.run(...TELL)));
      }
    } finally {
      await redis.stop();
    }
  });
});

const id = (ms: number | bigint): Uint8Array => idOfHalves(BigInt(ms), 0n);

/** The entries 2-0 and 4-0, between them 3-0, which was deleted; a group with two that are pending. */
function olderStream(groupId: bigint): Buffer {
  const node = new ListpackWriter();
  for (const number of [2, 1, 1]) node.integer(number);
  node.text(Buffer.from('f'));
  node.integer(0);
  for (const [ms, flags] of [
    [0, entryFlags.hasFieldsOfNode],
    [1, entryFlags.hasFieldsOfNode | entryFlags.deleted],
    [2, 0],
  ] as const) {
    for (const number of [flags, ms, 0]) node.integer(number);
    if (flags === 0) {
      node.integer(1);
      node.text(Buffer.from('g'));
    }
    node.integer(7);
    node.integer(flags === 0 ? 6 : 4);
  }
  const writer = new ValueWriter();
  writer.byte(valueTypes.stream);
  writer.length(1);
  writer.string(id(2));
  writer.string(node.take());
  for (const number of [2, 4, 0, 1]) writer.length(number);
  writer.string(Buffer.from('group'));
  for (const number of [groupId, 0n, 2n]) writer.length(number);
  for (const ms of [2, 3]) {
    writer.bytes(id(ms));
    writer.uint64(1_700_000_000_000n);
    writer.length(ms);
  }
  writer.length(1);
  writer.string(Buffer.from('alice'));
  writer.uint64(1_700_000_000_001n);
  writer.length(2);
  for (const ms of [2, 3]) writer.bytes(id(ms));
  return Buffer.from(writer.finish());
}

describe('RESTORE of a stream', () => {
  test('refuses damaged ones of right checksums, or makes a stream that can be read and dumped', async () => {
    const harness = await RedisHarness.open(rows);
    const random = new SeededRandom(SEED);
    const values = [olderStream(3n).subarray(0, -10)];
    for (const [, calls] of streams) {
      if (calls.some((words) => words.length > 10_000)) continue;
      harness.run('FLUSHALL');
      for (const words of calls) harness.run(...words);
      const value = bytesOf(harness.run('DUMP', 'k')).subarray(0, -10);
      if (value.length < 20_000) values.push(value);
    }
    let refusedCount = 0;
    let takenCount = 0;
    for (let left = 4000; left > 0; left--) {
      const value = Buffer.from(random.pick(values));
      for (let damages = random.between(1, 3); damages > 0; damages--)
        value[random.below(value.length)] = random.pick([
          0,
          1,
          2,
          0x7f,
          0x80,
          0x81,
          0xc3,
          0xf4,
          0xff,
          random.below(256),
        ]);
      const payload = payloadOf(random.chance(0.2) ? value.subarray(0, random.below(value.length)) : value);
      const reply = harness.run('RESTORE', 'k', 0, payload, 'REPLACE');
      if (reply instanceof ErrorReply) {
        expect(reply.text).toBe('ERR Bad data format');
        refusedCount++;
        continue;
      }
      takenCount++;
      if (textOf(harness.run('TYPE', 'k')) !== 'stream') continue;
      expect(harness.run(...TELL)).not.toBeInstanceOf(ErrorReply);
      expect(harness.run('DUMP', 'k')).not.toBeInstanceOf(ErrorReply);
      harness.run('XADD', 'k', '*', 'f', 'v');
    }
    expect(refusedCount).toBeGreaterThan(1000);
    expect(takenCount).toBeGreaterThan(100);
  });

  test('refuses what does not belong together, and changes nothing', async () => {
    const harness = await RedisHarness.open(rows);
    harness.run('SET', 'k', 'before');
    const good = olderStream(3n).subarray(0, -10);
    const replaced = (from: string, to: string): Buffer => {
      const value = Buffer.from(good);
      const at = value.indexOf(from, 0, 'latin1');
      expect(at).toBeGreaterThan(0);
      value.write(to, at, 'latin1');
      return value;
    };
    const pending = (ms: number): string => Buffer.from(id(ms)).toString('latin1');
    for (const value of [
      // Another count of entries; the last id below that of an entry; what is pending twice, or with a consumer alone.
      replaced('\x02\x04\x00\x01\x05group', '\x03\x04\x00\x01\x05group'),
      replaced('\x02\x04\x00\x01\x05group', '\x02\x03\x00\x01\x05group'),
      replaced(`${pending(3)}\x00`, `${pending(2)}\x00`),
      Buffer.concat([good.subarray(0, -16), Buffer.from(id(2))]),
      Buffer.concat([good.subarray(0, -16), Buffer.from(id(9))]),
    ]) {
      const reply = harness.run('RESTORE', 'k', 0, payloadOf(value), 'REPLACE');
      expect(reply).toMatchObject({ text: 'ERR Bad data format' });
    }
    expect(harness.run('GET', 'k')).toBe('before');
    expect(harness.run('RESTORE', 'k', 0, payloadOf(good), 'REPLACE')).toMatchObject({ text: 'OK' });
  });

  test('refuses a short payload that would become too many bytes', async () => {
    const harness = await RedisHarness.open(rows);
    const node = new ListpackWriter();
    const count = 10_000;
    for (const number of [count, 0, 1]) node.integer(number);
    node.text(Buffer.alloc(64 * 1024, 'x'));
    node.integer(0);
    for (let index = 0; index < count; index++) {
      for (const number of [entryFlags.hasFieldsOfNode, index, 0]) node.integer(number);
      node.text(Buffer.from('v'));
      node.integer(4);
    }
    const writer = new ValueWriter();
    writer.byte(valueTypes.stream);
    writer.length(1);
    writer.string(id(1));
    writer.string(node.take());
    for (const number of [count, count, 0, 0]) writer.length(number);
    const reply = harness.run('RESTORE', 'k', 0, writer.finish());
    expect(reply).toBeInstanceOf(ErrorReply);
    expect((reply as ErrorReply).text).toMatch(/reads more than \d+ bytes/);
    expect(harness.run('EXISTS', 'k')).toBe(0);
  });

  test('keeps a time to live, and the group goes on where it was', async () => {
    const harness = await RedisHarness.open(rows);
    harness.run('XADD', 'k', '1-0', 'f', 'v');
    harness.run('XADD', 'k', '2-0', 'f', 'v');
    harness.run('XGROUP', 'CREATE', 'k', 'g', '0');
    harness.run('XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', 1, 'STREAMS', 'k', '>');
    const payload = bytesOf(harness.run('DUMP', 'k'));
    expect(harness.run('RESTORE', 'copy', 5000, payload)).toMatchObject({ text: 'OK' });
    expect(harness.run('PTTL', 'copy')).toBe(5000);
    const read = showReply(harness.run('XREADGROUP', 'GROUP', 'g', 'bob', 'STREAMS', 'copy', '>'));
    expect(read).toContain('2-0');
    expect(read).not.toContain('1-0');
    expect(harness.run('XACK', 'copy', 'g', '1-0', '2-0')).toBe(2);
    // The one that it was dumped from is another.
    expect(harness.run('XACK', 'k', 'g', '1-0', '2-0')).toBe(1);
  });
});

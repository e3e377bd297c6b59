/** The commands of hashes against Redis itself. */
import { describe, expect, it } from 'vitest';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import { differential, type DrawnCommand } from '../../support/differential.ts';
import { showReply } from '../../support/decoded-reply.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { otherTypes } from './other-types.ts';
import { drawOfHashes } from '../drawn/hashes.ts';

describe('hashes reply as those of Redis do', { timeout: 120_000 }, () => {
  it.each([
    [1, 2],
    [2, 3],
    [3, 2],
    [4, 3],
  ] as const)('seed %i, RESP%i', async (seed, version) => {
    const rows = [...hashCommands, ...otherTypes];
    await differential({ rows, draw: withText(drawOfHashes), seed, count: 2500, version });
  });
});

/** The first command makes a key of another type. */
function withText(next: (random: SeededRandom) => DrawnCommand): (random: SeededRandom) => DrawnCommand {
  let isFirst = true;
  return (random) => {
    if (!isFirst) return next(random);
    isFirst = false;
    return { words: ['SET', 'text', 'plain'] };
  };
}

describe('fields by chance', () => {
  it.each([10, 500])('are %i fields, each now and then, with their own values', async (size) => {
    const redis = await filled(size);
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      for (const count of ['3', '-7']) {
        const reply = redis.run('HRANDFIELD', 'hash', count, 'WITHVALUES') as string[];
        expect(reply).toHaveLength(count === '3' ? 6 : 14);
        const fields = reply.filter((_, index) => index % 2 === 0);
        for (const [index, field] of fields.entries()) {
          expect(reply[2 * index + 1]).toBe(`value ${field}`);
          seen.add(field);
        }
        if (count === '3') expect(new Set(fields).size).toBe(3);
      }
      seen.add(redis.run('HRANDFIELD', 'hash') as string);
    }
    expect(seen.size).toBeGreaterThan(Math.min(size, 300) - 1);
  });

  it('are a part of many in pieces, and too many repeated ones are refused', async () => {
    const redis = await filled(6000);
    const reply = redis.run('HRANDFIELD', 'hash', '5000') as string[];
    expect(new Set(reply).size).toBe(5000);
    expect(
      redis.runTogether(['HRANDFIELD', 'hash', '-1000000000']).map((reply) => showReply(reply))[0],
    ).toMatch(/^-ERR the request looks at more than/);
    redis.use({ version: 3 });
    expect(redis.run('HRANDFIELD', 'hash', '2', 'WITHVALUES')).toHaveLength(2);
  });
});

describe('HSCAN', () => {
  it('tells every field once on the way through many, and a field that matches', async () => {
    const redis = await filled(2500);
    const fields: string[] = [];
    let cursor = '0';
    do {
      const [next, found] = redis.run('HSCAN', 'hash', cursor, 'COUNT', '333') as [string, string[]];
      fields.push(...found.filter((_, index) => index % 2 === 0));
      cursor = next;
    } while (cursor !== '0');
    expect(fields).toHaveLength(2500);
    expect(new Set(fields).size).toBe(2500);
    const [, matching] = redis.run('HSCAN', 'hash', '0', 'COUNT', '1000', 'MATCH', '100?') as [
      string,
      string[],
    ];
    expect(matching.filter((_, index) => index % 2 === 0).sort()).toEqual(
      Array.from({ length: 10 }, (_, index) => String(1000 + index)),
    );
  });
});

describe('bounds of a hash', () => {
  it('a field of 4096 bytes is taken, a longer one refused by name and not found', async () => {
    const redis = await RedisHarness.open(hashCommands);
    expect(redis.run('HSET', 'hash', 'x'.repeat(4096), '1')).toBe(1);
    expect(redis.run('HGET', 'hash', 'x'.repeat(4096))).toBe('1');
    expect(showReply(redis.run('HSET', 'hash', 'y', '2', 'x'.repeat(4097), '1'))).toBe(
      '-ERR the field is 4097 bytes long; at most 4096 are allowed',
    );
    expect(redis.run('HEXISTS', 'hash', 'y')).toBe(0);
    expect(redis.run('HGET', 'hash', 'x'.repeat(4097))).toBeNull();
    expect(redis.run('HDEL', 'hash', 'x'.repeat(5000))).toBe(0);
    expect(redis.run('HEXISTS', 'hash', 'x'.repeat(100_000))).toBe(0);
  });

  it('a value is bounded as any value is', async () => {
    const redis = await RedisHarness.open(hashCommands);
    const reply = redis.run('HSET', 'hash', 'a', '1', 'b', new Uint8Array(16 * 1024 * 1024 + 1));
    expect(showReply(reply)).toMatch(/^-ERR the value is 16777217 bytes long/);
    expect(redis.run('HLEN', 'hash')).toBe(0);
  });

  it('a hash of which all is wanted in a transaction is told whole, or refused', async () => {
    const redis = await filled(3000);
    const [all] = redis.runTogether(['HGETALL', 'hash']);
    expect(all).toHaveLength(6000);
    const gets = Array.from({ length: 60 }, () => ['HGETALL', 'hash']);
    const replies = redis.runTogether(...gets);
    expect(showReply(replies.at(-1) ?? null)).toMatch(/^-ERR the request looks at more than/);
  });
});

it('a command that fails within a transaction leaves nothing of the hash that it has spread', async () => {
  const redis = await RedisHarness.open(hashCommands);
  redis.run('HSET', 'hash', 'a', '1');
  const many = Array.from({ length: 100 }, (_, index) => [String(index), 'x']).flat();
  const [failed, length, one, all] = redis.runTogether(
    ['HSET', 'hash', ...many, 'x'.repeat(4097), ''],
    ['HLEN', 'hash'],
    ['HSET', 'hash', 'b', '2'],
    ['HGETALL', 'hash'],
  );
  expect(showReply(failed ?? null)).toMatch(/^-ERR the field is 4097 bytes long/);
  expect([length, one, all]).toEqual([1, 1, ['a', '1', 'b', '2']]);
  expect(redis.run('HGETALL', 'hash')).toEqual(['a', '1', 'b', '2']);
});

it('a hash that is spread, deleted and made again in one transaction has its new fields alone', async () => {
  const redis = await RedisHarness.open([...hashCommands, ...otherTypes]);
  const many = Array.from({ length: 100 }, (_, index) => [String(index), 'x']).flat();
  const replies = redis.runTogether(
    ['HSET', 'hash', ...many],
    ['DEL', 'hash'],
    ['HSET', 'hash', ...many.slice(0, 140)],
    ['HLEN', 'hash'],
    ['HRANDFIELD', 'hash', '100'],
  );
  expect(replies.slice(0, 4)).toEqual([100, 1, 70, 70]);
  expect(replies[4]).toHaveLength(70);
  redis.use({ database: 3 });
  expect(redis.run('HLEN', 'hash')).toBe(0);
  redis.run('HSET', 'hash', 'other', 'database');
  redis.use({ database: 0 });
  expect(redis.run('HLEN', 'hash')).toBe(70);
});

it('events of hashes', async () => {
  const redis = await RedisHarness.open(hashCommands);
  redis.run('HSET', 'hash', 'a', '1', 'b', '2');
  redis.run('HSETNX', 'hash', 'a', '1');
  redis.run('HINCRBY', 'hash', 'a', '1');
  redis.run('HINCRBYFLOAT', 'hash', 'a', '1.5');
  redis.run('HDEL', 'hash', 'none');
  redis.run('HDEL', 'hash', 'a', 'b', 'c');
  expect(redis.events()).toEqual([
    'h hset hash',
    'h hincrby hash',
    'h hincrbyfloat hash',
    'h hdel hash',
    'g del hash',
  ]);
});

async function filled(size: number): Promise<RedisHarness> {
  const redis = await RedisHarness.open(hashCommands);
  for (let start = 0; start < size; start += 500) {
    const names = Array.from({ length: Math.min(500, size - start) }, (_, index) => String(start + index));
    redis.run('HSET', 'hash', ...names.flatMap((name) => [name, `value ${name}`]));
  }
  return redis;
}

/** The commands of sets against Redis itself. */
import { describe, expect, it } from 'vitest';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { showReply } from '../../support/decoded-reply.ts';
import { differential } from '../../support/differential.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { otherTypes } from './other-types.ts';
import { drawOfSets } from '../drawn/sets.ts';

describe('sets reply as those of Redis do', { timeout: 120_000 }, () => {
  it.each([
    [1, 2],
    [2, 3],
    [3, 2],
    [4, 3],
  ] as const)('seed %i, RESP%i', async (seed, version) => {
    const rows = [...setCommands, ...otherTypes];
    await differential({ rows, draw: drawOfSets, seed, count: 2500, version });
  });
});

describe('members by chance', () => {
  it.each([10, 500])('are %i members, each now and then', async (size) => {
    const redis = await filled(size);
    const seen = new Set<string>();
    for (let round = 0; round < 80; round++) {
      const chosen = redis.run('SRANDMEMBER', 'set', '3') as string[];
      expect(new Set(chosen).size).toBe(3);
      const repeated = redis.run('SRANDMEMBER', 'set', '-12') as string[];
      expect(repeated).toHaveLength(12);
      for (const member of [...chosen, ...repeated, redis.run('SRANDMEMBER', 'set') as string])
        seen.add(member);
    }
    for (const member of seen) expect(Number(member)).toBeLessThan(size);
    expect(seen.size).toBeGreaterThan(Math.min(size, 350) - 1);
    const most = redis.run('SRANDMEMBER', 'set', String(size - 1)) as string[];
    expect(new Set(most).size).toBe(size - 1);
  });

  it.each([10, 500, 3000])('are taken out of %i, until none is left', async (size) => {
    const redis = await filled(size);
    const popped: string[] = [redis.run('SPOP', 'set') as string, redis.run('SPOP', 'set') as string];
    for (const count of [3, size / 2]) {
      const reply = redis.run('SPOP', 'set', count) as string[];
      expect(reply).toHaveLength(count);
      popped.push(...reply);
      expect(redis.run('SCARD', 'set')).toBe(size - popped.length);
      for (const member of popped) expect(redis.run('SISMEMBER', 'set', member)).toBe(0);
    }
    popped.push(...(redis.run('SPOP', 'set', size) as string[]));
    expect(new Set(popped).size).toBe(size);
    expect(redis.run('SCARD', 'set')).toBe(0);
    expect(redis.run('SPOP', 'set')).toBeNull();
  });
});

describe('large sets', () => {
  it('are combined in pieces', { timeout: 60_000 }, async () => {
    const redis = await filled(5000);
    await fill(redis, 'odd', 5000, (index) => String(2 * index + 1));
    expect(size(redis.run('SMEMBERS', 'set'))).toBe(5000);
    expect(size(redis.run('SINTER', 'set', 'odd'))).toBe(2500);
    expect(size(redis.run('SUNION', 'set', 'odd', 'set'))).toBe(7500);
    expect(size(redis.run('SDIFF', 'odd', 'set'))).toBe(2500);
    expect(redis.run('SINTERCARD', '2', 'set', 'odd')).toBe(2500);
    expect(redis.run('SINTERCARD', '2', 'set', 'odd', 'LIMIT', '1200')).toBe(1200);
    expect(redis.run('SUNIONSTORE', 'all', 'odd', 'set')).toBe(7500);
    expect(redis.run('SDIFFSTORE', 'set', 'all', 'set')).toBe(2500);
    expect(redis.run('SCARD', 'set')).toBe(2500);
    expect(redis.run('SINTERSTORE', 'all', 'odd', 'none')).toBe(0);
    expect(redis.run('SCARD', 'all')).toBe(0);
    const [inter, union] = redis.runTogether(['SINTER', 'set', 'odd'], ['SUNION', 'odd', 'set']);
    expect([size(inter), size(union)]).toEqual([2500, 5000]);
  });

  it('a combination that is too much for one request changes nothing', { timeout: 60_000 }, async () => {
    const redis = await filled(70_000);
    redis.run('SADD', 'kept', 'x');
    expect(showReply(redis.run('SUNIONSTORE', 'kept', 'set'))).toMatch(
      /^-ERR the request looks at more than/,
    );
    expect(redis.run('SMEMBERS', 'kept')).toEqual(['x']);
    expect(size(redis.run('SUNION', 'set', 'kept'))).toBe(70_001);
  });

  it('are scanned, each member once', async () => {
    const redis = await filled(1500);
    const seen: string[] = [];
    let cursor = '0';
    do {
      const [next, members] = redis.run('SSCAN', 'set', cursor, 'COUNT', '100') as [string, string[]];
      seen.push(...members);
      cursor = next;
    } while (cursor !== '0');
    expect(seen).toHaveLength(1500);
    expect(new Set(seen).size).toBe(1500);
  });
});

it('events of sets', async () => {
  const redis = await RedisHarness.open(setCommands);
  redis.run('SADD', 'a', '1', '2', '3');
  redis.run('SADD', 'a', '1');
  redis.run('SMOVE', 'a', 'b', '1');
  redis.run('SMOVE', 'a', 'a', '2');
  redis.run('SPOP', 'b');
  redis.run('SREM', 'a', '2', '3');
  redis.run('SADD', 'a', '1');
  redis.run('SUNIONSTORE', 'b', 'a');
  redis.run('SMOVE', 'a', 'b', '1');
  redis.run('SDIFFSTORE', 'b', 'none');
  redis.run('SDIFFSTORE', 'b', 'none');
  redis.run('SADD', 'b', '1');
  redis.run('SPOP', 'b', '5');
  expect(redis.events()).toEqual([
    's sadd a',
    's srem a',
    's sadd b',
    's spop b',
    'g del b',
    's srem a',
    'g del a',
    's sadd a',
    's sunionstore b',
    's srem a',
    'g del a',
    'g del b',
    's sadd b',
    's spop b',
    'g del b',
  ]);
});

it('a member has at most 4096 bytes', async () => {
  const redis = await RedisHarness.open(setCommands);
  expect(redis.run('SADD', 'set', 'x'.repeat(4096))).toBe(1);
  expect(showReply(redis.run('SADD', 'set', 'x'.repeat(4097)))).toBe(
    '-ERR the member is 4097 bytes long; at most 4096 are allowed',
  );
  expect(redis.run('SMISMEMBER', 'set', 'x'.repeat(4096), 'x'.repeat(4097))).toEqual([1, 0]);
});

function size(reply: unknown): number {
  return Array.isArray(reply) ? new Set(reply).size : -1;
}

async function filled(count: number): Promise<RedisHarness> {
  const redis = await RedisHarness.open(setCommands);
  await fill(redis, 'set', count, String);
  return redis;
}

async function fill(
  redis: RedisHarness,
  key: string,
  count: number,
  member: (index: number) => string,
): Promise<void> {
  for (let start = 0; start < count; start += 1000) {
    const members = Array.from({ length: Math.min(1000, count - start) }, (_, index) =>
      member(start + index),
    );
    redis.run('SADD', key, ...members);
  }
}

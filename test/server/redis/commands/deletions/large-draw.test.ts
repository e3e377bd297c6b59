/**
 * Many elements drawn by chance. SPOP takes as many as a transaction may change, or leaves as few as it may write, or takes all; draws
 * that only read are of any length. What is done in one piece is bounded, by what it does and not by its time.
 */
import { describe, expect, test } from 'vitest';
import { fixed, serverFixed } from '../../../../../src/limits.ts';
import { redisRows } from '../../../../../src/server/redis/redis-rows.ts';
import { type ErrorReply, showReply } from '../../support/decoded-reply.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { engineOfTests, hiddenVisitsOfEngine } from '../../../../support/test-engine.ts';

const MEMBERS = 130_000;
const AT_ONCE = 20_000;
/**
 * Of a piece: what it is to look at, and the ends of the range. Over an engine on disk it also pays for reads of files and for deletions that
 * hide what they hold, between any two elements; so it ends with the budget of a turn at the latest, and the step that spends that.
 */
const PIECE_VISITS_MAX =
  engineOfTests() === undefined
    ? serverFixed.elementsPerSlice + 8
    : fixed.turnVisitsMax + hiddenVisitsOfEngine();

describe('SPOP of a set of 130,000 members', () => {
  test.each([
    ['all that a transaction may change', fixed.txnChangesMax - 1],
    ['more, which leaves few', fixed.txnChangesMax],
    ['all but one', MEMBERS - 1],
    ['all', 2 * MEMBERS],
  ])('takes %s', { timeout: 60_000 }, async (_what, count) => {
    const redis = await filled();
    redis.run('EXPIRE', 's', 1000);
    redis.events();
    const popped = redis.run('SPOP', 's', count) as string[];
    expect(popped).toHaveLength(Math.min(count, MEMBERS));
    const isAll = count >= MEMBERS;
    expect(redis.events()).toEqual(isAll ? ['s spop s', 'g del s'] : ['s spop s']);
    await redis.durable();
    expect(redis.run('TTL', 's')).toBe(isAll ? -2 : 1000);
    expect(redis.run('SCARD', 's')).toBe(isAll ? 0 : MEMBERS - count);
    const left = redis.run('SMEMBERS', 's') as string[];
    expect(new Set([...popped, ...left]).size).toBe(MEMBERS);
    expect(popped.length + left.length).toBe(MEMBERS);
    for (const visits of redis.visitsByPiece.slice(1)) expect(visits).toBeLessThanOrEqual(PIECE_VISITS_MAX);
  });

  test(
    'takes no more than a transaction may change where too many would be left',
    { timeout: 60_000 },
    async () => {
      const size = fixed.txnChangesMax + fixed.keptMembersMax + 1;
      const redis = await filled(size);
      const refused = redis.run('SPOP', 's', fixed.txnChangesMax) as ErrorReply;
      expect(refused.text).toMatch(/^ERR the transaction changes more than 100000 keys/);
      expect(redis.run('SCARD', 's')).toBe(size);
    },
  );

  test(
    'sees what its transaction has done before, and is seen by what comes behind',
    { timeout: 60_000 },
    async () => {
      const redis = await filled();
      const [, popped, size, again] = redis.runTogether(
        ['SADD', 's', 'new'],
        ['SPOP', 's', 20_000],
        ['SCARD', 's'],
        ['SPOP', 's', 20_000],
      ) as [number, string[], number, string[]];
      expect(size).toBe(MEMBERS + 1 - 20_000);
      expect(new Set([...popped, ...again]).size).toBe(40_000);
      const left = new Set(redis.run('SMEMBERS', 's') as string[]);
      expect(left.size).toBe(MEMBERS + 1 - 40_000);
      for (const member of [...popped, ...again]) expect(left.has(member)).toBe(false);
    },
  );

  test('takes each member as likely as the others', { timeout: 60_000 }, async () => {
    const redis = await filled();
    const popped = redis.run('SPOP', 's', 40_000) as string[];
    const low = popped.filter((member) => Number(member.slice(1)) < MEMBERS / 2).length;
    // 20,000 with a deviation of 87.
    expect(Math.abs(low - 20_000)).toBeLessThan(900);
  });
});

describe.each([
  ['SRANDMEMBER', 'SADD', (index: number) => [`m${index}`]],
  ['HRANDFIELD', 'HSET', (index: number) => [`m${index}`, `v${index}`]],
  ['ZRANDMEMBER', 'ZADD', (index: number) => [index, `m${index}`]],
] as const)('%s', (name, filling, element) => {
  const size = 30_000;

  test('repeats elements as often as is asked for, in pieces and in the order of the draw', async () => {
    const redis = await RedisHarness.open(redisRows.filter((row) => !('session' in row)));
    await fill(redis, filling, size, element);
    const count = 2 * fixed.repeatedElementsMax + 10;
    const drawn = redis.run(name, 's', -count) as string[];
    expect(drawn).toHaveLength(count);
    for (const visits of redis.visitsByPiece) expect(visits).toBeLessThanOrEqual(PIECE_VISITS_MAX);
    const seen = new Set(drawn);
    expect(seen.size).toBeGreaterThan(size * 0.95);
    for (const member of seen) expect(Number(member.slice(1))).toBeLessThan(size);
    // Of two that stand side by side half are in the order of their names: 65,536 with a deviation of 105 or so.
    const rises = drawn.filter((member, index) => index > 0 && member > (drawn[index - 1] ?? '')).length;
    expect(Math.abs(rises - count / 2)).toBeLessThan(1500);
  });

  test('chooses different ones, however many', async () => {
    const redis = await RedisHarness.open(redisRows.filter((row) => !('session' in row)));
    await fill(redis, filling, size, element);
    for (const count of [100, 5000, 12_000, size - 1]) {
      const drawn = redis.run(name, 's', count) as string[];
      expect(drawn).toHaveLength(count);
      expect(new Set(drawn).size).toBe(count);
    }
  });
});

test('elements that are long take no more memory than a round has', async () => {
  const redis = await RedisHarness.open(redisRows.filter((row) => !('session' in row)));
  const value = 'x'.repeat(20_000);
  await fill(redis, 'HSET', 1000, (index) => [`m${index}`, value]);
  const drawn = redis.run('HRANDFIELD', 's', -12_000, 'WITHVALUES') as string[];
  expect(drawn).toHaveLength(24_000);
  expect(new Set(drawn.filter((_, index) => index % 2 === 0)).size).toBeGreaterThan(990);
});

test('in a transaction a draw is refused where it would be too much', async () => {
  const redis = await filled(20_000);
  const [drawn, refused] = redis.runTogether(
    ['SRANDMEMBER', 's', -15_000],
    ['SRANDMEMBER', 's', -1_000_000_000],
  );
  expect(drawn).toHaveLength(15_000);
  expect([refused ?? 0].map((reply) => showReply(reply))[0]).toMatch(/looks at more than/);
});

async function filled(count = MEMBERS): Promise<RedisHarness> {
  const redis = await RedisHarness.open(redisRows.filter((row) => !('session' in row)));
  await fill(redis, 'SADD', count, (index) => [`m${index}`]);
  return redis;
}

async function fill(
  redis: RedisHarness,
  name: string,
  count: number,
  element: (index: number) => readonly (string | number)[],
): Promise<void> {
  const atOnce = name === 'HSET' ? 500 : AT_ONCE;
  for (let start = 0; start < count; start += atOnce) {
    const length = Math.min(atOnce, count - start);
    redis.run(name, 's', ...Array.from({ length }, (_, index) => element(start + index)).flat());
    await redis.durable();
  }
}

/** Commands of sorted sets, as far as a comparison with Redis by chance does not show it: events, long sets, limits, facts. */
import { describe, expect, it, test } from 'vitest';
import { hasRealRedis, RealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { otherTypes } from './other-types.ts';
import { sortedSetRows } from './sorted-set-rows.ts';

const rows = [...sortedSetRows, ...otherTypes];
const MEMBERS = 3000;

/** A set `long` of as many members as that, whose scores are their numbers. */
async function withLongSet(count = MEMBERS): Promise<RedisHarness> {
  const harness = await RedisHarness.open(rows);
  for (let from = 0; from < count; from += 1000) {
    const words: (string | number)[] = [];
    for (let index = from; index < Math.min(count, from + 1000); index++) words.push(index, nameOf(index));
    harness.run('ZADD', 'long', ...words);
  }
  harness.events();
  return harness;
}

function nameOf(index: number): string {
  return `m${String(index).padStart(6, '0')}`;
}

function namesOf(start: number, end: number): string[] {
  return Array.from({ length: end - start }, (_, index) => nameOf(start + index));
}

describe('events', () => {
  it('are those of Redis, in its order', async () => {
    const harness = await RedisHarness.open(rows);
    const eventsOf = (...words: readonly (string | number)[]): string[] => {
      harness.run(...words);
      return harness.events();
    };
    expect(eventsOf('ZADD', 'a', 1, 'x', 2, 'y', 3, 'z')).toEqual(['z zadd a']);
    expect(eventsOf('ZADD', 'a', 1, 'x')).toEqual([]);
    expect(eventsOf('ZADD', 'a', 'XX', 1, 'new')).toEqual([]);
    expect(eventsOf('ZADD', 'a', 'INCR', 1, 'x')).toEqual(['z zincr a']);
    expect(eventsOf('ZINCRBY', 'a', 1, 'x')).toEqual(['z zincr a']);
    expect(eventsOf('ZREM', 'a', 'none')).toEqual([]);
    expect(eventsOf('ZREM', 'a', 'x')).toEqual(['z zrem a']);
    expect(eventsOf('ZRANGESTORE', 'b', 'a', 0, -1)).toEqual(['z zrangestore b']);
    expect(eventsOf('ZUNIONSTORE', 'c', 1, 'a')).toEqual(['z zunionstore c']);
    expect(eventsOf('ZINTERSTORE', 'c', 1, 'a')).toEqual(['z zinterstore c']);
    expect(eventsOf('ZDIFFSTORE', 'c', 1, 'a')).toEqual(['z zdiffstore c']);
    expect(eventsOf('ZDIFFSTORE', 'c', 1, 'none')).toEqual(['g del c']);
    expect(eventsOf('ZDIFFSTORE', 'c', 1, 'none')).toEqual([]);
    expect(eventsOf('ZPOPMIN', 'a')).toEqual(['z zpopmin a']);
    expect(eventsOf('BZPOPMAX', 'none', 'a', 0)).toEqual(['z zpopmax a', 'g del a']);
    expect(eventsOf('ZPOPMIN', 'a')).toEqual([]);
    expect(eventsOf('ZREMRANGEBYRANK', 'b', 0, 0)).toEqual(['z zremrangebyrank b']);
    expect(eventsOf('ZREMRANGEBYSCORE', 'b', 0, 9)).toEqual(['z zremrangebyscore b', 'g del b']);
    expect(eventsOf('ZREMRANGEBYLEX', 'b', '-', '+')).toEqual([]);
  });
});

describe('a long set', () => {
  it('is told in pieces, whole and in order', async () => {
    const harness = await withLongSet();
    const all = namesOf(0, MEMBERS);
    expect(harness.run('ZRANGE', 'long', 0, -1)).toEqual(all);
    expect(harness.run('ZRANGE', 'long', 0, -1, 'REV')).toEqual(all.toReversed());
    expect(harness.run('ZRANGEBYSCORE', 'long', 10, '(2500')).toEqual(namesOf(10, 2500));
    expect(harness.run('ZREVRANGEBYLEX', 'long', '+', '-', 'LIMIT', 5, 2000)).toEqual(
      namesOf(MEMBERS - 2005, MEMBERS - 5).reverse(),
    );
    expect(harness.heldBytesMax).toBe(0);
    expect(harness.run('ZUNION', 2, 'long', 'long')).toEqual(all);
    // Each has a number, a place in a map, and a text.
    expect(harness.heldBytesMax).toBeGreaterThan(MEMBERS * 50);
    expect(harness.run('ZINTER', 2, 'long', 'long', 'WITHSCORES')).toEqual(
      all.flatMap((name, index) => [name, String(2 * index)]),
    );
    expect(harness.run('ZINTERCARD', 2, 'long', 'long')).toBe(MEMBERS);
    expect(harness.run('ZDIFF', 2, 'long', 'none')).toEqual(all);
  });

  it('is told in pieces within EXEC too', async () => {
    const harness = await withLongSet();
    const [range, union] = harness.runTogether(['ZRANGE', 'long', 0, -1], ['ZUNION', 1, 'long']);
    expect(range).toEqual(namesOf(0, MEMBERS));
    expect(union).toEqual(range);
  });

  it('is scanned once over by its cursors', async () => {
    const harness = await withLongSet();
    const found: string[] = [];
    let cursor = '0';
    do {
      const [next, elements] = harness.run('ZSCAN', 'long', cursor, 'COUNT', 70, 'MATCH', 'm000*') as [
        string,
        string[],
      ];
      for (let index = 0; index < elements.length; index += 2) found.push(elements[index] ?? '');
      cursor = next;
    } while (cursor !== '0');
    expect(found).toEqual(namesOf(0, 1000));
  });

  it('gives members by chance, each once unless the count is negative', async () => {
    const harness = await withLongSet();
    const all = new Set(namesOf(0, MEMBERS));
    for (const count of [1, 10, 2000, MEMBERS + 5]) {
      const found = harness.run('ZRANDMEMBER', 'long', count) as string[];
      expect(found.length).toBe(Math.min(count, MEMBERS));
      expect(new Set(found).size).toBe(found.length);
      expect(found.every((name) => all.has(name))).toBe(true);
    }
    const repeated = harness.run('ZRANDMEMBER', 'long', -5000) as string[];
    expect(repeated.length).toBe(5000);
    expect(repeated.every((name) => all.has(name))).toBe(true);
    const scored = harness.run('ZRANDMEMBER', 'long', 3, 'WITHSCORES') as string[];
    for (let index = 0; index < 6; index += 2) expect(nameOf(Number(scored[index + 1]))).toBe(scored[index]);
  });

  it('goes at once as a whole, whatever its size', async () => {
    const harness = await withLongSet();
    expect(harness.run('ZREMRANGEBYRANK', 'long', 0, -1)).toBe(MEMBERS);
    expect(harness.run('ZCARD', 'long')).toBe(0);
  });

  it('of more than a transaction may do is not stored elsewhere, and nothing changes', async () => {
    const harness = await withLongSet(60_000);
    harness.run('ZADD', 'kept', 1, 'one');
    for (const words of [
      ['ZUNIONSTORE', 'kept', 1, 'long'],
      ['ZRANGESTORE', 'kept', 'long', 0, -1],
    ]) {
      expect(harness.raw(...words)).toMatch(/^-ERR the (request|transaction) .* more than/);
    }
    expect(harness.run('ZREMRANGEBYRANK', 'long', 1, -1)).toMatchObject({ text: /more than/ });
    expect(harness.run('ZCARD', 'long')).toBe(60_000);
    expect(harness.run('ZRANGE', 'kept', 0, -1)).toEqual(['one']);
    expect(harness.events()).toEqual(['z zadd kept']);
  }, 60_000);
});

describe('what blocks', () => {
  it('waits for its keys, and ends by null', async () => {
    const harness = await RedisHarness.open(rows);
    expect(harness.raw('BZPOPMIN', 'a', 'b', '0.1')).toBe('*-1\r\n');
    expect(harness.raw('BZMPOP', '0', 2, 'a', 'b', 'MIN')).toBe('*-1\r\n');
    expect(harness.raw('BZPOPMIN', 'a', '-1')).toBe('-ERR timeout is negative\r\n');
    expect(harness.raw('BZPOPMIN', 'a', 'x')).toBe('-ERR timeout is not a float or out of range\r\n');
  });

  it('takes the first key that has members, and minds the types before it', async () => {
    const harness = await RedisHarness.open(rows);
    harness.run('ZADD', 'b', 1, 'x', 2, 'y');
    harness.run('SET', 'text', 'plain');
    expect(harness.run('BZPOPMIN', 'a', 'b', 'text', 0)).toEqual(['b', 'x', '1']);
    expect(harness.raw('BZPOPMIN', 'text', 'b', 0)).toMatch(/^-WRONGTYPE/);
    expect(harness.run('BZMPOP', 0, 2, 'a', 'b', 'MAX', 'COUNT', 5)).toEqual(['b', [['y', '2']]]);
  });
});

test('ZINCRBY takes an option of ZADD for one, as Redis does', async () => {
  const harness = await RedisHarness.open(rows);
  expect(harness.raw('ZINCRBY', 'a', 'nx', 'm')).toBe('-ERR syntax error\r\n');
  expect(harness.raw('ZINCRBY', 'a', 'n', 'm')).toBe('-ERR value is not a valid float\r\n');
});

test.skipIf(!hasRealRedis)('the facts of all commands are those of Redis', async () => {
  const redis = await RealRedis.start();
  try {
    for (const row of sortedSetRows) {
      const [info] = (await redis.run('COMMAND', 'INFO', row.name)) as [
        [string, number, unknown[], number, number, number, unknown[]],
      ];
      const [name, arity, flags, first, last, step, categories] = info;
      const words = (all: readonly unknown[]): string[] =>
        all.map((word) => (word as { text: string }).text).sort();
      const { keys = [] } = row;
      const told =
        'told' in keys
          ? keys.told
          : [keys[0]?.first, keys.length > 1 ? keys.at(-1)?.last : keys[0]?.last, keys[0]?.step];
      expect([name, row.arity, told]).toEqual([row.name, arity, [first, last, step]]);
      expect([name, row.flags.toSorted()]).toEqual([name, words(flags)]);
      expect([name, row.categories.map((category) => `@${category}`).sort()]).toEqual([
        name,
        words(categories),
      ]);
    }
  } finally {
    await redis.stop();
  }
});

/** SORT and SORT_RO against Redis itself, by random commands. */
import { describe, expect, it } from 'vitest';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import { listReadCommands } from '../../../../../src/server/redis/commands/families/list-reads.ts';
import { listCommands } from '../../../../../src/server/redis/commands/families/list.ts';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { sortCommands } from '../../../../../src/server/redis/commands/families/sort.ts';
import { sortedSetCommands } from '../../../../../src/server/redis/commands/families/sorted-set.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings.ts';
import { serverFixed } from '../../../../../src/limits.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { ErrorReply } from '../../support/decoded-reply.ts';
import { drawOfSorts } from '../drawn/sorts.ts';

const rows = [
  ...listCommands,
  ...listReadCommands,
  ...hashCommands,
  ...setCommands,
  ...sortedSetCommands,
  ...stringCommands,
  ...sortCommands,
];

describe.skipIf(!hasRealRedis)('SORT replies as Redis does', () => {
  it.each([
    [1, 2],
    [2, 3],
    [3, 2],
  ] as const)(
    'to random commands (seed %i, RESP%i)',
    async (seed, version) => {
      const { SORT_COMMANDS = '1500' } = process.env;
      await differential({ rows, draw: drawOfSorts, seed, count: Number(SORT_COMMANDS), version });
    },
    60_000,
  );
});

describe('SORT', () => {
  it('pays for its elements, so that a transaction does a few large ones only', async () => {
    const harness = await RedisHarness.open(rows);
    for (let start = 0; start < 40_000; start += 10_000)
      harness.run('RPUSH', 'l', ...Array.from({ length: 10_000 }, (_, index) => (index * 7919) % 10_007));
    const calls = Array.from({ length: 10 }, () => ['SORT', 'l', 'LIMIT', 0, 1]);
    const done = harness.runTogether(...calls).filter((reply) => Array.isArray(reply)).length;
    expect(done).toBeGreaterThan(2);
    expect(done).toBeLessThan(8);
  });

  it('refuses more elements than it may sort, by the name of the limit', async () => {
    const harness = await RedisHarness.open(rows);
    const count = serverFixed.sortedElementsMax + 1;
    for (let left = count; left > 0; left -= 5000)
      harness.run('RPUSH', 'l', ...Array.from({ length: Math.min(5000, left) }, (_, index) => index));
    const reply = harness.run('SORT', 'l');
    expect(reply).toBeInstanceOf(ErrorReply);
    expect((reply as ErrorReply).text).toMatch(/at most 50000 .*sortedElementsMax/);
    expect(harness.run('SORT', 'l', 'BY', 'nosort', 'LIMIT', count - 1, 5)).toEqual(['0']);
  });
});

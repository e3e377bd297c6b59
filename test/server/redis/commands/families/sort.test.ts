/** SORT and SORT_RO against Redis itself, by random commands. */
import { describe, expect, it } from 'vitest';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import { listReadCommands } from '../../../../../src/server/redis/commands/families/lists/reads.ts';
import { listCommands } from '../../../../../src/server/redis/commands/families/lists/list.ts';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { sortCommands } from '../../../../../src/server/redis/commands/families/keys/sort.ts';
import { sortedSetCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/sorted-set.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
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
  it('pays for what it compares, so that a transaction does one large one, or several smaller ones', async () => {
    const harness = await RedisHarness.open(rows);
    for (const [list, count] of [
      ['large', 4],
      ['small', 1],
    ] as const)
      for (let piece = 0; piece < count; piece++)
        harness.run('RPUSH', list, ...Array.from({ length: 10_000 }, (_, index) => (index * 7919) % 10_007));
    const countDone = (list: string): number =>
      harness
        .runTogether(...Array.from({ length: 10 }, () => ['SORT', list, 'LIMIT', 0, 1]))
        .filter((reply) => Array.isArray(reply)).length;
    expect(countDone('large')).toBe(1);
    expect(countDone('small')).toBeGreaterThan(4);
    expect(countDone('small')).toBeLessThan(10);
  });

  it('weighs and tells many elements in pieces, and sorts them in one of these', async () => {
    const harness = await RedisHarness.open(rows);
    const count = 20_000;
    const numbers = Array.from({ length: count }, (_, index) => (index * 7919) % count);
    for (let start = 0; start < count; start += 5000) {
      harness.run('RPUSH', 'l', ...numbers.slice(start, start + 5000));
      harness.run(
        'MSET',
        ...numbers.slice(start, start + 5000).flatMap((number) => [`w${number}`, count - number]),
      );
    }
    const reply = harness.run('SORT', 'l', 'BY', 'w*', 'GET', 'w*', 'GET', '#');
    expect(reply).toEqual(
      Array.from({ length: count }, (_, index) => [String(index + 1), String(count - 1 - index)]).flat(),
    );
    // Each is an array of bytes, with its weight.
    expect(harness.heldBytesMax).toBeGreaterThan(count * 100);
    const [gathered = 0, ...pieces] = harness.visitsByPiece;
    const { elementsPerSlice } = serverFixed;
    expect(gathered).toBeLessThan(count / 4);
    // So many are weighed in each, the last of which sorts; then two values are told for each element.
    expect(pieces.length).toBe((3 * count) / elementsPerSlice);
    expect(pieces.filter((visits) => visits > 2 * elementsPerSlice).length).toBe(1);
  });

  it('says what is wrong with a weight that it comes to in a later piece', async () => {
    const harness = await RedisHarness.open(rows);
    for (let piece = 0; piece < 3; piece++)
      harness.run('RPUSH', 'l', ...Array.from({ length: 1000 }, (_, index) => index));
    harness.run('RPUSH', 'l', 'x');
    expect(() => harness.run('SORT', 'l')).toThrow(/can't be converted into double/);
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

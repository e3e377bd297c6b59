/** Commands of Bloom filters, beside a set that knows what was added. */
import { describe, expect, it } from 'vitest';
import { bloomCommands } from '../../../../../src/server/redis/commands/families/sketches/bloom.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { SeededRandom } from '../../../../support/random.ts';
import { ErrorReply, SimpleReply } from '../../support/decoded-reply.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { otherCommands } from './drawn-words.ts';

const rows = [...bloomCommands, ...stringCommands, ...otherCommands];
const open = (): Promise<RedisHarness> => RedisHarness.open(rows);

function names(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `item ${from + index}`);
}

function countOf(redis: RedisHarness): unknown {
  const reply = redis.run('BF.INFO', 'f', 'ITEMS');
  return Array.isArray(reply) ? reply[0] : undefined;
}

function countOnes(reply: unknown): number {
  return Array.isArray(reply) ? reply.filter((element) => element === 1).length : NaN;
}

describe('a Bloom filter', () => {
  it.each([
    { capacity: 50, rate: 0.01, expansion: 1, seed: 1 },
    { capacity: 10, rate: 0.05, expansion: 2, seed: 2 },
    { capacity: 1000, rate: 0.001, expansion: 4, seed: 3 },
    { capacity: 100_000, rate: 0.01, expansion: 2, seed: 4 },
  ])('finds all that was added, and wrongly no more than its rate of others: %o', async (options) => {
    const { capacity, rate, expansion, seed } = options;
    const redis = await open();
    const random = new SeededRandom(seed);
    redis.run('BF.RESERVE', 'f', rate, capacity, 'EXPANSION', expansion);
    const added = new Set<string>();
    let newCount = 0;
    while (added.size < 1500) {
      const items = Array.from({ length: 1 + random.below(30) }, () => `${seed} ${random.below(5000)}`);
      const isKnown = items.map((item, index) => added.has(item) || items.indexOf(item) < index);
      const reply = redis.run('BF.MADD', 'f', ...items);
      if (!Array.isArray(reply)) throw new Error('an array was expected');
      for (const [index, told] of reply.entries()) {
        if (isKnown[index] === true) expect(told).toBe(0);
        if (told === 1) newCount++;
      }
      for (const item of items) added.add(item);
    }
    expect(countOnes(redis.run('BF.MEXISTS', 'f', ...added))).toBe(added.size);
    const found = countOnes(redis.run('BF.MEXISTS', 'f', ...names(0, 20_000)));
    // Far more than chance would add to the rate.
    expect(found).toBeLessThan(20_000 * rate + 5 * Math.sqrt(20_000 * rate));
    expect(redis.run('BF.INFO', 'f', 'ITEMS')).toEqual([newCount]);
    expect(redis.run('BF.CARD', 'f')).toBe(newCount);
    expect(redis.run('BF.CARD', 'none')).toBe(0);
  });

  it('is made by the first item, and told about as RedisBloom does', async () => {
    const redis = await open();
    expect(redis.run('BF.ADD', 'f', 'observation1')).toBe(1);
    expect(redis.run('BF.ADD', 'f', 'observation1')).toBe(0);
    expect(redis.run('BF.INFO', 'f')).toEqual([
      new SimpleReply('Capacity'),
      100,
      new SimpleReply('Size'),
      240,
      new SimpleReply('Number of filters'),
      1,
      new SimpleReply('Number of items inserted'),
      1,
      new SimpleReply('Expansion rate'),
      2,
    ]);
    expect(redis.run('BF.INFO', 'f', 'size')).toEqual([240]);
    expect(redis.run('BF.INFO', 'f', 'none')).toEqual(new ErrorReply('Invalid information value'));
    redis.use({ version: 3 });
    expect(redis.raw('BF.EXISTS', 'f', 'observation1')).toBe('#t\r\n');
    expect(redis.raw('BF.MADD', 'f', 'observation1', 'x')).toBe('*2\r\n#f\r\n#t\r\n');
    expect(redis.raw('BF.INFO', 'f')).toMatch(/^%5\r\n\+Capacity\r\n:100\r\n/);
  });

  it('grows by layers, from packed to spread, unless it must not', async () => {
    const redis = await open();
    redis.run('BF.INSERT', 'f', 'CAPACITY', 100, 'ERROR', 0.01, 'EXPANSION', 3, 'ITEMS', ...names(0, 1000));
    expect(redis.run('BF.INFO', 'f', 'FILTERS')).toEqual([3]);
    expect(redis.run('BF.INFO', 'f', 'CAPACITY')).toEqual([1300]);
    expect(countOnes(redis.run('BF.MEXISTS', 'f', ...names(0, 1000)))).toBe(1000);
    redis.run('BF.RESERVE', 'fixed', '0.01', 3, 'NONSCALING');
    expect(redis.run('BF.MADD', 'fixed', 'a', 'b', 'a', 'c', 'd', 'e')).toEqual([
      1,
      1,
      0,
      1,
      new ErrorReply('ERR non scaling filter is full'),
    ]);
    expect(redis.run('BF.INFO', 'fixed', 'EXPANSION')).toEqual([null]);
    expect(redis.run('BF.ADD', 'fixed', 'f')).toEqual(new ErrorReply('ERR non scaling filter is full'));
    expect(redis.run('BF.ADD', 'fixed', 'b')).toBe(0);
  });

  it('has 64 layers at most', async () => {
    const redis = await open();
    redis.run('BF.RESERVE', 'f', '0.5', 1, 'EXPANSION', 1);
    let count = 0;
    while (countOf(redis) !== 64) redis.run('BF.ADD', 'f', `item ${count++}`);
    expect(redis.run('BF.INFO', 'f', 'FILTERS')).toEqual([64]);
    expect(redis.raw('BF.MADD', 'f', 'item 0', ...names(count, 20))).toMatch(
      /^-ERR the filter has as many layers/,
    );
    expect(redis.run('BF.INFO', 'f', 'ITEMS')).toEqual([64]);
  });

  it('of any capacity takes only the pages that are written', async () => {
    const redis = await open();
    expect(redis.run('BF.RESERVE', 'f', '0.0001', '10000000000')).toEqual(new SimpleReply('OK'));
    expect(redis.run('BF.MADD', 'f', 'a', 'b', 'a')).toEqual([1, 1, 0]);
    expect(redis.run('BF.MEXISTS', 'f', 'a', 'b', 'c')).toEqual([1, 1, 0]);
    expect(redis.run('BF.RESERVE', 'g', '0.0001', '9223372036854775807')).toEqual(
      new ErrorReply('ERR could not create filter'),
    );
  });

  it('keeps its deadline, and its pages go with it', async () => {
    const redis = await open();
    redis.run('BF.RESERVE', 'f', '0.01', 10_000);
    redis.store.decide((view) => view.touch(Buffer.from('f'), 100));
    redis.run('BF.MADD', 'f', ...names(0, 50));
    redis.clock.advance(99);
    expect(redis.run('BF.EXISTS', 'f', 'item 7')).toBe(1);
    redis.clock.advance(1);
    expect(redis.run('BF.EXISTS', 'f', 'item 7')).toBe(0);
    expect(redis.run('BF.ADD', 'f', 'item 7')).toBe(1);
    expect(redis.run('BF.EXISTS', 'f', 'item 8')).toBe(0);
  });

  it('has the bytes that docs/format.md tells', async () => {
    const redis = await open();
    redis.run('BF.RESERVE', 'f', '0.5', 1);
    redis.run('BF.ADD', 'f', 'x');
    const { result } = redis.store.decide((view) => view.read(Buffer.from('f')));
    const layer = (capacity: string, items: string, rate: string): string =>
      `${capacity.padStart(16, '0')}${items.padStart(16, '0')}${rate}0000000000000008`;
    // Packed: a layer of a quarter, 8 bytes and 2 hashes, then its bits.
    expect(Buffer.from(result?.value ?? []).toString('hex')).toMatch(
      new RegExp(`^000000000002${layer('1', '1', '3fd0000000000000')}02[0-9a-f]{16}$`),
    );
    expect(result?.kind).toBe(6);
    redis.run('BF.ADD', 'f', 'y');
    const { result: spread } = redis.store.decide((view) => view.read(Buffer.from('f')));
    expect(Buffer.from(spread?.value ?? []).toString('hex')).toBe(
      `01020000000002${layer('1', '1', '3fd0000000000000')}02${layer('2', '1', '3fc0000000000000')}03`,
    );
    expect(spread?.collectionId).toBeGreaterThan(0);
  });

  it('undoes what a transaction takes back, and sees what it has written', async () => {
    const redis = await open();
    const replies = redis.runTogether(
      ['BF.MADD', 'f', ...names(0, 300)],
      ['BF.EXISTS', 'f', 'item 299'],
      ['BF.MADD', 'f', ...names(300, 300)],
      ['BF.INSERT', 'none', 'NOCREATE', 'ITEMS', 'x'],
      ['BF.EXISTS', 'f', 'item 599'],
    );
    expect(replies[1]).toBe(1);
    expect(replies[3]).toEqual(new ErrorReply('ERR not found'));
    expect(replies[4]).toBe(1);
    expect(countOnes(redis.run('BF.MEXISTS', 'f', ...names(0, 600)))).toBe(600);
  });
});

describe('what is wrong with a call is told in the words of RedisBloom', () => {
  it.each([
    ['BF.RESERVE f', "ERR wrong number of arguments for 'bf.reserve' command"],
    ['BF.RESERVE f 0.1 1 EXPANSION 2 NONSCALING x', "ERR wrong number of arguments for 'bf.reserve' command"],
    ['BF.RESERVE f x 100', 'ERR bad error rate'],
    ['BF.RESERVE f 1 100', 'ERR (0 < error rate range < 1) '],
    ['BF.RESERVE f 0.1 x', 'ERR bad capacity'],
    ['BF.RESERVE f 0.1 0', 'ERR (capacity should be larger than 0)'],
    ['BF.RESERVE f 0.1 1 EXPANSION', 'ERR no expansion'],
    ['BF.RESERVE f 0.1 1 EXPANSION x', 'ERR bad expansion'],
    ['BF.RESERVE f 0.1 1 EXPANSION 0', 'ERR expansion should be greater or equal to 1'],
    ['BF.RESERVE f 0.1 1 EXPANSION 2 NONSCALING', 'Nonscaling filters cannot expand'],
    ['BF.RESERVE there 0.1 1', 'ERR item exists'],
    ['BF.RESERVE string 0.1 1', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['BF.ADD string x', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['BF.INFO string', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['GET there', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['BF.INFO none', 'ERR not found'],
    ['BF.INSERT f ITEMS', "ERR wrong number of arguments for 'bf.insert' command"],
    ['BF.INSERT f ERROR 0.1 ITEMS', "ERR wrong number of arguments for 'bf.insert' command"],
    ['BF.INSERT f ERROR x ITEMS a', 'Bad error rate'],
    ['BF.INSERT f CAPACITY x ITEMS a', 'Bad capacity'],
    ['BF.INSERT f EXPANSION x ITEMS a', 'Bad expansion'],
    ['BF.INSERT f CAPACITY 0 ITEMS a', 'Bad argument received'],
    ['BF.INSERT f JUNK ITEMS a', 'Unknown argument received'],
    ['BF.INSERT f NOCREATE ITEMS a', 'ERR not found'],
  ])('%s', async (words, text) => {
    const redis = await open();
    redis.run('BF.ADD', 'there', 'x');
    redis.run('SET', 'string', 'x');
    expect(redis.run(...words.split(' '))).toEqual(new ErrorReply(text));
  });

  it('is nothing when what is asked is no filter', async () => {
    const redis = await open();
    redis.run('SET', 'string', 'x');
    expect(redis.run('BF.MEXISTS', 'string', 'a', 'b')).toEqual([0, 0]);
    expect(redis.run('BF.EXISTS', 'none', 'a')).toBe(0);
  });
});

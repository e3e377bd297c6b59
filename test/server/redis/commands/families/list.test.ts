/** The commands of lists against Redis itself, by random commands; and what only shows here: events and slices. */
import { describe, expect, it } from 'vitest';
import { listMoveCommands } from '../../../../../src/server/redis/commands/families/lists/moves.ts';
import { listReadCommands } from '../../../../../src/server/redis/commands/families/lists/reads.ts';
import { listCommands } from '../../../../../src/server/redis/commands/families/lists/list.ts';
import { sortCommands } from '../../../../../src/server/redis/commands/families/keys/sort.ts';
import { PlacedArguments } from '../../../../../src/server/redis/protocol/placed-arguments.ts';
import type { Command } from '../../../../../src/server/redis/commands/command.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import type { Word } from '../../support/words.ts';
import { drawOfLists } from '../drawn/lists.ts';

/** A key of another type, so that commands meet one. */
const setCommand: Command = {
  name: 'set',
  arity: 3,
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  group: 'string',
  summary: 'For tests.',
  since: '1.0.0',
  complexity: 'O(1)',
  syntax: 'key value',
  write: (view, { args, reply }) => {
    view.put(args.key(1), args.bytes(2));
    reply.ok();
  },
};

const rows = [...listCommands, ...listReadCommands, ...listMoveCommands, setCommand];
const { LIST_COMMANDS = '1500' } = process.env;

describe.skipIf(!hasRealRedis)('lists reply as Redis does', () => {
  it.each([
    [1, 2],
    [2, 3],
    [3, 2],
  ] as const)(
    'to random commands (seed %i, RESP%i)',
    async (seed, version) => {
      await differential({ rows, draw: drawOfLists, seed, count: Number(LIST_COMMANDS), version });
    },
    60_000,
  );
});

describe('blocking commands of lists', () => {
  it('pop at once where there is something', async () => {
    const harness = await RedisHarness.open(rows);
    harness.run('RPUSH', 'b', 'x', 'y', 'z');
    expect(harness.run('BLPOP', 'a', 'b', 0)).toEqual(['b', 'x']);
    expect(harness.run('BRPOP', 'a', 'b', 0)).toEqual(['b', 'z']);
    expect(harness.run('BRPOPLPUSH', 'b', 'a', 0)).toBe('y');
    expect(harness.run('BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', 0)).toBe('y');
    expect(harness.run('BLMPOP', 0, 2, 'a', 'b', 'LEFT', 'COUNT', 10)).toEqual(['b', ['y']]);
    expect(harness.run('LLEN', 'b')).toBe(0);
  });

  it('do not wait within EXEC', async () => {
    const harness = await RedisHarness.open(rows);
    expect(
      harness.runTogether(
        ['BLPOP', 'a', 0],
        ['BRPOPLPUSH', 'a', 'b', 0],
        ['BLMOVE', 'a', 'b', 'LEFT', 'LEFT', 0],
        ['BLMPOP', 0, 1, 'a', 'LEFT'],
        ['RPUSH', 'a', 'x'],
        ['BLPOP', 'a', 0],
      ),
    ).toEqual([null, null, null, null, 1, ['a', 'x']]);
  });
});

describe('the keys of LMPOP, BLMPOP and SORT', () => {
  it.each([
    ['LMPOP 2 a b LEFT', 'a b'],
    ['LMPOP x a b LEFT', ''],
    ['LMPOP 99 a b', 'a b'],
    ['BLMPOP 0 1 a LEFT', 'a'],
    ['SORT a BY w_* GET # GET v_*->f STORE b', 'a b'],
    ['SORT a LIMIT by *', 'a'],
    ['SORT a BY', 'a'],
  ])('of %s are "%s"', (line, told) => {
    const words = line.split(' ').map((word) => Buffer.from(word));
    const args = new PlacedArguments();
    args.takeWords(words);
    const command = [...rows, ...sortCommands].find(({ name }) => name === args.text(0).toLowerCase());
    const found: string[] = [];
    const keys = command?.keys;
    if (keys !== undefined && 'told' in keys) keys.find(args, (index) => found.push(args.text(index)));
    expect(found.join(' ')).toBe(told);
  });
});

describe('long lists', () => {
  it('are read in pieces, alone and within EXEC, forward and backward', async () => {
    const harness = await RedisHarness.open(rows);
    const texts = Array.from({ length: 4500 }, (_, index) => `element ${index}`);
    harness.run('RPUSH', 'l', ...texts);
    expect(harness.run('LRANGE', 'l', 0, -1)).toEqual(texts);
    expect(harness.run('LRANGE', 'l', 700, -300)).toEqual(texts.slice(700, -299));
    expect(harness.runTogether(['LRANGE', 'l', 1, 4000])).toEqual([texts.slice(1, 4001)]);
    expect(harness.run('LPOS', 'l', 'element 4000')).toBe(4000);
    expect(harness.run('LPOS', 'l', 'element 30', 'RANK', -1, 'COUNT', 0)).toEqual([30]);
    expect(harness.run('LPOS', 'l', 'element 30', 'RANK', -1, 'MAXLEN', 4469)).toBeNull();
    expect(harness.run('LPOS', 'l', 'none')).toBeNull();
  });
});

describe('events of lists', () => {
  it('are those of Redis, in its order, with `del` when the last element goes', async () => {
    const harness = await RedisHarness.open(rows);
    const eventsOf = (...words: Word[]): string[] => {
      harness.run(...words);
      return harness.events();
    };
    expect(eventsOf('RPUSH', 'a', 'x', 'y', 'x')).toEqual(['l rpush a']);
    expect(eventsOf('LPUSHX', 'none', 'x')).toEqual([]);
    expect(eventsOf('LSET', 'a', 0, 'z')).toEqual(['l lset a']);
    expect(eventsOf('LINSERT', 'a', 'BEFORE', 'z', 'w')).toEqual(['l linsert a']);
    expect(eventsOf('LINSERT', 'a', 'BEFORE', 'none', 'w')).toEqual([]);
    expect(eventsOf('LREM', 'a', 0, 'none')).toEqual([]);
    expect(eventsOf('LREM', 'a', 0, 'x')).toEqual(['l lrem a']);
    expect(eventsOf('LPOP', 'a', 0)).toEqual([]);
    expect(eventsOf('LMOVE', 'a', 'b', 'LEFT', 'RIGHT')).toEqual(['l rpush b', 'l lpop a']);
    expect(eventsOf('LMPOP', 2, 'none', 'a', 'RIGHT', 'COUNT', 9)).toEqual(['l rpop a', 'g del a']);
    expect(eventsOf('RPOPLPUSH', 'b', 'a')).toEqual(['l lpush a', 'l rpop b', 'g del b']);
    expect(eventsOf('RPOPLPUSH', 'a', 'a')).toEqual(['l lpush a', 'l rpop a']);
    expect(eventsOf('LTRIM', 'a', 0, 0)).toEqual(['l ltrim a']);
    expect(eventsOf('LTRIM', 'a', 5, 9)).toEqual(['l ltrim a', 'g del a']);
  });
});

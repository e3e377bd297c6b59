/** The words of Redis' data types in the shell: those that change something, and what the shell says of words that it has not. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { commands } from '../../../src/cli/shell/table.ts';
import { SHELL_FACTS, shellFacts } from '../../../tools/shell-facts.ts';
import { type RunScript, jsonReplies, replies, shells } from './shells.ts';

test("what the shell knows of the commands of Redis is what the server's table says", async () => {
  expect(readFileSync(SHELL_FACTS, 'utf8')).toBe(await shellFacts());
});

describe.each(shells)('with %s', (_, open) => {
  let run: RunScript;
  beforeEach(async () => {
    run = await open();
  });

  test('hashes are changed', async () => {
    expect(
      await replies(
        run,
        'HSET user:1 name Alice age 42',
        'hset user:1 age 43',
        'HSETNX user:1 age 44',
        'HINCRBY user:1 age -3',
        'HINCRBYFLOAT user:1 rate 0.5',
        'HDEL user:1 rate none',
        'HDEL user:1 none',
      ),
    ).toEqual(['2', '0', '0', '40', '0.5', '1', '0']);
  });

  test('lists are changed', async () => {
    expect(
      await replies(
        run,
        'RPUSH q a b c',
        'LPUSH q y x',
        'LPUSHX none a',
        'LSET q 0 X',
        'LINSERT q AFTER a new',
        'LREM q 0 b',
        'LTRIM q 0 3',
        'LMOVE q r LEFT RIGHT',
        'RPOPLPUSH q r',
        'LPOP q',
        'RPOP q 5',
        'LPOP q',
      ),
    ).toEqual(['3', '5', '0', 'OK', '6', '1', 'OK', 'X', 'new', 'y', 'a', 'element not found']);
  });

  test('sets are changed and put together', async () => {
    expect(
      await replies(
        run,
        'SADD a x y y',
        "SADD b y 'two words'",
        'SINTER a b',
        'SDIFF b a',
        'SUNIONSTORE c a b',
        'SREM a x',
        'SPOP a',
        'SPOP a',
      ),
    ).toEqual(['2', '2', 'y', "'two words'", '3', '1', 'y', 'member not found']);
  });

  test('sorted sets are changed', async () => {
    expect(
      await replies(
        run,
        'ZADD z 310 alice 120 bob',
        'ZADD z GT CH 100 bob 311 alice',
        'ZADD z INCR 1 bob',
        'ZINCRBY z 0.5 bob',
        'ZADD z NX -inf last',
        'ZPOPMIN z',
        'ZREMRANGEBYSCORE z (121.5 +inf',
        'ZREM z bob none',
      ),
    ).toEqual(['2', '1', '121', '121.5', '1', 'last -inf', '1', '1']);
  });

  test('sketches are changed', async () => {
    expect(
      await replies(
        run,
        'PFADD v a b',
        'PFADD v a',
        'PFMERGE w v',
        'BF.RESERVE f 0.01 100',
        'BF.MADD f a b a',
      ),
    ).toEqual(['1', '0', 'OK', 'OK', '1', '1', '0']);
  });

  test('JSON has the figures by their names', async () => {
    expect(
      await jsonReplies(run, 'HSET h a 1', 'RPUSH l a b', 'LPOP l', 'LPOP l 3', 'ZADD z INCR inf m'),
    ).toEqual([{ count: 1 }, { count: 2 }, { value: 'a' }, { elements: ['b'] }, { score: 'Infinity' }]);
  });

  test.each([
    ['HSET h a', 'expected HSET key field value \\[field value ...\\]'],
    ['HSET h a 1 b', 'expected pairs of a field and its value'],
    ['ZADD z one m', 'expected a number, such as 3, -0.5 or inf, not one'],
    ['LMOVE a b UP LEFT', 'expected LEFT or RIGHT, not UP'],
    [
      'GETEX a',
      'the shell has no GETEX; redis-cli runs it, against a server with --redis-listen. HELP GETEX tells',
    ],
    ['HSTE h a 1', 'unknown command HSTE \\(did you mean HSET\\?\\)'],
  ])('%s is refused: %s', async (line, text) => {
    expect((await run([line])).stderr).toMatch(new RegExp(`^kelp: line 1: ${text}`));
  });

  test('a key of another type is refused, and a word of these in a transaction', async () => {
    expect((await run(['SET a 1', 'HSET a f v', 'BEGIN', 'HSET h f v'])).stderr).toMatch(
      /^kelp: line 2: .*\nkelp: line 4: HSET can't be used in a transaction/,
    );
  });
});

test('HELP tells what the table says, also of what the shell has not', async () => {
  const [, open] = shells[1] ?? [];
  const run = (await open?.()) as RunScript;
  expect(await replies(run, 'HELP hset', 'HELP GETEX')).toEqual([
    'HSET key field value [field value ...]',
    '',
    'Writes fields of a hash.',
    expect.stringMatching(/^GETEX key /),
    '',
    expect.stringMatching(/\.$/),
    'redis-cli runs it, against a server with --redis-listen; the shell has none.',
  ]);
});

test('each word of these has the number of words that the table says', () => {
  const [hset, hget] = ['HSET', 'HGET'].map((name) => commands.find(({ names }) => names[0] === name));
  expect([hset?.wordsMin, hget?.wordsMin, hget?.wordsMax]).toEqual([3, 2, 2]);
});

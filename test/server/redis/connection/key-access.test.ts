/** What a user with rights to some keys may run: each key of a call is asked for, wherever it stands. */
import { describe, expect, test } from 'vitest';
import { rightsOf, type Rights } from '../../../../src/access/rights/rights.ts';
import { CommandTable } from '../../../../src/server/redis/commands/table.ts';
import { checkCall } from '../../../../src/server/redis/connection/key-access.ts';
import { PlacedArguments } from '../../../../src/server/redis/protocol/placed-arguments.ts';
import { redisRows } from '../../../../src/server/redis/redis-rows.ts';

const table = new CommandTable(redisRows);

const grant = (prefix: string, rights: { readonly mayRead?: boolean; readonly mayWrite?: boolean }) => ({
  start: Buffer.from(prefix),
  end: Buffer.from(`${prefix}\xff`, 'latin1'),
  mayRead: false,
  mayWrite: false,
  isAdmin: false,
  ...rights,
});

/** Reads and writes keys with `both:`, reads those with `read:`, writes those with `write:`. */
const some = rightsOf([
  grant('both:', { mayRead: true, mayWrite: true }),
  grant('read:', { mayRead: true }),
  grant('write:', { mayWrite: true }),
]);

function refusal(rights: Rights, call: string, database = 0): string | undefined {
  const words = call.split(' ').map((word) => Buffer.from(word));
  const args = new PlacedArguments();
  args.takeWords(words);
  args.database = database;
  const row = table.find(args);
  if (row instanceof Error) throw row;
  try {
    checkCall(rights, row, args);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const NO_KEY = expect.stringMatching(/^NOPERM .*key/) as string;
const NO_COMMAND = expect.stringMatching(/^NOPERM .*command/) as string;

describe('a user with rights to some keys', () => {
  test.each([
    'GET read:a',
    'GET both:a',
    'SET write:a v',
    'SET both:a v',
    'MGET read:a both:b read:c',
    'MSET write:a 1 both:b 2',
    'SMOVE both:a both:b m',
    'ZUNIONSTORE write:d 2 read:a both:b',
    'ZUNION 2 read:a both:b',
    'SORT read:a STORE write:b',
    'SORT read:a BY nosort GET #',
    'BLPOP both:a both:b 0',
    'LMPOP 2 both:a both:b LEFT',
    'COPY read:a write:b',
    'BITOP AND write:d read:a read:b',
    'PFCOUNT both:a',
  ])('may: %s', (call) => {
    expect(refusal(some, call)).toBe(undefined);
  });

  test.each([
    'GET other',
    'GET write:a',
    'SET read:a v',
    'SET write:a v GET',
    'SET other v',
    'MGET read:a other',
    'MSET both:a 1 read:b 2',
    'SMOVE read:a write:b m',
    'ZUNIONSTORE write:d 2 read:a other',
    'ZUNIONSTORE read:d 2 read:a both:b',
    'ZUNION 2 read:a other',
    'SORT read:a STORE read:b',
    'SORT read:a BY read:*',
    'SORT read:a GET read:* GET #',
    'BLPOP both:a other 0',
    'LMPOP 2 both:a other LEFT',
    'COPY write:a write:b',
    'COPY both:a both:b DB 1',
    'MOVE both:a 1',
    'RENAME both:a other',
    'BITOP AND write:d read:a other',
  ])('may not: %s', (call) => {
    expect(refusal(some, call)).toEqual(NO_KEY);
  });

  test.each(['KEYS *', 'SCAN 0', 'DBSIZE', 'RANDOMKEY', 'FLUSHALL', 'FLUSHDB'])('may not: %s', (call) => {
    expect(refusal(some, call)).toEqual(NO_COMMAND);
  });

  test('has no key of another database', () => {
    expect(refusal(some, 'GET both:a', 1)).toEqual(NO_KEY);
  });
});

test('no command with keys that stand at fixed places is left out', () => {
  const nothing = rightsOf([]);
  const refused = table.rows.filter(({ keys }) => keys !== undefined && !('told' in keys));
  expect(refused.length).toBeGreaterThan(100);
  for (const { name, arity } of refused) {
    const words = [...name.split('|'), ...Array.from({ length: Math.abs(arity) }, () => 'k')];
    const call = words.slice(0, Math.max(2, Math.abs(arity))).join(' ');
    expect([call, refusal(nothing, call)]).toEqual([call, NO_KEY]);
  }
});

test('what a denial is about is cut, however long the word is', () => {
  const args = new PlacedArguments();
  args.takeWords([Buffer.from('GET'), Buffer.alloc(4000, 'x')]);
  for (const database of [0, 1]) {
    args.database = database;
    const row = table.find(args);
    if (row instanceof Error) throw row;
    expect(() => checkCall(some, row, args)).toThrow(
      expect.objectContaining({ object: `${'x'.repeat(256)}...` }),
    );
  }
});

/** What library functions do is paid for by the script's budget, and how deep they go is bounded. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LuaLimitError } from '../../../src/lua/budget.ts';
import type { LuaTable, LuaValue } from '../../../src/lua/value.ts';
import { Libraries } from './support/library-calls.ts';

const libraries = new Libraries();
beforeEach(() => libraries.machine.budget.begin());

/** With few steps or bytes. */
function runWithin(limits: { steps?: number; bytes?: number }, name: string, ...args: LuaValue[]): unknown {
  const { machine } = libraries;
  machine.budget.begin({ steps: limits.steps ?? 1e9, bytes: limits.bytes ?? 1e9 });
  return machine.call(libraries.get(name), ...args);
}

function expectLimit(limit: 'steps' | 'bytes', run: () => unknown): void {
  expect(run).toThrowError(LuaLimitError);
  expect(run).toThrowError(expect.objectContaining({ limit }));
}

describe('steps', () => {
  it.each<[string, LuaValue[]]>([
    ['find', []],
    ['match', []],
    ['gsub', ['']],
  ])('end a pattern that tries again and again, in %s', (name, more) => {
    const args = ['a'.repeat(40), 'a*a*a*a*a*a*b', ...more];
    expectLimit('steps', () => runWithin({ steps: 100_000 }, `string.${name}`, ...args));
  });

  it('end it in a loop over matches', () => {
    const iterate = libraries.call('string.gmatch', 'a'.repeat(200), 'a-a-a-a-a-a-b')[0];
    libraries.machine.budget.begin({ steps: 100_000, bytes: 1e6 });
    expectLimit('steps', () => libraries.machine.call(iterate));
  });

  it('are spent by balanced text', () => {
    expectLimit('steps', () => runWithin({ steps: 10_000 }, 'string.find', '('.repeat(50_000), '%b()'));
  });

  it.each<[string, string, string]>([
    ['text that was captured, compared again', 'a'.repeat(20_000), '^(.*)%1x'],
    ['a long set', 'a'.repeat(1000), `[${'b'.repeat(100_000)}]`],
    ['a long set again and again', 'a'.repeat(1000), `[${'b'.repeat(100_000)}a]*`],
    ['a long set at a frontier', 'a'.repeat(1000), `%f[${'b'.repeat(100_000)}]`],
  ])('are spent by %s', (_, subject, pattern) => {
    for (const name of ['string.find', 'string.match'])
      expectLimit('steps', () => runWithin({ steps: 200_000 }, name, subject, pattern));
    expectLimit('steps', () => runWithin({ steps: 200_000 }, 'string.gsub', subject, pattern, ''));
  });

  it('are spent by the pieces of what is substituted, though they give no text', () => {
    const by = '%1'.repeat(1000);
    expectLimit('steps', () => runWithin({ steps: 100_000 }, 'string.gsub', 'a'.repeat(1000), '(b?)', by));
  });

  it('are spent by a search for plain text', () => {
    expectLimit('steps', () => runWithin({ steps: 10 }, 'string.find', 'a'.repeat(100_000), 'b', 1, true));
  });

  it('end the insertion at a position far below', () => {
    expectLimit('steps', () =>
      runWithin({ steps: 10_000 }, 'table.insert', libraries.list(1), -(2 ** 31), 1),
    );
  });

  it('end a sort', () => {
    const items = Array.from({ length: 5000 }, (_, index) => (index * 7919) % 5000);
    expectLimit('steps', () => runWithin({ steps: 5000 }, 'table.sort', libraries.list(...items)));
  });
});

describe('bytes', () => {
  it('bound what is repeated, before it is made', () => {
    expectLimit('bytes', () => runWithin({ bytes: 1000 }, 'string.rep', 'ab', 2 ** 31 - 1));
  });

  it('bound what is joined, while it grows', () => {
    const part = 'x'.repeat(100_000);
    const parts = libraries.list(...Array.from({ length: 1000 }, () => part));
    expectLimit('bytes', () => runWithin({ bytes: 1_000_000 }, 'table.concat', parts));
  });

  it('bound what is substituted', () => {
    const by = 'x'.repeat(10_000);
    expectLimit('bytes', () => runWithin({ bytes: 1_000_000 }, 'string.gsub', 'a'.repeat(10_000), 'a', by));
  });

  it('bound one substitution, while it grows', () => {
    const subject = 'x'.repeat(100_000);
    expectLimit('bytes', () =>
      runWithin({ bytes: 1_000_000 }, 'string.gsub', subject, '.*', '%0'.repeat(10_000)),
    );
  });

  it('bound the pieces of what is substituted', () => {
    const by = '%1'.repeat(100_000);
    expectLimit('bytes', () => runWithin({ bytes: 500_000 }, 'string.gsub', 'b', 'a', by));
  });

  it('bound functions that give matches', () => {
    expectLimit('bytes', () => {
      runWithin({ bytes: 1000 }, 'string.gmatch', '', '');
      for (let count = 0; count < 10; count++) libraries.machine.call(libraries.get('string.gmatch'), '', '');
    });
  });

  it.each(['cjson.encode', 'cmsgpack.pack'])(
    'bound %s of a table that holds another twice, and so on',
    (name) => {
      let table: LuaTable = libraries.list('x');
      for (let depth = 1; depth < 16; depth++) table = libraries.list(table, table, table, table);
      expectLimit('bytes', () => runWithin({ bytes: 1_000_000 }, name, table));
    },
  );

  it('bound what is decoded', () => {
    libraries.machine.budget.begin();
    expectLimit('bytes', () => runWithin({ bytes: 10_000 }, 'cjson.decode', `[${'[],'.repeat(10_000)}[]]`));
    expectLimit('bytes', () => runWithin({ bytes: 10_000 }, 'cmsgpack.unpack', '\x90'.repeat(5000)));
  });
});

describe('depth', () => {
  it('of a pattern has an end', () => {
    const pattern = 'a?'.repeat(100_000);
    expect(libraries.shown({ name: 'string.find', args: ['a'.repeat(100_000), pattern] })).toBe(
      'error pattern too complex',
    );
  });

  it('of JSON has an end, whatever was set', () => {
    libraries.call('cjson.decode_max_depth', 1_000_000);
    libraries.call('cjson.encode_max_depth', 1_000_000);
    const text = '['.repeat(100_000);
    expect(libraries.shown({ name: 'cjson.decode', args: [text] })).toBe(
      'error Found too many nested data structures (1001) at character 1001',
    );
    const own = libraries.list();
    own.set(1, own);
    expect(libraries.shown({ name: 'cjson.encode', args: [own] })).toBe(
      'error Cannot serialise, excessive nesting (1001)',
    );
  });

  it('of MessagePack has an end: deeper tables are packed as nil and not unpacked', () => {
    const own = libraries.list();
    own.set(1, own);
    expect(libraries.call('cmsgpack.pack', own)).toEqual([`${'\x91'.repeat(16)}\xc0`]);
    expect(libraries.shown({ name: 'cmsgpack.unpack', args: ['\x91'.repeat(100_000)] })).toBe(
      'error stack overflow (in function mp_decode_to_lua_array)',
    );
    expect(libraries.shown({ name: 'cmsgpack.unpack', args: ['\x81\x01'.repeat(100_000)] })).toMatch(
      /^error stack overflow \(too many return values at once/,
    );
  });
});

describe('the number of values', () => {
  it('that a function gives is bounded', () => {
    const many = 'a'.repeat(8000);
    expect(libraries.shown({ name: 'string.byte', args: [many, 1, -1] })).toBe(
      'error stack overflow (string slice too long)',
    );
    expect(libraries.shown({ name: 'cmsgpack.unpack', args: ['\x01'.repeat(8000)] })).toMatch(
      /^error stack overflow/,
    );
    expect(libraries.shown({ name: 'struct.unpack', args: ['b'.repeat(8000), many] })).toBe(
      'error stack overflow (too many results)',
    );
  });
});

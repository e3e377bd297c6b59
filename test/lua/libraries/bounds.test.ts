/** What library functions do is paid for by the script's budget, and how deep they go is bounded. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LuaLimitError } from '../../../src/lua/budget.ts';
import { LuaError, type LuaTable, type LuaValue } from '../../../src/lua/value.ts';
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

  const long = 100_000;
  it.each<[string, string, LuaValue[]]>([
    ['numerals', 'math.abs', [' '.repeat(long) + '1']],
    ['numerals with digits', 'bit.bor', [1, '0'.repeat(long)]],
    ['patterns', 'string.find', ['a', 'b'.repeat(long)]],
    ['patterns of matches', 'string.gmatch', ['a', 'b'.repeat(long)]],
    ['patterns of what is substituted', 'string.gsub', ['a', 'b'.repeat(long), '']],
    ['texts by which it is substituted', 'string.gsub', ['a', 'b', 'c'.repeat(long)]],
    ['texts that are turned around', 'string.reverse', ['a'.repeat(long)]],
    ['texts in lower case', 'string.lower', ['a'.repeat(long)]],
    ['texts in upper case', 'string.upper', ['a'.repeat(long)]],
    ['formats', 'string.format', ['a'.repeat(long)]],
    ['texts that are cut', 'string.format', ['%.1s', 'a'.repeat(long)]],
    ['texts that are quoted', 'string.format', ['%q', 'a'.repeat(long)]],
    ['JSON texts', 'cjson.encode', ['a'.repeat(long)]],
    ['JSON of spaces', 'cjson.decode', [' '.repeat(long) + '1']],
    ['strings in JSON', 'cjson.decode', [JSON.stringify('a'.repeat(long))]],
    ['C strings', 'struct.unpack', ['s', `${'a'.repeat(long)}\0`]],
    ['formats of structures', 'struct.size', [`${' '.repeat(long)}b`]],
  ])('are spent by long %s', (_, name, args) => {
    expectLimit('steps', () => runWithin({ steps: 1000 }, name, ...args));
    runWithin({ steps: 300_000 }, name, ...args);
  });

  it.each<[string, string, LuaValue[]]>([
    ['a numeral', 'math.abs', [' '.repeat(long)]],
    ['JSON', 'cjson.decode', [' '.repeat(long)]],
    ['a string of JSON', 'cjson.decode', [`"${'a'.repeat(long)}`]],
    ['escapes of JSON', 'cjson.decode', [`"${String.raw`\n`.repeat(long)}`]],
    ['a C string', 'struct.unpack', ['s', 'a'.repeat(long)]],
    ['a set', 'string.find', ['a', `[${'a'.repeat(long)}`]],
    ['the flags of an item', 'string.format', [`%${'-'.repeat(long)}`, 1]],
  ])('are spent by %s that is wrong', (_, name, args) => {
    expectLimit('steps', () => runWithin({ steps: 1000 }, name, ...args));
    expect(() => runWithin({ steps: 300_000 }, name, ...args)).toThrowError(LuaError);
  });

  it('are spent by the digits of a size', () => {
    expectLimit('steps', () => runWithin({ steps: 10_000 }, 'struct.size', `c${'0'.repeat(20_000)}1`));
  });

  it('are spent by the items of a format', () => {
    const items = Array.from({ length: 100 }, () => 1);
    expectLimit('steps', () => runWithin({ steps: 500 }, 'string.format', '%d'.repeat(100), ...items));
    expectLimit('steps', () => runWithin({ steps: 500 }, 'string.format', '%%'.repeat(1000)));
  });

  it('are spent by plain text that begins in many places', () => {
    const [subject, text] = ['a'.repeat(50_000), `${'a'.repeat(25_000)}b`];
    expectLimit('steps', () => runWithin({ steps: 100_000 }, 'string.find', subject, text, 1, true));
    expect(runWithin({}, 'string.find', `${subject}b`, text, 1, true)).toEqual([25_001, 50_001]);
    expect(runWithin({}, 'string.find', subject, `b${text}`, 1, true)).toBeUndefined();
  });

  it('are spent by the items of a table before one that is wrong', () => {
    const items = libraries.list(...Array.from({ length: 5000 }, () => 'a'), true);
    expectLimit('steps', () => runWithin({ steps: 1000 }, 'table.concat', items));
    const fields = libraries.list(true, ...Array.from({ length: 5000 }, () => 'a'));
    fields.set('a', 1);
    fields.set(1, libraries.get('cjson.encode'));
    expectLimit('steps', () => runWithin({ steps: 1000 }, 'cjson.encode', fields));
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

  it('bound one text of a format, while it grows', () => {
    const part = 'x'.repeat(100_000);
    expectLimit('bytes', () =>
      runWithin(
        { bytes: 1_000_000 },
        'string.format',
        '%s'.repeat(20),
        ...Array.from({ length: 20 }, () => part),
      ),
    );
  });

  const ones = Array.from({ length: 1000 }, () => 1);
  it.each<[string, () => LuaValue[]]>([
    ['cjson.encode', () => [libraries.list(...ones)]],
    ['cmsgpack.pack', () => [libraries.list(...ones)]],
    ['struct.pack', () => ['x'.repeat(1000)]],
    ['string.format', () => ['%%'.repeat(1000)]],
    ['string.gsub', () => ['1'.repeat(1000), '1', '2']],
  ])('count the pieces of what is put together, in %s', (name, args) => {
    const given = args();
    expectLimit('bytes', () => runWithin({ bytes: 30_000 }, name, ...given));
    runWithin({ bytes: 200_000 }, name, ...given);
  });

  it('do not count what is substituted nowhere twice', () => {
    runWithin({ bytes: 100_001 }, 'string.gsub', 'a'.repeat(100_000), 'b', 'c');
  });

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

/** Replies of commands as values of Lua, and back. */
import { describe, expect, test } from 'vitest';
import { LuaBudget, LuaLimitError } from '../../../../src/lua/budget.ts';
import { LuaTable, type LuaValue } from '../../../../src/lua/value.ts';
import type { Reply } from '../../../../src/server/redis/commands/command.ts';
import { ReplyWriter } from '../../../../src/server/redis/protocol/reply-writer.ts';
import { LuaReply } from '../../../../src/server/redis/scripting/lua-reply.ts';
import { replyResult } from '../../../../src/server/redis/scripting/script-result.ts';

const budget = new LuaBudget();

function valueOf(write: (reply: Reply) => void, version: 2 | 3 = 2): unknown {
  const reply = new LuaReply(budget);
  reply.version = version;
  write(reply);
  return shown(reply.value);
}

/** Tables as arrays, where they have elements alone, and as objects. */
function shown(value: LuaValue): unknown {
  if (!(value instanceof LuaTable)) return value;
  const items: unknown[] = [];
  const fields: Record<string, unknown> = {};
  for (let next = value.next(undefined); next !== undefined; next = value.next(next[0])) {
    if (typeof next[0] === 'number') items[next[0] - 1] = shown(next[1]);
    else if (typeof next[0] === 'string') fields[next[0]] = shown(next[1]);
  }
  return Object.keys(fields).length > 0 ? fields : items;
}

function tableOf(fields: Readonly<Record<string, LuaValue>>): LuaTable {
  const table = new LuaTable(budget);
  for (const [name, value] of Object.entries(fields)) table.set(name, value);
  return table;
}

function bytesOf(value: LuaValue, version: 2 | 3 = 2, asked: 2 | 3 = 2): string {
  const reply = new ReplyWriter();
  reply.version = version;
  replyResult({ reply, budget, version: asked }, value);
  return reply.take().toString('latin1');
}

describe('a reply becomes a value', () => {
  test('of plain ones', () => {
    expect(valueOf((reply) => reply.integer(7))).toBe(7);
    expect(valueOf((reply) => reply.integer(9007199254740993n))).toBe(9007199254740992);
    expect(valueOf((reply) => reply.bulk(Uint8Array.of(97, 0, 255)))).toBe('a\0\xff');
    expect(valueOf((reply) => reply.bulk(new Uint8Array(1000).fill(200)))).toBe('\xc8'.repeat(1000));
    expect(valueOf((reply) => reply.text('ä'))).toBe('\xc3\xa4');
    expect(valueOf((reply) => reply.ok())).toEqual({ ok: 'OK' });
    expect(valueOf((reply) => reply.error('ERR bad'))).toEqual({
      err: 'ERR bad',
      ignore_error_stats_update: true,
    });
    expect(valueOf((reply) => reply.error('BAD'))).toEqual({
      err: 'ERR BAD',
      ignore_error_stats_update: true,
    });
  });

  test('of null, which is nil in RESP3 alone', () => {
    expect(valueOf((reply) => reply.nil())).toBe(false);
    expect(valueOf((reply) => reply.nilArray())).toBe(false);
    expect(valueOf((reply) => reply.nil(), 3)).toBeUndefined();
  });

  test('of arrays within each other, their length known or not', () => {
    const nested = (reply: Reply): void => {
      reply.array(3);
      reply.integer(1);
      reply.array(2);
      reply.array(0);
      reply.text('a');
      const begun = reply.beginArray();
      reply.integer(2);
      reply.array(1);
      reply.integer(3);
      reply.endArray(begun, 2);
    };
    expect(valueOf(nested)).toEqual([1, [[], 'a'], [2, [3]]]);
  });

  test('of maps and sets, which are tables of fields in RESP3 alone', () => {
    const map = (reply: Reply): void => {
      reply.map(2);
      reply.text('a');
      reply.set(1);
      reply.text('x');
      reply.text('b');
      reply.map(0);
    };
    expect(valueOf(map)).toEqual(['a', ['x'], 'b', []]);
    expect(valueOf(map, 3)).toEqual({ map: { a: { set: { x: true } }, b: { map: [] } } });
  });

  test('of numbers, booleans and texts of RESP3', () => {
    expect(valueOf((reply) => reply.double(1.5))).toBe('1.5');
    expect(valueOf((reply) => reply.double(1.5), 3)).toEqual({ double: 1.5 });
    expect(valueOf((reply) => reply.boolean(true))).toBe(1);
    expect(valueOf((reply) => reply.boolean(true), 3)).toBe(true);
    expect(valueOf((reply) => reply.bigNumber(12n), 3)).toEqual({ big_number: '12' });
    expect(valueOf((reply) => reply.verbatim('txt', 'words'), 3)).toEqual({
      verbatim_string: { format: 'txt', string: 'words' },
    });
    expect(valueOf((reply) => reply.verbatim('txt', 'words'))).toBe('words');
  });

  test('that fails leaves nothing of the one before it', () => {
    const reply = new LuaReply(budget);
    reply.array(2);
    reply.integer(1);
    reply.rollBack(0);
    reply.error('ERR bad');
    expect([reply.isError, shown(reply.value)]).toEqual([true, expect.objectContaining({ err: 'ERR bad' })]);
  });
});

describe('what a script returns becomes a reply', () => {
  test('a number is cut to an integer, as C casts it', () => {
    expect(
      [3.99, -3.99, -0, 2 ** 53, 2 ** 62, 1e300, Number.NaN, -Infinity].map((value) => bytesOf(value)),
    ).toEqual([
      ':3\r\n',
      ':-3\r\n',
      ':0\r\n',
      ':9007199254740992\r\n',
      ':4611686018427387904\r\n',
      ':-9223372036854775808\r\n',
      ':-9223372036854775808\r\n',
      ':-9223372036854775808\r\n',
    ]);
  });

  test('an array ends before its first nil', () => {
    const table = new LuaTable(budget, [1, undefined, 3]);
    expect(bytesOf(table)).toBe('*1\r\n:1\r\n');
  });

  test('a field says what a table is', () => {
    expect(bytesOf(tableOf({ ok: 'two\r\nlines' }))).toBe('+two  lines\r\n');
    expect(bytesOf(tableOf({ err: 'BAD thing' }))).toBe('-BAD thing\r\n');
    expect(bytesOf(tableOf({ double: 1.5 }), 3)).toBe(',1.5\r\n');
    expect(bytesOf(tableOf({ map: tableOf({ a: 1 }) }), 3)).toBe('%1\r\n$1\r\na\r\n:1\r\n');
    expect(bytesOf(tableOf({ set: tableOf({ a: true }) }), 3)).toBe('~1\r\n$1\r\na\r\n');
    expect(bytesOf(tableOf({ big_number: '123' }), 3)).toBe('(123\r\n');
    const verbatim = tableOf({ verbatim_string: tableOf({ format: 'txt', string: 'a' }) });
    expect(bytesOf(verbatim, 3)).toBe('=5\r\ntxt:a\r\n');
  });

  test('a boolean is one only where the script has asked for RESP3', () => {
    expect([bytesOf(true, 3), bytesOf(false, 3)]).toEqual([':1\r\n', '_\r\n']);
    expect([bytesOf(true, 3, 3), bytesOf(false, 3, 3)]).toEqual(['#t\r\n', '#f\r\n']);
  });

  test('a table that contains itself ends in an error', () => {
    const table = new LuaTable(budget);
    table.set(1, table);
    expect(bytesOf(table)).toMatch(/^(?:\*1\r\n){1000}-ERR reached lua stack limit\r\n$/);
  });

  test('each text is paid for by its length, in whichever field and however often it stands', () => {
    const text = '1'.repeat(100_000);
    const verbatim = tableOf({ format: 'txt', string: text });
    for (const value of [text, ...['ok', 'err', 'big_number'].map((name) => tableOf({ [name]: text }))]) {
      const table = new LuaTable(budget, [value, value, value]);
      const before = budget.bytesLeft;
      bytesOf(table, 3);
      expect(before - budget.bytesLeft).toBe(300_000);
    }
    const table = tableOf({ verbatim_string: verbatim });
    const before = budget.bytesLeft;
    bytesOf(new LuaTable(budget, [table, table]), 3);
    expect(before - budget.bytesLeft).toBeGreaterThanOrEqual(200_000);
    budget.begin();
  });

  test('a verbatim text goes out byte for byte', () => {
    const verbatim = tableOf({ verbatim_string: tableOf({ format: 'txt', string: 'a\xff\0\xc3' }) });
    expect(bytesOf(verbatim, 3)).toBe('=8\r\ntxt:a\xff\0\xc3\r\n');
    expect(bytesOf(verbatim)).toBe('$4\r\na\xff\0\xc3\r\n');
  });

  test('what would be long without end is given up', () => {
    let table = new LuaTable(budget, [1]);
    for (let depth = 0; depth < 60; depth++) table = new LuaTable(budget, [table, table]);
    expect(() => bytesOf(table)).toThrow(LuaLimitError);
    budget.begin();
  });
});

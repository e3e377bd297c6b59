/** The settings of `cjson`, and what they change. */
import { beforeEach, describe, expect, it } from 'vitest';
import { JSON_NULL } from '../../../src/lua/libraries/json/settings.ts';
import type { LuaValue } from '../../../src/lua/value.ts';
import { Libraries } from './support/library-calls.ts';

let libraries: Libraries;
beforeEach(() => {
  libraries = new Libraries();
});

function call(name: string, ...args: LuaValue[]): readonly LuaValue[] {
  return libraries.call(`cjson.${name}`, ...args);
}

function error(name: string, ...args: LuaValue[]): string {
  return libraries.shown({ name: `cjson.${name}`, args }).replace(/^error /, '');
}

describe('sparse arrays', () => {
  it('are an error, objects where that was set, or arrays without a ratio', () => {
    const sparse = libraries.machine.newTable();
    sparse.set(20, 1);
    expect(error('encode', sparse)).toBe('Cannot serialise table: excessively sparse array');
    expect(call('encode_sparse_array', true)).toEqual([true, 2, 10]);
    expect(call('encode', sparse)).toEqual(['{"20":1}']);
    expect(call('encode_sparse_array', false, 0)).toEqual([false, 0, 10]);
    expect(call('encode', sparse)).toEqual([`[${'null,'.repeat(19)}1]`]);
  });
});

describe('numbers', () => {
  it('have the precision that was set', () => {
    expect(call('encode', 1 / 3)).toEqual(['0.33333333333333']);
    expect(call('encode_number_precision', 3)).toEqual([3]);
    expect(call('encode', 1 / 3)).toEqual(['0.333']);
    expect(error('encode_number_precision', 15)).toBe(
      "bad argument #1 to 'encode_number_precision' (expected integer between 1 and 14)",
    );
  });

  it('that are infinite or none are refused, written, or null', () => {
    expect(error('encode', Infinity)).toBe('Cannot serialise number: must not be NaN or Inf');
    expect(call('encode_invalid_numbers', true)).toEqual([true]);
    expect(call('encode', libraries.list(Infinity, -Infinity, Number.NaN))).toEqual(['[inf,-inf,nan]']);
    expect(call('encode_invalid_numbers', 'null')).toEqual(['null']);
    expect(call('encode', libraries.list(Infinity, Number.NaN))).toEqual(['[null,null]']);
    expect(call('encode_invalid_numbers', 'off')).toEqual([false]);
  });

  it('that JSON has not are decoded unless that was turned off', () => {
    expect(call('decode', '0x10')).toEqual([16]);
    expect(call('decode_invalid_numbers', 'off')).toEqual([false]);
    for (const text of ['0x10', '01', '-inf'])
      expect(error('decode', text)).toBe('Expected value but found invalid number at character 1');
    for (const text of ['nan', '+1'])
      expect(error('decode', text)).toBe('Expected value but found invalid token at character 1');
    expect(call('decode', '0.5')).toEqual([0.5]);
  });
});

describe('depth', () => {
  it('is what was set', () => {
    expect(call('encode_max_depth', 1)).toEqual([1]);
    expect(error('encode', libraries.list(libraries.list()))).toBe('Cannot serialise, excessive nesting (2)');
    expect(call('decode_max_depth', 1)).toEqual([1]);
    expect(error('decode', '[[1]]')).toBe('Found too many nested data structures (2) at character 2');
  });
});

describe('null', () => {
  it('is one value, there and back', () => {
    expect(libraries.get('cjson.null')).toBe(JSON_NULL);
    expect(call('decode', 'null')).toEqual([JSON_NULL]);
    expect(call('encode', JSON_NULL)).toEqual(['null']);
  });
});

describe('a new instance', () => {
  it('has settings of its own', () => {
    const [own] = call('new');
    call('encode_number_precision', 3);
    expect(call('encode', 1 / 3)).toEqual(['0.333']);
    const { machine } = libraries;
    const encode = machine.operations.index(own, 'encode', undefined);
    expect(machine.call(encode, 1 / 3)).toBe('0.33333333333333');
  });
});

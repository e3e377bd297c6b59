import { describe, expect, test } from 'vitest';
import { type Check, listOf, named, oneOf, required, text, wholeNumber } from '../../src/arguments/check.ts';
import type { Compare, Condition } from '../../src/api.ts';
import { type Table, byKind, exactlyOne, noOptions, optionsOf, shape } from '../../src/arguments/shape.ts';

interface Options {
  readonly name: string;
  readonly count?: number;
}

const count = wholeNumber(0, 10);
const table: Table<Options> = { name: required(text), count };

test('a table that does not agree with its type is no program', () => {
  // Each line is an error for the compiler, or the compiler says that it expected one.
  // @ts-expect-error A member has no check.
  const lacking: Table<Options> = { name: required(text) };
  // @ts-expect-error A member is not in the type.
  const surplus: Table<Options> = { ...table, colour: text };
  // @ts-expect-error A check is of another kind.
  const other: Table<Options> = { name: required(text), count: text };
  // @ts-expect-error A member that must be given may be left out.
  const optional: Table<Options> = { name: text, count };
  // @ts-expect-error A member that may be left out must be given.
  const mandatory: Table<Options> = { name: required(text), count: required(count) };
  // @ts-expect-error A kind has no table.
  const kinds = byKind<Condition>({ mustExist: {}, modRevisionEquals: { modRevision: required(count) } });
  // @ts-expect-error An alternative has no check.
  const alternatives = exactlyOne<Compare['subject']>({ key: text });
  // @ts-expect-error There is a name that the type does not have.
  const names: Check<'a' | 'b'> = oneOf(['a', 'b', 'c']);
  expect([lacking, surplus, other, optional, mandatory, kinds, alternatives, names]).toHaveLength(8);
});

describe('what is said', () => {
  const check = shape(table);
  const ofCall = optionsOf('call', table);

  test.each<[unknown, string | undefined]>([
    [{ name: 'a' }, undefined],
    [{ name: 'a', count: undefined }, undefined],
    [Object.create({ name: 'a', count: 5 }), undefined],
    [Object.create({ name: 'a', size: 5 }), 'it has no member "size"; there are name, count'],
    [{}, 'it.name is missing; it must be text'],
    [{ name: null }, 'it.name is null; it must be text'],
    [{ name: 'a', count: 11 }, 'it.count is the number 11; it must be a whole number from 0 to 10'],
    [{ name: 'a', count: 5n }, 'it.count is the bigint 5; it must be a whole number from 0 to 10'],
    [{ name: 'a', counts: 5 }, 'it has no member "counts" (did you mean "count"?); there are name, count'],
    [undefined, 'it is missing; it must be an object with some of name, count'],
    [new Map([['name', 'a']]), 'it is an object of type Map; it must be an object with some of name, count'],
    [
      Promise.resolve({ name: 'a' }),
      'it is a Promise (is an await missing?); it must be an object with some of name, count',
    ],
    [new Date(0), 'it is an object of type Date; it must be an object with some of name, count'],
    [[], 'it is an array; it must be an object with some of name, count'],
    [Buffer.from('a'), 'it is an object of type Uint8Array; it must be an object with some of name, count'],
    ['{}', 'it is the text "{}"; it must be an object with some of name, count'],
  ])('of value %#', (value, complaint) => {
    expect(named('it', check(value))).toBe(complaint);
  });

  test('of options names the call, and the options themselves', () => {
    expect(ofCall({ name: 5 })).toBe('name is the number 5; it must be text');
    expect(ofCall({ nam: 'a' })).toBe(
      'call has no option "nam" (did you mean "name"?); there are name, count',
    );
    expect(ofCall(null)).toBe('options is null; it must be an object with some of name, count');
    expect(ofCall(noOptions)).toBeUndefined();
  });

  test('of a promise reminds of waiting for it', () => {
    expect(text(Promise.resolve('a'))).toMatch(/is an await missing\?/);
  });

  test('of a list names the place, also of a hole', () => {
    const list = listOf(text, 'names');
    expect(list(['a', 'b'])).toBeUndefined();
    expect(named('names', list(['a', 5]))).toBe('names[1] is the number 5; it must be text');
    expect(named('names', list(Array(2)))).toBe('names[0] is missing; it must be text');
    expect(named('names', list('ab'))).toBe('names is the text "ab"; it must be an array of names');
  });
});

test('what a program has put on the prototype of all objects is not taken for an option', () => {
  const prototype = Object.prototype as { patched?: number };
  prototype.patched = 5;
  try {
    expect(shape(table)({ name: 'a' })).toBeUndefined();
  } finally {
    delete prototype.patched;
  }
});

import { expect, test } from 'vitest';
import { bigNumber, namesOf, timeToLive, wholeNumber } from '../../src/cli/argument.ts';

test.each([
  ['0', 0],
  ['42', 42],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('%s is a whole number', (text, value) => {
  expect(wholeNumber(text)).toBe(value);
});

test.each(['', '-1', '1.5', '1e3', '0x10', ' 1', '9007199254740992', 'abc'])(
  '"%s" is no whole number',
  (text) => {
    expect(() => wholeNumber(text)).toThrow('whole number');
  },
);

test('what is added has a sign and more than 53 bits', () => {
  expect(bigNumber('-5')).toBe(-5n);
  expect(bigNumber('+5')).toBe(5n);
  expect(bigNumber('9223372036854775807')).toBe(2n ** 63n - 1n);
  expect(() => bigNumber('five')).toThrow('whole number');
  expect(() => bigNumber('9223372036854775808')).toThrow('64 bits');
  expect(() => bigNumber('1'.repeat(20))).toThrow('whole number');
});

test('a time to live has a unit and is not 0', () => {
  expect(timeToLive('1ms')).toBe(1);
  expect(timeToLive('36500d')).toBe(3_153_600_000_000);
  expect(() => timeToLive('0s')).toThrow('Expected');
  expect(() => timeToLive('36501d')).toThrow('Expected');
  expect(() => timeToLive('30')).toThrow('unit');
});

test('names stand with commas between them', () => {
  const parse = namesOf(['put', 'delete']);
  expect(parse('delete, put')).toEqual(['delete', 'put']);
  expect(() => parse('put,move')).toThrow('put,delete');
});

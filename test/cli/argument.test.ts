import { expect, test } from 'vitest';
import {
  bigNumber,
  duration,
  leaseTimeToLive,
  namesOf,
  wholeNumber,
  wholeNumberOrZero,
} from '../../src/cli/command-line/argument.ts';

test.each([
  ['1', 1],
  ['42', 42],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('%s is a whole number', (text, value) => {
  expect(wholeNumber(text)).toBe(value);
});

test('0 is a whole number only where it has a meaning', () => {
  expect(wholeNumberOrZero('0')).toBe(0);
  expect(wholeNumberOrZero('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => wholeNumber('0')).toThrow('from 1 to 9007199254740991');
  expect(() => wholeNumberOrZero('-1')).toThrow('from 0 to 9007199254740991');
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

test('a time has a unit and is not 0', () => {
  expect(duration('1ms')).toBe(1);
  expect(duration('1h30m')).toBe(5_400_000);
  expect(duration('36500d')).toBe(3_153_600_000_000);
  expect(() => duration('0s')).toThrow('from 1ms to 36500d');
  expect(() => duration('36501d')).toThrow('from 1ms to 36500d');
  expect(() => duration('30')).toThrow('unit');
  expect(() => leaseTimeToLive('999ms')).toThrow('from 1s to 36500d');
});

test('names stand with commas between them', () => {
  const parse = namesOf(['put', 'delete']);
  expect(parse('delete, put')).toEqual(['delete', 'put']);
  expect(() => parse('put,move')).toThrow('put,delete');
});

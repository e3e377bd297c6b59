import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roundedNumberIn } from '../../src/wire/json-numbers.ts';

const find = (json: string): string | undefined => roundedNumberIn(Buffer.from(json));

describe('a number that JSON.parse would round is found:', () => {
  test.each([
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '9223372036854775807',
    '9007199254740993.0',
    '9007199254740993e0',
    '90071992547409930e-1',
    '9007199254740990.7',
    '0.9007199254740993E+16',
    '1e16',
    '1e300',
    '1e400',
    '1e99999999999999999999999',
    '1.00000000000000000001',
    '0.99999999999999999999',
    '1e-400',
  ])('%s', (number) => {
    for (const json of [number, `[0,${number}]`, `{"a":"\\"\\\\","b": {"c":${number} }}`]) {
      expect(find(json)).toMatch(/would be rounded; .* as text, in quotes/);
    }
  });
});

describe('what is exact, and what is no number, is left alone:', () => {
  test.each([
    '0',
    '-0',
    '0.0',
    '0e999999',
    '9007199254740991',
    '-9007199254740991',
    '9007199254740991.000',
    '90071992547409910e-1',
    '1.5e1',
    '1e15',
    '1.5',
    '"9007199254740993"',
    '"a\\"9007199254740993"',
    '{"9007199254740993":1}',
    'true',
    '"',
    '1-2-3',
    '--',
  ])('%s', (json) => {
    expect(find(json)).toBeUndefined();
  });
});

test('a number is found exactly when JavaScript takes it for another whole one, or knows it not exactly', () => {
  const digits = fc.string({ unit: fc.constantFrom('0', '1', '4', '7', '9'), minLength: 1, maxLength: 20 });
  const exponent = fc.option(fc.integer({ min: -25, max: 25 }), { nil: undefined });
  fc.assert(
    fc.property(fc.boolean(), digits, fc.option(digits), exponent, (isNegative, whole, fraction, power) => {
      const mantissa = BigInt(whole).toString() + (fraction === null ? '' : `.${fraction}`);
      const number = `${isNegative ? '-' : ''}${mantissa}${power === undefined ? '' : `e${power}`}`;
      // Exactly: the digits over a power of ten.
      const shift = (power ?? 0) - (fraction?.length ?? 0);
      const scaled = BigInt(whole + (fraction ?? '')) * 10n ** BigInt(Math.max(0, shift));
      const divisor = 10n ** BigInt(Math.max(0, -shift));
      const isWhole = scaled % divisor === 0n;
      const parsed = Number(number);
      const isRounded = isWhole ? scaled / divisor > 2n ** 53n - 1n : Number.isInteger(parsed);
      expect(find(`{"n": ${number}}`) !== undefined).toBe(isRounded);
    }),
    { numRuns: 2000 },
  );
});

test('a message shows the beginning of a long number only, in time that grows with its length', () => {
  const complaint = find('1'.repeat(2_000_000)) ?? '';
  expect(complaint.length).toBeLessThan(200);
  expect(find(`1${'0'.repeat(2_000_000)}1`)).toBeDefined();
  expect(find('0.'.repeat(500_000))).toBeUndefined();
});

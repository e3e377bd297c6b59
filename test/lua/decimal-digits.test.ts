/** Digits of doubles as C prints them. */
import { describe, expect, it } from 'vitest';
import { fixedDigits, significantDigits, toGeneral } from '../../src/lua/decimal-digits.ts';

describe('a general number', () => {
  it.each([
    [0, 14, '0'],
    [-0, 14, '-0'],
    [100, 14, '100'],
    [0.1, 14, '0.1'],
    [0.1, 17, '0.10000000000000001'],
    [1 / 3, 3, '0.333'],
    [1e14, 14, '1e+14'],
    [99999999999999, 14, '99999999999999'],
    [0.0001, 14, '0.0001'],
    [0.00001, 14, '1e-05'],
    [1.5e300, 14, '1.5e+300'],
    [999999, 3, '1e+06'],
  ])('%f with %i digits is %s', (value, precision, text) => {
    expect(toGeneral(value, precision)).toBe(text);
  });

  it('rounds what lies half-way to the even digit', () => {
    expect(toGeneral(10000000000000.5, 14)).toBe('10000000000000');
    expect(toGeneral(10000000000001.5, 14)).toBe('10000000000002');
    expect(toGeneral(2.5, 1)).toBe('2');
    expect(toGeneral(3.5, 1)).toBe('4');
    // No half: the double lies above 0.15.
    expect(toGeneral(0.15, 1)).toBe('0.1');
    expect(toGeneral(0.35, 1)).toBe('0.3');
    expect(toGeneral(0.45, 1)).toBe('0.5');
  });
});

describe('significant digits', () => {
  it('are exact beyond those of a double', () => {
    expect(significantDigits(0.1, 30)).toEqual({ digits: '100000000000000005551115123126', exponent: -1 });
    expect(significantDigits(5e-324, 6)).toEqual({ digits: '494066', exponent: -324 });
    expect(significantDigits(9.999999999999999e22, 17)).toEqual({
      digits: '99999999999999992',
      exponent: 22,
    });
  });
});

describe('fixed digits', () => {
  it.each([
    [0.5, 0, '0'],
    [1.5, 0, '2'],
    [2.5, 0, '2'],
    [0.125, 2, '012'],
    [0.375, 2, '038'],
    [1e22, 0, '10000000000000000000000'],
    [0.001, 2, '000'],
  ])('of %f, %i behind the point: %s', (value, fraction, digits) => {
    expect(fixedDigits(value, fraction)).toBe(digits);
  });
});

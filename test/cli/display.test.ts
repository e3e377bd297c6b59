import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalKey } from '../../src/arguments/key.ts';
import {
  displayDuration,
  displayKey,
  displaySize,
  displayValue,
  isPrintable,
} from '../../src/cli/terminal/display.ts';
import { textOf } from '../../src/api-json.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a key', () => {
  test.each([
    ['config/theme', 'config/theme'],
    ['größe 日本', 'größe 日本'],
    ['"a"', '"\\"a\\""'],
    ['0xff', '"0xff"'],
    [Uint8Array.of(0x61, 0xff), '0x61ff'],
    ['a\nb', '"a\\nb"'],
    ['\u001b[31mred', '"\\u001b[31mred"'],
    ['a\u202eb', '"a\\u202eb"'],
    ['a\u{e0001}b', '"a\\udb40\\udc01b"'],
  ])('%j is shown as %s', (key, shown) => {
    expect(displayKey(key)).toBe(shown);
  });

  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('0x61', '0x'),
    fc.uint8Array({ maxLength: 3 }).map(canonicalKey),
  );

  test('is never shown as another one is', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(displayKey(a) === displayKey(b)).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
    );
  });
});

describe('a value', () => {
  test.each([
    ['text', bytes('dark'), '"dark"'],
    ['no bytes', bytes(''), '""'],
    ['text with escapes', bytes('a\t"\u0007'), '"a\\t\\"\\u0007"'],
    ['other bytes', new Uint8Array([0, 255]), '0x00ff (2 bytes)'],
    ['long text', bytes('x'.repeat(101)), `"${'x'.repeat(100)}"... (101 bytes)`],
    ['very long text', bytes('é'.repeat(10_000)), `"${'é'.repeat(100)}"... (20000 bytes)`],
    [
      'long text, cut in a character',
      bytes(`a${'日'.repeat(1000)}`),
      `"a${'日'.repeat(99)}"... (3001 bytes)`,
    ],
    ['long bytes', new Uint8Array(60).fill(255), `0x${'ff'.repeat(50)}... (60 bytes)`],
  ])('of %s', (_, value, shown) => {
    expect(displayValue(value)).toBe(shown);
  });

  test('is one line without control characters, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }).map(bytes)), (value) => {
        expect(displayValue(value)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  test('is text when it is UTF-8, a mark of byte order included', () => {
    expect(textOf(bytes('\ufeffa'))).toBe('\ufeffa');
    expect(textOf(new Uint8Array([0xc3]))).toBeUndefined();
  });

  test('may go to a terminal with line ends and tabs only', () => {
    expect(isPrintable('a\tb\n')).toBe(true);
    expect(isPrintable('a\rb')).toBe(false);
    expect(isPrintable('\u001b[2J')).toBe(false);
    expect(isPrintable('abc\u202edcba')).toBe(false);
  });

  test('may go to a terminal with what joins or parts its letters, and emoji', () => {
    expect(isPrintable('\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645')).toBe(true);
    expect(isPrintable('👩\u200d👩\u200d👧')).toBe(true);
  });
});

test.each([
  [0, '0.0s'],
  [-5, '0.0s'],
  [400, '0.4s'],
  [9_999, '10.0s'],
  [29_400, '29s'],
  [60_000, '1m'],
  [90_000, '1m 30s'],
  [3_600_000, '1h'],
  [3_605_000, '1h'],
  [100_800_000, '1d 4h'],
])('%d ms are %s', (ms, shown) => {
  expect(displayDuration(ms)).toBe(shown);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [64 * 1024 ** 2, '64.0 MiB'],
  [5 * 1024 ** 4, '5.0 TiB'],
  [5000 * 1024 ** 4, '5000.0 TiB'],
])('%d bytes are %s', (bytes, shown) => {
  expect(displaySize(bytes)).toBe(shown);
});

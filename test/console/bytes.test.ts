/** What the console makes of bytes: differences, JSON with line breaks, digits, times. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffLines } from '../../src/console/bytes/diff.ts';
import { bytesOf, idOf, keyWithId, labelOf, prefixEnd } from '../../src/console/bytes/key-name.ts';
import {
  asJson,
  brief,
  formatSpan,
  fromHex,
  hexDump,
  parseSpanMs,
  toHex,
} from '../../src/console/bytes/text.ts';

test('a difference leads from one text to the other, and keeps as much as can be kept', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    .map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after);
      const without = (kind: string): string =>
        lines
          .filter((line) => line.kind !== kind)
          .map((line) => line.text)
          .join('\n');
      expect(without('added')).toBe(before);
      expect(without('removed')).toBe(after);
      if (before === after) expect(lines.every(({ kind }) => kind === 'same')).toBe(true);
    }),
  );
  expect(diffLines('a\nb\nc', 'a\nc\nd').map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'same a',
    'removed b',
    'same c',
    'added d',
  ]);
});

test('texts of very many lines are told as removed and added', () => {
  const [one, other] = ['a', 'b'].map((letter) =>
    Array.from({ length: 5000 }, (_, index) => letter + index).join('\n'),
  );
  const lines = diffLines(`${one}`, `${other}`);
  expect(lines.filter(({ kind }) => kind === 'removed').length).toBe(5000);
  expect(lines.length).toBe(10_000);
});

test('JSON is formatted as JSON.stringify does, with its tokens as they are', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text);
      expect(asJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    }),
  );
  expect(asJson('{"n":1.50,"big":12345678901234567890}')).toBe(
    '{\n  "n": 1.50,\n  "big": 12345678901234567890\n}',
  );
  expect(asJson('{"a":}')).toBeUndefined();
});

test('keys go through an address and come back, and are shown without what turns a line around', () => {
  const keys = ['a', 'x/ü', '\u0000', new Uint8Array([0xff, 0])];
  for (const key of keys) expect(keyWithId(idOf(key))).toEqual(key);
  expect(keyWithId('')).toBeUndefined();
  expect(keyWithId('xfff')).toBeUndefined();
  expect(labelOf('a\u202eb\n')).toBe(String.raw`a\u{202e}b\u{a}`);
  expect(labelOf(new Uint8Array([0xff]))).toBe('0xff');
});

test('a prefix ends before the first key that does not begin with it', () => {
  expect(prefixEnd(bytesOf('a/'))).toEqual(bytesOf('a0'));
  expect(prefixEnd(new Uint8Array([1, 0xff, 0xff]))).toEqual(new Uint8Array([2]));
  expect(prefixEnd(new Uint8Array([0xff]))).toEqual(new Uint8Array());
  expect(prefixEnd(new Uint8Array())).toEqual(new Uint8Array());
});

test('bytes become digits and back, and times are read and written', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
    }),
  );
  expect(fromHex('0g')).toBeUndefined();
  expect(fromHex('abc')).toBeUndefined();
  expect(hexDump(bytesOf('0123456789abcdefX'))).toBe(
    '00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n' +
      '00000010  58                                               X',
  );
  expect([
    parseSpanMs('1h30m'),
    parseSpanMs('90s'),
    parseSpanMs('7d'),
    parseSpanMs('5'),
    parseSpanMs(''),
  ]).toEqual([5_400_000, 90_000, 604_800_000, undefined, undefined]);
  expect([formatSpan(0), formatSpan(61_000), formatSpan(90_000_000), formatSpan(3_600_000)]).toEqual([
    '0 s',
    '1 min 1 s',
    '1 d 1 h',
    '1 h',
  ]);
});

test('long values have a short form, also where it is cut within a character', () => {
  expect(brief(bytesOf('a'))).toBe('a');
  expect(brief(bytesOf(`a${'ü'.repeat(1000)}`), 10)).toBe(`a${'ü'.repeat(9)}…`);
  expect(brief(new Uint8Array([0xff, 0]))).toBe('0xff00');
});

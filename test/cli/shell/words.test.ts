/** Lines as words, and keys as words that can be typed again. */
import { array, assert, constantFrom, oneof, property, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalKey } from '../../../src/arguments/key.ts';
import { quoteWord } from '../../../src/shell-words/quote.ts';
import { splitOpenLine, splitWords } from '../../../src/shell-words/split-words.ts';

const texts = (line: string): (string | undefined)[] => splitWords(line).map(({ text }) => text);

describe('words', () => {
  test.each([
    ['SET a b', ['SET', 'a', 'b']],
    ['  SET\ta   b \r', ['SET', 'a', 'b']],
    ["SET a 'two words'", ['SET', 'a', 'two words']],
    [`SET a "it's"`, ['SET', 'a', "it's"]],
    [`SET a 'say "hi"'`, ['SET', 'a', 'say "hi"']],
    [String.raw`SET a "\"\\\$\n"`, ['SET', 'a', String.raw`"\$\n`]],
    [String.raw`SET a two\ words`, ['SET', 'a', 'two words']],
    [String.raw`'a\'`, ['a\\']],
    ['a\\', ['a\\']],
    [`SET a ''`, ['SET', 'a', '']],
    [`a"b"'c'd`, ['abcd']],
    [`$HOME $ "$x"`, ['$HOME', '$', '$x']],
    [String.raw`$'\n\t\x41\101\u00e4\U0001f600\''`, ["\n\tAA\u00e4\u{1f600}'"]],
    [String.raw`$'\xc3\xa4'`, ['\u00e4']],
    [`{"a":1}`, ['{a:1}']],
    [`'{"a":1}'`, ['{"a":1}']],
    ['# SET a b', []],
    ['a #b', ['a', '#b']],
    ['a\u{1f600}\\\u{1f600}', ['a\u{1f600}\u{1f600}']],
    ['', []],
  ])('%j is %j', (line, words) => {
    expect(texts(line)).toEqual(words);
  });

  test('bytes that are not UTF-8 are written by escapes', () => {
    const [word] = splitWords(String.raw`a$'\xff\0'b`);
    expect(word?.text).toBeUndefined();
    expect([...(word?.bytes ?? [])]).toEqual([0x61, 0xff, 0, 0x62]);
  });

  test.each([
    ["SET a 'b", "the quote ' is not closed"],
    ['SET a "b', 'the quote " is not closed'],
    ['SET a "b\\', 'the quote " is not closed'],
    ["SET a $'b", "the quote $' is not closed"],
    ["SET a $'b\\", "the quote $' is not closed"],
    [String.raw`$'\q'`, String.raw`\q is no escape`],
    [String.raw`$'\400'`, String.raw`\400 is no byte`],
    [String.raw`$'\ud800'`, String.raw`\ud800 is no character`],
    [String.raw`$'\U110000'`, String.raw`\U110000 is no character`],
    [String.raw`$'\x'`, String.raw`\x is no escape`],
    ['GET \ufffd', 'U+FFFD'],
  ])('%j is refused: %s', (line, message) => {
    expect(() => splitWords(line)).toThrow(message);
  });

  test('any line is read or refused by a text for people', () => {
    const anyLine = array(constantFrom('a', ' ', "'", '"', '\\', '$', 'x', '0', 'f', '\u{1f600}', '#'));
    assert(
      property(anyLine, (parts) => {
        try {
          splitWords(parts.join(''));
        } catch (error) {
          expect((error as Error).name).toBe('UsageError');
        }
      }),
    );
  });
});

describe('quoting', () => {
  test.each([
    ['user:1', 'user:1'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", String.raw`$'it\'s'`],
    ['a\nb', String.raw`$'a\nb'`],
    ['\u202e', String.raw`$'\u202e'`],
    ['#a', "'#a'"],
    ['$x', "'$x'"],
    ['\u00e4', '\u00e4'],
    [Uint8Array.of(0x61, 0xff, 0x27), String.raw`$'a\xff\''`],
  ])('%j is typed as %s', (key, word) => {
    expect(quoteWord(key)).toBe(word);
  });

  test('a key that is quoted is read as itself', () => {
    const text = array(
      constantFrom('a', ' ', "'", '"', '\\', '$', '#', '\n', '\u001b', '\u202e', '\u00e4', '\u{1f600}'),
    );
    const key = oneof(
      text.map((parts) => parts.join('')),
      uint8Array(),
    );
    assert(
      property(key, (given) => {
        const written = quoteWord(canonicalKey(given));
        const words = splitWords(`GET ${written} x`);
        expect(words.length).toBe(3);
        expect(Buffer.from(words[1]?.bytes ?? []).equals(Buffer.from(given))).toBe(true);
        expect(written).toMatch(/^\P{C}*$/u);
      }),
    );
  });
});

describe('a line that is still being typed', () => {
  test.each([
    ['', [], '', 0],
    ['GET', [], 'GET', 0],
    ['GET ', ['GET'], '', 4],
    ['GET us', ['GET'], 'us', 4],
    ["GET 'two w", ['GET'], 'two w', 4],
    ["GET 'two ", ['GET'], 'two ', 4],
    [`GET "a`, ['GET'], 'a', 4],
    [String.raw`GET $'a\n`, ['GET'], 'a\n', 4],
  ])('%j: behind %j comes %j', (line, words, last, start) => {
    const open = splitOpenLine(line);
    expect(open?.words.map(({ text }) => text)).toEqual(words);
    expect(open?.last.text).toBe(last);
    expect(open?.start).toBe(start);
  });

  test('nothing is made of what can not become a line', () => {
    expect(splitOpenLine(String.raw`GET $'\q`)).toBeUndefined();
  });
});

/** The reader of JSON, token by token: whatever pieces come, what it refuses and where, and what it holds. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transfer as limits } from '../../src/limits.ts';
import { BadInputError, JsonReader, type Reading, mark } from '../../src/transfer/json/json-reader.ts';
import '../support/property-seed.ts';

/** Reads pieces with a reading. @returns its result. */
function read<Result>(pieces: readonly Uint8Array[], begin: (reader: JsonReader) => Reading<Result>): Result {
  const reader = new JsonReader();
  const reading = begin(reader);
  const rest = [...pieces];
  for (;;) {
    const { done, value } = reading.next();
    if (done === true) return value;
    const piece = rest.shift();
    if (piece === undefined) reader.complete();
    else reader.append(piece);
  }
}

function cut(text: Uint8Array | string, length: number): Buffer[] {
  const bytes = Buffer.from(text);
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
}

/** The members of an object of texts. */
function* members(reader: JsonReader): Reading<[string, string][]> {
  const found: [string, string][] = [];
  yield* reader.object('an object', function* (name) {
    found.push([name, yield* reader.text('a text', 1000)]);
  });
  return found;
}

test('an object of texts is what JSON.parse makes of it, however it is cut', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 20 });
  fc.assert(
    fc.property(
      fc.dictionary(texts, texts),
      fc.constantFrom(undefined, 2),
      fc.integer({ min: 1, max: 9 }),
      (object, indent, length) => {
        const text = JSON.stringify(object, undefined, indent);
        expect(read(cut(text, length), members)).toEqual(Object.entries(JSON.parse(text) as object));
      },
    ),
  );
});

test.each([
  String.raw`"\"\\\/\b\f\n\r\té\ud83d\ude00"`,
  String.raw`"\\"`,
  String.raw`"\\\\\""`,
  '"\u007f\u2028é😀"',
  '""',
])('the text %s is read in any pieces', (text) => {
  for (const length of [1, 2, 3, 1000]) {
    expect(read(cut(text, length), (reader) => reader.text('a text', 100))).toBe(JSON.parse(text));
  }
});

test.each(['0', '-1', '12.5', '1e9', '1E-3', 'true', 'null'])('%s is read as it stands there', (literal) => {
  for (const length of [1, 2, 100]) {
    expect(read(cut(`${literal} `, length), (reader) => reader.literal('a number'))).toBe(literal);
    expect(read(cut(literal, length), (reader) => reader.literal('a number'))).toBe(literal);
  }
});

describe('what is refused', () => {
  const text = (reader: JsonReader): Reading<unknown> => reader.text('a text', 10);
  const number = (reader: JsonReader): Reading<unknown> => reader.wholeNumber('a whole number');
  test.each<[string, string | Buffer, (reader: JsonReader) => Reading<unknown>, string]>([
    ['no text', '5', text, 'line 1, byte 1: expected a text, found a number'],
    ['nothing', ' \n ', text, 'line 2, byte 2: expected a text, found the end of the input'],
    ['a text without an end', '"abc', text, 'line 1, byte 1: the input ends within a text'],
    ['a text with an escaped end', '"abc\\"', text, 'line 1, byte 1: the input ends within a text'],
    ['a long text', `"${'x'.repeat(11)}"`, text, 'line 1, byte 1: a text of more than 10 bytes'],
    [
      'a long text without an end',
      `"${'x'.repeat(50)}`,
      text,
      'line 1, byte 1: a text of more than 10 bytes',
    ],
    ['a tab in a text', '"a\tb"', text, expect.stringContaining('control character')],
    ['a line break in a text', '"a\\u0041\n"', text, expect.stringContaining('control character')],
    ['an unknown escape', '"\\x41"', text, expect.stringContaining('an escape that JSON does not know')],
    ['a short escape', '"\\u12"', text, expect.stringContaining('an escape that JSON does not know')],
    ['bytes that are no UTF-8', Buffer.from('22ff22', 'hex'), text, expect.stringContaining('not UTF-8')],
    ['an overlong form', Buffer.from('22c0af22', 'hex'), text, expect.stringContaining('not UTF-8')],
    ['half a number', '1.', number, 'line 1, byte 1: expected a whole number, found a number'],
    ['a number with a zero', '01', number, 'line 1, byte 1: expected a whole number, found a number'],
    ['a negative number', '-1', number, 'line 1, byte 1: expected a whole number, found a number'],
    [
      'a number that is too large',
      '9007199254740992',
      number,
      expect.stringContaining('expected a whole number'),
    ],
    [
      'a number that is too long',
      '1'.repeat(limits.numberBytesMax + 1),
      number,
      expect.stringContaining('too long'),
    ],
    [
      'a name without quotes',
      '{a:1}',
      members,
      'line 1, byte 2: expected the name of a member, in quotes, found "a"',
    ],
    ['a single quote', "{'a':1}", members, expect.stringContaining(`found "'"`)],
    ['a comma too many', '{"a":"b",}', members, expect.stringContaining('found the end of an object')],
    [
      'a comma too few',
      '{"a":"b" "c":"d"}',
      members,
      expect.stringContaining('expected a comma, or the end of the object'),
    ],
    ['no colon', '{"a" "b"}', members, 'line 1, byte 6: expected a colon behind a name, found a text'],
    ['an array', '[]', members, 'line 1, byte 1: expected an object, found an array'],
    ['a comment', '{/**/}', members, expect.stringContaining('found "/"')],
    ['a zero byte', '\0', members, expect.stringContaining('found the byte 0x00')],
    [
      'an end within an object',
      '{"a":"b"\n,',
      members,
      'line 2, byte 2: expected the name of a member, in quotes, found the end of the input',
    ],
  ])('%s', (_, input, begin, message) => {
    for (const length of [1, 3, 1000]) {
      expect(() => read(cut(input, length), begin)).toThrow(
        expect.objectContaining({ name: 'BadInputError', message }),
      );
    }
    expect(BadInputError.name).toBe('BadInputError');
  });
});

test('lines are counted where there is white space, also when it was cut away by then', () => {
  const fault = (reader: JsonReader): Reading<never> =>
    (function* () {
      yield* members(reader);
      yield* reader.take(mark.comma, 'a comma');
      throw new Error('it was there');
    })();
  const text = '{"a\\n":"b",\r\n\r\n"c":"d"\n}\n  x';
  for (const length of [1, 4, 100]) {
    expect(() => read(cut(text, length), fault)).toThrow('line 5, byte 3: expected a comma, found "x"');
  }
});

test('a place that is held can be come back to, whatever was appended meanwhile', () => {
  const twice = function* (reader: JsonReader): Reading<unknown[]> {
    yield* reader.take(mark.objectStart, 'an object');
    reader.hold();
    const first = yield* reader.text('a text', 100);
    reader.rewind();
    return [first, yield* reader.text('a text', 100), reader.line];
  };
  for (const length of [1, 5, 100]) {
    expect(read(cut('{\n"a long name" \n', length), twice)).toEqual(['a long name', 'a long name', 2]);
  }
});

test('it holds some steps of the input, and after a long text no more than before', () => {
  const reader = new JsonReader();
  const step = Buffer.from('"0123456789abcde"'.repeat(limits.inputStepBytes / 17));
  const long = Buffer.alloc(4 * 1024 * 1024, 'x');
  let heldMax = 0;
  const texts = (function* (): Reading<void> {
    for (;;) yield* reader.text('a text', long.length);
  })();
  const append = (piece: Buffer): void => {
    reader.append(piece);
    texts.next();
    heldMax = Math.max(heldMax, reader.heldBytes);
  };
  texts.next();
  for (let count = 0; count < 20; count++) append(step);
  expect(heldMax).toBeLessThan(4 * limits.inputStepBytes);
  append(Buffer.from('"'));
  for (let at = 0; at < long.length; at += step.length) append(long.subarray(at, at + step.length));
  append(Buffer.from('"'));
  expect(heldMax).toBeLessThan(3 * long.length);
  for (let count = 0; count < 20; count++) append(step);
  expect(reader.heldBytes).toBeLessThan(8 * limits.inputStepBytes);
});

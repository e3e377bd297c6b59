import { describe, expect, test } from 'vitest';
import { canonicalKey, isKey, keyOf, namedKey } from '../../src/arguments/key.ts';

const bytes = (...each: number[]): Uint8Array => Uint8Array.from(each);

test('a key is text or a Uint8Array, which may be a part of a buffer', () => {
  for (const key of ['', 'a', bytes(), bytes(0xff), Buffer.from('a')]) expect(isKey(key)).toBeUndefined();
  for (const other of [undefined, null, 5, [1], new ArrayBuffer(1), new DataView(new ArrayBuffer(1))]) {
    expect(isKey(other)).toMatch(/must be text or bytes \(a Uint8Array\)/);
  }
  expect(isKey('\ud800')).toMatch(/half a surrogate pair/);
});

describe('a key is handed out', () => {
  test.each([
    ['a', bytes(0x61)],
    ['', bytes()],
    ['\0', bytes(0)],
    ['é', bytes(0xc3, 0xa9)],
    ['\ufffd', bytes(0xef, 0xbf, 0xbd)],
    ['\ufeffa', bytes(0xef, 0xbb, 0xbf, 0x61)],
    ['𝕏', bytes(0xf0, 0x9d, 0x95, 0x8f)],
  ])('as the text %j when its bytes are that', (text, given) => {
    expect(canonicalKey(given)).toBe(text);
    expect(canonicalKey(text)).toBe(text);
  });

  test.each([
    ['a byte that is never in UTF-8', bytes(0xff)],
    ['a character that is cut', bytes(0x61, 0xc3)],
    ['half a surrogate pair', bytes(0xed, 0xa0, 0x80)],
    ['a character in more bytes than it needs', bytes(0xc0, 0x80)],
    ['U+FFFD beside what is not UTF-8', bytes(0xef, 0xbf, 0xbd, 0xff)],
  ])('as bytes of its own when it has %s', (_, given) => {
    const key = canonicalKey(given);
    expect(key).toEqual(given);
    given.fill(0);
    expect(key).not.toEqual(given);
  });

  test('in an entry with keyBytes only when it is bytes', () => {
    expect(Object.keys(namedKey('a'))).toEqual(['key']);
    expect(namedKey(bytes(0xff))).toEqual({ key: '', keyBytes: bytes(0xff) });
    for (const key of ['a', bytes(0xff)]) expect(keyOf(namedKey(key))).toEqual(key);
  });
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodedBytesMax,
  decodeHuffman,
  encodeHuffman,
  huffmanBytes,
} from '../../../src/http2/hpack/huffman.ts';
import { hex } from './hex.ts';

function coded(text: string): Buffer {
  const bytes = Buffer.alloc(huffmanBytes(text));
  expect(encodeHuffman(text, bytes, 0)).toBe(bytes.length);
  return bytes;
}

/** The text; undefined: the code is broken. */
function decoded(bytes: Buffer): string | undefined {
  const target = Buffer.alloc(decodedBytesMax(bytes.length));
  const count = decodeHuffman(bytes, 0, bytes.length, target);
  return count < 0 ? undefined : target.toString('latin1', 0, count);
}

/** Each 1 and 0 a bit, filled up with ones. */
function bits(text: string): Buffer {
  const digits = text.replaceAll(/\s/g, '');
  const whole = digits.padEnd(Math.ceil(digits.length / 8) * 8, '1');
  return Buffer.from((whole.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

describe('the Huffman code', () => {
  test('every byte comes back, alone and among others', () => {
    const characters = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
    for (const character of characters) expect(decoded(coded(character))).toBe(character);
    for (const text of [characters.join(''), characters.toReversed().join('')]) {
      expect(decoded(coded(text))).toBe(text);
    }
  });

  test.each([
    ['0', '00000'],
    ['a', '00011'],
    ['&', '11111000'],
    ['\0', '11111111 11000'],
    ['\xff', '11111111 11111111 11111011 10'],
    ['\r', '11111111 11111111 11111111 111101'],
    ['\x16', '11111111 11111111 11111111 111110'],
  ])('%j has the code of appendix B', (character, code) => {
    expect(coded(character)).toEqual(bits(code));
  });

  test('any text comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        expect(decoded(coded(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test('bytes that are read as a text are the code of just that text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = decoded(Buffer.from(bytes));
        if (text !== undefined) expect(coded(text)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('no bytes are the empty text', () => {
    expect(decoded(Buffer.alloc(0))).toBe('');
  });

  test('up to 7 bits may fill the last byte, and only ones', () => {
    // 5 bits for "a" leave 3.
    expect(decoded(bits('00011 111'))).toBe('a');
    for (const fill of ['110', '101', '011', '000']) expect(decoded(bits(`00011 ${fill}`))).toBeUndefined();
    expect(decoded(bits(`${'00011'.repeat(5)} 1111111`))).toBe('aaaaa');
    expect(decoded(bits(`${'00011'.repeat(5)} 1111110`))).toBeUndefined();
  });

  test('8 bits or more of filling are refused', () => {
    expect(decoded(hex('ff'))).toBeUndefined();
    expect(decoded(bits('00011 111 11111111'))).toBeUndefined();
    expect(decoded(bits('11111000 11111111'))).toBeUndefined();
    expect(decoded(hex('ffff ff'))).toBeUndefined();
  });

  test('the symbol of the end may not come, alone, at the end or within', () => {
    const end = '1'.repeat(30);
    expect(decoded(bits(end))).toBeUndefined();
    expect(decoded(bits(`00011 ${end}`))).toBeUndefined();
    expect(decoded(bits(`00011 ${end} 00011`))).toBeUndefined();
    expect(decoded(hex('ffff ffff ffff'))).toBeUndefined();
  });

  test('a text that ends within a code is refused', () => {
    expect(decoded(bits('11111111 11111111 11111010'))).toBeUndefined();
    expect(decoded(hex('fe'))).toBeUndefined();
  });
});

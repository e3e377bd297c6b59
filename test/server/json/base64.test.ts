/** Values in JSON: read as protobuf-es reads them, which is the judge here, but by native code. */
import { base64Decode } from '@bufbuild/protobuf/wire';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { decodeBase64 } from '../../../src/server/json/base64.ts';

const everyByte = Buffer.from(Array.from({ length: 512 }, (_, index) => index));

function outcome(decode: () => Uint8Array): Uint8Array | string {
  try {
    return Uint8Array.from(decode());
  } catch (error) {
    return (error as Error).message;
  }
}

function expectAlike(text: string): void {
  expect(outcome(() => decodeBase64(text))).toEqual(outcome(() => base64Decode(text)));
}

describe('base64', () => {
  test.each(['base64', 'base64url'] as const)('as %s is read for bytes of every value and length', (form) => {
    for (let length = 0; length <= everyByte.length; length++) {
      const bytes = everyByte.subarray(0, length);
      const text = bytes.toString(form);
      expect(decodeBase64(text)).toEqual(bytes);
      const unpadded = text.replace(/=+$/, '');
      expect(decodeBase64(unpadded)).toEqual(bytes);
      expect(decodeBase64(unpadded.replace(/.{7}/g, '$& \t\r\n'))).toEqual(bytes);
    }
  });

  test('is read, or refused, as protobuf-es does, however it is written', () => {
    const character = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...'ABCXYZabcxyz0189+/-_'.split('')) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(...'= \n\t\r*.é'.split(''), '漢', 'Ā', '\u{1f600}', '\u00a0', '\0'),
      },
    );
    const text = fc
      .tuple(fc.array(character, { maxLength: 14 }), fc.constantFrom('', '', '=', '==', '==='))
      .map(([characters, padding]) => characters.join('') + padding);
    fc.assert(fc.property(text, expectAlike), { numRuns: 20_000 });
  });

  test.each([
    'A',
    'A=',
    'A==',
    'AB=',
    'AB==',
    'AA==AA==',
    'AA=A',
    '=',
    '==',
    '====',
    'AAAA=',
    '*',
    'AAAA*',
    'A*AA',
  ])('%j is read, or refused, as protobuf-es does', expectAlike);

  test('of a long value is read by native code, with white space as without', () => {
    const bytes = Buffer.alloc(1 << 20, everyByte);
    const text = bytes.toString('base64');
    const looked = vi.spyOn(String.prototype, 'charCodeAt');
    try {
      expect(bytes.equals(decodeBase64(text))).toBe(true);
      expect(bytes.equals(decodeBase64(text.replace(/.{76}/g, '$&\n')))).toBe(true);
      expect(looked.mock.calls.length).toBe(0);
    } finally {
      looked.mockRestore();
    }
  });
});

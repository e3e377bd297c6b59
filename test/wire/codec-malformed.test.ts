import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExistsResponse, readGetResponse, readIncrementRequest } from '../../gen/kelp/v1/kv_codec.ts';
import { WireError, type WireErrorCode } from '../../src/wire/wire-error.ts';
import { codecs, type Codec, type Shape } from './codecs.ts';
import { encodePayload, encodeTag, encodeVarint } from './records.ts';
import { decodeReference } from './reference-decoder.ts';
import { initArbitrary, toShape } from './shapes.ts';

describe.each(codecs)('bytes that may be no $name', (codec) => {
  const { message } = codec;
  const encodings = initArbitrary(message)
    .map((init) => Buffer.from(toBinary(message, create(message, init))))
    .filter((bytes) => bytes.length < 2000);

  it('are refused or read as protobuf-es does when they end too early, wherever that is', () => {
    fc.assert(
      fc.property(encodings, (bytes) => {
        for (let length = 0; length < bytes.length; length++) {
          // The codec is given the whole buffer, with the bytes that would complete the message after its end.
          const expected = attempt(() => toShape(message, fromBinary(message, bytes.subarray(0, length))));
          expect(attempt(() => codec.read(bytes, 0, length), true)).toStrictEqual(expected);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('are refused or read as the reference decoder does when bytes were changed, added and taken away', () => {
    fc.assert(
      fc.property(encodings, fc.array(mutation, { minLength: 1, maxLength: 4 }), (bytes, mutations) => {
        expectAsReference(
          codec,
          mutations.reduce<Buffer>((mutated, mutate) => mutate(mutated), bytes),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('are refused or read as the reference decoder does when they are arbitrary', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(40), fc.nat(255)), { maxLength: 30 }), (bytes) => {
        expectAsReference(codec, Buffer.from(bytes));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a malformed message is refused with the code that tells why', () => {
  const key = (...bytes: number[]): Buffer => encodePayload(1, encodePayload(1, Buffer.from(bytes)));
  const group = (depth: number): Buffer =>
    Buffer.concat([
      ...Array.from({ length: depth }, () => encodeTag(9, 3)),
      ...Array.from({ length: depth }, () => encodeTag(9, 4)),
    ]);

  it.each<[string, WireErrorCode, Buffer]>([
    ['a tag without a value', 'truncated', Buffer.from([0x10])],
    ['a varint that goes on', 'truncated', Buffer.from([0x10, 0x80])],
    ['a varint of 11 bytes', 'badVarint', Buffer.from([0x10, ...Array(10).fill(0x80), 0])],
    ['field number 0', 'badTag', Buffer.from([0x00, 0x00])],
    ['field number 0 with a length', 'badTag', Buffer.from([0x02, 0x00])],
    ['a tag of more than 32 bits', 'badTag', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x10, 0x00])],
    ['a tag of more than 5 bytes', 'badTag', Buffer.from([0x90, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01])],
    ['wire type 6', 'badTag', Buffer.from([0x4e, 0x00])],
    ['wire type 7', 'badTag', Buffer.from([0x4f, 0x00])],
    ['the end of no group', 'badTag', encodeTag(9, 4)],
    ['the end of another group', 'badTag', Buffer.concat([encodeTag(9, 3), encodeTag(8, 4)])],
    ['a group without an end', 'truncated', encodeTag(9, 3)],
    ['groups too deep', 'tooDeep', group(101)],
    ['a length beyond the end', 'truncated', Buffer.from([0x0a, 0x03, 0x0a, 0x00])],
    ['a negative length', 'truncated', Buffer.concat([encodeTag(1, 2), encodeVarint(-1n)])],
    ['a length of 2^32', 'truncated', Buffer.concat([encodeTag(1, 2), encodeVarint(2n ** 32n)])],
    ['a length beyond the message around it', 'truncated', Buffer.from([0x0a, 0x02, 0x0a, 0x01, 0x10, 0x01])],
    ['a 64-bit field cut short', 'truncated', Buffer.from([0x49, 1, 2, 3, 4, 5, 6, 7])],
    ['a 32-bit field cut short', 'truncated', Buffer.from([0x4d, 1, 2, 3])],
    ['a stray continuation byte', 'badText', key(0x80)],
    ['an overlong character', 'badText', key(0xc0, 0xaf)],
    ['a surrogate', 'badText', key(0xed, 0xa0, 0x80)],
    ['a character cut short', 'badText', key(0x61, 0xe2, 0x82)],
    ['a character beyond U+10FFFF', 'badText', key(0xf4, 0x90, 0x80, 0x80)],
    ['a long text that is not UTF-8', 'badText', key(...Array(100).fill(0x61), 0xff)],
    ['2^53', 'integerTooLarge', Buffer.concat([encodeTag(2, 0), encodeVarint(2n ** 53n)])],
    ['-(2^53)', 'integerTooLarge', Buffer.concat([encodeTag(2, 0), encodeVarint(-(2n ** 53n))])],
  ])('%s: %s', (_, code, bytes) => {
    expect(() => readGetResponse(bytes, 0, bytes.length)).toThrow(
      expect.objectContaining({ name: 'WireError', code }),
    );
  });

  it('and so is a packed list whose last item goes on behind its end', () => {
    const bytes = Buffer.from([0x0a, 0x02, 0x01, 0x80, 0x01]);
    expect(() => readExistsResponse(bytes, 0, bytes.length)).toThrow(WireError);
  });

  it('but a text with a real U+FFFD, groups 100 deep and 64 bits where they are meant are not', () => {
    const text = encodePayload(1, encodePayload(1, Buffer.from('a \ufffd')));
    expect(readGetResponse(text, 0, text.length).entry?.key).toBe('a \ufffd');
    expect(readGetResponse(group(100), 0, group(100).length).revision).toBe(0);
    const delta = Buffer.concat([encodeTag(2, 0), encodeVarint(-(2n ** 63n))]);
    expect(readIncrementRequest(delta, 0, delta.length).delta).toBe(-(2n ** 63n));
  });

  it('and tells where it was found, counted from the first byte of the buffer', () => {
    const bytes = Buffer.concat([Buffer.alloc(7), Buffer.from([0x10, 0x01, 0x00])]);
    expect(() => readGetResponse(bytes, 7, bytes.length)).toThrow(expect.objectContaining({ offset: 9 }));
  });
});

const mutation: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc
  .tuple(
    fc.constantFrom('change', 'insert', 'remove'),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    fc.nat(255),
  )
  .map(([kind, place, byte]) => (bytes) => {
    const at = Math.floor(place * bytes.length);
    const rest = bytes.subarray(kind === 'insert' ? at : at + 1);
    return Buffer.concat(
      [bytes.subarray(0, at), kind === 'remove' ? [] : [byte], rest].map((part) => Buffer.from(part)),
    );
  });

function expectAsReference(codec: Codec, bytes: Buffer): void {
  const expected = attempt(() => decodeReference(codec.message, bytes));
  expect(attempt(() => codec.read(bytes, 0, bytes.length), true)).toStrictEqual(expected);
}

/** The message, or that it was refused; the codecs must refuse with their own error and no other. */
function attempt(read: () => Shape, isCodec = false): Shape | 'refused' {
  try {
    return read();
  } catch (error) {
    if (isCodec && !(error instanceof WireError)) throw error;
    return 'refused';
  }
}

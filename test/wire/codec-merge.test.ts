import {
  create,
  fromBinary,
  ScalarType,
  toBinary,
  type DescField,
  type DescMessage,
} from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDeleteResponse } from '../../gen/kelp/v1/kv_codec.ts';
import { codecs, type Codec } from './codecs.ts';
import { encodePayload, encodeTag, encodeVarint, splitRecords, splitVarints } from './records.ts';
import { initArbitrary, toShape } from './shapes.ts';

/** Fields that no message has, of every wire type. */
const unknownFields: readonly Buffer[] = [
  Buffer.concat([encodeTag(1000, 0), encodeVarint(2n ** 64n - 1n)]),
  Buffer.concat([encodeTag(1001, 1), Buffer.alloc(8, 0xff)]),
  encodePayload(2 ** 29 - 1, Buffer.from('unknown')),
  Buffer.concat([encodeTag(1002, 5), Buffer.alloc(4, 0xff)]),
  Buffer.concat([
    encodeTag(1003, 3),
    encodeTag(1, 0),
    encodeVarint(1n),
    encodeTag(1004, 3),
    encodePayload(1, Buffer.from('nested group')),
    encodeTag(1004, 4),
    encodeTag(1003, 4),
  ]),
];

describe.each(codecs)('a valid but unusual $name is read as protobuf-es reads it', (codec) => {
  const { message } = codec;
  const encodings = initArbitrary(message).map((init) =>
    Buffer.from(toBinary(message, create(message, init))),
  );

  it('that comes in two pieces: the last of a scalar counts, messages merge, lists go on, cases give way', () => {
    fc.assert(
      fc.property(encodings, encodings, (first, second) => {
        expectAsReference(codec, Buffer.concat([first, second]));
      }),
      { numRuns: 100 },
    );
  });

  it('with unknown fields, fields in any order, lists not packed and varints longer than they need be', () => {
    fc.assert(
      fc.property(encodings, fc.infiniteStream(fc.nat()), (bytes, choices) => {
        expectAsReference(codec, scramble(message, bytes, choices));
      }),
    );
  });
});

it('a boolean is true when any of its 64 bits is set', () => {
  const bytes = Buffer.concat([encodeTag(2, 0), encodeVarint(2n ** 63n)]);
  expect(readDeleteResponse(bytes, 0, bytes.length).deleted).toBe(true);
});

function expectAsReference(codec: Codec, bytes: Buffer): void {
  const expected = toShape(codec.message, fromBinary(codec.message, bytes));
  expect(codec.read(bytes, 0, bytes.length)).toStrictEqual(expected);
}

/** The same message in another guise, at all its depths. */
function scramble(message: DescMessage, bytes: Buffer, choices: fc.Stream<number>): Buffer {
  const choose = (count: number): number => (choices.next().value as number) % count;
  const pieces: Buffer[] = [];
  for (const record of splitRecords(bytes)) {
    const { number, varint, payload } = record;
    const field = message.fields.find((field) => field.number === number);
    if (choose(3) === 0) pieces.push(unknownFields[choose(unknownFields.length)] as Buffer);
    if (varint !== undefined) {
      pieces.push(Buffer.concat([encodeTag(number, 0), encodeVarint(varint, 1 + choose(10))]));
    } else if (payload !== undefined && field?.message !== undefined) {
      pieces.push(encodePayload(number, scramble(field.message, payload, choices)));
    } else if (payload !== undefined && field?.fieldKind === 'list' && field.packed && choose(2) === 0) {
      pieces.push(...unpacked(field, payload));
    } else {
      pieces.push(record.raw);
    }
  }
  for (let index = pieces.length - 1; index > 0; index--) {
    const other = choose(index + 1);
    [pieces[index], pieces[other]] = [pieces[other] as Buffer, pieces[index] as Buffer];
  }
  return Buffer.concat(pieces);
}

/** Each item of a packed list as a record of its own. */
function unpacked({ number, scalar }: DescField, payload: Buffer): Buffer[] {
  if (scalar !== ScalarType.DOUBLE)
    return splitVarints(payload).map((value) => Buffer.concat([encodeTag(number, 0), encodeVarint(value)]));
  return Array.from({ length: payload.length / 8 }, (_, index) =>
    Buffer.concat([encodeTag(number, 1), payload.subarray(8 * index, 8 * index + 8)]),
  );
}

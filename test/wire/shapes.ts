/** Messages of any type: arbitrary ones, and the way from those of protobuf-es to those of the codecs. */

import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import * as fc from 'fast-check';
import { type Shape, bigIntFields } from './codecs.ts';

/** A message that may contain itself does so this often. */
const NESTED_MAX = 2;

/** An arbitrary message, as what `create` of protobuf-es takes; half of the fields are left at their default. */
export function initArbitrary(
  message: DescMessage,
  around: readonly DescMessage[] = [],
): fc.Arbitrary<Shape> {
  if (around.filter((each) => each === message).length > NESTED_MAX) return fc.constant({});
  const inside = [...around, message];
  const members: { [name: string]: fc.Arbitrary<unknown> } = {};
  for (const member of message.members) {
    if (member.kind === 'field') members[member.localName] = fieldArbitrary(member, inside);
    else {
      const cases = member.fields.map((field) =>
        singleArbitrary(field, inside).map((value) => ({ case: field.localName, value })),
      );
      members[member.localName] = fc.oneof(fc.constant({ case: undefined }), ...cases);
    }
  }
  return fc.record(members, { requiredKeys: [] });
}

/** The same message as the codec has it: plain, and with numbers instead of most bigints. */
export function toShape(message: DescMessage, value: object): Shape {
  const shape: Shape = {};
  for (const member of message.members) {
    const memberValue = (value as Shape)[member.localName];
    if (member.kind === 'field') {
      shape[member.localName] = fieldShape(member, memberValue);
    } else {
      const chosen = memberValue as { case: string | undefined; value: unknown };
      const field = member.fields.find((field) => field.localName === chosen.case);
      shape[member.localName] =
        field === undefined
          ? { case: undefined }
          : { case: field.localName, value: singleShape(field, chosen.value) };
    }
  }
  return shape;
}

function fieldShape(field: DescField, value: unknown): unknown {
  if (field.fieldKind === 'list') return (value as unknown[]).map((item) => singleShape(field, item));
  return value === undefined ? undefined : singleShape(field, value);
}

function singleShape(field: DescField, value: unknown): unknown {
  if (field.message !== undefined) return toShape(field.message, value as object);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof value !== 'bigint' || bigIntFields.has(`${field.parent.typeName}.${field.name}`)) return value;
  if (!Number.isSafeInteger(Number(value)))
    throw new RangeError(`${field.toString()}: ${value} is too large`);
  return Number(value);
}

function fieldArbitrary(field: DescField, inside: readonly DescMessage[]): fc.Arbitrary<unknown> {
  const single = singleArbitrary(field, inside);
  if (field.fieldKind === 'list') return fc.array(single, { maxLength: 4 });
  return field.message !== undefined || isOptional(field) ? fc.option(single, { nil: undefined }) : single;
}

/** Whether its default differs from not being set. */
export function isOptional(field: DescField): boolean {
  return field.message === undefined && field.presence === FeatureSet_FieldPresence.EXPLICIT;
}

function singleArbitrary(field: DescField, inside: readonly DescMessage[]): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return initArbitrary(field.message, inside);
  switch (field.enum === undefined ? field.scalar : ScalarType.INT32) {
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      // What a NaN is made of does not matter, and its bits may change on the way.
      return fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, Infinity, -Infinity));
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return bytes;
    case ScalarType.INT32:
      return fc.oneof(edges(31, -1), fc.integer());
    case ScalarType.UINT32:
      return fc.oneof(edges(32, 0), fc.nat(0xffff_ffff));
    case ScalarType.UINT64:
      return fc.oneof(edges(53, 0), fc.maxSafeNat()).map(BigInt);
    case ScalarType.INT64:
      return bigIntFields.has(`${field.parent.typeName}.${field.name}`)
        ? fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(0n, 2n ** 63n - 1n, -(2n ** 63n)))
        : fc.oneof(edges(53, -1), fc.maxSafeInteger()).map(BigInt);
    default:
      throw new Error(`no arbitrary for ${field.toString()}`);
  }
}

/** Texts of ASCII or of anything, on both sides of the length up to which ASCII is handled by a loop. */
const text = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\ufeffbyte order mark', 'replaced: \ufffd', 'é'.repeat(100), 'a'.repeat(20_000)),
);

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(0, 127, 128, 20_000).map((length) => new Uint8Array(length).fill(7)),
);

/** The numbers around each power of 2 of up to so many bits: there varints get longer and words overflow. */
function edges(bits: number, sign: 0 | -1): fc.Arbitrary<number> {
  const numbers = new Set([0]);
  for (let bit = 0; bit <= bits; bit++) {
    for (const value of [2 ** bit - 1, 2 ** bit, 2 ** bit + 1]) {
      if (value < 2 ** bits) numbers.add(value);
      if (sign === -1 && value < 2 ** bits) numbers.add(0 - value);
    }
  }
  return fc.constantFrom(...numbers);
}

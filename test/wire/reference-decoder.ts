/**
 * Decodes a message as slowly and plainly as it can be said, from its descriptor: the model for arbitrary bytes, where
 * protobuf-es is none. It reads a field that has another wire type than the schema says as if it had the right one, lets
 * a nested message run past the end of the message around it, and forgets the upper half of a length.
 */

import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { type Shape, bigIntFields } from './codecs.ts';
import { isOptional } from './shapes.ts';
import { splitRecords, splitVarints, type WireRecord } from './records.ts';

/** Throws when the bytes are not such a message. */
export function decodeReference(message: DescMessage, bytes: Buffer): Shape {
  const state = new Map<string, unknown>();
  for (const record of splitRecords(bytes)) {
    const field = message.fields.find((field) => field.number === record.number);
    if (field !== undefined) take(field, record, state);
  }
  const shape: Shape = {};
  for (const member of message.members) {
    const value = state.get(member.localName);
    if (member.kind === 'field') {
      shape[member.localName] = value === undefined ? defaultOf(member) : finish(member, value);
    } else {
      const chosen = value as { field: DescField; value: unknown } | undefined;
      shape[member.localName] =
        chosen === undefined
          ? { case: undefined }
          : { case: chosen.field.localName, value: finish(chosen.field, chosen.value) };
    }
  }
  return shape;
}

/** Nested messages are kept as bytes until the end: several pieces of one are merged by putting them together. */
function take(field: DescField, record: WireRecord, state: Map<string, unknown>): void {
  if (field.fieldKind === 'list') {
    const list = (state.get(field.localName) ?? []) as unknown[];
    state.set(field.localName, [...list, ...itemsOf(field, record)]);
    return;
  }
  const [value] = itemsOf(field, record);
  if (value === undefined) return;
  const oneof = field.fieldKind === 'map' ? undefined : field.oneof;
  if (oneof === undefined) {
    state.set(field.localName, joined(field, state.get(field.localName), value));
  } else {
    const before = state.get(oneof.localName) as { field: DescField; value: unknown } | undefined;
    const same = before?.field === field ? before.value : undefined;
    state.set(oneof.localName, { field, value: joined(field, same, value) });
  }
}

function joined(field: DescField, before: unknown, value: unknown): unknown {
  return field.message !== undefined && before !== undefined
    ? Buffer.concat([before as Buffer, value as Buffer])
    : value;
}

/** The values in one record: none when its wire type is not the field's, several when it is a packed list. */
function itemsOf(field: DescField, record: WireRecord): unknown[] {
  if (field.message !== undefined) {
    if (record.payload === undefined) return [];
    decodeReference(field.message, record.payload);
    return [record.payload];
  }
  if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES) {
    return record.payload === undefined ? [] : [scalarOf(field, record.payload)];
  }
  if (field.scalar === ScalarType.DOUBLE) return doublesOf(field, record);
  if (field.fieldKind === 'list' && record.payload !== undefined) {
    return splitVarints(record.payload).map((value) => integerOf(field, value));
  }
  return record.varint === undefined ? [] : [integerOf(field, record.varint)];
}

function doublesOf(field: DescField, { fixed64, payload }: WireRecord): number[] {
  if (fixed64 !== undefined) return [fixed64.readDoubleLE()];
  if (field.fieldKind !== 'list' || payload === undefined) return [];
  if (payload.length % 8 !== 0) throw new Error('a packed list of doubles ends within one');
  return Array.from({ length: payload.length / 8 }, (_, index) => payload.readDoubleLE(8 * index));
}

function scalarOf(field: DescField, payload: Buffer): unknown {
  if (field.scalar === ScalarType.BYTES) return Uint8Array.from(payload);
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
}

function integerOf(field: DescField, value: bigint): unknown {
  switch (field.enum === undefined ? field.scalar : ScalarType.INT32) {
    case ScalarType.BOOL:
      return value !== 0n;
    case ScalarType.INT32:
      return Number(BigInt.asIntN(32, value));
    case ScalarType.UINT32:
      return Number(BigInt.asUintN(32, value));
    case ScalarType.UINT64:
      return safe(value);
    case ScalarType.INT64: {
      const signed = BigInt.asIntN(64, value);
      return bigIntFields.has(`${field.parent.typeName}.${field.name}`) ? signed : safe(signed);
    }
    default:
      throw new Error(`no reading of ${field.toString()}`);
  }
}

function safe(value: bigint): number {
  if (!Number.isSafeInteger(Number(value))) throw new Error(`${value} is beyond 2^53 - 1`);
  return Number(value);
}

function finish(field: DescField, value: unknown): unknown {
  if (field.message === undefined) return value;
  const { message } = field;
  if (field.fieldKind !== 'list') return decodeReference(message, value as Buffer);
  return (value as Buffer[]).map((item) => decodeReference(message, item));
}

function defaultOf(field: DescField): unknown {
  if (field.fieldKind === 'list') return [];
  if (field.message !== undefined || isOptional(field)) return undefined;
  if (field.scalar === ScalarType.DOUBLE) return 0;
  if (field.scalar === ScalarType.STRING) return '';
  if (field.scalar === ScalarType.BYTES) return new Uint8Array(0);
  return integerOf(field, 0n);
}

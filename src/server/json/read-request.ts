/**
 * Reads a request in its JSON form. The reader of protobuf-es does it, but for what it would take wrong or slowly: numbers that
 * it would round, bytes that are no UTF-8, names that come twice, and base64, which is decoded here. So it is given the number of
 * each value in place of the value.
 */
import { isUtf8 } from 'node:buffer';
import {
  type DescField,
  type DescMessage,
  type JsonValue,
  type MessageShape,
  ScalarType,
  fromJson,
} from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { malformedIntegerIn } from '../../wire/json-integers.ts';
import { fieldsByJsonName } from '../../wire/json-fields.ts';
import { roundedNumberIn } from '../../wire/json-numbers.ts';
import { malformedRequestError } from '../calls/call-error.ts';
import { checkJsonParts } from '../calls/request-parts.ts';
import { decodeBase64 } from './base64.ts';
import { duplicateNameIn } from './duplicate-names.ts';
import type { Turns } from './turn-work.ts';

type Message = ReturnType<typeof fromJson>;
type Fields = Readonly<Record<string, unknown>>;

/** A tree of JSON, in which the numbers of values stand for their base64. */
interface Numbered {
  readonly json: JsonValue;
  readonly values: readonly Uint8Array[];
}

/**
 * @param toProtobuf makes Protobuf's form of another one; left out: it is that.
 * @throws StoreError for what the reader would not see, ConnectError for what it refuses.
 */
export async function readJsonRequest<Input extends DescMessage>(
  input: Input,
  bytes: Uint8Array,
  turns: Turns,
  toProtobuf: (json: JsonValue) => JsonValue = (json) => json,
): Promise<MessageShape<Input>> {
  const numbered = await turns.run(() => numberedIn(input, bytes, toProtobuf));
  return (await turns.run(() => messageOf(input, numbered))) as MessageShape<Input>;
}

/** Throws what the reader would not see. */
export function checkJsonRequest(input: DescMessage, bytes: Uint8Array): void {
  checkBytes(input, bytes);
  let json: JsonValue;
  try {
    json = parsed(input, bytes);
  } catch {
    return;
  }
  checkIntegers(input, json);
}

function numberedIn(
  input: DescMessage,
  bytes: Uint8Array,
  toProtobuf: (json: JsonValue) => JsonValue,
): Numbered {
  checkBytes(input, bytes);
  const given = parsed(input, bytes);
  const name = duplicateNameIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  if (name !== undefined) throw undecodable(input, `duplicate object key ${JSON.stringify(name)}`);
  const json = toProtobuf(given);
  checkIntegers(input, json);
  const values: Uint8Array[] = [];
  takeValues(input, json, values);
  return { json, values };
}

function checkBytes(input: DescMessage, bytes: Uint8Array): void {
  // JSON's parser would put U+FFFD for such bytes, and two keys could become one.
  if (!isUtf8(bytes)) throw malformedRequestError(input.typeName, 'it is not UTF-8');
  checkJsonParts(bytes);
  const rounded = roundedNumberIn(bytes);
  if (rounded !== undefined) throw malformedRequestError(input.typeName, rounded);
}

function checkIntegers(input: DescMessage, json: JsonValue): void {
  const complaint = malformedIntegerIn(input, json);
  if (complaint !== undefined) throw malformedRequestError(input.typeName, complaint);
}

function parsed(input: DescMessage, bytes: Uint8Array): JsonValue {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw undecodable(input, (error as Error).message);
  }
}

function messageOf(input: DescMessage, { json, values }: Numbered): Message {
  let message: Message;
  try {
    // A misspelt field must not be overlooked: it could be the condition of a write.
    message = fromJson(input, json, { ignoreUnknownFields: false });
  } catch (error) {
    throw new ConnectError((error as Error).message, Code.InvalidArgument);
  }
  putValues(input, message, values);
  return message;
}

/** In the words of protobuf-es. */
function undecodable(input: DescMessage, reason: string): ConnectError {
  return new ConnectError(
    `cannot decode message ${input.typeName} from JSON: ${reason}`,
    Code.InvalidArgument,
  );
}

function takeValues(message: DescMessage, json: JsonValue, values: Uint8Array[]): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return;
  for (const [name, value] of Object.entries(json)) {
    const field = fieldsByJsonName(message).get(name);
    if (field === undefined || !hasBytes(field)) continue;
    const taken = (item: JsonValue): JsonValue => takeValue(field, item, values);
    json[name] = Array.isArray(value) ? value.map(taken) : taken(value);
  }
}

function takeValue({ message }: DescField, json: JsonValue, values: Uint8Array[]): JsonValue {
  if (message !== undefined) {
    takeValues(message, json, values);
    return json;
  }
  if (typeof json !== 'string') return json;
  const value = valueOf(json);
  // What is no base64 is for the reader to refuse.
  if (value === undefined || value.length === 0) return json;
  const number = Buffer.allocUnsafe(4);
  number.writeUInt32BE(values.push(value) - 1);
  return number.toString('base64');
}

function valueOf(base64: string): Uint8Array | undefined {
  try {
    return decodeBase64(base64);
  } catch {
    return undefined;
  }
}

/** Puts the values in the place of their numbers. */
function putValues(desc: DescMessage, message: Fields, values: readonly Uint8Array[]): void {
  for (const field of fieldsWithBytes(desc)) {
    const { oneof, localName } = field;
    let holder = message as Record<string, unknown>;
    let name = localName;
    if (oneof !== undefined) {
      holder = message[oneof.localName] as Record<string, unknown>;
      if (holder['case'] !== localName) continue;
      name = 'value';
    }
    const item = holder[name];
    if (item === undefined) continue;
    if (Array.isArray(item)) holder[name] = item.map((each) => putValue(field, each, values));
    else holder[name] = putValue(field, item, values);
  }
}

function putValue({ message }: DescField, item: unknown, values: readonly Uint8Array[]): unknown {
  if (message !== undefined) {
    putValues(message, item as Fields, values);
    return item;
  }
  const number = item as Uint8Array;
  if (number.length === 0) return number;
  const { buffer, byteOffset, byteLength } = number;
  return values[new DataView(buffer, byteOffset, byteLength).getUint32(0)];
}

const fieldsByMessage = new WeakMap<DescMessage, readonly DescField[]>();

/** Those that are bytes or have such in them, or messages that may be within themselves. */
function fieldsWithBytes(message: DescMessage): readonly DescField[] {
  let fields = fieldsByMessage.get(message);
  if (fields === undefined) {
    // It may be met again below, before that is known.
    fieldsByMessage.set(message, message.fields);
    fields = message.fields.filter(hasBytes);
    fieldsByMessage.set(message, fields);
  }
  return fields;
}

function hasBytes(field: DescField): boolean {
  return field.message === undefined
    ? field.scalar === ScalarType.BYTES
    : fieldsWithBytes(field.message).length > 0;
}

/**
 * Writes a reply in its JSON form, as `toJsonString` of protobuf-es does, which would make each value a text character by
 * character, then a tree, then one text of all. Takes the shapes of the generated codecs as well as messages of protobuf-es:
 * they have the same members, but for 64-bit integers.
 */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  ScalarType,
  create,
  isMessage,
  toJson,
} from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence, DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { assert } from '../../errors.ts';
import { JsonText } from './json-text.ts';

type Fields = Readonly<Record<string, unknown>>;
type Write = (value: unknown, out: JsonText) => void;

/** @param reply whose bytes must not change before they are sent. */
export function jsonOf(desc: DescMessage, reply: unknown): JsonText {
  const text = new JsonText();
  writerOf(desc)(reply, text);
  text.end();
  return text;
}

const writerByMessage = new WeakMap<DescMessage, Write>();

function writerOf(desc: DescMessage): Write {
  let write = writerByMessage.get(desc);
  if (write === undefined) {
    write = wellKnownWriter(desc) ?? messageWriter(desc);
    writerByMessage.set(desc, write);
  }
  return write;
}

/** Those of KelpDB's messages that have a form of their own in JSON. */
function wellKnownWriter(desc: DescMessage): Write | undefined {
  const schema = [TimestampSchema, DurationSchema].find(({ typeName }) => typeName === desc.typeName);
  if (schema === undefined) return undefined;
  return (value, out) => {
    const { seconds, nanos } = value as { readonly seconds: number | bigint; readonly nanos: number };
    const message = isMessage(value) ? value : create(schema, { seconds: BigInt(seconds), nanos });
    out.text(JSON.stringify(toJson(schema, message as ReturnType<typeof create<typeof schema>>)));
  };
}

function messageWriter(desc: DescMessage): Write {
  const members = [...desc.fields].sort((a, b) => a.number - b.number).map(memberWriter);
  return (message, out) => {
    let before = '{';
    for (const write of members) {
      if (write(message as Fields, before, out)) before = ',';
    }
    out.text(before === '{' ? '{}' : '}');
  };
}

/** @returns whether the field was written, with `before` before it. */
type WriteMember = (message: Fields, before: string, out: JsonText) => boolean;

function memberWriter(field: DescField): WriteMember {
  const { localName, oneof } = field;
  const name = `${JSON.stringify(field.jsonName)}:`;
  const write = field.fieldKind === 'list' ? listWriter(valueWriter(field)) : valueWriter(field);
  const isUnset = oneof === undefined ? unsetTest(field) : () => false;
  return (message, before, out) => {
    let value = message[localName];
    if (oneof !== undefined) {
      const chosen = message[oneof.localName] as { readonly case?: string; readonly value?: unknown };
      if (chosen.case !== localName) return false;
      value = chosen.value;
    }
    if (isUnset(value)) return false;
    out.text(before + name);
    write(value, out);
    return true;
  };
}

/** Whether a field has its default, with which it is left out. */
function unsetTest(field: DescField): (value: unknown) => boolean {
  if (field.fieldKind === 'list') return (value) => (value as unknown[]).length === 0;
  if (field.message !== undefined || field.presence === FeatureSet_FieldPresence.EXPLICIT)
    return (value) => value === undefined;
  switch (field.scalar) {
    case ScalarType.STRING:
      return (value) => value === '';
    case ScalarType.BOOL:
      return (value) => value === false;
    case ScalarType.BYTES:
      return (value) => (value as Uint8Array).length === 0;
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return (value) => Object.is(value, 0);
    default:
      return (value) => value === 0 || value === 0n;
  }
}

function listWriter(write: Write): Write {
  return (items, out) => {
    let before = '[';
    for (const item of items as readonly unknown[]) {
      out.text(before);
      write(item, out);
      before = ',';
    }
    out.text(']');
  };
}

function valueWriter(field: DescField): Write {
  assert(field.fieldKind !== 'map', 'messages of KelpDB have no maps');
  const { message, enum: choices } = field;
  if (message !== undefined) return (value, out) => writerOf(message)(value, out);
  if (choices !== undefined) return (value, out) => out.text(enumText(choices, value as number));
  switch (field.scalar) {
    case ScalarType.STRING:
      return (value, out) => out.text(JSON.stringify((value as string).toWellFormed()));
    case ScalarType.BYTES:
      return (value, out) => out.bytes(value as Uint8Array);
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return (value, out) => out.text(`"${String(value)}"`);
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return (value, out) => out.text(doubleText(value as number));
    default:
      return (value, out) => out.text(String(value));
  }
}

/** JSON has no number for what is not finite. */
function doubleText(value: number): string {
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** A number that has no name stands for itself. */
function enumText({ value: choiceByNumber }: DescEnum, number: number): string {
  const name = choiceByNumber[number]?.name;
  return name === undefined ? String(number) : `"${name}"`;
}

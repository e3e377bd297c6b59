import { create, createFileRegistry, type DescFile, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type DescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { printFile } from '../../tools/protoc-gen-kelp-codec/file.ts';
import { parseOptions } from '../../tools/protoc-gen-kelp-codec/options.ts';
import { selectMessages } from '../../tools/protoc-gen-kelp-codec/selection.ts';

type MessageInit = MessageInitShape<typeof DescriptorProtoSchema>;

/** A schema of one file, `test.proto` of package `test`. */
function schemaOf(...messageType: MessageInit[]): DescFile {
  const proto = create(FileDescriptorProtoSchema, {
    name: 'test.proto',
    package: 'test',
    syntax: 'proto3',
    messageType,
  });
  const file = createFileRegistry(proto, () => undefined).getFile('test.proto');
  if (file === undefined) throw new Error('the schema has no file');
  return file;
}

function generate(file: DescFile, options: { key: string; value: string }[]): string {
  const selection = selectMessages([file], parseOptions(options));
  return [...selection.messagesByFile]
    .map(([file, messages]) => printFile(file, messages, selection))
    .join('');
}

const message = (name: string, typeName: string): MessageInit => ({
  name,
  field: [{ name: 'field', number: 1, label: Label.OPTIONAL, type: Type.MESSAGE, typeName }],
});

const scalar = (name: string, type: Type): MessageInit => ({
  name,
  field: [{ name: 'field', number: 1, label: Label.OPTIONAL, type }],
});

const all = [{ key: 'file', value: 'test.proto' }];

describe('the generator of codecs', () => {
  it('refuses a message that contains itself', () => {
    const file = schemaOf(message('One', '.test.Two'), message('Two', '.test.One'));
    expect(() => generate(file, all)).toThrow('test.One contains itself');
  });

  it('takes a message that contains itself if that is said, and counts how deep it is', () => {
    const file = schemaOf(message('One', '.test.Two'), message('Two', '.test.One'));
    const nested = (value: string) => [...all, { key: 'nested', value }];
    expect(generate(file, nested('test.Two')).match(/cursor\.(?:enter|leave)/g)).toEqual([
      'cursor.enter',
      'cursor.leave',
    ]);
    expect(() => generate(file, nested('test.Missing'))).toThrow('contains itself');
    expect(() => generate(schemaOf(scalar('Plain', Type.INT64)), nested('test.Missing'))).toThrow(
      'no such chosen message',
    );
  });

  it('refuses a kind of field that it can not do', () => {
    expect(() => generate(schemaOf(scalar('Real', Type.FLOAT)), all)).toThrow('not supported');
    expect(() => generate(schemaOf(scalar('Fixed', Type.FIXED64)), all)).toThrow('not supported');
  });

  it('refuses names that are not in the schema, and options that it does not know', () => {
    const file = schemaOf(scalar('Plain', Type.INT64), scalar('Text', Type.STRING));
    const bigint = (value: string) => [...all, { key: 'bigint', value }];
    expect(() => generate(file, [{ key: 'file', value: 'missing.proto' }])).toThrow('no such file');
    expect(() => generate(file, [{ key: 'message', value: 'test.Plain' }])).toThrow('no option message');
    expect(() => generate(file, bigint('test.Plain.missing'))).toThrow('no such field');
    expect(() => generate(file, bigint('test.Text.field'))).toThrow('not an int64');
    expect(generate(file, bigint('test.Plain.field'))).toContain('field: bigint;');
  });

  it('writes the tag of a high field number in all its bytes', () => {
    const field = [{ name: 'field', number: 2047, label: Label.OPTIONAL, type: Type.BOOL }];
    const text = generate(schemaOf({ name: 'High', field }), all);
    expect(text).toContain('buffer[--start] = 0x7f;\n    buffer[--start] = 0xf8;');
    expect(text).toContain('case 0x3ff8:');
  });

  it('gives the placed form to the messages that are named, and refuses it to those that have none', () => {
    const placed = (file: DescFile, value: string) => generate(file, [...all, { key: 'placed', value }]);
    const file = schemaOf(
      scalar('Plain', Type.INT64),
      scalar('Text', Type.STRING),
      message('Outer', '.test.Plain'),
      { name: 'Other', field: scalar('', Type.BYTES).field! },
    );
    const text = placed(file, 'test.Other');
    expect(text.match(/readPlaced\w+/g)).toEqual(['readPlacedOther']);
    expect(placed(file, 'test.Plain')).toContain('sizeOfPlacedPlain');
    expect(() => placed(file, 'test.Text')).toThrow('test.Text.field has no placed form');
    expect(() => placed(file, 'test.Outer')).toThrow('test.Outer.field has no placed form');
    expect(() => placed(file, 'test.Missing')).toThrow('no such chosen message');
    const bigint = { key: 'bigint', value: 'test.Plain.field' };
    expect(() => generate(file, [...all, bigint, { key: 'placed', value: 'test.Plain' }])).toThrow(
      'test.Plain.field has no placed form',
    );
  });
});

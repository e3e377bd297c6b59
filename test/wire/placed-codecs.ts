/** The placed forms of messages as codecs like all others, so that all others' tests are theirs too. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { Cursor } from '../../src/wire/cursor.ts';
import { memoryOf, wholeBuffer, type Memory, type WholeBuffer } from '../../src/wire/memory.ts';
import type { Codec, Shape } from './codecs.ts';

/** What a generated file exports. */
export interface CodecModule {
  readonly [name: string]: (...parameters: unknown[]) => unknown;
}

/** @returns `undefined`: the message has no placed form. */
export function placedCodecOf(codec: Codec, module: CodecModule): Codec | undefined {
  const { message } = codec;
  const { fields, name } = message;
  const lists = fields.filter((field) => field.fieldKind === 'list' && field.listKind === 'message');
  const placed = { ...codec, name: `${codec.name} (placed)` };
  if (`enter${name}` in module)
    return { ...placed, read: (...place) => enterAndRead(message, module, place) };
  if (lists.some((list) => `nextIn${nameOf(list)}` in module)) {
    const read: Codec['read'] = (...place) => readItems(message, lists, module, place);
    return lists.length < fields.length
      ? { ...placed, read }
      : { ...placed, read, ...itemWriter(lists, module) };
  }
  if (!(`readPlaced${name}` in module)) return undefined;
  return {
    ...placed,
    sizeOf: (shape) => Number(module[`sizeOfPlaced${name}`]!(place(message, shape))),
    write: (shape, buffer, offset) =>
      writeBefore(buffer, offset + codec.sizeOf(shape), (target, end) =>
        Number(module[`prependPlaced${name}`]!(place(message, shape), target, end)),
      ),
    read(buffer, start, end) {
      const target: Shape = {};
      const cursor = new Cursor(buffer, start, end);
      module[`readPlaced${name}`]!(target, cursor, end, memoryOf(buffer), buffer.byteOffset);
      return takeUp(message, target);
    },
  };
}

/** A list, as the functions that go through it are named. */
function nameOf(list: DescField): string {
  return `${list.parent.name}${list.localName.charAt(0).toUpperCase()}${list.localName.slice(1)}`;
}

function enterAndRead(message: DescMessage, module: CodecModule, place: Parameters<Codec['read']>): Shape {
  const [buffer, start, end] = place;
  const cursor = new Cursor(buffer, start, end);
  const name = module[`enter${message.name}`]!(cursor, end);
  if (name === undefined) {
    if (cursor.position !== start) throw new Error('the cursor has moved');
    return module[`read${message.name}`]!(buffer, start, end) as Shape;
  }
  const field = message.fields.find((each) => each.localName === name)!;
  const value = module[`read${field.message!.name}`]!(buffer, cursor.position, end);
  return { [field.oneof!.localName]: { case: name, value } };
}

function readItems(
  message: DescMessage,
  lists: readonly DescField[],
  module: CodecModule,
  [buffer, start, end]: Parameters<Codec['read']>,
): Shape {
  const shape: Shape = {};
  module[`readPlaced${message.name}`]?.(shape, new Cursor(buffer, start, end), end);
  for (const list of lists) {
    const cursor = new Cursor(buffer, start, end);
    const items: unknown[] = [];
    for (;;) {
      const itemEnd = Number(module[`nextIn${nameOf(list)}`]!(cursor, end));
      if (itemEnd === 0) break;
      items.push(module[`read${list.message!.name}`]!(buffer, cursor.position, itemEnd));
      cursor.position = itemEnd;
    }
    const count = `${list.localName}Count`;
    if (count in shape && shape[count] !== items.length) throw new Error('an item was not counted');
    delete shape[count];
    shape[list.localName] = items;
  }
  return shape;
}

function itemWriter(lists: readonly DescField[], module: CodecModule): Pick<Codec, 'sizeOf' | 'write'> {
  const itemBytes = (list: DescField, item: unknown) => Number(module[`sizeOf${list.message!.name}`]!(item));
  const sizeOf = (shape: Shape): number => {
    let size = 0;
    for (const list of lists) {
      for (const item of shape[list.localName] as unknown[])
        size += Number(module[`sizeIn${nameOf(list)}`]!(itemBytes(list, item)));
    }
    return size;
  };
  const write: Codec['write'] = (shape, buffer, offset) =>
    writeBefore(buffer, offset + sizeOf(shape), (target, end) => {
      let start = end;
      for (const list of lists.toReversed()) {
        for (const item of (shape[list.localName] as unknown[]).toReversed()) {
          const bytes = itemBytes(list, item);
          module[`write${list.message!.name}`]!(item, target.buffer, start - bytes);
          start = Number(module[`prependHeadIn${nameOf(list)}`]!(target.buffer, start - bytes, bytes));
        }
      }
      return start;
    });
  return { sizeOf, write };
}

/** Writes into a copy of the buffer that is the whole of its memory, and copies all of it back. */
function writeBefore(
  buffer: Buffer,
  end: number,
  write: (target: WholeBuffer, end: number) => number,
): number {
  const target = wholeBuffer(buffer.length);
  buffer.copy(target.buffer);
  write(target, end);
  target.buffer.copy(buffer);
  return end;
}

/** Brings the bytes of a message each into a memory of its own, at any offset. */
function place(message: DescMessage, shape: Shape): Shape {
  const placed: Shape = {};
  for (const { localName } of message.fields) {
    const value = shape[localName];
    if (!(value instanceof Uint8Array)) {
      placed[localName] = value;
      continue;
    }
    const start = value.length % 5;
    const bytes = new Uint8Array(start + value.length + 2);
    bytes.set(value, start);
    placed[`${localName}Memory`] = memoryOf(bytes);
    placed[`${localName}Start`] = start;
    placed[`${localName}End`] = start + value.length;
  }
  return placed;
}

/** The message as the other form has it; its bytes are views. */
function takeUp(message: DescMessage, placed: Shape): Shape {
  const shape: Shape = {};
  for (const { localName } of message.fields) {
    const memory = placed[`${localName}Memory`] as Memory | undefined;
    shape[localName] = memory?.bytes.subarray(
      placed[`${localName}Start`] as number,
      placed[`${localName}End`] as number,
    );
    if (memory === undefined) shape[localName] = placed[localName];
  }
  return shape;
}

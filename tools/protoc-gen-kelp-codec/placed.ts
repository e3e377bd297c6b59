import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { fieldCase } from './read.ts';
import { printComment, type Scope } from './scope.ts';
import { hex, prependTag, tagOf, tagSize } from './tag.ts';
import { indent } from './write.ts';

type List = DescField & { fieldKind: 'list' };

/**
 * The placed form of a message, which makes no object and leaves bytes where they lie. Of a message of numbers and bytes
 * it is read and written; a list of messages is counted and gone through item by item; a oneof of messages is entered.
 */
export function printPlaced(message: DescMessage, scope: Scope): string {
  const { fields, members } = message;
  const oneof = members.length === 1 && members[0]?.kind === 'oneof' ? members[0] : undefined;
  if (oneof !== undefined) return printEnter(message, oneof, scope);
  for (const field of fields) checkPlaceable(field, scope);
  const lists = fields.filter(isList);
  const parts = lists.map((list) => printList(list, scope));
  if (lists.length < fields.length) parts.unshift(printTarget(message, scope), printRead(message, scope));
  if (lists.length === 0) parts.push(printWrite(message, scope));
  return parts.join('\n');
}

function checkPlaceable(field: DescField, scope: Scope): void {
  if (isList(field) || isBytes(field, scope)) return;
  const isPlain = field.fieldKind === 'scalar' || field.fieldKind === 'enum';
  if (!isPlain || field.oneof !== undefined || !['number', 'boolean'].includes(scope.scalar(field).type))
    throw new Error(`${field.toString()} has no placed form`);
}

function isList(field: DescField): field is List {
  return field.fieldKind === 'list' && field.listKind === 'message';
}

function isBytes(field: DescField, scope: Scope): boolean {
  return (
    field.fieldKind === 'scalar' && field.oneof === undefined && scope.scalar(field).type === 'Uint8Array'
  );
}

function printTarget(message: DescMessage, scope: Scope): string {
  const lines = message.fields.map((field) => {
    const name = field.localName;
    const comment = printComment(field, '  ');
    if (isList(field)) return `  /** How many \`${name}\` there are. */\n  ${name}Count: number;\n`;
    if (!isBytes(field, scope)) return `${comment}  ${name}: ${scope.scalar(field).type};\n`;
    const memory = scope.imports.runtime('type Memory', 'memory.ts');
    return `${comment}  ${name}Memory: ${memory};\n  ${name}Start: number;\n  ${name}End: number;\n`;
  });
  return `/** A ${message.name} whose bytes lie in a memory, at offsets from its first byte. */
export interface Placed${message.name} {
${lines.join('')}}
`;
}

function printRead(message: DescMessage, scope: Scope): string {
  const hasBytes = message.fields.some((field) => isBytes(field, scope));
  const cursor = scope.imports.runtime('Cursor', 'cursor.ts');
  const place = hasBytes
    ? `, memory: ${scope.imports.runtime('type Memory', 'memory.ts')}, offset: number`
    : '';
  const resets = message.fields.map((field) => indent(resetOf(field, scope))).join('');
  const cases = message.fields.map((field) => readCase(field, scope)).join('');
  const where = hasBytes
    ? '\n * @param memory in which the buffer of the cursor lies, from `offset` on.'
    : '';
  return `/**
 * Makes \`target\` the ${message.name} that lies up to \`end\`. Throws a WireError when there is no such message.${where}
 */
export function readPlaced${message.name}(target: Placed${message.name}, cursor: ${cursor}, end: number${place}): void {
${resets}  while (cursor.position < end) {
    const tag = cursor.field(end);
    switch (tag) {
${cases}      default:
        cursor.skipField(tag, end);
    }
  }
}
`;
}

function resetOf(field: DescField, scope: Scope): string {
  const target = `target.${field.localName}`;
  if (isList(field)) return `${target}Count = 0;\n`;
  if (isBytes(field, scope)) return `${target}Memory = memory;\n${target}Start = 0;\n${target}End = 0;\n`;
  return `${target} = ${scope.scalar(field).zero()};\n`;
}

function readCase(field: DescField, scope: Scope): string {
  const target = `target.${field.localName}`;
  if (isList(field))
    return fieldCase(field, 2, [`${target}Count++;`, 'cursor.position = cursor.endOfField(end);']);
  if (!isBytes(field, scope)) {
    const { type, read } = scope.scalar(field);
    const short = type === 'boolean' ? 'cursor.short !== 0' : 'cursor.short';
    return fieldCase(field, 0, [`${target} = cursor.short < 0 ? ${read} : ${short};`]);
  }
  return fieldCase(field, 2, [
    'const bytesEnd = cursor.endOfField(end);',
    `${target}Start = offset + cursor.position;`,
    `${target}End = offset + bytesEnd;`,
    'cursor.position = bytesEnd;',
  ]);
}

function printWrite(message: DescMessage, scope: Scope): string {
  const { name, fields } = message;
  const target = scope.imports.runtime('type WholeBuffer', 'memory.ts');
  const sizes = fields.map((field) => indent(sizeOf(field, scope))).join('');
  const prepends = fields
    .toSorted((a, b) => b.number - a.number)
    .map((field) => indent(prepend(field, scope)))
    .join('');
  return `/** How many bytes \`prependPlaced${name}\` writes. Breaks when a field has a value that is not one of its type. */
export function sizeOfPlaced${name}(source: Placed${name}): number {
  let size = 0;
${sizes}  return size;
}

/** Writes a message whose size was asked for, so that it ends before \`end\`; returns where it starts. */
export function prependPlaced${name}(source: Placed${name}, target: ${target}, end: number): number {
  const { buffer } = target;
  let start = end;
${prepends}  return start;
}
`;
}

function sizeOf(field: DescField, scope: Scope): string {
  const source = `source.${field.localName}`;
  if (isBytes(field, scope)) {
    const sizeWithLength = scope.imports.runtime('sizeWithLength', 'varint.ts');
    const byteCount = `${source}End - ${source}Start`;
    return `if (${isSet(field, scope)}) size += ${tagSize(field)} + ${sizeWithLength}(${byteCount});\n`;
  }
  const size = scope.scalar(field).size(source);
  const whole = size === '1' ? `${tagSize(field) + 1}` : `${tagSize(field)} + ${size}`;
  return `if (${isSet(field, scope)}) size += ${whole};\n`;
}

function prepend(field: DescField, scope: Scope): string {
  const source = `source.${field.localName}`;
  const scalar = scope.scalar(field);
  const statement = isBytes(field, scope)
    ? `start = ${scope.imports.runtime('prependPlacedBytes', 'bytes.ts')}(target, start, ${source}Memory, ${source}Start, ${source}End);`
    : scalar.prependSet(source);
  const statements = `${statement}\n${prependTag(field, scalar.wireType)}`;
  return `if (${isSet(field, scope)}) {\n${indent(statements)}}\n`;
}

function isSet(field: DescField, scope: Scope): string {
  const source = `source.${field.localName}`;
  return isBytes(field, scope) ? `${source}End !== ${source}Start` : scope.scalar(field).isSet(source);
}

function printList(list: List, scope: Scope): string {
  const name = `${list.parent.name}${list.localName.replace(/^./, (letter) => letter.toUpperCase())}`;
  const cursor = scope.imports.runtime('Cursor', 'cursor.ts');
  const sizeWithLength = scope.imports.runtime('sizeWithLength', 'varint.ts');
  const prependVarint32 = scope.imports.runtime('prependVarint32', 'varint.ts');
  return `/** Goes to the next item of \`${list.localName}\`; returns where it ends, 0 when there is no other. */
export function nextIn${name}(cursor: ${cursor}, end: number): number {
  while (cursor.position < end) {
    const tag = cursor.field(end);
    if (tag === ${hex(tagOf(list, 2))}) return cursor.endOfField(end);
    cursor.skipField(tag, end);
  }
  return 0;
}

/** How many bytes \`${list.localName}\` takes for an item that has so many itself. */
export function sizeIn${name}(itemBytes: number): number {
  return ${tagSize(list)} + ${sizeWithLength}(itemBytes);
}

/** Writes what stands before an item of \`${list.localName}\`, so that it ends before \`end\`; returns where it starts. */
export function prependHeadIn${name}(buffer: Buffer, end: number, itemBytes: number): number {
  let start = ${prependVarint32}(buffer, end, itemBytes);
${indent(prependTag(list, 2))}  return start;
}
`;
}

function printEnter(message: DescMessage, oneof: DescOneof, scope: Scope): string {
  const cursor = scope.imports.runtime('Cursor', 'cursor.ts');
  const names = oneof.fields.map((field) => {
    if (field.message === undefined) throw new Error(`${field.toString()} has no placed form`);
    return `'${field.localName}'`;
  });
  const cases = oneof.fields.map(
    (field) =>
      `      case ${hex(tagOf(field, 2))}:\n        if (cursor.endOfField(end) === end) return '${field.localName}';\n        break;\n`,
  );
  return `/**
 * Goes into the message that makes up the whole ${message.name}; returns which it is. When something else stands there too,
 * or nothing, it returns \`undefined\` and the cursor stays where it is.
 */
export function enter${message.name}(cursor: ${cursor}, end: number): ${names.join(' | ')} | undefined {
  const start = cursor.position;
  if (start < end) {
    switch (cursor.field(end)) {
${cases.join('')}    }
  }
  cursor.position = start;
  return undefined;
}
`;
}

import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { isOptional, type Scope } from './scope.ts';
import { prependTag, tagSize } from './tag.ts';

/** The functions that tell the size of a message and that write it. */
export function printWrite(message: DescMessage, scope: Scope): string {
  const name = message.name;
  const shape = scope.shape(message);
  const endOfRoom = scope.imports.runtime('endOfRoom', 'room.ts');
  const assertFilled = scope.imports.runtime('assertFilled', 'room.ts');
  return `/** How many bytes \`write${name}\` writes. Breaks when a field has a value that is not one of its type. */
export function ${scope.sizeOf(message)}(message: ${shape}): number {
  let size = 0;
${indent(message.members.map((member) => (member.kind === 'oneof' ? sizeOfOneof(member, scope) : sizeOfField(member, scope))).join(''))}  return size;
}

/** Writes the message at \`offset\`, where there must be room for it; returns where it ends. */
export function write${name}(message: ${shape}, buffer: Buffer, offset: number): number {
  const end = ${endOfRoom}(buffer, offset, sizeOf${name}(message));
  ${assertFilled}(${scope.prepend(message)}(message, buffer, end), offset);
  return end;
}

/** Writes a message whose size was asked for, so that it ends before \`end\`; returns where it starts. */
export function prepend${name}(message: ${shape}, buffer: Buffer, end: number): number {
  let start = end;
${indent(
  runsFromLast(message)
    .map((run) => prependRun(run, scope))
    .join(''),
)}  return start;
}
`;
}

function sizeOfField(field: DescField, scope: Scope): string {
  const value = `message.${field.localName}`;
  if (field.fieldKind === 'list') return sizeOfList(field, scope);
  if (field.message !== undefined) {
    return `if (${value} !== undefined) size += ${sizeWithTag(field, value, scope)};\n`;
  }
  const isSet = isOptional(field) ? `${value} !== undefined` : scope.scalar(field).isSet(value);
  return `if (${isSet}) size += ${sizeWithTag(field, value, scope)};\n`;
}

function sizeOfOneof(oneof: DescOneof, scope: Scope): string {
  const value = `message.${oneof.localName}.value`;
  const cases = oneof.fields.map(
    (field) => `  case '${field.localName}':\n    size += ${sizeWithTag(field, value, scope)};\n    break;\n`,
  );
  return `switch (message.${oneof.localName}.case) {\n${cases.join('')}}\n`;
}

function sizeOfList(field: DescField & { fieldKind: 'list' }, scope: Scope): string {
  const list = `message.${field.localName}`;
  if (!field.packed) return `for (const item of ${list}) size += ${sizeWithTag(field, 'item', scope)};\n`;
  const sizeWithLength = scope.imports.runtime('sizeWithLength', 'varint.ts');
  const itemSize = scope.scalar(field).size('item');
  // When every item has one byte the length of the list is that of its bytes.
  const body =
    itemSize === '1'
      ? `  size += ${tagSize(field)} + ${sizeWithLength}(${list}.length);\n`
      : `  let listSize = 0;\n  for (const item of ${list}) listSize += ${itemSize};\n` +
        `  size += ${tagSize(field)} + ${sizeWithLength}(listSize);\n`;
  return `if (${list}.length !== 0) {\n${body}}\n`;
}

function sizeWithTag(field: DescField, value: string, scope: Scope): string {
  if (field.message === undefined) {
    const size = scope.scalar(field).size(value);
    return size === '1' ? `${tagSize(field) + 1}` : `${tagSize(field)} + ${size}`;
  }
  const sizeWithLength = scope.imports.runtime('sizeWithLength', 'varint.ts');
  return `${tagSize(field)} + ${sizeWithLength}(${scope.sizeOf(field.message)}(${value}))`;
}

/**
 * The fields from the highest number to the lowest, since messages are written backwards. Neighbours of one oneof form
 * one run, so that one switch does for them.
 */
function runsFromLast(message: DescMessage): DescField[][] {
  const runs: DescField[][] = [];
  for (const field of message.fields.toSorted((a, b) => b.number - a.number)) {
    const run = runs.at(-1);
    if (run !== undefined && field.oneof !== undefined && run[0]?.oneof === field.oneof) run.push(field);
    else runs.push([field]);
  }
  return runs;
}

function prependRun(run: readonly DescField[], scope: Scope): string {
  const oneof = run[0]?.oneof;
  if (oneof === undefined) return run.map((field) => prependField(field, scope)).join('');
  const value = `message.${oneof.localName}.value`;
  const cases = run.map(
    (field) => `  case '${field.localName}':${block(indent(prependSingle(field, value, scope)))}`,
  );
  return `switch (message.${oneof.localName}.case) {\n${cases.join('')}}\n`;
}

function block(statements: string): string {
  return statements.includes('const ')
    ? ` {\n${indent(statements)}    break;\n  }\n`
    : `\n${indent(statements)}    break;\n`;
}

function prependField(field: DescField, scope: Scope): string {
  const value = `message.${field.localName}`;
  if (field.fieldKind === 'list') return prependList(field, scope);
  if (field.message !== undefined) {
    return `if (${value} !== undefined) {\n${indent(prependSingle(field, value, scope))}}\n`;
  }
  const scalar = scope.scalar(field);
  const isSet = isOptional(field) ? `${value} !== undefined` : scalar.isSet(value);
  const prepend = isOptional(field) ? scalar.prepend(value) : scalar.prependSet(value);
  const statements = `${prepend}\n${prependTag(field, scalar.wireType)}`;
  return `if (${isSet}) {\n${indent(statements)}}\n`;
}

function prependList(field: DescField & { fieldKind: 'list' }, scope: Scope): string {
  const list = `message.${field.localName}`;
  const type = field.message === undefined ? scope.scalar(field).type : scope.shape(field.message);
  const item = `(${list}[index] as ${type})`;
  const loop = `for (let index = ${list}.length - 1; index >= 0; index--)`;
  if (!field.packed) return `${loop} {\n${indent(prependSingle(field, item, scope))}}\n`;
  const prependVarint32 = scope.imports.runtime('prependVarint32', 'varint.ts');
  const statements =
    `const listEnd = start;\n${loop} {\n${indent(`${scope.scalar(field).prepend(item)}\n`)}}\n` +
    `start = ${prependVarint32}(buffer, start, listEnd - start);\n${prependTag(field, 2)}`;
  return `if (${list}.length !== 0) {\n${indent(statements)}}\n`;
}

function prependSingle(field: DescField, value: string, scope: Scope): string {
  if (field.message === undefined) {
    const scalar = scope.scalar(field);
    return `${scalar.prepend(value)}\n${prependTag(field, scalar.wireType)}`;
  }
  const prependVarint32 = scope.imports.runtime('prependVarint32', 'varint.ts');
  return (
    `const bodyEnd = start;\nstart = ${scope.prepend(field.message)}(${value}, buffer, start);\n` +
    `start = ${prependVarint32}(buffer, start, bodyEnd - start);\n${prependTag(field, 2)}`
  );
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

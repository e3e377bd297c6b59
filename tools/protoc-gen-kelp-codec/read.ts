import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { Scope } from './scope.ts';
import { hex, tagOf, type WireType } from './tag.ts';

/** The functions that read a message. */
export function printRead(message: DescMessage, scope: Scope): string {
  const name = message.name;
  const shape = scope.shape(message);
  const cursor = scope.imports.runtime('Cursor', 'cursor.ts');
  const [enter, leave] = scope.isNested(message) ? ['  cursor.enter();\n', '  cursor.leave();\n'] : ['', ''];
  const cases = message.fields.map((field) => printCase(field, scope));
  return `/**
 * Reads the ${name} that lies from \`start\` to \`end\`. Its bytes are views of the buffer, not copies. Throws a
 * WireError when there is no such message.
 */
export function read${name}(buffer: Buffer, start: number, end: number): ${shape} {
  const message = ${scope.empty(message)}();
  ${scope.merge(message)}(message, new ${cursor}(buffer, start, end), end);
  return message;
}

/** Reads what lies up to \`end\` into \`message\`, as Protobuf merges a message that comes in several pieces. */
export function merge${name}(message: ${shape}, cursor: ${cursor}, end: number): void {
${enter}  while (cursor.position < end) {
    const tag = cursor.tag(end);
    switch (tag) {
${cases.join('')}      default:
        cursor.skip(tag, end);
    }
  }
${leave}}
`;
}

function printCase(field: DescField, scope: Scope): string {
  const target = `message.${field.localName}`;
  if (field.message === undefined) {
    const { read, wireType } = scope.scalar(field);
    if (field.fieldKind === 'list' && wireType !== 2) return printPackedCases(field, scope);
    return fieldCase(field, wireType, [assignment(field, read)]);
  }
  const child = scope.empty(field.message);
  const merge = scope.merge(field.message);
  if (field.fieldKind === 'list') {
    return fieldCase(field, 2, [
      `const item = ${child}();`,
      `${merge}(item, cursor, cursor.endOfLength(end));`,
      `${target}.push(item);`,
    ]);
  }
  if (field.oneof !== undefined) {
    const oneof = `message.${field.oneof.localName}`;
    return fieldCase(field, 2, [
      `const value = ${oneof}.case === '${field.localName}' ? ${oneof}.value : ${child}();`,
      `${merge}(value, cursor, cursor.endOfLength(end));`,
      `${oneof} = { case: '${field.localName}', value };`,
    ]);
  }
  return fieldCase(field, 2, [
    `${target} ??= ${child}();`,
    `${merge}(${target}, cursor, cursor.endOfLength(end));`,
  ]);
}

function assignment(field: DescField, read: string): string {
  if (field.fieldKind === 'list') return `message.${field.localName}.push(${read});`;
  if (field.fieldKind === 'map' || field.oneof === undefined) return `message.${field.localName} = ${read};`;
  return `message.${field.oneof.localName} = { case: '${field.localName}', value: ${read} };`;
}

/** A list of numbers may come packed or not, and a reader must take both. */
function printPackedCases(field: DescField, scope: Scope): string {
  const { read, wireType } = scope.scalar(field);
  const target = `message.${field.localName}`;
  const packed = fieldCase(field, 2, [
    'const listEnd = cursor.endOfLength(end);',
    `while (cursor.position < listEnd) ${target}.push(${read.replace('(end)', '(listEnd)')});`,
  ]);
  return packed + fieldCase(field, wireType, [`${target}.push(${read});`]);
}

/** What the switch of a reader does with a field. */
export function fieldCase(field: DescField, wireType: WireType, statements: readonly string[]): string {
  const open = statements.some((statement) => statement.startsWith('const ')) ? ' {' : '';
  const head = `      case ${hex(tagOf(field, wireType))}:${open}\n`;
  const body = [...statements, 'break;'].map((statement) => `        ${statement}\n`).join('');
  return `${head}${body}${open === '' ? '' : '      }\n'}`;
}

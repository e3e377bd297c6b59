import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { type Scope, isOptional, printComment } from './scope.ts';

/** The interface of a message and the function that makes one with every field at its default. */
export function printShape(message: DescMessage, scope: Scope): string {
  const name = message.name;
  const shape = scope.shape(message);
  const lines = message.members.map((member) =>
    member.kind === 'oneof'
      ? oneofType(member, scope)
      : `${printComment(member, '  ')}  ${member.localName}: ${fieldType(member, scope)};\n`,
  );
  const defaults = message.members.map((member) => `    ${member.localName}: ${defaultOf(member, scope)},\n`);
  return `${printComment(message, '')}export interface ${shape} {
${lines.join('')}}

/** The ${name} with every field at its default. */
export function ${scope.empty(message)}(): ${shape} {
  return {
${defaults.join('')}  };
}
`;
}

function oneofType(oneof: DescOneof, scope: Scope): string {
  const cases = oneof.fields.map((field) => {
    const comment = printComment(field, '    ');
    return `${comment}    | { case: '${field.localName}'; value: ${singleType(field, scope)} }\n`;
  });
  return `  ${oneof.localName}:\n${cases.join('')}    | { case: undefined; value?: undefined };\n`;
}

function fieldType(field: DescField, scope: Scope): string {
  const type = singleType(field, scope);
  if (field.fieldKind === 'list') return `${type}[]`;
  return field.message === undefined && !isOptional(field) ? type : `${type} | undefined`;
}

function singleType(field: DescField, scope: Scope): string {
  return field.message === undefined ? scope.scalar(field).type : scope.shape(field.message);
}

function defaultOf(member: DescField | DescOneof, scope: Scope): string {
  if (member.kind === 'oneof') return '{ case: undefined }';
  if (member.fieldKind === 'list') return '[]';
  return member.message === undefined && !isOptional(member) ? scope.scalar(member).zero() : 'undefined';
}

import type { DescEnum, DescEnumValue, DescField, DescMessage } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { getComments } from '@bufbuild/protoplugin';
import type { Imports } from './imports.ts';
import { type ScalarCodec, scalarCodec } from './scalars.ts';
import type { Selection } from './selection.ts';

/** What all parts of the generator need while they print one file. */
export class Scope {
  readonly imports: Imports;
  readonly #bigIntFields: ReadonlySet<string>;
  readonly #nestedMessages: ReadonlySet<DescMessage>;

  constructor(
    imports: Imports,
    { bigIntFields, nestedMessages }: Pick<Selection, 'bigIntFields' | 'nestedMessages'>,
  ) {
    this.imports = imports;
    this.#bigIntFields = bigIntFields;
    this.#nestedMessages = nestedMessages;
  }

  isNested(message: DescMessage): boolean {
    return this.#nestedMessages.has(message);
  }

  scalar(field: DescField): ScalarCodec {
    const isBigInt = this.#bigIntFields.has(`${field.parent.typeName}.${field.name}`);
    return scalarCodec(field, isBigInt, this.imports);
  }

  shape(message: DescMessage): string {
    return this.#of(message, `type ${message.name}Shape`);
  }

  empty(message: DescMessage): string {
    return this.#of(message, `empty${message.name}`);
  }

  sizeOf(message: DescMessage): string {
    return this.#of(message, `sizeOf${message.name}`);
  }

  prepend(message: DescMessage): string {
    return this.#of(message, `prepend${message.name}`);
  }

  merge(message: DescMessage): string {
    return this.#of(message, `merge${message.name}`);
  }

  #of(message: DescMessage, name: string): string {
    return this.imports.generated(name, codecPath(message.file.name)).replace(/^type /, '');
  }
}

/** Whether a field that is no message tells apart its default from not being set (`optional` in proto3). */
export function isOptional(field: DescField): boolean {
  return (
    (field.fieldKind === 'scalar' || field.fieldKind === 'enum') &&
    field.oneof === undefined &&
    field.presence === FeatureSet_FieldPresence.EXPLICIT
  );
}

/** Where the code of a schema file goes, within the output folder. */
export function codecPath(file: string): string {
  return `${file}_codec.ts`;
}

/** The comment in the schema as a comment of the code; nothing when there is none. */
export function printComment(
  described: DescMessage | DescField | DescEnum | DescEnumValue,
  indent: string,
): string {
  const text = getComments(described).leading?.trimEnd();
  if (text === undefined || text === '') return '';
  const lines = text.split('\n').map((line) => line.replace(/^ /, '').replaceAll('*/', '* /').trimEnd());
  if (lines.length === 1) return `${indent}/** ${lines.join('')} */\n`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */\n`].join(
    '\n',
  );
}

import { type DescField, ScalarType } from '@bufbuild/protobuf';
import type { Imports } from './imports.ts';
import type { WireType } from './tag.ts';

/** How a value that is not a message is kept in memory and brought to bytes, as pieces of code. */
export interface ScalarCodec {
  /** The type in TypeScript. */
  readonly type: string;
  /** The default value. */
  zero(): string;
  readonly wireType: WireType;
  /** Whether the value differs from the default. */
  isSet(value: string): string;
  /** The bytes of a value without its tag. */
  size(value: string): string;
  /** A statement that writes a value without its tag before `start`. */
  prepend(value: string): string;
  /** Like `prepend`, of a value that is known to differ from the default. */
  prependSet(value: string): string;
  /** Reads a value from the cursor. */
  readonly read: string;
}

/** The codec of a field, or of the elements of a list, whose values are not messages. */
export function scalarCodec(field: DescField, isBigInt: boolean, imports: Imports): ScalarCodec {
  const scalar = field.enum === undefined ? field.scalar : ScalarType.INT32;
  if (isBigInt && scalar !== ScalarType.INT64)
    throw new Error(`${field.toString()} can't be a bigint: it is not an int64`);
  switch (scalar) {
    case ScalarType.BOOL:
      return {
        type: 'boolean',
        zero: () => 'false',
        wireType: 0,
        isSet: (value) => value,
        size: () => '1',
        prepend: (value) => `buffer[--start] = ${value} ? 1 : 0;`,
        prependSet: () => 'buffer[--start] = 1;',
        read: 'cursor.bool(end)',
      };
    case ScalarType.DOUBLE:
      return {
        ...calling('Double', 'double', 'double.ts', imports),
        type: 'number',
        zero: () => '0',
        wireType: 1,
        // Minus zero is another number than the default.
        isSet: (value) => `!Object.is(${value}, 0)`,
        size: () => '8',
      };
    case ScalarType.STRING:
      return {
        ...calling('Text', 'text', 'text.ts', imports),
        type: 'string',
        zero: () => "''",
        wireType: 2,
        isSet: (value) => `${value} !== ''`,
      };
    case ScalarType.BYTES:
      return {
        ...calling('Bytes', 'bytes', 'bytes.ts', imports),
        type: 'Uint8Array',
        zero: () => imports.runtime('NO_BYTES', 'bytes.ts'),
        wireType: 2,
        isSet: (value) => `${value}.length !== 0`,
      };
    case ScalarType.UINT32:
      return { ...calling('Uint32', 'uint32', 'varint.ts', imports, 'Varint32'), ...number };
    case ScalarType.INT32:
      return { ...calling('Int32', 'int32', 'varint.ts', imports), ...number };
    case ScalarType.UINT64:
      return { ...calling('Uint64', 'uint64', 'varint.ts', imports, 'Int64'), ...number };
    case ScalarType.INT64:
      return isBigInt
        ? {
            ...calling('BigInt64', 'bigInt64', 'varint.ts', imports),
            type: 'bigint',
            zero: () => '0n',
            wireType: 0,
            isSet: (value) => `${value} !== 0n`,
          }
        : { ...calling('Int64', 'int64', 'varint.ts', imports), ...number };
    default:
      throw new Error(
        `${field.toString()}: fields of this kind are not supported yet; scalars.ts is the place`,
      );
  }
}

const number = {
  type: 'number',
  zero: () => '0',
  wireType: 0,
  isSet: (value: string) => `${value} !== 0`,
} as const;

/** The parts that are calls of the functions of src/wire. They are imported only once they are used. */
function calling(
  name: string,
  read: string,
  file: string,
  imports: Imports,
  prependName = name,
): Pick<ScalarCodec, 'size' | 'prepend' | 'prependSet' | 'read'> {
  const prepend = (value: string): string =>
    `start = ${imports.runtime(`prepend${prependName}`, file)}(buffer, start, ${value});`;
  return {
    size: (value) => `${imports.runtime(`sizeOf${name}`, file)}(${value})`,
    prepend,
    prependSet: prepend,
    read: `cursor.${read}(end)`,
  };
}

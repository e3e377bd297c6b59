/**
 * How values are written and read: a codec makes bytes of a value and a value of bytes. Text, bytes and JSON are
 * here, messages of Protobuf in `protobuf-codec.ts`; any other is an object with two functions.
 */
import type { Value } from '../../api.ts';

/** `Given` is what is written, where more is taken than is read: a message in parts, a value before its schema has filled it in. */
export interface Codec<Read, Given = Read> {
  /** Throws when this can't be written. */
  encode(value: Given): Value;
  /** Throws when the bytes hold no such value. */
  decode(bytes: Uint8Array): Read;
}

/**
 * What validates values: an object of any library that keeps to Standard Schema 1 (Zod, Valibot, ArkType and others;
 * standardschema.dev), as far as it is looked at here.
 */
export interface StandardSchema<Read, Given = Read> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Read> | Promise<SchemaResult<Read>>;
    readonly types?: { readonly input: Given; readonly output: Read } | undefined;
  };
}

type SchemaResult<Read> =
  { readonly value: Read; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const bytes: Codec<Uint8Array, Value> = {
  encode: (value) => value,
  decode: (value) => value,
};

/** Reading bytes that are no UTF-8 throws. */
export const text: Codec<string> = {
  encode: (value) => value,
  decode: (value) => utf8.decode(value),
};

/**
 * JSON. Without a schema its shape is taken on trust. With one, what is written is validated, and so is what is read, which the
 * schema may change (defaults, dates): what it makes of a value when that is written is not what is kept. It has to answer at once.
 */
export function json<Read, Given = Read>(schema?: StandardSchema<Read, Given>): Codec<Read, Given> {
  return {
    encode: (value) => {
      if (schema !== undefined) validated(schema, value);
      const written = JSON.stringify(value) as string | undefined;
      if (written === undefined) throw new TypeError(`${typeof value} can't be written as JSON`);
      return written;
    },
    decode: (value) => {
      const read = JSON.parse(utf8.decode(value)) as unknown;
      return schema === undefined ? (read as Read) : validated(schema, read);
    },
  };
}

function validated<Read>(schema: StandardSchema<Read, unknown>, value: unknown): Read {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new TypeError(
      'the schema answers with a promise, and values are read at once: use one without asynchronous parts',
    );
  }
  if (result.issues !== undefined) throw new TypeError(result.issues.map(issueText).join('; '));
  return result.value;
}

function issueText({ message, path = [] }: SchemaIssue): string {
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return names.length === 0 ? message : `${names.join('.')}: ${message}`;
}

/**
 * Finds texts that stand for integers in the JSON form of a message and are none, but that a reader of JavaScript takes
 * all the same: `BigInt` makes 16 of "0x10", 5 of " 5 " and 0 of "". It also takes long over a million digits.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { messageDepthMax } from './cursor.ts';
import { fieldsByJsonName } from './json-fields.ts';

/** As many as a number of 64 bits can have. */
const DECIMAL = /^-?\d{1,20}$/;

const integerTypes: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT32,
  ScalarType.UINT32,
  ScalarType.SINT32,
  ScalarType.FIXED32,
  ScalarType.SFIXED32,
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/** A message shows so much of a text. */
const SHOWN_LENGTH_MAX = 40;

/**
 * @param json as `JSON.parse` gives it. What is not of the schema's shape is for its parser to refuse.
 * @param depth of the message within others.
 * @returns what to say of the first such text, or of messages too deep within themselves; `undefined`: there is none.
 */
export function malformedIntegerIn(message: DescMessage, json: unknown, depth = 0): string | undefined {
  if (depth > messageDepthMax) return 'it is nested too deep';
  if (typeof json !== 'object' || json === null) return undefined;
  for (const [name, value] of Object.entries(json)) {
    const field = fieldsByJsonName(message).get(name);
    if (field === undefined) continue;
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const complaint =
        field.message === undefined
          ? complaintOf(field, item)
          : malformedIntegerIn(field.message, item, depth + 1);
      if (complaint !== undefined) return complaint;
    }
  }
  return undefined;
}

function complaintOf({ scalar, name }: DescField, item: unknown): string | undefined {
  if (!integerTypes.has(scalar) || typeof item !== 'string' || DECIMAL.test(item)) return undefined;
  const shown =
    item.length <= SHOWN_LENGTH_MAX ? item : `${item.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}...`;
  return `${name} is the text ${JSON.stringify(shown)}; a number as text is decimal digits, with a minus before them or not`;
}

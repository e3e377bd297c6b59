/**
 * Names the field whose integer is beyond what the generated codecs take, 2^53 - 1 either way: they tell where it lies.
 * Requests that are read have no need of names.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { StoreError } from '../../errors.ts';
import { Cursor } from '../../wire/cursor.ts';
import { WireError } from '../../wire/wire-error.ts';
import { durationError, wholeNumberError } from './request-fields.ts';

const VARINT = 0;
const LENGTH_DELIMITED = 2;

interface LargeInteger {
  /** As other errors of requests name it: `success[3].put.lease_id`. */
  readonly path: string;
  readonly parent: DescMessage;
  readonly value: bigint;
}

/**
 * The `invalidArgument` for the integer at `offset`, within the message that lies from `start` to `end`. `undefined`: the message
 * is none on the way there, which its reader tells.
 */
export function largeIntegerError(
  message: DescMessage,
  bytes: Buffer,
  start: number,
  end: number,
  offset: number,
): StoreError | undefined {
  try {
    const found = findInteger(new Cursor(bytes, start, end), end, message, '', offset);
    return found && refusalOf(found);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return undefined;
  }
}

function refusalOf({ path, parent, value }: LargeInteger): StoreError {
  if (parent.typeName !== 'google.protobuf.Duration') return wholeNumberError(path, value);
  return durationError(path.slice(0, path.lastIndexOf('.')), value);
}

function findInteger(
  cursor: Cursor,
  end: number,
  message: DescMessage,
  prefix: string,
  offset: number,
): LargeInteger | undefined {
  const itemCounts = new Map<DescField, number>();
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    const field = message.fields.find(({ number }) => number === tag >>> 3);
    const path = field === undefined ? prefix : `${prefix}${nameOf(field, itemCounts)}`;
    if ((tag & 7) === VARINT && cursor.position === offset)
      return { path, parent: message, value: cursor.bigInt64(end) };
    if ((tag & 7) !== LENGTH_DELIMITED) {
      cursor.skip(tag, end);
      continue;
    }
    const fieldEnd = cursor.endOfLength(end);
    if (offset < fieldEnd && field?.message !== undefined)
      return findInteger(cursor, fieldEnd, field.message, `${path}.`, offset);
    cursor.position = fieldEnd;
  }
  return undefined;
}

/** With its place in the list if it is an item of one. */
function nameOf(field: DescField, itemCounts: Map<DescField, number>): string {
  if (field.fieldKind !== 'list') return field.name;
  const index = itemCounts.get(field) ?? 0;
  itemCounts.set(field, index + 1);
  return `${field.name}[${index}]`;
}

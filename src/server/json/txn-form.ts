/**
 * A transaction as JSON, as REST and the command take it: the JSON form of the message `kelp.v1.TxnRequest`, made friendlier.
 *
 * - A `value` is its text, or `{"base64": "..."}`; Protobuf alone would have all values in base64.
 * - A `key` that is not UTF-8 is a `keyBytes` in base64, as in Protobuf.
 * - A `relation` is `equal`, `notEqual`, `less` or `greater`; the names of the schema are taken too.
 * - A `ttl` has any unit: `500ms`, `30s`, `5m`; Protobuf alone knows only seconds.
 *
 * In both forms a put needs its value, and a number that JavaScript would round is refused; as text it is exact. What can't be
 * read is `invalidArgument`, with the place in the JSON.
 */
import { type JsonObject, type JsonValue, fromJson } from '@bufbuild/protobuf';
import { CompareSchema, OperationSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import type { Relation } from '../../api.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { OptionError, parseDurationMs } from '../config/option-values.ts';

/** Changes what is friendlier here and leaves everything else for Protobuf to judge. */
export function toProtobufTxn(json: JsonValue): JsonValue {
  return toProtobuf(json, '');
}

/**
 * To Protobuf what is left out and what is empty are the same; here they are not, for the value of a put and for the
 * bounds of a delete.
 * @param json whose form in Protobuf was read without complaint.
 */
export function checkTxnOperations(json: JsonValue): void {
  for (const branch of ['success', 'failure']) {
    const operations = memberOf(json, branch);
    if (!Array.isArray(operations)) continue;
    for (const [index, operation] of operations.entries()) {
      const put = memberOf(operation, 'put');
      if (isObject(put) && (put['value'] ?? null) === null) {
        throw invalid(`${branch}[${index}].put has no value; give "value": "" for an empty one`);
      }
      const deleteRange = memberOf(operation, 'deleteRange') ?? memberOf(operation, 'delete_range');
      const range = memberOf(deleteRange, 'range');
      const empty = isObject(range) && Object.keys(range).find((name) => (range[name] || null) === null);
      if (empty) {
        throw invalid(`${branch}[${index}].deleteRange.range.${empty} is empty; ${ALL_KEYS}`);
      }
    }
  }
}

export const ALL_KEYS = 'to delete all keys give "range": {"all": true}';

/** Which compare or operation of a transaction in Protobuf's form can't be read; `undefined`: it is not one of them. */
export function faultyPlaceIn(json: JsonValue): string | undefined {
  const lists = [
    ['compares', CompareSchema],
    ['success', OperationSchema],
    ['failure', OperationSchema],
  ] as const;
  for (const [name, schema] of lists) {
    const items = memberOf(json, name);
    if (!Array.isArray(items)) continue;
    const index = items.findIndex((item) => {
      try {
        fromJson<typeof CompareSchema | typeof OperationSchema>(schema, item);
        return false;
      } catch {
        return true;
      }
    });
    if (index !== -1) return `${name}[${index}]`;
  }
  return undefined;
}

function isObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function memberOf(json: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(json) ? json[name] : undefined;
}

const relationNames: Record<Relation, string> = {
  equal: 'RELATION_EQUAL',
  notEqual: 'RELATION_NOT_EQUAL',
  less: 'RELATION_LESS',
  greater: 'RELATION_GREATER',
};

function toProtobuf(json: JsonValue, place: string): JsonValue {
  if (Array.isArray(json)) return json.map((item, index) => toProtobuf(item, `${place}[${index}]`));
  if (!isObject(json)) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const memberPlace = place === '' ? name : `${place}.${name}`;
      switch (name) {
        case 'value':
          return [name, toBase64(value, memberPlace)];
        case 'ttl':
          return [name, toSeconds(value, memberPlace)];
        case 'relation':
          return [name, typeof value === 'string' ? (relationNames[value as Relation] ?? value) : value];
        default:
          return [name, toProtobuf(value, memberPlace)];
      }
    }),
  );
}

function toBase64(value: JsonValue, place: string): JsonValue {
  if (typeof value === 'string' && value.isWellFormed()) return Buffer.from(value).toString('base64');
  if (isObject(value) && 'base64' in value && Object.keys(value).length === 1) return value['base64'] ?? null;
  throw invalid(`${place}: a value is a text or {"base64": "..."}, not ${shown(value)}`);
}

/** What is shown of something that is no value. */
const SHOWN_LENGTH_MAX = 100;

export function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}...`;
}

/** A time to live in Protobuf's form. @param place of it, for errors. */
export function toSeconds(ttl: JsonValue, place: string): JsonValue {
  if (ttl === null) return ttl;
  if (typeof ttl !== 'string') {
    throw invalid(`${place} must be a text with its unit, such as "30s", not ${shown(ttl)}`);
  }
  const ms = durationIn(ttl, place);
  if (ms >= 1 && ms <= fixed.ttlMsMax) return `${ms / 1000}s`;
  throw invalid(`${place} must be 1ms to 100 years (36500d), or left out for ever, not ${shown(ttl)}`);
}

function durationIn(text: string, place: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw invalid(`${place}: ${error.message}`);
  }
}

function invalid(message: string): StoreError {
  return new StoreError('invalidArgument', message);
}

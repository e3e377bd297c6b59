/**
 * A transaction as JSON: the JSON form of the message `kelp.v1.TxnRequest`, made friendlier.
 *
 * - A `value` is its text, or `{"base64": "..."}`; Protobuf alone would have all values in base64.
 * - A `key` that is not UTF-8 is a `keyBytes` in base64, as in Protobuf.
 * - A `relation` is `equal`, `notEqual`, `less` or `greater`; the names of the schema are taken too.
 * - A `ttl` has any unit: `500ms`, `30s`, `5m`; Protobuf alone knows only seconds.
 *
 * In both forms a put needs its value, and a number that JavaScript would round is refused; as text it is exact.
 */
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import type { Compare as CompareMessage, Operation as OperationMessage } from '../../../gen/kelp/v1/kv_pb.ts';
import { Relation as RelationNumber, TxnRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import type { KeyRange as KeyRangeMessage } from '../../../gen/kelp/v1/types_pb.ts';
import type { Compare, DeletedRange, Key, KeyRange, Operation, Relation } from '../../api.ts';
import type { TxnRequest } from '../../client/messages/types.ts';
import { parseDurationMs } from '../../server/config/option-values.ts';
import { malformedIntegerIn } from '../../wire/json-integers.ts';
import { roundedNumberIn } from '../../wire/json-numbers.ts';
import { UsageError } from '../process/exit-code.ts';

/** Reads a transaction; `isPlain` takes the JSON form of Protobuf as it is. Throws a `UsageError`. */
export function parseTxn(text: string, isPlain: boolean): TxnRequest {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new UsageError(`the transaction is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const complaint = roundedNumberIn(Buffer.from(text));
  if (complaint !== undefined) throw new UsageError(complaint);
  try {
    const protobufJson = isPlain ? json : toProtobufJson(json);
    const malformed = malformedIntegerIn(TxnRequestSchema, protobufJson);
    if (malformed !== undefined) throw new UsageError(malformed);
    const message = fromJson(TxnRequestSchema, protobufJson);
    checkOperations(json);
    const { compares, success, failure } = message;
    return {
      compares: compares.map(toCompare),
      success: success.map((operation, index) => toOperation(operation, `success[${index}]`)),
      failure: failure.map((operation, index) => toOperation(operation, `failure[${index}]`)),
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`the transaction can't be read: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * To Protobuf what is left out and what is empty are the same; here they are not, for the value of a put and for the
 * bounds of a delete. Whatever else is wrong is for it to judge.
 */
function checkOperations(json: JsonValue): void {
  for (const branch of ['success', 'failure']) {
    const operations = memberOf(json, branch);
    if (!Array.isArray(operations)) continue;
    for (const [index, operation] of operations.entries()) {
      const put = memberOf(operation, 'put');
      if (isObject(put) && (put['value'] ?? null) === null) {
        throw new UsageError(`${branch}[${index}].put has no value; give "value": "" for an empty one`);
      }
      const deleteRange = memberOf(operation, 'deleteRange') ?? memberOf(operation, 'delete_range');
      const range = memberOf(deleteRange, 'range');
      const empty = isObject(range) && Object.keys(range).find((name) => (range[name] || null) === null);
      if (empty) {
        throw new UsageError(`${branch}[${index}].deleteRange.range.${empty} is empty; ${ALL_KEYS}`);
      }
    }
  }
}

const ALL_KEYS = 'to delete all keys give "range": {"all": true}';

function isObject(json: JsonValue | undefined): json is { [name: string]: JsonValue } {
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

/** Changes what is friendlier here, wherever it stands, and leaves everything else for Protobuf to judge. */
function toProtobufJson(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(toProtobufJson);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      switch (name) {
        case 'value':
          return [name, toBase64(value)];
        case 'ttl':
          return [name, toSeconds(value)];
        case 'relation':
          return [name, typeof value === 'string' ? (relationNames[value as Relation] ?? value) : value];
        default:
          return [name, toProtobufJson(value)];
      }
    }),
  );
}

function toBase64(value: JsonValue): JsonValue {
  if (typeof value === 'string' && value.isWellFormed()) return Buffer.from(value).toString('base64');
  if (typeof value === 'object' && value !== null && 'base64' in value && Object.keys(value).length === 1) {
    return value['base64'] ?? null;
  }
  throw new UsageError(`a value is a text or {"base64": "..."}, not ${JSON.stringify(value)}`);
}

function toSeconds(ttl: JsonValue): JsonValue {
  if (typeof ttl !== 'string') return ttl;
  try {
    return `${parseDurationMs(ttl) / 1000}s`;
  } catch (error) {
    throw new UsageError(`ttl: ${(error as Error).message}`, { cause: error });
  }
}

const relationByNumber = new Map<RelationNumber, Relation>([
  [RelationNumber.UNSPECIFIED, 'equal'],
  [RelationNumber.EQUAL, 'equal'],
  [RelationNumber.NOT_EQUAL, 'notEqual'],
  [RelationNumber.LESS, 'less'],
  [RelationNumber.GREATER, 'greater'],
]);

function toCompare({ subject, relation, operand }: CompareMessage, index: number): Compare {
  const place = `compares[${index}]`;
  const known = relationByNumber.get(relation);
  if (subject.case === undefined) throw new UsageError(`${place} has neither a key nor a range`);
  if (operand.case === undefined)
    throw new UsageError(`${place} has nothing to compare with, such as a version`);
  if (known === undefined) throw new UsageError(`${place} has a relation that is not known`);
  return {
    subject: subject.case === 'range' ? { range: toReadRange(subject.value, place) } : { key: subject.value },
    relation: known,
    operand: toOperand(operand),
  };
}

function toOperand(operand: CompareMessage['operand'] & { readonly case: string }): Compare['operand'] {
  switch (operand.case) {
    case 'exists':
      return { kind: 'exists', value: operand.value };
    case 'value':
      return { kind: 'value', value: operand.value };
    default:
      return { kind: operand.case, value: Number(operand.value) };
  }
}

function toOperation({ operation }: OperationMessage, place: string): Operation {
  switch (operation.case) {
    case 'get':
      return { kind: 'get', key: keyIn(`${place}.get`, operation.value) };
    case 'put': {
      const { value, leaseId, returnPrevious, ttl } = operation.value;
      const key = keyIn(`${place}.put`, operation.value);
      const ttlMs = ttl === undefined ? {} : { ttlMs: durationMs(ttl) };
      return { kind: 'put', key, value, leaseId: Number(leaseId), returnPrevious, ...ttlMs };
    }
    case 'delete': {
      const { returnPrevious } = operation.value;
      return { kind: 'delete', key: keyIn(`${place}.delete`, operation.value), returnPrevious };
    }
    case 'deleteRange':
      return { kind: 'deleteRange', range: toDeletedRange(operation.value.range, place) };
    case 'increment': {
      const { delta, ttl } = operation.value;
      const key = keyIn(`${place}.increment`, operation.value);
      return { kind: 'increment', key, delta, ...(ttl !== undefined && { ttlMs: durationMs(ttl) }) };
    }
    case undefined:
      throw new UsageError(`${place} is no operation; give get, put, delete, deleteRange or increment`);
  }
}

function toReadRange(message: KeyRangeMessage, place: string): KeyRange {
  if (message.all) throw new UsageError(`${place}.range has all, which is for deletes; {} is all keys`);
  return givenRange(message, `${place}.range`);
}

function toDeletedRange(message: KeyRangeMessage | undefined, place: string): DeletedRange {
  const range = message === undefined ? {} : givenRange(message, `${place}.deleteRange.range`);
  const isEmpty = Object.keys(range).length === 0;
  if (message?.all === true) {
    if (!isEmpty) throw new UsageError(`${place} has a range with all and other members`);
    return { all: true };
  }
  if (isEmpty) throw new UsageError(`${place} has no range; ${ALL_KEYS}`);
  return range;
}

/** The members of a range that are not empty. */
function givenRange(message: KeyRangeMessage, place: string): KeyRange {
  const key = oneForm(`${place}.key`, message.key, message.keyBytes);
  const prefix = oneForm(`${place}.prefix`, message.prefix, message.prefixBytes);
  const start = oneForm(`${place}.start`, message.start, message.startBytes);
  const end = oneForm(`${place}.end`, message.end, message.endBytes);
  return {
    ...(key !== '' && { key }),
    ...(prefix !== '' && { prefix }),
    ...(start !== '' && { start }),
    ...(end !== '' && { end }),
  };
}

function keyIn(
  place: string,
  { key, keyBytes }: { readonly key: string; readonly keyBytes: Uint8Array },
): Key {
  return oneForm(`${place}.key`, key, keyBytes);
}

/** A key, prefix or bound, which is given as text or as bytes. */
function oneForm(name: string, text: string, bytes: Uint8Array): Key {
  if (bytes.length === 0) return text;
  if (text !== '') throw new UsageError(`${name} and ${name}Bytes are both given; give one of them`);
  return bytes;
}

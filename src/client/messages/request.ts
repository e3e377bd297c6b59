/** Requests on keys, from their plain form, which has been checked, to that of the protocol. */
import type { DurationShape } from '../../../gen/google/protobuf/duration_codec.ts';
import type { CompareShape, OperationShape, TxnRequestShape } from '../../../gen/kelp/v1/kv_codec.ts';
import { Relation as RelationNumber } from '../../../gen/kelp/v1/kv_codec.ts';
import type { ConditionShape, KeyRangeShape } from '../../../gen/kelp/v1/types_codec.ts';
import type { Compare, Condition, DeletedRange, Key, Operation, Relation, Value } from '../../api.ts';
import { canonicalKey } from '../../arguments/key.ts';
import { copyOf } from '../../arguments/value.ts';
import { client as limits, fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { KelpError } from '../errors/error.ts';
import { toDuration } from './scalar.ts';
import type { TxnRequest } from './types.ts';

/** How a request names a key: as text, or, where it is not UTF-8, in bytes. */
interface KeyFields {
  readonly key: string;
  readonly keyBytes: Uint8Array;
}

/** A key as a part of a request. Bytes are a copy: a call waits for its connection and may be sent again. */
export function toKey(given: Key): KeyFields {
  const key = canonicalKey(given);
  return typeof key === 'string' ? { key, keyBytes: NO_BYTES } : { key: '', keyBytes: key };
}

/** Keys as a part of a request: where one is not UTF-8, an empty text stands for its bytes. */
export function toKeyList(keys: readonly Key[]): {
  readonly keys: string[];
  readonly keysBytes: Uint8Array[];
} {
  const named = keys.map(toKey);
  return {
    keys: named.map(({ key }) => key),
    keysBytes: named.flatMap(({ keyBytes }) => (keyBytes.length === 0 ? [] : [keyBytes])),
  };
}

export function toRange(range: DeletedRange): KeyRangeShape {
  const { key = '', prefix = '', start = '', end = '' } = 'all' in range ? {} : range;
  const [ofPrefix, ofStart, ofEnd] = [toKey(prefix), toKey(start), toKey(end)];
  return {
    ...toKey(key),
    prefix: ofPrefix.key,
    prefixBytes: ofPrefix.keyBytes,
    start: ofStart.key,
    startBytes: ofStart.keyBytes,
    end: ofEnd.key,
    endBytes: ofEnd.keyBytes,
    all: 'all' in range,
  };
}

/** A time to live as a part of a request. */
export function toTtl(ttlMs: number | undefined): DurationShape | undefined {
  return ttlMs === undefined ? undefined : toDuration(ttlMs);
}

/** A condition as a part of a request. */
export function toCondition(condition: Condition | undefined): ConditionShape | undefined {
  switch (condition?.kind) {
    case undefined:
      return undefined;
    case 'mustNotExist':
    case 'mustExist':
      return { condition: { case: condition.kind, value: true } };
    case 'modRevisionEquals':
      return { condition: { case: 'modRevisionEquals', value: condition.modRevision } };
  }
}

export function toTxn(request: TxnRequest): TxnRequestShape {
  const { compares = [], success = [], failure = [] } = request;
  const parts = [...compares.map(({ operand }) => operand), ...success, ...failure];
  checkBytes(parts.reduce((bytes, part) => bytes + partBytes(part), 0));
  return {
    compares: compares.map(toCompare),
    success: success.map(toOperation),
    failure: failure.map(toOperation),
  };
}

/** What a part of a transaction takes, at most. */
function partBytes(part: Operation | Compare['operand']): number {
  const keyBytes = 'key' in part ? 3 * part.key.length : 2 * fixed.keyBytesMax;
  return (
    keyBytes + NUMBERS_BYTES_MAX + (part.kind === 'value' || part.kind === 'put' ? valueBytes(part.value) : 0)
  );
}

/** The numbers of a part, and what says which field is which. */
const NUMBERS_BYTES_MAX = 64;

function valueBytes(value: Value): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
}

/**
 * The transport would refuse a message that is too long, too, but not say that nothing was sent.
 * @param byteCount at most, of keys and values.
 */
export function checkBytes(byteCount: number): void {
  if (byteCount <= limits.messageBytesMax) return;
  throw new KelpError(
    'limitReached',
    `the request may take ${byteCount} bytes; at most ${limits.messageBytesMax} are sent at once. Split it`,
    undefined,
  );
}

const numberByRelation: Record<Relation, number> = {
  equal: RelationNumber.EQUAL,
  notEqual: RelationNumber.NOT_EQUAL,
  less: RelationNumber.LESS,
  greater: RelationNumber.GREATER,
};

function toCompare({ subject, relation, operand }: Compare): CompareShape {
  return {
    subject: toSubject(subject),
    relation: numberByRelation[relation],
    operand: toOperand(operand),
  };
}

function toSubject(subject: Compare['subject']): CompareShape['subject'] {
  if ('range' in subject) return { case: 'range', value: toRange(subject.range) };
  const { key, keyBytes } = toKey(subject.key);
  return keyBytes.length === 0 ? { case: 'key', value: key } : { case: 'keyBytes', value: keyBytes };
}

function toOperand(operand: Compare['operand']): CompareShape['operand'] {
  switch (operand.kind) {
    case 'exists':
      return { case: 'exists', value: operand.value };
    case 'value':
      return { case: 'value', value: copyOf(operand.value) };
    default:
      return { case: operand.kind, value: operand.value };
  }
}

function toOperation(operation: Operation): OperationShape {
  switch (operation.kind) {
    case 'get':
      return { operation: { case: 'get', value: toKey(operation.key) } };
    case 'put':
      return {
        operation: {
          case: 'put',
          value: {
            ...toKey(operation.key),
            value: copyOf(operation.value),
            ttl: toTtl(operation.ttlMs),
            leaseId: operation.leaseId ?? 0,
            returnPrevious: operation.returnPrevious ?? false,
          },
        },
      };
    case 'delete': {
      const { returnPrevious = false } = operation;
      return { operation: { case: 'delete', value: { ...toKey(operation.key), returnPrevious } } };
    }
    case 'deleteRange':
      return { operation: { case: 'deleteRange', value: { range: toRange(operation.range) } } };
    case 'increment': {
      const value = {
        ...toKey(operation.key),
        delta: BigInt(operation.delta),
        ttl: toTtl(operation.ttlMs),
      };
      return { operation: { case: 'increment', value } };
    }
    default:
      throw new KelpError(
        'invalidArgument',
        `this client sends no ${operation.kind} in a transaction`,
        undefined,
      );
  }
}

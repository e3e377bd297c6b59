/** Transactions, from their plain form, which has been checked, to that of the protocol. */
import {
  type CompareShape,
  type OperationShape,
  Relation as RelationNumber,
  type TxnRequestShape,
  sizeOfTxnRequest,
} from '../../../gen/kelp/v1/kv_codec.ts';
import type { Compare, Operation, Relation, Value } from '../../api.ts';
import { copyOf } from '../../arguments/value.ts';
import { fixed } from '../../limits.ts';
import { toCollectionOperation } from './collections/operations.ts';
import { checkBytes, toKey, toRange, toTtl } from './request.ts';
import type { TxnRequest } from './types.ts';

export function toTxn(request: TxnRequest): TxnRequestShape {
  const { compares = [], success = [], failure = [] } = request;
  const parts = [...compares.map(({ operand }) => operand), ...success, ...failure];
  checkBytes(parts.reduce((bytes, part) => bytes + partBytes(part), 0));
  const message = {
    compares: compares.map(toCompare),
    success: success.map(toOperation),
    failure: failure.map(toOperation),
  };
  // Elements are many and each of its own length.
  checkBytes(sizeOfTxnRequest(message));
  return message;
}

/** What a part of a transaction takes, at most, besides the elements of collections. */
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
      return { operation: toCollectionOperation(operation) };
  }
}

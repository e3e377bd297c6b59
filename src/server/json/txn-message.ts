/** A transaction that was read from JSON, in the plain types. What it can't be is `invalidArgument` and names the place. */
import { durationMs } from '@bufbuild/protobuf/wkt';
import type {
  Compare as CompareMessage,
  Operation as OperationMessage,
  TxnRequest as TxnRequestMessage,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { Relation as RelationNumber } from '../../../gen/kelp/v1/kv_pb.ts';
import type { KeyRange as KeyRangeMessage } from '../../../gen/kelp/v1/types_pb.ts';
import type { Compare, DeletedRange, Key, KeyRange, Operation, Relation, TxnRequest } from '../../api.ts';
import { StoreError } from '../../errors.ts';
import { ALL_KEYS } from './txn-form.ts';

export function toTxnRequest({ compares, success, failure }: TxnRequestMessage): TxnRequest {
  return {
    compares: compares.map(toCompare),
    success: success.map((operation, index) => toOperation(operation, `success[${index}]`)),
    failure: failure.map((operation, index) => toOperation(operation, `failure[${index}]`)),
  };
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
  if (subject.case === undefined) throw invalid(`${place} has neither a key nor a range`);
  if (operand.case === undefined) throw invalid(`${place} has nothing to compare with, such as a version`);
  if (known === undefined) throw invalid(`${place} has a relation that is not known`);
  return {
    subject: subject.case === 'range' ? { range: toReadRange(subject.value, place) } : { key: subject.value },
    relation: known,
    operand: toOperand(operand, place),
  };
}

function toOperand(
  operand: CompareMessage['operand'] & { readonly case: string },
  place: string,
): Compare['operand'] {
  switch (operand.case) {
    case 'exists':
      return { kind: 'exists', value: operand.value };
    case 'value':
      return { kind: 'value', value: operand.value };
    default:
      return { kind: operand.case, value: toWholeNumber(operand.value, `${place}.${operand.case}`) };
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
      const lease = toWholeNumber(leaseId, `${place}.put.leaseId`);
      return { kind: 'put', key, value, leaseId: lease, returnPrevious, ...ttlMs };
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
    default:
      throw invalid(
        `${place}.${operation.case} is for gRPC and Connect: a transaction in this form has get, put, delete, deleteRange and increment`,
      );
    case undefined:
      throw invalid(`${place} is no operation; give get, put, delete, deleteRange or increment`);
  }
}

/** What can't be one, such as 2^53, is for the checks of the call to refuse. */
function toWholeNumber(value: bigint, place: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw invalid(`${place} is ${value}; it must be 0 to ${Number.MAX_SAFE_INTEGER}`);
}

function toReadRange(message: KeyRangeMessage, place: string): KeyRange {
  if (message.all) throw invalid(`${place}.range has all, which is for deletes; {} is all keys`);
  return givenRange(message, `${place}.range`);
}

function toDeletedRange(message: KeyRangeMessage | undefined, place: string): DeletedRange {
  const range = message === undefined ? {} : givenRange(message, `${place}.deleteRange.range`);
  const isEmpty = Object.keys(range).length === 0;
  if (message?.all === true) {
    if (!isEmpty) throw invalid(`${place} has a range with all and other members`);
    return { all: true };
  }
  if (isEmpty) throw invalid(`${place} has no range; ${ALL_KEYS}`);
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
  if (text !== '') throw invalid(`${name} and ${name}Bytes are both given; give one of them`);
  return bytes;
}

function invalid(message: string): StoreError {
  return new StoreError('invalidArgument', message);
}

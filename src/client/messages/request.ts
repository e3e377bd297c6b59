/** Requests on keys, from their plain form, which has been checked, to that of the protocol. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CompareSchema,
  OperationSchema,
  PutOperationSchema,
  TxnRequestSchema,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { Relation as RelationNumber } from '../../../gen/kelp/v1/kv_pb.ts';
import type { ConditionSchema, KeyRangeSchema } from '../../../gen/kelp/v1/types_pb.ts';
import type {
  Compare,
  Condition,
  DeletedRange,
  Key,
  NamedKey,
  Operation,
  Relation,
  Value,
} from '../../api.ts';
import { canonicalKey, namedKey } from '../../arguments/key.ts';
import { copyOf } from '../../arguments/value.ts';
import { client as limits, fixed } from '../../limits.ts';
import { KelpError } from '../errors/error.ts';
import { toDuration, toInt64 } from './scalar.ts';
import type { TxnRequest } from './types.ts';

/** A key as a part of a request. Bytes are a copy: a call waits for its connection and may be sent again. */
export function toKey(key: Key): NamedKey {
  return namedKey(canonicalKey(key));
}

/** Keys as a part of a request: where one is not UTF-8, an empty text stands for its bytes. */
export function toKeyList(keys: readonly Key[]): {
  readonly keys: string[];
  readonly keysBytes: Uint8Array[];
} {
  const named = keys.map(toKey);
  return {
    keys: named.map(({ key }) => key),
    keysBytes: named.flatMap(({ keyBytes }) => (keyBytes === undefined ? [] : [keyBytes])),
  };
}

export function toRange(range: DeletedRange): MessageInitShape<typeof KeyRangeSchema> {
  if ('all' in range) return { all: true };
  const { key = '', prefix = '', start = '', end = '' } = range;
  const [ofPrefix, ofStart, ofEnd] = [toKey(prefix), toKey(start), toKey(end)];
  return {
    ...toKey(key),
    prefix: ofPrefix.key,
    ...(ofPrefix.keyBytes && { prefixBytes: ofPrefix.keyBytes }),
    start: ofStart.key,
    ...(ofStart.keyBytes && { startBytes: ofStart.keyBytes }),
    end: ofEnd.key,
    ...(ofEnd.keyBytes && { endBytes: ofEnd.keyBytes }),
  };
}

/** A time to live as a part of a request that leaves the field out when there is none. */
export function toTtl(ttlMs: number | undefined): Pick<MessageInitShape<typeof PutOperationSchema>, 'ttl'> {
  return ttlMs === undefined ? {} : { ttl: toDuration(ttlMs) };
}

/** A condition as a part of a request that leaves the field out when there is none. */
export function toCondition(condition: Condition | undefined): {
  readonly condition?: MessageInitShape<typeof ConditionSchema>;
} {
  switch (condition?.kind) {
    case undefined:
      return {};
    case 'mustNotExist':
    case 'mustExist':
      return { condition: { condition: { case: condition.kind, value: true } } };
    case 'modRevisionEquals': {
      const value = toInt64(condition.modRevision);
      return { condition: { condition: { case: 'modRevisionEquals', value } } };
    }
  }
}

export function toTxn(request: TxnRequest): MessageInitShape<typeof TxnRequestSchema> {
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

const numberByRelation: Record<Relation, RelationNumber> = {
  equal: RelationNumber.EQUAL,
  notEqual: RelationNumber.NOT_EQUAL,
  less: RelationNumber.LESS,
  greater: RelationNumber.GREATER,
};

function toCompare({ subject, relation, operand }: Compare): MessageInitShape<typeof CompareSchema> {
  return {
    subject: toSubject(subject),
    relation: numberByRelation[relation],
    operand: toOperand(operand),
  };
}

function toSubject(
  subject: Compare['subject'],
): NonNullable<MessageInitShape<typeof CompareSchema>['subject']> {
  if ('range' in subject) return { case: 'range', value: toRange(subject.range) };
  const { key, keyBytes } = toKey(subject.key);
  return keyBytes === undefined ? { case: 'key', value: key } : { case: 'keyBytes', value: keyBytes };
}

function toOperand(
  operand: Compare['operand'],
): NonNullable<MessageInitShape<typeof CompareSchema>['operand']> {
  switch (operand.kind) {
    case 'exists':
      return { case: 'exists', value: operand.value };
    case 'value':
      return { case: 'value', value: copyOf(operand.value) };
    default:
      return { case: operand.kind, value: toInt64(operand.value) };
  }
}

function toOperation(operation: Operation): MessageInitShape<typeof OperationSchema> {
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
            ...toTtl(operation.ttlMs),
            leaseId: toInt64(operation.leaseId),
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
        ...toTtl(operation.ttlMs),
      };
      return { operation: { case: 'increment', value } };
    }
  }
}

/** Requests on keys, from their plain form to that of the protocol. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CompareSchema,
  OperationSchema,
  PutOperationSchema,
  TxnRequestSchema,
} from '../../gen/kelp/v1/kv_pb.ts';
import { Relation as RelationNumber } from '../../gen/kelp/v1/kv_pb.ts';
import type { ConditionSchema, KeyRangeSchema } from '../../gen/kelp/v1/types_pb.ts';
import { toBytes, toDelta, toDuration, toInt64, toText } from './scalar.ts';
import type { Compare, Condition, KeyRange, Operation, Relation, TxnRequest } from './types.ts';

export function toRange(range: KeyRange): MessageInitShape<typeof KeyRangeSchema> {
  return {
    key: toText(range.key ?? '', 'range.key'),
    prefix: toText(range.prefix ?? '', 'range.prefix'),
    start: toText(range.start ?? '', 'range.start'),
    end: toText(range.end ?? '', 'range.end'),
  };
}

/** A time to live as a part of a request that leaves the field out when there is none. */
export function toTtl(ttlMs: number | undefined): Pick<MessageInitShape<typeof PutOperationSchema>, 'ttl'> {
  return ttlMs === undefined ? {} : { ttl: toDuration(ttlMs, 'ttlMs') };
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
      const value = toInt64(condition.modRevision, 'condition.modRevision');
      return { condition: { condition: { case: 'modRevisionEquals', value } } };
    }
  }
}

export function toTxn(request: TxnRequest): MessageInitShape<typeof TxnRequestSchema> {
  return {
    compares: (request.compares ?? []).map(toCompare),
    success: (request.success ?? []).map(toOperation),
    failure: (request.failure ?? []).map(toOperation),
  };
}

const numberByRelation: Record<Relation, RelationNumber> = {
  equal: RelationNumber.EQUAL,
  notEqual: RelationNumber.NOT_EQUAL,
  less: RelationNumber.LESS,
  greater: RelationNumber.GREATER,
};

function toCompare({ subject, relation, operand }: Compare): MessageInitShape<typeof CompareSchema> {
  return {
    subject:
      'key' in subject
        ? { case: 'key', value: toText(subject.key, 'key') }
        : { case: 'range', value: toRange(subject.range) },
    relation: numberByRelation[relation],
    operand: toOperand(operand),
  };
}

function toOperand(
  operand: Compare['operand'],
): NonNullable<MessageInitShape<typeof CompareSchema>['operand']> {
  switch (operand.kind) {
    case 'exists':
      return { case: 'exists', value: operand.value };
    case 'value':
      return { case: 'value', value: toBytes(operand.value) };
    default:
      return { case: operand.kind, value: toInt64(operand.value, operand.kind) };
  }
}

function toOperation(operation: Operation): MessageInitShape<typeof OperationSchema> {
  switch (operation.kind) {
    case 'get':
      return { operation: { case: 'get', value: { key: toText(operation.key, 'key') } } };
    case 'put':
      return {
        operation: {
          case: 'put',
          value: {
            key: toText(operation.key, 'key'),
            value: toBytes(operation.value),
            ...toTtl(operation.ttlMs),
            leaseId: toInt64(operation.leaseId, 'leaseId'),
            returnPrevious: operation.returnPrevious ?? false,
          },
        },
      };
    case 'delete': {
      const { returnPrevious = false } = operation;
      return { operation: { case: 'delete', value: { key: toText(operation.key, 'key'), returnPrevious } } };
    }
    case 'deleteRange':
      return { operation: { case: 'deleteRange', value: { range: toRange(operation.range) } } };
    case 'increment': {
      const value = {
        key: toText(operation.key, 'key'),
        delta: toDelta(operation.delta),
        ...toTtl(operation.ttlMs),
      };
      return { operation: { case: 'increment', value } };
    }
  }
}

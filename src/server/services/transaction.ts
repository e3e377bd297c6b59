/** The parts of a transaction between their messages and the store's form. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type Compare as CompareMessage,
  type Operation as OperationMessage,
  type OperationResultSchema,
  Relation as RelationMessage,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { StoreError } from '../../errors.ts';
import type { Compare, Operation, OperationResult, Relation } from '../../api.ts';
import { entryBytes, optionalEntry } from './reply-entries.ts';
import { deletedRange, given, keyRange, timeToLiveMs, wholeNumber } from './request-fields.ts';

const relationByNumber: Readonly<Record<number, Relation>> = {
  [RelationMessage.UNSPECIFIED]: 'equal',
  [RelationMessage.EQUAL]: 'equal',
  [RelationMessage.NOT_EQUAL]: 'notEqual',
  [RelationMessage.LESS]: 'less',
  [RelationMessage.GREATER]: 'greater',
};

export function compare(message: CompareMessage, index: number): Compare {
  const field = `compares[${index}]`;
  const relation = relationByNumber[message.relation];
  if (relation === undefined) {
    throw new StoreError('invalidArgument', `${field}.relation is ${message.relation}, which is not known`);
  }
  return { subject: subject(message, field), relation, operand: operand(message, field) };
}

function subject({ subject }: CompareMessage, field: string): Compare['subject'] {
  switch (subject.case) {
    case 'key':
      return { key: subject.value };
    case 'range':
      return { range: keyRange(subject.value) };
    case undefined:
      throw new StoreError('invalidArgument', `${field} says nothing of a key or range`);
  }
}

function operand({ operand }: CompareMessage, field: string): Compare['operand'] {
  switch (operand.case) {
    case 'exists':
      return { kind: 'exists', value: operand.value };
    case 'value':
      return { kind: 'value', value: operand.value };
    case 'version':
    case 'createRevision':
    case 'modRevision':
    case 'leaseId':
      return { kind: operand.case, value: wholeNumber(`${field}.${operand.case}`, operand.value) };
    case undefined:
      throw new StoreError('invalidArgument', `${field} has nothing to compare with`);
  }
}

export function operation({ operation }: OperationMessage, field: string): Operation {
  switch (operation.case) {
    case 'get':
      return { kind: 'get', key: operation.value.key };
    case 'put': {
      const { key, value, ttl, leaseId, returnPrevious } = operation.value;
      return {
        kind: 'put',
        key,
        value,
        leaseId: wholeNumber(`${field}.put.lease_id`, leaseId),
        returnPrevious,
        ...given({ ttlMs: timeToLiveMs(`${field}.put.ttl`, ttl) }),
      };
    }
    case 'delete': {
      const { key, returnPrevious } = operation.value;
      return { kind: 'delete', key, returnPrevious };
    }
    case 'deleteRange':
      return {
        kind: 'deleteRange',
        range: deletedRange(`${field}.delete_range.range`, operation.value.range),
      };
    case 'increment': {
      const { key, delta, ttl } = operation.value;
      return {
        kind: 'increment',
        key,
        delta,
        ...given({ ttlMs: timeToLiveMs(`${field}.increment.ttl`, ttl) }),
      };
    }
    case undefined:
      throw new StoreError('invalidArgument', `${field} is empty or of a kind that is not known`);
  }
}

export function operationResult(result: OperationResult): MessageInitShape<typeof OperationResultSchema> {
  switch (result.kind) {
    case 'get':
      return { result: { case: 'get', value: optionalEntry('entry', result.entry) } };
    case 'put':
      return { result: { case: 'put', value: optionalEntry('previous', result.previous) } };
    case 'delete': {
      const { deleted, previous } = result;
      return { result: { case: 'delete', value: { deleted, ...optionalEntry('previous', previous) } } };
    }
    case 'deleteRange':
      return { result: { case: 'deleteRange', value: { deletedCount: BigInt(result.deletedCount) } } };
    case 'increment':
      return { result: { case: 'increment', value: { value: result.value } } };
  }
}

/** What a result takes in a reply, at most. */
export function resultBytes(result: OperationResult): number {
  if (result.kind === 'get') return RESULT_BYTES + entryBytes(result.entry);
  if (result.kind === 'put' || result.kind === 'delete') return RESULT_BYTES + entryBytes(result.previous);
  return RESULT_BYTES;
}

/** What a result takes besides its entry. */
const RESULT_BYTES = 16;

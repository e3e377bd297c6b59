/** The parts of a transaction between their generated shapes and the store's form. */
import type {
  CompareShape,
  OperationResultShape,
  OperationShape,
  TxnRequestShape,
} from '../../../../gen/kelp/v1/kv_codec.ts';
import { Relation as RelationNumber } from '../../../../gen/kelp/v1/kv_pb.ts';
import { given } from '../../../arguments/shape.ts';
import { StoreError } from '../../../errors.ts';
import type { Admit, Compare, Key, Operation, OperationResult, Relation, TxnRequest } from '../../../api.ts';
import type { Call } from '../../calls/call.ts';
import { answerBytes, resultShape } from '../data-types/replies.ts';
import { operationOf } from '../data-types/requests.ts';
import { entryBytes, optionalEntry, pageCharge, RESULT_OBJECT_BYTES } from '../reply-entries.ts';
import { deletedRange, keyOf, keyRange, timeToLiveMs, wholeNumber } from '../request-fields.ts';

const relationByNumber: Readonly<Record<number, Relation>> = {
  [RelationNumber.UNSPECIFIED]: 'equal',
  [RelationNumber.EQUAL]: 'equal',
  [RelationNumber.NOT_EQUAL]: 'notEqual',
  [RelationNumber.LESS]: 'less',
  [RelationNumber.GREATER]: 'greater',
};

/** Without what is charged for its results. */
export function txnRequest({
  compares,
  success,
  failure,
}: TxnRequestShape): Required<Pick<TxnRequest, 'compares' | 'success' | 'failure'>> {
  return {
    compares: compares.map(compare),
    success: success.map((each, index) => operation(each, `success[${index}]`)),
    failure: failure.map((each, index) => operation(each, `failure[${index}]`)),
  };
}

function compare(message: CompareShape, index: number): Compare {
  const field = `compares[${index}]`;
  const relation = relationByNumber[message.relation];
  if (relation === undefined) {
    throw new StoreError('invalidArgument', `${field}.relation is ${message.relation}, which is not known`);
  }
  return { subject: subject(message, field), relation, operand: operand(message, field) };
}

function subject({ subject }: CompareShape, field: string): Compare['subject'] {
  switch (subject.case) {
    case 'key':
    case 'keyBytes':
      return { key: subject.value };
    case 'range':
      return { range: keyRange(subject.value) };
    case undefined:
      throw new StoreError('invalidArgument', `${field} says nothing of a key or range`);
  }
}

function operand({ operand }: CompareShape, field: string): Compare['operand'] {
  switch (operand.case) {
    case 'exists':
      return { kind: 'exists', value: operand.value };
    case 'value':
      return { kind: 'value', value: operand.value };
    case 'version':
    case 'createRevision':
    case 'modRevision':
    case 'leaseId':
      return {
        kind: operand.case,
        value: wholeNumber(`${field}.${fieldByOperand[operand.case]}`, operand.value),
      };
    case undefined:
      throw new StoreError('invalidArgument', `${field} has nothing to compare with`);
  }
}

/** As errors name it. */
const fieldByOperand = {
  version: 'version',
  createRevision: 'create_revision',
  modRevision: 'mod_revision',
  leaseId: 'lease_id',
} as const;

function operation({ operation }: OperationShape, field: string): Operation {
  const keyIn = (
    kind: string,
    { key, keyBytes }: { readonly key: string; readonly keyBytes: Uint8Array },
  ): Key => keyOf(`${field}.${kind}.key`, key, keyBytes);
  switch (operation.case) {
    case 'get':
      return { kind: 'get', key: keyIn('get', operation.value) };
    case 'put': {
      const { value, ttl, leaseId, returnPrevious } = operation.value;
      return {
        kind: 'put',
        key: keyIn('put', operation.value),
        value,
        leaseId: wholeNumber(`${field}.put.lease_id`, leaseId),
        returnPrevious,
        ...given({ ttlMs: timeToLiveMs(`${field}.put.ttl`, ttl) }),
      };
    }
    case 'delete': {
      const { returnPrevious } = operation.value;
      return { kind: 'delete', key: keyIn('delete', operation.value), returnPrevious };
    }
    case 'deleteRange':
      return {
        kind: 'deleteRange',
        range: deletedRange(`${field}.delete_range.range`, operation.value.range),
      };
    case 'increment': {
      const { delta, ttl } = operation.value;
      return {
        kind: 'increment',
        key: keyIn('increment', operation.value),
        delta,
        ...given({ ttlMs: timeToLiveMs(`${field}.increment.ttl`, ttl) }),
      };
    }
    default:
      return operationOf(operation.case, operation.value, `${field}.${fieldOf(operation.case)}.`);
    case undefined:
      throw new StoreError('invalidArgument', `${field} is empty or of a kind that is not known`);
  }
}

/** The field of an operation, as errors name it. */
function fieldOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function operationResult(result: OperationResult, revision: number): OperationResultShape {
  switch (result.kind) {
    case 'get':
      return { result: { case: 'get', value: { entry: optionalEntry(result.entry) } } };
    case 'put':
      return { result: { case: 'put', value: { previous: optionalEntry(result.previous) } } };
    case 'delete': {
      const { deleted, previous } = result;
      return { result: { case: 'delete', value: { deleted, previous: optionalEntry(previous) } } };
    }
    case 'deleteRange':
      return { result: { case: 'deleteRange', value: { deletedCount: result.deletedCount } } };
    case 'increment':
      return { result: { case: 'increment', value: { value: result.value } } };
    default:
      return { result: resultShape(result, revision) };
  }
}

/** Charges each result to the call before the transaction takes effect. */
export function admitResult(call: Call): Admit<OperationResult> {
  const chargeObject = pageCharge(call);
  return (made) => {
    chargeObject(RESULT_OBJECT_BYTES);
    call.chargeReply(resultBytes(made));
  };
}

/** What a result takes in a reply, at most; as an object it takes `RESULT_OBJECT_BYTES` besides. */
function resultBytes(result: OperationResult): number {
  if (result.kind === 'get') return RESULT_BYTES + entryBytes(result.entry);
  if (result.kind === 'put' || result.kind === 'delete') return RESULT_BYTES + entryBytes(result.previous);
  if (result.kind === 'deleteRange' || result.kind === 'increment') return RESULT_BYTES;
  return RESULT_BYTES + answerBytes(result);
}

/** What a result takes besides its entry. */
const RESULT_BYTES = 16;

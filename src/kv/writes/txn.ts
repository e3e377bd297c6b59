/** Transactions: compares, then one of two lists of operations, in one revision. */
import { bytesOf } from '../../arguments/value.ts';
import type { EngineRange } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { toEntry } from '../../store/views/entries.ts';
import { encodeKey } from '../../store/views/keys.ts';
import { toDeletedRange, toEngineRange } from '../../store/views/range.ts';
import type { Compare, KeyOperation, Operation, OperationResult, TxnRequest, TxnResult } from '../../api.ts';
import type { Random } from '../../clock.ts';
import type { View } from '../../store/views/view.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { isCollectionOperation, prepareOperation } from '../collections/operation.ts';
import { add, deleteAll } from './writes.ts';

/** An operation with its key, or its range, as bytes; or what runs it. */
type Prepared =
  | { readonly operation: RangeOperation; readonly range: EngineRange }
  | { readonly operation: Exclude<KeyOperation, RangeOperation>; readonly key: Uint8Array }
  | { readonly run: (view: View) => OperationResult };

type RangeOperation = Extract<Operation, { kind: 'deleteRange' }>;

export function runTxn(view: View, request: TxnRequest, random: Random): TxnResult {
  const compares = request.compares ?? [];
  if (compares.length > fixed.txnComparesMax) {
    throw new StoreError('invalidArgument', `a transaction has at most ${fixed.txnComparesMax} compares`);
  }
  const prepared = compares.map(prepareCompare);
  const success = prepare(request.success ?? [], 'success', random);
  const failure = prepare(request.failure ?? [], 'failure', random);
  const succeeded = prepared.every((compare) => holds(view, compare));
  const results = (succeeded ? success : failure).map((one) => {
    const result = run(view, one);
    request.admit?.(result);
    return result;
  });
  return { succeeded, results, revision: view.replyRevision };
}

/** A compare with its key or range as bytes, and its operand checked. */
interface PreparedCompare {
  readonly compare: Compare;
  readonly keys: Uint8Array | EngineRange;
}

function prepareCompare(compare: Compare): PreparedCompare {
  const { subject, relation, operand } = compare;
  if (operand.kind === 'exists' && relation !== 'equal' && relation !== 'notEqual') {
    throw new StoreError('invalidArgument', 'a compare of existence can only be equal or not equal');
  }
  const keys = 'key' in subject ? encodeKey(subject.key) : toEngineRange(subject.range);
  if (operand.kind !== 'value') return { compare, keys };
  // Once, not for each entry of the range.
  return { compare: { ...compare, operand: { ...operand, value: bytesOf(operand.value) } }, keys };
}

/** Encodes the keys of a branch and checks all that can be wrong with it whatever the store holds. */
function prepare(operations: readonly Operation[], branch: string, random: Random): Prepared[] {
  if (operations.length > fixed.txnOperationsMax) {
    throw new StoreError(
      'invalidArgument',
      `the ${branch} branch has ${operations.length} operations; at most ${fixed.txnOperationsMax} are allowed`,
    );
  }
  return operations.map((operation) => {
    if (isCollectionOperation(operation)) return { run: prepareOperation(operation, random) };
    return operation.kind === 'deleteRange'
      ? { operation, range: toDeletedRange(operation.range) }
      : { operation, key: encodeKey(operation.key) };
  });
}

function run(view: View, prepared: Prepared): OperationResult {
  if ('run' in prepared) return prepared.run(view);
  if ('range' in prepared) return { kind: 'deleteRange', deletedCount: deleteAll(view, prepared.range) };
  const { operation, key } = prepared;
  switch (operation.kind) {
    case 'get': {
      const current = view.read(key);
      return { kind: 'get', entry: current && toEntry(operation.key, current) };
    }
    case 'put': {
      const { ttlMs = 0, leaseId = 0, returnPrevious } = operation;
      const current = returnPrevious === true ? view.read(key) : undefined;
      const previous = current && toEntry(operation.key, current);
      view.put(key, bytesOf(operation.value), { ttlMs, leaseId });
      return { kind: 'put', previous };
    }
    case 'delete': {
      const { returnPrevious } = operation;
      const current = returnPrevious === true ? view.read(key) : undefined;
      const previous = current && toEntry(operation.key, current);
      return { kind: 'delete', deleted: view.delete(key) !== undefined, previous };
    }
    case 'increment':
      return {
        kind: 'increment',
        value: add(view, key, BigInt(operation.delta), operation.ttlMs),
      };
  }
}

function holds(view: View, { compare, keys }: PreparedCompare): boolean {
  const { operand, relation } = compare;
  if (keys instanceof Uint8Array) {
    const current = operand.kind === 'value' ? view.read(keys) : view.readMeta(keys);
    return holdsFor(compare, current);
  }
  let isEmpty = true;
  let doesHold = true;
  const nextKey = view.scan(keys, false, (shown) => {
    isEmpty = false;
    if (operand.kind === 'value') view.budget.spendBytes(shown.valueEnd - shown.valueStart);
    doesHold = operand.kind !== 'exists' && holdsFor(compare, shown);
    return doesHold && !view.budget.isSpent;
  });
  if (operand.kind === 'exists') {
    if (isEmpty && nextKey !== undefined) throw budgetSpent(view.budget);
    return (isEmpty !== operand.value) === (relation === 'equal');
  }
  if (doesHold && nextKey !== undefined) throw budgetSpent(view.budget);
  return doesHold;
}

/** @param version `undefined` when the key does not exist. */
function holdsFor(compare: Compare, version: Version | undefined): boolean {
  const { operand, relation } = compare;
  switch (operand.kind) {
    case 'exists':
      return ((version !== undefined) === operand.value) === (relation === 'equal');
    case 'value':
      // What is no plain value is unequal to every value.
      if (version === undefined || version.kind !== kinds.plain) return relation === 'notEqual';
      return isRelated(Buffer.compare(version.value, bytesOf(operand.value)), relation);
    default:
      return isRelated((version?.[operand.kind] ?? 0) - operand.value, relation);
  }
}

/** @param order negative, zero or positive, as for a sort. */
function isRelated(order: number, relation: Compare['relation']): boolean {
  switch (relation) {
    case 'equal':
      return order === 0;
    case 'notEqual':
      return order !== 0;
    case 'less':
      return order < 0;
    case 'greater':
      return order > 0;
  }
}

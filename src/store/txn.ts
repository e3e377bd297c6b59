/** Transactions: compares, then one of two lists of operations, in one revision. */
import { bytesOf } from '../arguments/value.ts';
import type { EngineRange } from '../engine/engine.ts';
import type { Version } from '../engine/version.ts';
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import type { Draft } from './views/draft.ts';
import { toEntry } from './entries.ts';
import { encodeKey, keyAfter } from './views/keys.ts';
import { rangesOverlap, toDeletedRange, toEngineRange } from './views/range.ts';
import { VisitBudget, type Sequencer } from './views/sequencer.ts';
import type { Compare, Operation, OperationResult, TxnRequest, TxnResult } from '../api.ts';
import { checkCount, checkTtl } from './validate.ts';

/** An operation with its keys as bytes. */
interface Prepared {
  readonly operation: Operation;
  readonly range: EngineRange;
}

/** What the compares may go through: once to end what is past its deadline, once to compare. */
interface Budgets {
  readonly settle: VisitBudget;
  readonly compare: VisitBudget;
}

export function runTxn(sequencer: Sequencer, request: TxnRequest): TxnResult {
  const compares = request.compares ?? [];
  if (compares.length > fixed.txnComparesMax) {
    throw new StoreError('invalidArgument', `a transaction has at most ${fixed.txnComparesMax} compares`);
  }
  const prepared = compares.map(prepareCompare);
  const success = prepare(request.success ?? [], 'success');
  const failure = prepare(request.failure ?? [], 'failure');
  sequencer.begin();
  const budgets: Budgets = { settle: new VisitBudget(), compare: new VisitBudget() };
  const succeeded = prepared.every((compare) => holds(sequencer, compare, budgets));
  const operations = succeeded ? success : failure;
  for (const { operation, range } of operations) settle(sequencer, operation, range);
  const draft = sequencer.draft(false);
  const results = operations.map(({ operation, range }) => {
    const result = run(sequencer, draft, operation, range);
    request.admit?.(result);
    return result;
  });
  const revision = draft.changes.length === 0 ? sequencer.lastRevision : sequencer.commit(draft);
  return { succeeded, results, revision };
}

/** A compare with its key or range as bytes, and its operand checked. */
interface PreparedCompare {
  readonly compare: Compare;
  readonly range: EngineRange;
}

function prepareCompare(compare: Compare): PreparedCompare {
  const { subject, relation, operand } = compare;
  if (operand.kind === 'exists' && relation !== 'equal' && relation !== 'notEqual') {
    throw new StoreError('invalidArgument', 'a compare of existence can only be equal or not equal');
  }
  if (operand.kind !== 'exists' && operand.kind !== 'value') checkCount(operand.value, operand.kind);
  const range = 'key' in subject ? keyRange(subject.key) : toEngineRange(subject.range);
  if (operand.kind !== 'value') return { compare, range };
  // Once, not for each entry of the range.
  return { compare: { ...compare, operand: { ...operand, value: bytesOf(operand.value) } }, range };
}

/** Encodes the keys of a branch and checks all that can be wrong with it whatever the store holds. */
function prepare(operations: readonly Operation[], branch: string): Prepared[] {
  if (operations.length > fixed.txnOperationsMax) {
    throw new StoreError(
      'invalidArgument',
      `the ${branch} branch has ${operations.length} operations; at most ${fixed.txnOperationsMax} are allowed`,
    );
  }
  const prepared = operations.map((operation) => {
    if (operation.kind === 'put') checkCount(operation.leaseId, 'leaseId');
    if (operation.kind === 'put' || operation.kind === 'increment') checkTtl(operation.ttlMs);
    const isRange = operation.kind === 'deleteRange';
    return { operation, range: isRange ? toDeletedRange(operation.range) : keyRange(operation.key) };
  });
  const written = prepared
    .filter(({ operation }) => operation.kind !== 'get')
    .sort((a, b) => Buffer.compare(a.range.start, b.range.start));
  // Sorted by their starts, two ranges of a row overlap only if some neighbours do.
  for (const [index, { range, operation }] of written.entries()) {
    const before = written[index - 1];
    if (before === undefined || !rangesOverlap(before.range, range)) continue;
    const what = operation.kind === 'deleteRange' ? 'a range' : `the key ${JSON.stringify(operation.key)}`;
    throw new StoreError(
      'invalidArgument',
      `the ${branch} branch writes ${what} twice; a transaction may write a key only once`,
    );
  }
  return prepared;
}

function keyRange(key: string): EngineRange {
  const bytes = encodeKey(key);
  return { start: bytes, end: keyAfter(bytes) };
}

function settle(sequencer: Sequencer, operation: Operation, range: EngineRange): void {
  if (operation.kind === 'deleteRange') sequencer.settleRange(range);
  else sequencer.settleKey(range.start);
}

function run(sequencer: Sequencer, draft: Draft, operation: Operation, range: EngineRange): OperationResult {
  switch (operation.kind) {
    case 'get': {
      const current = draft.read(range.start);
      return { kind: 'get', entry: current && toEntry(operation.key, current) };
    }
    case 'put': {
      const { key, ttlMs, leaseId, returnPrevious } = operation;
      const current = returnPrevious === true ? draft.read(range.start) : draft.readMeta(range.start);
      const value = bytesOf(operation.value);
      draft.put(range.start, value, checkTtl(ttlMs), checkCount(leaseId, 'leaseId'), current);
      return {
        kind: 'put',
        previous: returnPrevious === true && current ? toEntry(key, current) : undefined,
      };
    }
    case 'delete': {
      const { key, returnPrevious } = operation;
      const current = returnPrevious === true ? draft.read(range.start) : draft.readMeta(range.start);
      if (current === undefined) return { kind: 'delete', deleted: false, previous: undefined };
      draft.delete(range.start, 'requested', current);
      return {
        kind: 'delete',
        deleted: true,
        previous: returnPrevious === true ? toEntry(key, current) : undefined,
      };
    }
    case 'deleteRange':
      return { kind: 'deleteRange', deletedCount: sequencer.deleteRangeIn(draft, range) };
    case 'increment':
      return {
        kind: 'increment',
        value: draft.increment(range.start, BigInt(operation.delta), checkTtl(operation.ttlMs)),
      };
  }
}

function holds(sequencer: Sequencer, { compare, range }: PreparedCompare, budgets: Budgets): boolean {
  const { subject, operand } = compare;
  if ('key' in subject) {
    sequencer.settleKey(range.start);
    return holdsFor(compare, sequencer.draft(true).read(range.start));
  }
  sequencer.settleRange(range, budgets.settle);
  if (operand.kind === 'exists') {
    const { isEmpty } = sequencer.everyInRange(range, budgets.compare, () => false);
    return (isEmpty !== operand.value) === (compare.relation === 'equal');
  }
  return sequencer.everyInRange(range, budgets.compare, (version) => holdsFor(compare, version)).every;
}

/** @param version `undefined` when the key does not exist. */
function holdsFor(compare: Compare, version: Version | undefined): boolean {
  const { operand, relation } = compare;
  switch (operand.kind) {
    case 'exists':
      return ((version !== undefined) === operand.value) === (relation === 'equal');
    case 'value':
      if (version === undefined) return relation === 'notEqual';
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

/**
 * What etcd refuses of a transaction before it looks at the store, and what access one needs.
 *
 * No key may be put twice, or put and deleted, by what may run together: the branches of a nested transaction exclude each other,
 * all else of a branch does not.
 */
import type { RequestOpShape, TxnRequestShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { checkEngineRange, mayUseAllKeys, type LeaseOwners } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import { serverFixed } from '../../../limits.ts';
import { toKeyText } from '../../../store/views/keys.ts';
import { etcdError } from '../errors.ts';
import { deleteRangeNeeds } from './delete-range.ts';
import { checkKeyGiven, engineRangeOf, type KeyRangeShape } from './key-ranges.ts';
import { KeySpans } from './key-spans.ts';
import { checkPut, putNeeds } from './put.ts';
import { checkRange } from './range-plan.ts';
import { rangeNeeds } from './range.ts';

/** Throws etcd's errors. */
export function checkTxn(txn: TxnRequestShape, valueBytesMax: number): void {
  const { etcdTxnOperationsMax } = serverFixed;
  if (operationsIn(txn) > etcdTxnOperationsMax) throw etcdError('tooManyOps');
  checkBranches(txn, valueBytesMax);
  checkOverlaps(txn.success);
  checkOverlaps(txn.failure);
}

/** Of both branches, to their depth. */
function operationsIn({ compare, success, failure }: TxnRequestShape): number {
  let count = compare.length;
  for (const operations of [success, failure]) {
    count += operations.length;
    for (const { request } of operations)
      if (request.case === 'requestTxn') count += operationsIn(request.value);
  }
  return count;
}

function checkBranches({ compare, success, failure }: TxnRequestShape, valueBytesMax: number): void {
  for (const each of compare) checkKeyGiven(each);
  for (const operation of success) checkOperation(operation, valueBytesMax);
  for (const operation of failure) checkOperation(operation, valueBytesMax);
}

function checkOperation({ request }: RequestOpShape, valueBytesMax: number): void {
  switch (request.case) {
    case 'requestRange':
      return checkRange(request.value);
    case 'requestPut':
      return checkPut(request.value, valueBytesMax);
    case 'requestDeleteRange':
      return checkKeyGiven(request.value);
    case 'requestTxn':
      return checkBranches(request.value, valueBytesMax);
    case undefined:
      throw etcdError('keyNotFound');
  }
}

/** What a branch may write. */
interface Written {
  readonly puts: Set<string>;
  readonly deletes: KeySpans;
}

/** Throws `duplicateKey`. */
function checkOverlaps(operations: readonly RequestOpShape[]): Written {
  const puts = new Set<string>();
  const deletes = new KeySpans();
  for (const { request } of operations) {
    if (request.case === 'requestDeleteRange') addDeleted(deletes, request.value);
  }
  for (const { request } of operations) {
    if (request.case !== 'requestTxn') continue;
    const success = checkOverlaps(request.value.success);
    const failure = checkOverlaps(request.value.failure);
    for (const key of success.puts) addPut({ puts, deletes }, key);
    for (const key of failure.puts) {
      if (!success.puts.has(key)) addPut({ puts, deletes }, key);
    }
    deletes.addAll(success.deletes);
    deletes.addAll(failure.deletes);
  }
  for (const { request } of operations) {
    if (request.case === 'requestPut') addPut({ puts, deletes }, toKeyText(request.value.key));
  }
  return { puts, deletes };
}

function addPut({ puts, deletes }: Written, key: string): void {
  if (puts.has(key) || deletes.has(key)) throw etcdError('duplicateKey');
  puts.add(key);
}

/** An end that is not behind the start, and so a zero byte for all keys from there on, overlaps with no put, as in etcd. */
function addDeleted(deletes: KeySpans, { key, rangeEnd }: KeyRangeShape): void {
  const start = toKeyText(key);
  const end = rangeEnd.length === 0 ? `${start}\0` : toKeyText(rangeEnd);
  if (end > start) deletes.add(start, end);
}

/** Every compare reads, and every operation of both branches is asked for, whichever will run. */
export function txnNeeds(login: Login, txn: TxnRequestShape, leases: LeaseOwners): void {
  if (mayUseAllKeys(login)) return;
  for (const each of txn.compare) checkEngineRange(login, 'read', engineRangeOf(each));
  for (const { request } of [...txn.success, ...txn.failure]) {
    switch (request.case) {
      case 'requestRange':
        rangeNeeds(login, request.value);
        break;
      case 'requestPut':
        putNeeds(login, request.value, leases);
        break;
      case 'requestDeleteRange':
        deleteRangeNeeds(login, request.value);
        break;
      case 'requestTxn':
        txnNeeds(login, request.value, leases);
        break;
      case undefined:
    }
  }
}

/**
 * What the calls of `kelp.v1.KvService` need, by their requests. A call on one key has the same rule as a method of its own and as an
 * operation of a pipeline.
 *
 * A write whose reply or refusal tells what was there (the entry before, a condition, a number) reads, too.
 */
import type * as codec from '../../../../gen/kelp/v1/kv_codec.ts';
import type { KeyRangeShape } from '../../../../gen/kelp/v1/types_codec.ts';
import {
  type LeaseOwners,
  checkDeletedRange,
  checkEngineRange,
  checkKey,
  checkKeys,
  checkLease,
  checkPattern,
  checkRange,
  checkTxn,
  checkWrite,
  mayUseAllKeys,
} from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import { toEngineRange } from '../../../store/views/range.ts';
import type { BatchOperation } from '../pipeline/batch.ts';
import { deletedRange, keyIn, keyRange, keysOf } from '../request-fields.ts';
import { txnRequest } from './transaction.ts';

export function getNeeds(login: Login, request: codec.GetRequestShape): void {
  const key = keyIn(request);
  checkKey(login, 'read', key);
  if (request.refreshTtl) checkKey(login, 'write', key);
}

export function putNeeds(login: Login, request: codec.PutRequestShape, leases: LeaseOwners): void {
  checkWrite(login, keyIn(request), request.returnPrevious || request.condition !== undefined);
  if (request.leaseId !== 0) checkLease(login, leases, request.leaseId);
}

export function deleteNeeds(login: Login, request: codec.DeleteRequestShape): void {
  checkWrite(login, keyIn(request), request.returnPrevious || request.condition !== undefined);
}

export function deleteRangeNeeds(login: Login, { range }: codec.DeleteRangeRequestShape): void {
  checkDeletedRange(login, deletedRange('range', range));
}

export function incrementNeeds(login: Login, request: codec.IncrementRequestShape): void {
  checkWrite(login, keyIn(request), true);
}

/** Its reply has the entry. */
export function touchNeeds(login: Login, request: codec.TouchRequestShape): void {
  checkWrite(login, keyIn(request), true);
}

export function existsNeeds(login: Login, { keys, keysBytes }: codec.ExistsRequestShape): void {
  if (!mayUseAllKeys(login)) checkKeys(login, 'read', keysOf(keys, keysBytes));
}

export function scanNeeds(login: Login, { range }: codec.ScanRequestShape): void {
  checkRange(login, 'read', keyRange(range));
}

export function keysNeeds(login: Login, { pattern }: codec.KeysRequestShape): void {
  checkPattern(login, pattern);
}

export function txnNeeds(login: Login, request: codec.TxnRequestShape, leases: LeaseOwners): void {
  if (!mayUseAllKeys(login)) checkTxn(login, leases, txnRequest(request));
}

/** Of what goes on and reads ranges: one at least. */
export function rangesNeed(ranges: readonly (KeyRangeShape | undefined)[]): (login: Login) => void {
  const read = ranges.map((range) => toEngineRange(keyRange(range)));
  return (login) => {
    for (const range of read) checkEngineRange(login, 'read', range);
  };
}

/** One that can't be run needs nothing: it is refused for that. */
export function operationNeeds(
  login: Login,
  operation: BatchOperation['operation'],
  leases: LeaseOwners,
): void {
  switch (operation.case) {
    case 'get':
      return getNeeds(login, operation.value);
    case 'put':
      return putNeeds(login, operation.value, leases);
    case 'delete':
      return deleteNeeds(login, operation.value);
    case 'increment':
      return incrementNeeds(login, operation.value);
    case 'touch':
      return touchNeeds(login, operation.value);
    case 'exists':
      return existsNeeds(login, operation.value);
    case 'refused':
    case undefined:
  }
}

/**
 * The store as a program gets it: every call looks at its arguments first, since a program without types would learn of
 * a mistake by what is in its data. What is wrong gives `invalidArgument`, changes nothing, and is told as all errors of
 * the call are: by its promise, or when its iteration begins.
 */
import { nothingMore, wholeTimes } from '../arguments/calls.ts';
import { named, text } from '../arguments/check.ts';
import { count } from '../arguments/count.ts';
import { deletedRange, delta as isDelta, readRange } from '../arguments/requests.ts';
import { noOptions } from '../arguments/shape.ts';
import { isKey, keyList } from '../arguments/key.ts';
import { optionsByCall, txnRequest } from '../arguments/store-calls.ts';
import { value as isValue } from '../arguments/value.ts';
import type { Hashes } from '../collections/hash.ts';
import type { Lists } from '../collections/list.ts';
import type { Sets } from '../collections/set.ts';
import type { Sketches } from '../collections/sketch.ts';
import type { SortedSets } from '../collections/sorted-set.ts';
import { StoreError } from '../errors.ts';
import type * as api from '../api.ts';
import { failedWatch } from '../store/watch/watch-start.ts';

export class CheckedStore implements api.Store {
  readonly storeId: string;
  readonly failed: Promise<Error>;
  readonly hash: Hashes;
  readonly list: Lists;
  readonly set: Sets;
  readonly sortedSet: SortedSets;
  readonly sketch: Sketches;
  readonly #store: api.Store;

  constructor(store: api.Store) {
    this.#store = store;
    // These look at their arguments themselves.
    this.hash = store.hash;
    this.list = store.list;
    this.set = store.set;
    this.sortedSet = store.sortedSet;
    this.sketch = store.sketch;
    this.storeId = store.storeId;
    this.failed = store.failed;
  }

  get(key: api.Key, options: api.GetOptions = noOptions): Promise<api.GetResult> {
    const wrong = named('key', isKey(key)) ?? optionsByCall.get(options);
    return wrong === undefined ? this.#store.get(key, options) : refused(wrong);
  }

  put(key: api.Key, value: api.Value, options: api.PutOptions = noOptions): Promise<api.PutResult> {
    const wrong = named('key', isKey(key)) ?? named('value', isValue(value)) ?? optionsByCall.put(options);
    return wrong === undefined ? this.#store.put(key, value, options) : refused(wrong);
  }

  delete(key: api.Key, options: api.DeleteOptions = noOptions): Promise<api.DeleteResult> {
    const wrong = named('key', isKey(key)) ?? optionsByCall.delete(options);
    return wrong === undefined ? this.#store.delete(key, options) : refused(wrong);
  }

  deleteRange(
    range: api.DeletedRange,
    options: api.DeleteRangeOptions = noOptions,
  ): Promise<api.DeleteRangeResult> {
    const wrong = named('range', deletedRange(range)) ?? optionsByCall.deleteRange(options);
    return wrong === undefined ? this.#store.deleteRange(range, options) : refused(wrong);
  }

  getMany(keys: readonly api.Key[], options: api.GetManyOptions = noOptions): Promise<api.GetManyResult> {
    const wrong = named('keys', keyList(keys)) ?? optionsByCall.getMany(options);
    return wrong === undefined ? this.#store.getMany(keys, options) : refused(wrong);
  }

  exists(keys: readonly api.Key[], ...surplus: never[]): Promise<api.ExistsResult> {
    const wrong = named('keys', keyList(keys)) ?? nothingMore('exists', surplus);
    return wrong === undefined ? this.#store.exists(keys) : refused(wrong);
  }

  scan(range: api.KeyRange = noOptions, options: api.ScanPageOptions = noOptions): Promise<api.ScanPage> {
    const wrong = named('range', readRange(range)) ?? optionsByCall.scan(options);
    return wrong === undefined ? this.#store.scan(range, options) : refused(wrong);
  }

  count(range: api.KeyRange = noOptions, options: api.CountOptions = noOptions): Promise<api.CountResult> {
    const wrong = named('range', readRange(range)) ?? optionsByCall.count(options);
    return wrong === undefined ? this.#store.count(range, options) : refused(wrong);
  }

  keys(pattern = '*', options: api.PageOptions = noOptions): Promise<api.KeysPage> {
    const wrong = named('pattern', text(pattern)) ?? optionsByCall.keys(options);
    return wrong === undefined ? this.#store.keys(pattern, options) : refused(wrong);
  }

  increment(
    key: api.Key,
    delta: bigint | number = 1n,
    options: api.IncrementOptions = noOptions,
  ): Promise<api.IncrementResult> {
    const wrong =
      named('key', isKey(key)) ?? named('delta', isDelta(delta)) ?? optionsByCall.increment(options);
    return wrong === undefined ? this.#store.increment(key, delta, options) : refused(wrong);
  }

  touch(key: api.Key, options: api.TouchOptions = noOptions): Promise<api.TouchResult> {
    const wrong = named('key', isKey(key)) ?? optionsByCall.touch(options);
    return wrong === undefined ? this.#store.touch(key, options) : refused(wrong);
  }

  txn(request: api.TxnRequest, ...surplus: never[]): Promise<api.TxnResult> {
    const wrong = named('request', txnRequest(request)) ?? nothingMore('txn', surplus);
    return wrong === undefined ? this.#store.txn(request) : refused(wrong);
  }

  watch(request: api.WatchRequest = noOptions, ...surplus: never[]): AsyncIterableIterator<api.WatchMessage> {
    const wrong = optionsByCall.watch(request) ?? nothingMore('watch', surplus);
    return wrong === undefined ? this.#store.watch(request) : failedWatch(invalidArgument(wrong));
  }

  grantLease(ttlMs: number, leaseId = 0, ...surplus: never[]): Promise<api.LeaseGrant> {
    const wrong =
      named('ttlMs', wholeTimes.leaseTtlMs(ttlMs)) ??
      named('leaseId', count(leaseId)) ??
      nothingMore('grantLease', surplus);
    return wrong === undefined ? this.#store.grantLease(ttlMs, leaseId) : refused(wrong);
  }

  renewLease(leaseId: number, ...surplus: never[]): Promise<{ readonly ttlMs: number }> {
    const wrong = named('leaseId', count(leaseId)) ?? nothingMore('renewLease', surplus);
    return wrong === undefined ? this.#store.renewLease(leaseId) : refused(wrong);
  }

  revokeLease(leaseId: number, ...surplus: never[]): Promise<api.DeleteRangeResult> {
    const wrong = named('leaseId', count(leaseId)) ?? nothingMore('revokeLease', surplus);
    return wrong === undefined ? this.#store.revokeLease(leaseId) : refused(wrong);
  }

  getLease(leaseId: number, options: api.GetLeaseOptions = noOptions): Promise<api.Lease> {
    const wrong = named('leaseId', count(leaseId)) ?? optionsByCall.getLease(options);
    return wrong === undefined ? this.#store.getLease(leaseId, options) : refused(wrong);
  }

  listLeases(options: api.PageOptions = noOptions): Promise<api.LeasePage> {
    const wrong = optionsByCall.listLeases(options);
    return wrong === undefined ? this.#store.listLeases(options) : refused(wrong);
  }

  status(...surplus: never[]): Promise<api.StoreStatus> {
    const wrong = nothingMore('status', surplus);
    return wrong === undefined ? this.#store.status() : refused(wrong);
  }

  snapshot(...surplus: never[]): Promise<{ readonly revision: number; readonly bytes: number }> {
    const wrong = nothingMore('snapshot', surplus);
    return wrong === undefined ? this.#store.snapshot() : refused(wrong);
  }

  backup(...surplus: never[]): AsyncIterableIterator<Uint8Array> {
    const wrong = nothingMore('backup', surplus);
    return wrong === undefined ? this.#store.backup() : failedWatch(invalidArgument(wrong));
  }

  compact(revision: number, ...surplus: never[]): Promise<{ readonly oldestRevision: number }> {
    const wrong = named('revision', count(revision)) ?? nothingMore('compact', surplus);
    return wrong === undefined ? this.#store.compact(revision) : refused(wrong);
  }

  compactStorage(...surplus: never[]): Promise<api.StorageSizes> {
    const wrong = nothingMore('compactStorage', surplus);
    return wrong === undefined ? this.#store.compactStorage() : refused(wrong);
  }

  close(options: api.CloseOptions = noOptions): Promise<void> {
    const wrong = optionsByCall.close(options);
    return wrong === undefined ? this.#store.close(options) : refused(wrong);
  }
}

function refused(wrong: string): Promise<never> {
  return Promise.reject(invalidArgument(wrong));
}

function invalidArgument(wrong: string): StoreError<'invalidArgument'> {
  return new StoreError('invalidArgument', wrong);
}

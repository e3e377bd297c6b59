/** `kelp.v1.KvService` over the store. */
import * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { StoreError } from '../../errors.ts';
import type { Admit, Entry, GetResult, Key } from '../../api.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import type { Call } from '../calls/calls.ts';
import { type MethodsOf, unary } from './method.ts';
import { entriesBytes, entryBytes, entryShape, keyLists, keysBytes, optionalEntry } from './reply-entries.ts';
import {
  condition,
  deletedRange,
  given,
  keyOf,
  keyRange,
  keysOf,
  milliseconds,
  pageLimit,
  timeToLiveMs,
  wholeNumber,
} from './request-fields.ts';
import { compare, operation, operationResult, resultBytes } from './transaction.ts';

export const kvMethods: MethodsOf<typeof KvService> = {
  get: unary(
    KvService.method.get,
    { read: codec.readGetRequest, sizeOf: codec.sizeOfGetResponse, prepend: codec.prependGetResponse },
    get,
  ),
  put: unary(
    KvService.method.put,
    { read: codec.readPutRequest, sizeOf: codec.sizeOfPutResponse, prepend: codec.prependPutResponse },
    put,
  ),
  delete: unary(
    KvService.method.delete,
    {
      read: codec.readDeleteRequest,
      sizeOf: codec.sizeOfDeleteResponse,
      prepend: codec.prependDeleteResponse,
    },
    deleteKey,
  ),
  deleteRange: unary(
    KvService.method.deleteRange,
    {
      read: codec.readDeleteRangeRequest,
      sizeOf: codec.sizeOfDeleteRangeResponse,
      prepend: codec.prependDeleteRangeResponse,
    },
    deleteRange,
  ),
  exists: unary(
    KvService.method.exists,
    {
      read: codec.readExistsRequest,
      sizeOf: codec.sizeOfExistsResponse,
      prepend: codec.prependExistsResponse,
    },
    async (store, request) => store.exists(keysOf(request.keys, request.keysBytes)),
  ),
  scan: unary(
    KvService.method.scan,
    { read: codec.readScanRequest, sizeOf: codec.sizeOfScanResponse, prepend: codec.prependScanResponse },
    scan,
  ),
  keys: unary(
    KvService.method.keys,
    { read: codec.readKeysRequest, sizeOf: codec.sizeOfKeysResponse, prepend: codec.prependKeysResponse },
    keys,
  ),
  increment: unary(
    KvService.method.increment,
    {
      read: codec.readIncrementRequest,
      sizeOf: codec.sizeOfIncrementResponse,
      prepend: codec.prependIncrementResponse,
    },
    increment,
  ),
  touch: unary(
    KvService.method.touch,
    { read: codec.readTouchRequest, sizeOf: codec.sizeOfTouchResponse, prepend: codec.prependTouchResponse },
    touch,
  ),
  txn: unary(
    KvService.method.txn,
    { read: codec.readTxnRequest, sizeOf: codec.sizeOfTxnResponse, prepend: codec.prependTxnResponse },
    txn,
  ),
};

/** The key of a request for one. */
function keyIn({ key, keyBytes }: { readonly key: string; readonly keyBytes: Uint8Array }): Key {
  return keyOf('key', key, keyBytes);
}

/** What is read goes out at once, and needs no promise. */
function get(
  store: KvStore,
  request: codec.GetRequestShape,
  call: Call,
): codec.GetResponseShape | Promise<codec.GetResponseShape> {
  const key = keyIn(request);
  const revision = wholeNumber('revision', request.revision);
  if (request.refreshTtl) return getRefreshing(store, key, revision, call);
  const result = store.getVisible(key, revision);
  if (result.entry !== undefined) call.chargeReply(entryBytes(result.entry));
  return getResponse(result);
}

async function getRefreshing(
  store: KvStore,
  key: Key,
  revision: number,
  call: Call,
): Promise<codec.GetResponseShape> {
  const admit = (result: Entry | undefined): void => call.chargeReply(entryBytes(result));
  return getResponse(await store.get(key, { revision, refreshTtl: true, admit }));
}

function getResponse({ entry, revision }: GetResult): codec.GetResponseShape {
  return { entry: optionalEntry(entry), revision };
}

async function put(
  store: KvStore,
  request: codec.PutRequestShape,
  call: Call,
): Promise<codec.PutResponseShape> {
  const { revision, previous } = await store.put(keyIn(request), request.value, {
    leaseId: wholeNumber('lease_id', request.leaseId),
    returnPrevious: request.returnPrevious,
    ...given({
      ttlMs: timeToLiveMs('ttl', request.ttl),
      condition: condition(request.condition),
      admit: admitPrevious(request, call),
    }),
  });
  return { revision, previous: optionalEntry(previous) };
}

async function deleteKey(
  store: KvStore,
  request: codec.DeleteRequestShape,
  call: Call,
): Promise<codec.DeleteResponseShape> {
  const { revision, deleted, previous } = await store.delete(keyIn(request), {
    returnPrevious: request.returnPrevious,
    ...given({ condition: condition(request.condition), admit: admitPrevious(request, call) }),
  });
  return { revision, deleted, previous: optionalEntry(previous) };
}

/** A reply without an entry takes nothing that is worth counting. */
function admitPrevious(
  { returnPrevious }: { readonly returnPrevious: boolean },
  call: Call,
): Admit<Entry | undefined> | undefined {
  return returnPrevious ? (previous) => call.chargeReply(entryBytes(previous)) : undefined;
}

async function deleteRange(
  store: KvStore,
  { range, inParts }: codec.DeleteRangeRequestShape,
  call: Call,
): Promise<codec.DeleteRangeResponseShape> {
  const deleted = deletedRange('range', range);
  return inParts
    ? await store.deleteRange(deleted, { inParts, signal: call.signal })
    : await store.deleteRange(deleted);
}

async function scan(
  store: KvStore,
  request: codec.ScanRequestShape,
  call: Call,
): Promise<codec.ScanResponseShape> {
  const range = keyRange(request.range);
  const revision = wholeNumber('revision', request.revision);
  const limit = pageLimit(request.limit);
  const { pageToken, reverse, keysOnly } = request;
  if (request.countOnly) {
    if (limit !== 0 || pageToken !== '') {
      throw new StoreError(
        'invalidArgument',
        'count_only counts all keys: it has no limit and no page_token',
      );
    }
    const counted = await store.count(range, { revision });
    return { ...counted, incarnation: '', entries: [], nextPageToken: '' };
  }
  const page = await store.scan(range, { limit, pageToken, revision, reverse, keysOnly });
  call.chargeReply(entriesBytes(page.entries));
  return { ...page, entries: page.entries.map(entryShape), count: 0 };
}

async function keys(
  store: KvStore,
  request: codec.KeysRequestShape,
  call: Call,
): Promise<codec.KeysResponseShape> {
  const { pattern, pageToken } = request;
  const page = await store.keys(pattern, { limit: pageLimit(request.limit), pageToken });
  call.chargeReply(keysBytes(page.keys));
  return { ...page, ...keyLists(page.keys) };
}

async function increment(
  store: KvStore,
  request: codec.IncrementRequestShape,
): Promise<codec.IncrementResponseShape> {
  const ttlMs = timeToLiveMs('ttl', request.ttl);
  return store.increment(keyIn(request), request.delta, given({ ttlMs }));
}

async function touch(store: KvStore, request: codec.TouchRequestShape): Promise<codec.TouchResponseShape> {
  const ttlMs = milliseconds('ttl', request.ttl);
  const { revision, entry } = await store.touch(keyIn(request), given({ ttlMs }));
  return { revision, entry: entryShape(entry) };
}

async function txn(
  store: KvStore,
  request: codec.TxnRequestShape,
  call: Call,
): Promise<codec.TxnResponseShape> {
  const { succeeded, results, revision } = await store.txn({
    compares: request.compares.map(compare),
    success: request.success.map((each, index) => operation(each, `success[${index}]`)),
    failure: request.failure.map((each, index) => operation(each, `failure[${index}]`)),
    admit: (made) => call.chargeReply(resultBytes(made)),
  });
  return { succeeded, results: results.map(operationResult), revision };
}

/** `kelp.v1.KvService` over the store. */
import * as codec from '../../../../gen/kelp/v1/kv_codec.ts';
import { KvService, PipelineOperationSchema } from '../../../../gen/kelp/v1/kv_pb.ts';
import { checkEngineRange, checkUser } from '../../../access/checks.ts';
import { StoreError } from '../../../errors.ts';
import type { CountResult, KeyRange, ScanPage } from '../../../api.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { fixed } from '../../../limits.ts';
import { toDeletedRange, toEngineRange } from '../../../store/views/range.ts';
import type { Call } from '../../calls/call.ts';
import { mapped } from '../../calls/mapped.ts';
import type { ClusterDoors } from '../../cluster/cluster-doors.ts';
import { deleteKey, existsInTurn, get, increment, put, touch } from './keys.ts';
import {
  type BidiStreamMethod,
  type MethodsOf,
  bidiStream,
  serverStream,
  unaryRead,
  unaryWrite,
} from '../method.ts';
import { type PipelineBatch, checkBatch, readBatch } from '../pipeline/batch.ts';
import { ClusteredBatches } from '../pipeline/clustered-batches.ts';
import { checkReadDemand } from '../read-demand.ts';
import { isLocal } from '../freshness.ts';
import { pipeline } from '../pipeline/pipeline.ts';
import {
  deleteNeeds,
  deleteRangeNeeds,
  existsNeeds,
  getNeeds,
  incrementNeeds,
  keysNeeds,
  putNeeds,
  rangesNeed,
  scanNeeds,
  touchNeeds,
  txnNeeds,
} from './needs.ts';
import { entriesBytes, entryShape, keyLists, keysBytes, pageCharge } from '../reply-entries.ts';
import { deletedRange, keyRange, pageLimit, wholeNumber } from '../request-fields.ts';
import { admitResult, operationResult, txnRequest } from './transaction.ts';

export const kvMethods: MethodsOf<typeof KvService> = {
  get: unaryRead(
    KvService.method.get,
    { read: codec.readGetRequest, sizeOf: codec.sizeOfGetResponse, prepend: codec.prependGetResponse },
    getNeeds,
    get,
  ),
  put: unaryWrite(
    KvService.method.put,
    { read: codec.readPutRequest, sizeOf: codec.sizeOfPutResponse, prepend: codec.prependPutResponse },
    putNeeds,
    put,
  ),
  delete: unaryWrite(
    KvService.method.delete,
    {
      read: codec.readDeleteRequest,
      sizeOf: codec.sizeOfDeleteResponse,
      prepend: codec.prependDeleteResponse,
    },
    deleteNeeds,
    deleteKey,
  ),
  deleteRange: unaryWrite(
    KvService.method.deleteRange,
    {
      read: codec.readDeleteRangeRequest,
      sizeOf: codec.sizeOfDeleteRangeResponse,
      prepend: codec.prependDeleteRangeResponse,
    },
    deleteRangeNeeds,
    deleteRange,
  ),
  exists: unaryRead(
    KvService.method.exists,
    {
      read: codec.readExistsRequest,
      sizeOf: codec.sizeOfExistsResponse,
      prepend: codec.prependExistsResponse,
    },
    existsNeeds,
    existsInTurn,
  ),
  scan: unaryRead(
    KvService.method.scan,
    { read: codec.readScanRequest, sizeOf: codec.sizeOfScanResponse, prepend: codec.prependScanResponse },
    scanNeeds,
    scan,
  ),
  scanStream: serverStream(
    KvService.method.scanStream,
    {
      read: codec.readScanStreamRequest,
      sizeOf: codec.sizeOfScanStreamResponse,
      prepend: codec.prependScanStreamResponse,
    },
    'caughtUp',
    ({ range }) => rangesNeed([range]),
    scanStream,
  ),
  keys: unaryRead(
    KvService.method.keys,
    { read: codec.readKeysRequest, sizeOf: codec.sizeOfKeysResponse, prepend: codec.prependKeysResponse },
    keysNeeds,
    keys,
  ),
  increment: unaryWrite(
    KvService.method.increment,
    {
      read: codec.readIncrementRequest,
      sizeOf: codec.sizeOfIncrementResponse,
      prepend: codec.prependIncrementResponse,
    },
    incrementNeeds,
    increment,
  ),
  touch: unaryWrite(
    KvService.method.touch,
    { read: codec.readTouchRequest, sizeOf: codec.sizeOfTouchResponse, prepend: codec.prependTouchResponse },
    touchNeeds,
    touch,
  ),
  txn: unaryWrite(
    KvService.method.txn,
    { read: codec.readTxnRequest, sizeOf: codec.sizeOfTxnResponse, prepend: codec.prependTxnResponse },
    txnNeeds,
    txn,
  ),
  pipeline: pipelineMethod(undefined),
};

/** In a cluster it sees to each batch by itself: it may come where it wants. */
export function pipelineMethod(doors: ClusterDoors | undefined): BidiStreamMethod<PipelineBatch> {
  return bidiStream(
    KvService.method.pipeline,
    {
      read: readBatch,
      check: checkBatch,
      readsApart: PipelineOperationSchema,
      sizeOf: codec.sizeOfPipelineResponse,
      prepend: codec.prependPipelineResponse,
    },
    'anywhere',
    checkUser,
    (store, requests, call, signal) =>
      pipeline(store, requests, call, signal, doors && new ClusteredBatches(doors, store, call, signal)),
  );
}

async function deleteRange(
  store: KvStore,
  { range, inParts }: codec.DeleteRangeRequestShape,
  call: Call,
): Promise<codec.DeleteRangeResponseShape> {
  const deleted = deletedRange('range', range);
  if (!inParts) return await store.deleteRange(deleted);
  // Its parts may take long, and the bytes of its request are not kept for them.
  const keys = toDeletedRange(deleted);
  call.keepAllowed((login) => checkEngineRange(login, 'write', keys));
  return await store.deleteRange(deleted, { inParts, signal: call.signal });
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
    // The newest state takes no time to count, and a signal more memory than all of such a call.
    const counted = await (revision === 0
      ? store.count(range, isLocal(request) ? LOCAL : undefined)
      : countAt(store, range, revision, call));
    return { ...counted, incarnation: '', entries: [], nextPageToken: '' };
  }
  const page = await store.scan(range, {
    limit,
    pageToken,
    revision,
    reverse,
    keysOnly,
    charge: pageCharge(call),
  });
  call.checkMessage(entriesBytes(page.entries));
  return { ...page, entries: page.entries.map(entryShape), count: 0 };
}

const LOCAL = { isLocal: true } as const;

/** An older state is counted key by key, which may take long. */
function countAt(store: KvStore, range: KeyRange, revision: number, call: Call): Promise<CountResult> {
  const keys = toEngineRange(range);
  call.keepAllowed((login) => checkEngineRange(login, 'read', keys));
  return store.count(range, { revision, signal: call.signal });
}

/** Memory for a chunk is taken before it is made, and given back as the next one is asked for, when this one is written. */
function scanStream(
  store: KvStore,
  request: codec.ScanStreamRequestShape,
  call: Call,
  signal: AbortSignal,
): AsyncIterable<codec.ScanStreamResponseShape> {
  checkReadDemand(store, request);
  const { pageToken, reverse, keysOnly } = request;
  const chunks = store.scanStream(keyRange(request.range), {
    limit: pageLimit(request.limit),
    chunkLimit: pageLimit(request.chunkLimit, 'chunk_limit'),
    chunkBytesMax: call.replyBytes(fixed.scanChunkBytesMax),
    revision: wholeNumber('revision', request.revision),
    pageToken,
    reverse,
    keysOnly,
    admit: (bytes) => {
      call.checkMessage(bytes);
      return call.holdForMessages(bytes);
    },
    signal,
  });
  return mapped(chunks, chunkShape);
}

function chunkShape(page: ScanPage): codec.ScanStreamResponseShape {
  return { ...page, entries: page.entries.map(entryShape) };
}

async function keys(
  store: KvStore,
  request: codec.KeysRequestShape,
  call: Call,
): Promise<codec.KeysResponseShape> {
  const { pattern, pageToken } = request;
  const page = await store.keys(pattern, {
    limit: pageLimit(request.limit),
    pageToken,
    charge: pageCharge(call),
  });
  call.checkMessage(keysBytes(page.keys));
  return { ...page, ...keyLists(page.keys) };
}

async function txn(
  store: KvStore,
  request: codec.TxnRequestShape,
  call: Call,
): Promise<codec.TxnResponseShape> {
  const asked = { ...txnRequest(request), admit: admitResult(call) };
  const { succeeded, results, revision } = await store.txn(asked, call);
  return { succeeded, results: results.map((result) => operationResult(result, revision)), revision };
}

/** `kelp.v1.HashService` over the store. */
import * as codec from '../../../../gen/kelp/v1/hash_codec.ts';
import { HashService } from '../../../../gen/kelp/v1/hash_pb.ts';
import { collectionReaders } from '../../../kv/collections/read-calls.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unaryRead } from '../method.ts';
import { changing } from './change.ts';
import { elementCharge, keyRead, pageRead, readNeeds } from './reading.ts';

export const hashMethods: MethodsOf<typeof HashService> = {
  set: changing(HashService.method.set, 'hashSet', {
    read: codec.readHashSetRequest,
    sizeOf: codec.sizeOfHashSetResponse,
    prepend: codec.prependHashSetResponse,
  }),
  get: unaryRead(
    HashService.method.get,
    {
      read: codec.readHashGetRequest,
      sizeOf: codec.sizeOfHashGetResponse,
      prepend: codec.prependHashGetResponse,
    },
    readNeeds,
    get,
  ),
  scan: unaryRead(
    HashService.method.scan,
    {
      read: codec.readHashScanRequest,
      sizeOf: codec.sizeOfHashScanResponse,
      prepend: codec.prependHashScanResponse,
    },
    readNeeds,
    scan,
  ),
  delete: changing(HashService.method.delete, 'hashDelete', {
    read: codec.readHashDeleteRequest,
    sizeOf: codec.sizeOfHashDeleteResponse,
    prepend: codec.prependHashDeleteResponse,
  }),
  increment: changing(HashService.method.increment, 'hashIncrement', {
    read: codec.readHashIncrementRequest,
    sizeOf: codec.sizeOfHashIncrementResponse,
    prepend: codec.prependHashIncrementResponse,
  }),
};

function get(
  store: KvStore,
  request: codec.HashGetRequestShape,
  call: Call,
): Promise<codec.HashGetResponseShape> {
  const asked = { ...keyRead(request), names: request.names };
  return collectionReaders.hashGet(store, asked, elementCharge(call));
}

function scan(
  store: KvStore,
  request: codec.HashScanRequestShape,
  call: Call,
): Promise<codec.HashScanResponseShape> {
  const asked = { ...pageRead(request), namesOnly: request.namesOnly };
  return collectionReaders.hashScan(store, asked, elementCharge(call));
}

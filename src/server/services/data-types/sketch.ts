/** `kelp.v1.SketchService` over the store. */
import * as codec from '../../../../gen/kelp/v1/sketch_codec.ts';
import { SketchService } from '../../../../gen/kelp/v1/sketch_pb.ts';
import { checkKeys, mayUseAllKeys } from '../../../access/checks.ts';
import { collectionReaders } from '../../../kv/collections/read-calls.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { Login } from '../../../access/login/login.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unaryRead } from '../method.ts';
import { keysOf, wholeNumber } from '../request-fields.ts';
import { changing } from './change.ts';
import { elementCharge, keyRead, readNeeds } from './reading.ts';

export const sketchMethods: MethodsOf<typeof SketchService> = {
  hllAdd: changing(SketchService.method.hllAdd, 'hllAdd', {
    read: codec.readHllAddRequest,
    sizeOf: codec.sizeOfHllAddResponse,
    prepend: codec.prependHllAddResponse,
  }),
  hllCount: unaryRead(
    SketchService.method.hllCount,
    {
      read: codec.readHllCountRequest,
      sizeOf: codec.sizeOfHllCountResponse,
      prepend: codec.prependHllCountResponse,
    },
    hllCountNeeds,
    hllCount,
  ),
  hllMerge: changing(SketchService.method.hllMerge, 'hllMerge', {
    read: codec.readHllMergeRequest,
    sizeOf: codec.sizeOfHllMergeResponse,
    prepend: codec.prependHllMergeResponse,
  }),
  bloomCreate: changing(SketchService.method.bloomCreate, 'bloomCreate', {
    read: codec.readBloomCreateRequest,
    sizeOf: codec.sizeOfBloomCreateResponse,
    prepend: codec.prependBloomCreateResponse,
  }),
  bloomAdd: changing(SketchService.method.bloomAdd, 'bloomAdd', {
    read: codec.readBloomAddRequest,
    sizeOf: codec.sizeOfBloomAddResponse,
    prepend: codec.prependBloomAddResponse,
  }),
  bloomContains: unaryRead(
    SketchService.method.bloomContains,
    {
      read: codec.readBloomContainsRequest,
      sizeOf: codec.sizeOfBloomContainsResponse,
      prepend: codec.prependBloomContainsResponse,
    },
    readNeeds,
    bloomContains,
  ),
};

function hllCountNeeds(login: Login, { keys, keysBytes }: codec.HllCountRequestShape): void {
  if (!mayUseAllKeys(login)) checkKeys(login, 'read', keysOf(keys, keysBytes));
}

function hllCount(
  store: KvStore,
  request: codec.HllCountRequestShape,
  call: Call,
): Promise<codec.HllCountResponseShape> {
  const revision = wholeNumber('revision', request.revision);
  const asked = { keys: keysOf(request.keys, request.keysBytes), revision };
  return collectionReaders.hllCount(store, asked, elementCharge(call));
}

function bloomContains(
  store: KvStore,
  request: codec.BloomContainsRequestShape,
  call: Call,
): Promise<codec.BloomContainsResponseShape> {
  call.chargeReply(request.elements.length);
  const asked = { ...keyRead(request), elements: request.elements };
  return collectionReaders.bloomContains(store, asked, elementCharge(call));
}

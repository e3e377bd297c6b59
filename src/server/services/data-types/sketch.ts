/** `kelp.v1.SketchService` over the store. */
import * as codec from '../../../../gen/kelp/v1/sketch_codec.ts';
import { SketchService } from '../../../../gen/kelp/v1/sketch_pb.ts';
import { checkKeys, mayUseAllKeys } from '../../../access/checks.ts';
import { readAdded } from '../../../kv/collections/reads.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { readWanted } from '../../../kv/reads/pages.ts';
import { fixed } from '../../../limits.ts';
import { encodeKey } from '../../../store/views/keys.ts';
import { countUnion } from '../../../types/hyperloglog/hyperloglog.ts';
import type { Login } from '../../../access/login/login.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unary } from '../method.ts';
import { keysOf, wholeNumber } from '../request-fields.ts';
import { changing } from './change.ts';
import { checkAsked, readKey, readNeeds } from './reading.ts';

export const sketchMethods: MethodsOf<typeof SketchService> = {
  hllAdd: changing(SketchService.method.hllAdd, 'hllAdd', {
    read: codec.readHllAddRequest,
    sizeOf: codec.sizeOfHllAddResponse,
    prepend: codec.prependHllAddResponse,
  }),
  hllCount: unary(
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
  bloomContains: unary(
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

function hllCount(store: KvStore, request: codec.HllCountRequestShape): Promise<codec.HllCountResponseShape> {
  const named = keysOf(request.keys, request.keysBytes);
  checkAsked('keys', named, fixed.combinedKeysMax);
  const revision = wholeNumber('revision', request.revision);
  return store.readSeam(named.map(encodeKey), (seam, keys) =>
    readWanted(seam, revision, (view) => ({
      count: Number(countUnion(view, keys)),
      revision: view.revision,
    })),
  );
}

function bloomContains(
  store: KvStore,
  request: codec.BloomContainsRequestShape,
  call: Call,
): Promise<codec.BloomContainsResponseShape> {
  checkAsked('elements', request.elements);
  call.chargeReply(request.elements.length);
  return readKey(store, request, request.elements, readAdded);
}

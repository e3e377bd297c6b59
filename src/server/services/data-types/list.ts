/** `kelp.v1.ListService` over the store. */
import * as codec from '../../../../gen/kelp/v1/list_codec.ts';
import { ListService } from '../../../../gen/kelp/v1/list_pb.ts';
import { collectionReaders } from '../../../kv/collections/read-calls.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unaryRead } from '../method.ts';
import { changing } from './change.ts';
import { elementCharge, keyRead, readNeeds } from './reading.ts';

export const listMethods: MethodsOf<typeof ListService> = {
  push: changing(ListService.method.push, 'listPush', {
    read: codec.readListPushRequest,
    sizeOf: codec.sizeOfListPushResponse,
    prepend: codec.prependListPushResponse,
  }),
  pop: changing(ListService.method.pop, 'listPop', {
    read: codec.readListPopRequest,
    sizeOf: codec.sizeOfListPopResponse,
    prepend: codec.prependListPopResponse,
  }),
  range: unaryRead(
    ListService.method.range,
    {
      read: codec.readListRangeRequest,
      sizeOf: codec.sizeOfListRangeResponse,
      prepend: codec.prependListRangeResponse,
    },
    readNeeds,
    range,
  ),
  set: changing(ListService.method.set, 'listSet', {
    read: codec.readListSetRequest,
    sizeOf: codec.sizeOfListSetResponse,
    prepend: codec.prependListSetResponse,
  }),
  insert: changing(ListService.method.insert, 'listInsert', {
    read: codec.readListInsertRequest,
    sizeOf: codec.sizeOfListInsertResponse,
    prepend: codec.prependListInsertResponse,
  }),
  remove: changing(ListService.method.remove, 'listRemove', {
    read: codec.readListRemoveRequest,
    sizeOf: codec.sizeOfListRemoveResponse,
    prepend: codec.prependListRemoveResponse,
  }),
  trim: changing(ListService.method.trim, 'listTrim', {
    read: codec.readListTrimRequest,
    sizeOf: codec.sizeOfListTrimResponse,
    prepend: codec.prependListTrimResponse,
  }),
  move: changing(ListService.method.move, 'listMove', {
    read: codec.readListMoveRequest,
    sizeOf: codec.sizeOfListMoveResponse,
    prepend: codec.prependListMoveResponse,
  }),
};

function range(
  store: KvStore,
  request: codec.ListRangeRequestShape,
  call: Call,
): Promise<codec.ListRangeResponseShape> {
  const { start, stop = -1 } = request;
  return collectionReaders.listRange(store, { ...keyRead(request), start, stop }, elementCharge(call));
}

/** `kelp.v1.SetService` over the store. */
import * as codec from '../../../../gen/kelp/v1/set_codec.ts';
import { SetService } from '../../../../gen/kelp/v1/set_pb.ts';
import { collectionReaders, readCombination } from '../../../kv/collections/read-calls.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unary, unaryRead } from '../method.ts';
import { checkReadDemand } from '../read-demand.ts';
import { admitAnswer, changing, operationNeeds } from './change.ts';
import { elementCharge, keyRead, pageRead, readNeeds } from './reading.ts';
import { replyOf } from './replies.ts';
import { operationOf } from './requests.ts';

export const setMethods: MethodsOf<typeof SetService> = {
  add: changing(SetService.method.add, 'setAdd', {
    read: codec.readSetAddRequest,
    sizeOf: codec.sizeOfSetAddResponse,
    prepend: codec.prependSetAddResponse,
  }),
  remove: changing(SetService.method.remove, 'setRemove', {
    read: codec.readSetRemoveRequest,
    sizeOf: codec.sizeOfSetRemoveResponse,
    prepend: codec.prependSetRemoveResponse,
  }),
  contains: unaryRead(
    SetService.method.contains,
    {
      read: codec.readSetContainsRequest,
      sizeOf: codec.sizeOfSetContainsResponse,
      prepend: codec.prependSetContainsResponse,
    },
    readNeeds,
    contains,
  ),
  scan: unaryRead(
    SetService.method.scan,
    {
      read: codec.readSetScanRequest,
      sizeOf: codec.sizeOfSetScanResponse,
      prepend: codec.prependSetScanResponse,
    },
    readNeeds,
    scan,
  ),
  pop: changing(SetService.method.pop, 'setPop', {
    read: codec.readSetPopRequest,
    sizeOf: codec.sizeOfSetPopResponse,
    prepend: codec.prependSetPopResponse,
  }),
  combine: unary(
    SetService.method.combine,
    {
      read: codec.readSetCombineRequest,
      sizeOf: codec.sizeOfSetCombineResponse,
      prepend: codec.prependSetCombineResponse,
    },
    operationNeeds('setCombine'),
    combine,
  ),
};

function contains(
  store: KvStore,
  request: codec.SetContainsRequestShape,
  call: Call,
): Promise<codec.SetContainsResponseShape> {
  call.chargeReply(request.members.length);
  const asked = { ...keyRead(request), members: request.members };
  return collectionReaders.setContains(store, asked, elementCharge(call));
}

function scan(
  store: KvStore,
  request: codec.SetScanRequestShape,
  call: Call,
): Promise<codec.SetScanResponseShape> {
  return collectionReaders.setScan(store, pageRead(request), elementCharge(call));
}

/** Without a destination it is a read of the visible state. */
async function combine(
  store: KvStore,
  request: codec.SetCombineRequestShape,
  call: Call,
): Promise<codec.SetCombineResponseShape> {
  const operation = operationOf('setCombine', request, '');
  const admit = admitAnswer(call);
  checkReadDemand(store, request);
  const { result, revision } =
    operation.destination === undefined
      ? await readCombination(store, 'setCombine', operation, admit)
      : await store.operate(operation, admit, call);
  return replyOf(result, revision);
}

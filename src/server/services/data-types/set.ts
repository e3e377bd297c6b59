/** `kelp.v1.SetService` over the store. */
import * as codec from '../../../../gen/kelp/v1/set_codec.ts';
import { SetService } from '../../../../gen/kelp/v1/set_pb.ts';
import { readContained, readTablePage } from '../../../kv/collections/reads.ts';
import { prepareSetCombination } from '../../../kv/collections/set.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { setType } from '../../../types/set/set.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unary, unaryWrite } from '../method.ts';
import { admitAnswer, changing, operationNeeds } from './change.ts';
import { checkAsked, elementCharge, readKey, readNeeds } from './reading.ts';
import { replyOf } from './replies.ts';
import { operationOf } from './requests.ts';
import { tablePage } from './table-page.ts';

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
  contains: unary(
    SetService.method.contains,
    {
      read: codec.readSetContainsRequest,
      sizeOf: codec.sizeOfSetContainsResponse,
      prepend: codec.prependSetContainsResponse,
    },
    readNeeds,
    contains,
  ),
  scan: unary(
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
  combine: unaryWrite(
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
  checkAsked('members', request.members);
  call.chargeReply(request.members.length);
  return readKey(store, request, request.members, readContained);
}

async function scan(
  store: KvStore,
  request: codec.SetScanRequestShape,
  call: Call,
): Promise<codec.SetScanResponseShape> {
  const { elements, ...page } = await store.readSeam(tablePage(request, true), (seam, asked) =>
    readTablePage(seam, setType, asked, elementCharge(call)),
  );
  return { ...page, members: elements.map(({ name }) => name) };
}

/** Without a destination it is a read of the visible state. */
async function combine(
  store: KvStore,
  request: codec.SetCombineRequestShape,
  call: Call,
): Promise<codec.SetCombineResponseShape> {
  const operation = operationOf('setCombine', request, '');
  const admit = admitAnswer(call);
  if (operation.destination !== undefined) {
    const { result, revision } = await store.operate(operation, admit);
    return replyOf(result, revision);
  }
  return await store.readSeam(operation, (seam, kept) => {
    const run = prepareSetCombination(kept);
    return seam.readVisible((view) => {
      const answer = run(view);
      admit({ kind: 'setCombine', ...answer });
      return { ...answer, revision: view.revision };
    });
  });
}

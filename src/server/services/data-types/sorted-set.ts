/** `kelp.v1.SortedSetService` over the store. */
import * as codec from '../../../../gen/kelp/v1/sorted_set_codec.ts';
import { SortedSetService } from '../../../../gen/kelp/v1/sorted_set_pb.ts';
import { StoreError } from '../../../errors.ts';
import { collectionReaders, rangePageOf, readCombination } from '../../../kv/collections/read-calls.ts';
import { isFirstByRank } from '../../../kv/collections/sorted-set-reads.ts';
import { walkAndCount, walkToRange, walkToRank } from '../../../kv/collections/sorted-set-walks.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unary, unaryRead } from '../method.ts';
import { keyIn } from '../request-fields.ts';
import { checkReadDemand } from '../read-demand.ts';
import { isLocal } from '../freshness.ts';
import { admitAnswer, changing, operationNeeds } from './change.ts';
import { elementCharge, keyRead, pageRead, readNeeds } from './reading.ts';
import { replyOf, SCORE_BYTES } from './replies.ts';
import { operationOf, rangeIn } from './requests.ts';

export const sortedSetMethods: MethodsOf<typeof SortedSetService> = {
  add: changing(SortedSetService.method.add, 'sortedSetAdd', {
    read: codec.readSortedSetAddRequest,
    sizeOf: codec.sizeOfSortedSetAddResponse,
    prepend: codec.prependSortedSetAddResponse,
  }),
  remove: changing(SortedSetService.method.remove, 'sortedSetRemove', {
    read: codec.readSortedSetRemoveRequest,
    sizeOf: codec.sizeOfSortedSetRemoveResponse,
    prepend: codec.prependSortedSetRemoveResponse,
  }),
  score: unaryRead(
    SortedSetService.method.score,
    {
      read: codec.readSortedSetScoreRequest,
      sizeOf: codec.sizeOfSortedSetScoreResponse,
      prepend: codec.prependSortedSetScoreResponse,
    },
    readNeeds,
    score,
  ),
  rank: unaryRead(
    SortedSetService.method.rank,
    {
      read: codec.readSortedSetRankRequest,
      sizeOf: codec.sizeOfSortedSetRankResponse,
      prepend: codec.prependSortedSetRankResponse,
    },
    readNeeds,
    rank,
  ),
  range: unaryRead(
    SortedSetService.method.range,
    {
      read: codec.readSortedSetRangeRequest,
      sizeOf: codec.sizeOfSortedSetRangeResponse,
      prepend: codec.prependSortedSetRangeResponse,
    },
    readNeeds,
    range,
  ),
  removeRange: changing(SortedSetService.method.removeRange, 'sortedSetRemoveRange', {
    read: codec.readSortedSetRemoveRangeRequest,
    sizeOf: codec.sizeOfSortedSetRemoveRangeResponse,
    prepend: codec.prependSortedSetRemoveRangeResponse,
  }),
  pop: changing(SortedSetService.method.pop, 'sortedSetPop', {
    read: codec.readSortedSetPopRequest,
    sizeOf: codec.sizeOfSortedSetPopResponse,
    prepend: codec.prependSortedSetPopResponse,
  }),
  combine: unary(
    SortedSetService.method.combine,
    {
      read: codec.readSortedSetCombineRequest,
      sizeOf: codec.sizeOfSortedSetCombineResponse,
      prepend: codec.prependSortedSetCombineResponse,
    },
    operationNeeds('sortedSetCombine'),
    combine,
  ),
};

async function score(
  store: KvStore,
  request: codec.SortedSetScoreRequestShape,
  call: Call,
): Promise<codec.SortedSetScoreResponseShape> {
  call.chargeReply(request.members.length * SCORE_BYTES);
  const asked = { ...keyRead(request), members: request.members };
  const { scores, ...answer } = await collectionReaders.sortedSetScore(store, asked, elementCharge(call));
  return { ...answer, scores: scores.map((each) => ({ score: each })) };
}

function rank(
  store: KvStore,
  request: codec.SortedSetRankRequestShape,
  call: Call,
): Promise<codec.SortedSetRankResponseShape> {
  const { member, reverse } = request;
  const asked = { key: keyIn(request), member, reverse };
  const newest = collectionReaders.sortedSetRank(store, asked, elementCharge(call));
  return isLocal(request)
    ? store.newestOrVisible(newest, () => walkToRank(store, asked, call.signal))
    : newest;
}

async function range(
  store: KvStore,
  request: codec.SortedSetRangeRequestShape,
  call: Call,
): Promise<codec.SortedSetRangeResponseShape> {
  const page = { ...pageRead(request), range: rangeIn('range', request.range), reverse: request.reverse };
  const charge = elementCharge(call);
  if (!request.countOnly) {
    // It throws where the page is refused: nothing may be under way then that nothing waits for.
    const asked = rangePageOf(page);
    const found = collectionReaders.sortedSetRange(store, page, charge);
    if (!isLocal(request) || !isFirstByRank(asked)) return await found;
    return await store.newestOrVisible(found, () => walkToRange(store, asked, charge, call.signal));
  }
  if (page.limit !== 0 || page.pageToken !== '' || page.revision !== 0) {
    throw new StoreError(
      'invalidArgument',
      'count_only counts the newest state: it has no limit, no page_token and no revision',
    );
  }
  const newest = collectionReaders.sortedSetCount(store, page, charge);
  const counted = await (isLocal(request)
    ? store.newestOrVisible(newest, () => walkAndCount(store, page, call.signal))
    : newest);
  return { ...counted, members: [], nextPageToken: '' };
}

/** Without a destination it is a read of the visible state. */
async function combine(
  store: KvStore,
  request: codec.SortedSetCombineRequestShape,
  call: Call,
): Promise<codec.SortedSetCombineResponseShape> {
  const operation = operationOf('sortedSetCombine', request, '');
  const admit = admitAnswer(call);
  checkReadDemand(store, request);
  const { result, revision } =
    operation.destination === undefined
      ? await readCombination(store, 'sortedSetCombine', operation, admit)
      : await store.operate(operation, admit, call);
  return replyOf(result, revision);
}

/** `kelp.v1.SortedSetService` over the store. */
import * as codec from '../../../../gen/kelp/v1/sorted_set_codec.ts';
import { SortedSetService } from '../../../../gen/kelp/v1/sorted_set_pb.ts';
import { StoreError } from '../../../errors.ts';
import { prepareSortedSetCombination } from '../../../kv/collections/sorted-set.ts';
import {
  countRange,
  isFirstByRank,
  type RangePage,
  readFirstByRank,
  readRangePage,
  readRank,
  readScores,
} from '../../../kv/collections/sorted-set-reads.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { pageLimitOf } from '../../../kv/reads/page-limit.ts';
import { encodeKey } from '../../../store/views/keys.ts';
import type { Call } from '../../calls/call.ts';
import { type MethodsOf, unary, unaryWrite } from '../method.ts';
import { keyIn, pageLimit, wholeNumber } from '../request-fields.ts';
import { admitAnswer, changing, operationNeeds } from './change.ts';
import { checkAsked, elementCharge, readKey, readNeeds } from './reading.ts';
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
  score: unary(
    SortedSetService.method.score,
    {
      read: codec.readSortedSetScoreRequest,
      sizeOf: codec.sizeOfSortedSetScoreResponse,
      prepend: codec.prependSortedSetScoreResponse,
    },
    readNeeds,
    score,
  ),
  rank: unary(
    SortedSetService.method.rank,
    {
      read: codec.readSortedSetRankRequest,
      sizeOf: codec.sizeOfSortedSetRankResponse,
      prepend: codec.prependSortedSetRankResponse,
    },
    readNeeds,
    rank,
  ),
  range: unary(
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
  combine: unaryWrite(
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
  checkAsked('members', request.members);
  call.chargeReply(request.members.length * SCORE_BYTES);
  const { scores, ...answer } = await readKey(store, request, request.members, readScores);
  return { ...answer, scores: scores.map((each) => ({ score: each })) };
}

/** Ranks are those of the newest state. */
function rank(
  store: KvStore,
  request: codec.SortedSetRankRequestShape,
): Promise<codec.SortedSetRankResponseShape> {
  const { member, reverse } = request;
  const asked = { key: encodeKey(keyIn(request)), member };
  return store.decideWith(asked, (view, kept) => ({
    ...readRank(view, kept.key, kept.member, reverse),
    revision: view.revision,
  }));
}

async function range(
  store: KvStore,
  request: codec.SortedSetRangeRequestShape,
  call: Call,
): Promise<codec.SortedSetRangeResponseShape> {
  const asked: RangePage = {
    key: encodeKey(keyIn(request)),
    range: rangeIn('range', request.range),
    isReversed: request.reverse,
    limit: pageLimit(request.limit),
    pageToken: request.pageToken,
    revision: wholeNumber('revision', request.revision),
  };
  if (request.countOnly) return await counted(store, asked);
  if (asked.range !== undefined && 'rank' in asked.range && asked.revision !== 0) {
    throw new StoreError(
      'invalidArgument',
      'range.rank is of the newest state: it can not be combined with a revision',
    );
  }
  const page = { ...asked, limit: pageLimitOf(asked) };
  const charge = elementCharge(call);
  if (!isFirstByRank(page))
    return await store.readSeam(page, (seam, kept) => readRangePage(seam, kept, charge));
  const { seam } = store;
  return await store.decideWith(page, (view, kept) => readFirstByRank(seam, view, kept, charge));
}

function counted(store: KvStore, asked: RangePage): Promise<codec.SortedSetRangeResponseShape> {
  if (asked.limit !== 0 || asked.pageToken !== '' || asked.revision !== 0) {
    throw new StoreError(
      'invalidArgument',
      'count_only counts the newest state: it has no limit, no page_token and no revision',
    );
  }
  return store.decideWith(asked, (view, { key, range: counted, isReversed }) => ({
    members: [],
    nextPageToken: '',
    count: countRange(view, key, counted, isReversed),
    revision: view.revision,
  }));
}

/** Without a destination it is a read of the visible state. */
async function combine(
  store: KvStore,
  request: codec.SortedSetCombineRequestShape,
  call: Call,
): Promise<codec.SortedSetCombineResponseShape> {
  const operation = operationOf('sortedSetCombine', request, '');
  const admit = admitAnswer(call);
  if (operation.destination !== undefined) {
    const { result, revision } = await store.operate(operation, admit);
    return replyOf(result, revision);
  }
  return await store.readSeam(operation, (seam, kept) => {
    const run = prepareSortedSetCombination(kept);
    return seam.readVisible((view) => {
      const answer = run(view);
      admit({ kind: 'sortedSetCombine', ...answer });
      return { ...answer, revision: view.revision };
    });
  });
}

/** Changes of collections as requests, of their own and within a transaction, and what they have done. */
import type { OperationResultShape, OperationShape } from '../../../../gen/kelp/v1/kv_codec.ts';
import type {
  CollectionAnswers,
  CollectionArguments,
  CollectionKind,
  CollectionOperation,
  CollectionResult,
} from '../../../api-collections.ts';
import { toHashDelete, toHashIncrement, toHashSet } from './hash.ts';
import {
  toListInsert,
  toListMove,
  toListPop,
  toListPush,
  toListRemove,
  toListSet,
  toListTrim,
} from './list.ts';
import { toSetAdd, toSetCombine, toSetPop, toSetRemove } from './set.ts';
import { toBloomAdd, toBloomCreate, toHllAdd, toHllMerge } from './sketch.ts';
import {
  toScores,
  toSortedSetAdd,
  toSortedSetCombine,
  toSortedSetPop,
  toSortedSetRemove,
  toSortedSetRemoveRange,
} from './sorted-set.ts';

/** The message of a kind. */
export type RequestOf<Kind extends CollectionKind> = Extract<
  OperationShape['operation'],
  { readonly case: Kind }
>['value'];

export type ReplyOf<Kind extends CollectionKind> = Extract<
  OperationResultShape['result'],
  { readonly case: Kind }
>['value'];

type Requests = { readonly [Kind in CollectionKind]: (given: CollectionArguments[Kind]) => RequestOf<Kind> };

const requests: Requests = {
  hashSet: toHashSet,
  hashDelete: toHashDelete,
  hashIncrement: toHashIncrement,
  listPush: toListPush,
  listPop: toListPop,
  listSet: toListSet,
  listInsert: toListInsert,
  listRemove: toListRemove,
  listTrim: toListTrim,
  listMove: toListMove,
  setAdd: toSetAdd,
  setRemove: toSetRemove,
  setPop: toSetPop,
  setCombine: toSetCombine,
  sortedSetAdd: toSortedSetAdd,
  sortedSetRemove: toSortedSetRemove,
  sortedSetRemoveRange: toSortedSetRemoveRange,
  sortedSetPop: toSortedSetPop,
  sortedSetCombine: toSortedSetCombine,
  hllAdd: toHllAdd,
  hllMerge: toHllMerge,
  bloomCreate: toBloomCreate,
  bloomAdd: toBloomAdd,
};

/** A change as a request of its own. */
export function toCollectionRequest<Kind extends CollectionKind>(
  kind: Kind,
  given: CollectionArguments[Kind],
): RequestOf<Kind> {
  const toRequest: Requests[Kind] = requests[kind];
  return toRequest(given);
}

/** A change as an operation of a transaction. */
export function toCollectionOperation<Kind extends CollectionKind>(
  given: CollectionOperation<Kind>,
): OperationShape['operation'] {
  const { kind }: { readonly kind: Kind } = given;
  return { case: kind, value: toCollectionRequest(kind, given) } as OperationShape['operation'];
}

type Replies = {
  readonly [Kind in CollectionKind]: (
    reply: ReplyOf<Kind>,
  ) => CollectionAnswers[Kind] & { readonly revision: number };
};

/** Most replies have the members of their answers. */
function same<Reply>(reply: Reply): Reply {
  return reply;
}

const replies: Replies = {
  hashSet: same,
  hashDelete: same,
  hashIncrement: same,
  listPush: same,
  listPop: same,
  listSet: same,
  listInsert: same,
  listRemove: same,
  listTrim: same,
  listMove: same,
  setAdd: same,
  setRemove: same,
  setPop: same,
  setCombine: same,
  sortedSetAdd: ({ scores, ...counts }) => ({ ...counts, scores: toScores(scores) }),
  sortedSetRemove: same,
  sortedSetRemoveRange: same,
  sortedSetPop: same,
  sortedSetCombine: same,
  hllAdd: same,
  hllMerge: same,
  bloomCreate: same,
  bloomAdd: same,
};

/** What a reply answers. */
export function toCollectionAnswer<Kind extends CollectionKind>(
  kind: Kind,
  reply: ReplyOf<Kind>,
): CollectionAnswers[Kind] & { readonly revision: number } {
  const toAnswer: Replies[Kind] = replies[kind];
  return toAnswer(reply);
}

type CollectionShape = Extract<OperationResultShape['result'], { readonly case: CollectionKind }>;

/** The answer of a call of its own, without the revision, which is that of the transaction. */
export function toCollectionResult({ case: kind, value }: CollectionShape): CollectionResult {
  const { revision: _, ...answer } = toCollectionAnswer(kind, value);
  return { kind, ...answer } as CollectionResult;
}

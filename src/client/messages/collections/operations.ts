/** Changes of collections as operations of a transaction, and what they have done. */
import type { OperationResultShape, OperationShape } from '../../../../gen/kelp/v1/kv_codec.ts';
import type { CollectionKind, CollectionOperation, CollectionResult } from '../../../api-collections.ts';
import { refuse } from '../../errors/refuse.ts';
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

type Shape = OperationShape['operation'];

/** An operation of this kind, as it goes into a message. */
export function toCollectionOperation(given: CollectionOperation): Shape {
  switch (given.kind) {
    case 'hashSet': {
      const fields = given.fields.map(({ name, value }) => [name, value] as const);
      return { case: given.kind, value: toHashSet(given.key, fields, given) };
    }
    case 'hashDelete':
      return { case: given.kind, value: toHashDelete(given.key, given.names) };
    case 'hashIncrement':
      return { case: given.kind, value: toHashIncrement(given.key, given.name, amountOf(given), given) };
    case 'listPush':
      return { case: given.kind, value: toListPush(given.key, given.elements, given) };
    case 'listPop':
      return { case: given.kind, value: toListPop(given.key, given) };
    case 'listSet':
      return { case: given.kind, value: toListSet(given.key, given.index, given.element) };
    case 'listInsert': {
      const beside = given.isBehind ? { behind: given.pivot } : { before: given.pivot };
      return { case: given.kind, value: toListInsert(given.key, given.element, beside) };
    }
    case 'listRemove':
      return { case: given.kind, value: toListRemove(given.key, given.element, given) };
    case 'listTrim':
      return { case: given.kind, value: toListTrim(given.key, given) };
    case 'listMove':
      return { case: given.kind, value: toListMove(given.key, given.destination, given) };
    case 'setAdd':
      return { case: given.kind, value: toSetAdd(given.key, given.members, given) };
    case 'setRemove':
      return { case: given.kind, value: toSetRemove(given.key, given.members) };
    case 'setPop':
      return { case: given.kind, value: toSetPop(given.key, given) };
    case 'setCombine':
      return { case: given.kind, value: toSetCombine(given.operation, given.keys, given) };
    case 'sortedSetAdd': {
      const members = given.members.map(({ member, score }) => [member, score] as const);
      return { case: given.kind, value: toSortedSetAdd(given.key, members, given) };
    }
    case 'sortedSetRemove':
      return { case: given.kind, value: toSortedSetRemove(given.key, given.members) };
    case 'sortedSetRemoveRange':
      return { case: given.kind, value: toSortedSetRemoveRange(given.key, given.range) };
    case 'sortedSetPop':
      return { case: given.kind, value: toSortedSetPop(given.key, given) };
    case 'sortedSetCombine':
      return { case: given.kind, value: toSortedSetCombine(given.operation, given.keys, given) };
    case 'hllAdd':
      return { case: given.kind, value: toHllAdd(given.key, given.elements, given) };
    case 'hllMerge':
      return { case: given.kind, value: toHllMerge(given.key, given.sources) };
    case 'bloomCreate':
      return { case: given.kind, value: toBloomCreate(given.key, given) };
    case 'bloomAdd':
      return { case: given.kind, value: toBloomAdd(given.key, given.elements, given) };
  }
}

/** Neither is the server's to refuse: it says so with the place. */
function amountOf({
  delta,
  floatDelta,
}: CollectionOperation<'hashIncrement'>): Parameters<typeof toHashIncrement>[2] {
  if (delta !== undefined && floatDelta !== undefined) {
    refuse('hashIncrement has delta and floatDelta; it must have one of them');
  }
  if (floatDelta !== undefined) return { case: 'floatDelta', value: floatDelta };
  return delta === undefined ? { case: undefined } : { case: 'delta', value: BigInt(delta) };
}

type CollectionShape = Extract<OperationResultShape['result'], { readonly case: CollectionKind }>;

/** The answer of a call of its own, without the revision, which is that of the transaction. */
export function toCollectionResult(result: CollectionShape): CollectionResult {
  if (result.case === 'sortedSetAdd') {
    const { revision: _, scores, ...counts } = result.value;
    return { kind: result.case, ...counts, scores: toScores(scores) };
  }
  const { revision: _, ...answer } = result.value;
  return { kind: result.case, ...answer } as CollectionResult;
}

/** Reads of collections as requests. */
import type {
  BloomContainsRequestShape,
  HllCountRequestShape,
} from '../../../../gen/kelp/v1/sketch_codec.ts';
import type { HashGetRequestShape, HashScanRequestShape } from '../../../../gen/kelp/v1/hash_codec.ts';
import type { ListRangeRequestShape } from '../../../../gen/kelp/v1/list_codec.ts';
import type { SetContainsRequestShape, SetScanRequestShape } from '../../../../gen/kelp/v1/set_codec.ts';
import {
  emptySortedSetRangeRequest,
  type SortedSetRangeRequestShape,
  type SortedSetRankRequestShape,
  type SortedSetScoreRequestShape,
} from '../../../../gen/kelp/v1/sorted_set_codec.ts';
import { copyOf } from '../../../arguments/value.ts';
import type { CollectionReads } from '../../../collections/reads.ts';
import { toKey, toKeyList } from '../request.ts';
import { toElements } from './elements.ts';
import { toSortedSetRange } from './sorted-set.ts';

export function toHashGet(asked: CollectionReads['hashGet']): HashGetRequestShape {
  const { key, names, revision, refreshTtl } = asked;
  return { ...toKey(key), names: toElements(names), revision, refreshTtl };
}

export function toHashScan(asked: CollectionReads['hashScan']): HashScanRequestShape {
  const { key, namesOnly, revision, limit, pageToken } = asked;
  return { ...toKey(key), namesOnly, revision, limit, pageToken };
}

export function toListRange(asked: CollectionReads['listRange']): ListRangeRequestShape {
  const { key, start, stop, revision, refreshTtl } = asked;
  return { ...toKey(key), start, stop, revision, refreshTtl };
}

export function toSetContains(asked: CollectionReads['setContains']): SetContainsRequestShape {
  const { key, members, revision, refreshTtl } = asked;
  return { ...toKey(key), members: toElements(members), revision, refreshTtl };
}

export function toSetScan(asked: CollectionReads['setScan']): SetScanRequestShape {
  const { key, revision, limit, pageToken } = asked;
  return { ...toKey(key), revision, limit, pageToken };
}

export function toSortedSetScore(asked: CollectionReads['sortedSetScore']): SortedSetScoreRequestShape {
  const { key, members, revision, refreshTtl } = asked;
  return { ...toKey(key), members: toElements(members), revision, refreshTtl };
}

export function toSortedSetRank(asked: CollectionReads['sortedSetRank']): SortedSetRankRequestShape {
  const { key, member, reverse } = asked;
  return { ...toKey(key), member: copyOf(member), reverse };
}

export function toSortedSetPage(asked: CollectionReads['sortedSetRange']): SortedSetRangeRequestShape {
  const { key, range, reverse, revision, limit, pageToken } = asked;
  const bounds = range && toSortedSetRange(range);
  return { ...toKey(key), range: bounds, reverse, revision, limit, pageToken, countOnly: false };
}

export function toSortedSetCount({
  key,
  range,
}: CollectionReads['sortedSetCount']): SortedSetRangeRequestShape {
  const bounds = range && toSortedSetRange(range);
  return { ...emptySortedSetRangeRequest(), ...toKey(key), range: bounds, countOnly: true };
}

export function toHllCount({ keys, revision }: CollectionReads['hllCount']): HllCountRequestShape {
  return { ...toKeyList(keys), revision };
}

export function toBloomContains(asked: CollectionReads['bloomContains']): BloomContainsRequestShape {
  const { key, elements, revision, refreshTtl } = asked;
  return { ...toKey(key), elements: toElements(elements), revision, refreshTtl };
}

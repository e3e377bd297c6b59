/** Reads of collections as requests, but for how new they must be. */
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
import type { Undemanded } from '../read-demand.ts';
import { toKey, toKeyList } from '../request.ts';
import { toElements } from './elements.ts';
import { toSortedSetRange } from './sorted-set.ts';

export function toHashGet(asked: CollectionReads['hashGet']): Undemanded<HashGetRequestShape> {
  const { key, names, revision, refreshTtl } = asked;
  return { ...toKey(key), names: toElements(names), revision, refreshTtl };
}

export function toHashScan(asked: CollectionReads['hashScan']): Undemanded<HashScanRequestShape> {
  const { key, namesOnly, revision, limit, pageToken } = asked;
  return { ...toKey(key), namesOnly, revision, limit, pageToken };
}

export function toListRange(asked: CollectionReads['listRange']): Undemanded<ListRangeRequestShape> {
  const { key, start, stop, revision, refreshTtl } = asked;
  return { ...toKey(key), start, stop, revision, refreshTtl };
}

export function toSetContains(asked: CollectionReads['setContains']): Undemanded<SetContainsRequestShape> {
  const { key, members, revision, refreshTtl } = asked;
  return { ...toKey(key), members: toElements(members), revision, refreshTtl };
}

export function toSetScan(asked: CollectionReads['setScan']): Undemanded<SetScanRequestShape> {
  const { key, revision, limit, pageToken } = asked;
  return { ...toKey(key), revision, limit, pageToken };
}

export function toSortedSetScore(
  asked: CollectionReads['sortedSetScore'],
): Undemanded<SortedSetScoreRequestShape> {
  const { key, members, revision, refreshTtl } = asked;
  return { ...toKey(key), members: toElements(members), revision, refreshTtl };
}

export function toSortedSetRank(
  asked: CollectionReads['sortedSetRank'],
): Undemanded<SortedSetRankRequestShape> {
  const { key, member, reverse } = asked;
  return { ...toKey(key), member: copyOf(member), reverse };
}

export function toSortedSetPage(
  asked: CollectionReads['sortedSetRange'],
): Undemanded<SortedSetRangeRequestShape> {
  const { key, range, reverse, revision, limit, pageToken } = asked;
  const bounds = range && toSortedSetRange(range);
  return { ...toKey(key), range: bounds, reverse, revision, limit, pageToken, countOnly: false };
}

export function toSortedSetCount({
  key,
  range,
}: CollectionReads['sortedSetCount']): Undemanded<SortedSetRangeRequestShape> {
  const bounds = range && toSortedSetRange(range);
  const { consistency: _consistency, minRevision: _minRevision, ...empty } = emptySortedSetRangeRequest();
  return { ...empty, ...toKey(key), range: bounds, countOnly: true };
}

export function toHllCount({
  keys,
  revision,
}: CollectionReads['hllCount']): Undemanded<HllCountRequestShape> {
  return { ...toKeyList(keys), revision };
}

export function toBloomContains(
  asked: CollectionReads['bloomContains'],
): Undemanded<BloomContainsRequestShape> {
  const { key, elements, revision, refreshTtl } = asked;
  return { ...toKey(key), elements: toElements(elements), revision, refreshTtl };
}

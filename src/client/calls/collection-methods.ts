/** The methods of the data types: hashes, lists, sets, sorted sets and sketches; see `method.ts`. */
import * as hash from '../../../gen/kelp/v1/hash_codec.ts';
import * as list from '../../../gen/kelp/v1/list_codec.ts';
import * as set from '../../../gen/kelp/v1/set_codec.ts';
import * as sketch from '../../../gen/kelp/v1/sketch_codec.ts';
import * as sortedSet from '../../../gen/kelp/v1/sorted_set_codec.ts';
import { method } from './method.ts';

export const hashMethods = {
  set: method(
    'HashService/Set',
    hash.sizeOfHashSetRequest,
    hash.prependHashSetRequest,
    hash.readHashSetResponse,
  ),
  get: method(
    'HashService/Get',
    hash.sizeOfHashGetRequest,
    hash.prependHashGetRequest,
    hash.readHashGetResponse,
  ),
  scan: method(
    'HashService/Scan',
    hash.sizeOfHashScanRequest,
    hash.prependHashScanRequest,
    hash.readHashScanResponse,
  ),
  delete: method(
    'HashService/Delete',
    hash.sizeOfHashDeleteRequest,
    hash.prependHashDeleteRequest,
    hash.readHashDeleteResponse,
  ),
  increment: method(
    'HashService/Increment',
    hash.sizeOfHashIncrementRequest,
    hash.prependHashIncrementRequest,
    hash.readHashIncrementResponse,
  ),
};

export const listMethods = {
  push: method(
    'ListService/Push',
    list.sizeOfListPushRequest,
    list.prependListPushRequest,
    list.readListPushResponse,
  ),
  pop: method(
    'ListService/Pop',
    list.sizeOfListPopRequest,
    list.prependListPopRequest,
    list.readListPopResponse,
  ),
  range: method(
    'ListService/Range',
    list.sizeOfListRangeRequest,
    list.prependListRangeRequest,
    list.readListRangeResponse,
  ),
  set: method(
    'ListService/Set',
    list.sizeOfListSetRequest,
    list.prependListSetRequest,
    list.readListSetResponse,
  ),
  insert: method(
    'ListService/Insert',
    list.sizeOfListInsertRequest,
    list.prependListInsertRequest,
    list.readListInsertResponse,
  ),
  remove: method(
    'ListService/Remove',
    list.sizeOfListRemoveRequest,
    list.prependListRemoveRequest,
    list.readListRemoveResponse,
  ),
  trim: method(
    'ListService/Trim',
    list.sizeOfListTrimRequest,
    list.prependListTrimRequest,
    list.readListTrimResponse,
  ),
  move: method(
    'ListService/Move',
    list.sizeOfListMoveRequest,
    list.prependListMoveRequest,
    list.readListMoveResponse,
  ),
};

export const setMethods = {
  add: method('SetService/Add', set.sizeOfSetAddRequest, set.prependSetAddRequest, set.readSetAddResponse),
  remove: method(
    'SetService/Remove',
    set.sizeOfSetRemoveRequest,
    set.prependSetRemoveRequest,
    set.readSetRemoveResponse,
  ),
  contains: method(
    'SetService/Contains',
    set.sizeOfSetContainsRequest,
    set.prependSetContainsRequest,
    set.readSetContainsResponse,
  ),
  scan: method(
    'SetService/Scan',
    set.sizeOfSetScanRequest,
    set.prependSetScanRequest,
    set.readSetScanResponse,
  ),
  pop: method('SetService/Pop', set.sizeOfSetPopRequest, set.prependSetPopRequest, set.readSetPopResponse),
  combine: method(
    'SetService/Combine',
    set.sizeOfSetCombineRequest,
    set.prependSetCombineRequest,
    set.readSetCombineResponse,
  ),
};

export const sortedSetMethods = {
  add: method(
    'SortedSetService/Add',
    sortedSet.sizeOfSortedSetAddRequest,
    sortedSet.prependSortedSetAddRequest,
    sortedSet.readSortedSetAddResponse,
  ),
  remove: method(
    'SortedSetService/Remove',
    sortedSet.sizeOfSortedSetRemoveRequest,
    sortedSet.prependSortedSetRemoveRequest,
    sortedSet.readSortedSetRemoveResponse,
  ),
  score: method(
    'SortedSetService/Score',
    sortedSet.sizeOfSortedSetScoreRequest,
    sortedSet.prependSortedSetScoreRequest,
    sortedSet.readSortedSetScoreResponse,
  ),
  rank: method(
    'SortedSetService/Rank',
    sortedSet.sizeOfSortedSetRankRequest,
    sortedSet.prependSortedSetRankRequest,
    sortedSet.readSortedSetRankResponse,
  ),
  range: method(
    'SortedSetService/Range',
    sortedSet.sizeOfSortedSetRangeRequest,
    sortedSet.prependSortedSetRangeRequest,
    sortedSet.readSortedSetRangeResponse,
  ),
  removeRange: method(
    'SortedSetService/RemoveRange',
    sortedSet.sizeOfSortedSetRemoveRangeRequest,
    sortedSet.prependSortedSetRemoveRangeRequest,
    sortedSet.readSortedSetRemoveRangeResponse,
  ),
  pop: method(
    'SortedSetService/Pop',
    sortedSet.sizeOfSortedSetPopRequest,
    sortedSet.prependSortedSetPopRequest,
    sortedSet.readSortedSetPopResponse,
  ),
  combine: method(
    'SortedSetService/Combine',
    sortedSet.sizeOfSortedSetCombineRequest,
    sortedSet.prependSortedSetCombineRequest,
    sortedSet.readSortedSetCombineResponse,
  ),
};

export const sketchMethods = {
  hllAdd: method(
    'SketchService/HllAdd',
    sketch.sizeOfHllAddRequest,
    sketch.prependHllAddRequest,
    sketch.readHllAddResponse,
  ),
  hllCount: method(
    'SketchService/HllCount',
    sketch.sizeOfHllCountRequest,
    sketch.prependHllCountRequest,
    sketch.readHllCountResponse,
  ),
  hllMerge: method(
    'SketchService/HllMerge',
    sketch.sizeOfHllMergeRequest,
    sketch.prependHllMergeRequest,
    sketch.readHllMergeResponse,
  ),
  bloomCreate: method(
    'SketchService/BloomCreate',
    sketch.sizeOfBloomCreateRequest,
    sketch.prependBloomCreateRequest,
    sketch.readBloomCreateResponse,
  ),
  bloomAdd: method(
    'SketchService/BloomAdd',
    sketch.sizeOfBloomAddRequest,
    sketch.prependBloomAddRequest,
    sketch.readBloomAddResponse,
  ),
  bloomContains: method(
    'SketchService/BloomContains',
    sketch.sizeOfBloomContainsRequest,
    sketch.prependBloomContainsRequest,
    sketch.readBloomContainsResponse,
  ),
};

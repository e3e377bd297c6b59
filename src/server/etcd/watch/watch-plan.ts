/** What a request to create a watch asks of the store. */
import type { WatchCreateRequestShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { WatchCreateRequest_FilterType as FilterType } from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { EventType, KeyRange, WatchRequest } from '../../../api.ts';
import type { EngineRange } from '../../../engine/engine.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import { etcdError } from '../errors.ts';
import { engineRangeOf, isOneKey, type KeyRangeShape } from '../kv/key-ranges.ts';
import { fromEtcd } from '../revisions.ts';
import { refusals, refusedWatch } from './refusals.ts';

export interface WatchPlan {
  /** What it reads. */
  readonly range: EngineRange;
  readonly request: WatchRequest;
  /** Events of revisions before are not wanted: it begins in the future. */
  readonly firstRevision: number;
  /** Nothing but progress is wanted. */
  readonly isSilent: boolean;
  readonly wantsProgress: boolean;
  readonly wantsFragments: boolean;
}

const FIRST_KEY = Uint8Array.of(0);

/** Nothing of the request's bytes is kept. @param visibleRevision ours, now. Throws `requestTooLarge`, and for a range without keys. */
export function watchPlanOf(request: WatchCreateRequestShape, visibleRevision: number): WatchPlan {
  const { rangeEnd, prevKv, progressNotify, fragment, filters } = request;
  const key = request.key.length === 0 ? FIRST_KEY : request.key;
  const named = { key, rangeEnd };
  const types = typesOf(filters);
  const firstRevision = request.startRevision === 0 ? 0 : Math.max(1, fromEtcd(request.startRevision));
  return {
    range: engineRangeOf(named),
    request: {
      ranges: [keyRangeOf(named)],
      startRevision: firstRevision > visibleRevision ? 0 : firstRevision,
      // One that wants no events waits for what it is not told.
      eventTypes: types.length === 0 ? ['touch'] : types,
      returnPrevious: prevKv,
      progressIntervalMs: progressNotify ? fixed.progressIntervalMsDefault : serverFixed.etcdUntoldProgressMs,
    },
    firstRevision,
    isSilent: types.length === 0,
    wantsProgress: progressNotify,
    wantsFragments: fragment,
  };
}

function typesOf(filters: readonly number[]): EventType[] {
  const types: EventType[] = [];
  if (!filters.includes(FilterType.NOPUT)) types.push('put');
  if (!filters.includes(FilterType.NODELETE)) types.push('delete');
  return types;
}

function keyRangeOf({ key, rangeEnd }: KeyRangeShape): KeyRange {
  if (key.length > fixed.keyBytesMax || rangeEnd.length > fixed.keyBytesMax)
    throw etcdError('requestTooLarge');
  const start = new Uint8Array(key);
  if (isOneKey({ key, rangeEnd })) return { key: start };
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) return key.length === 1 && key[0] === 0 ? {} : { start };
  if (Buffer.compare(key, rangeEnd) >= 0) throw refusedWatch(refusals.emptyRange);
  return { start, end: new Uint8Array(rangeEnd) };
}

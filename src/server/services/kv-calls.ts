/**
 * The calls of the store behind the methods that most calls are of. Their requests come in two forms, with the same
 * fields: as messages of protobuf-es, whose 64-bit integers are bigints, and as those of the generated codecs, where
 * they are numbers.
 */
import { StoreError } from '../../errors.ts';
import type {
  DeleteResult,
  ExistsResult,
  GetResult,
  IncrementResult,
  PutResult,
  ScanPage,
  Store,
} from '../../api.ts';
import type { Call } from '../calls.ts';
import { entriesBytes, entryBytes } from './reply-entries.ts';
import {
  type ConditionFields,
  type DurationFields,
  type Int64,
  type KeyRangeFields,
  condition,
  given,
  keyRange,
  pageLimit,
  timeToLiveMs,
  wholeNumber,
} from './request-fields.ts';

export interface GetFields {
  readonly key: string;
  readonly revision: Int64;
  readonly refreshTtl: boolean;
}

export function get(store: Store, request: GetFields, call: Call): Promise<GetResult> {
  return store.get(request.key, {
    revision: wholeNumber('revision', request.revision),
    refreshTtl: request.refreshTtl,
    admit: (result) => call.chargeReply(entryBytes(result)),
  });
}

export interface PutFields {
  readonly key: string;
  readonly value: Uint8Array;
  readonly ttl?: DurationFields | undefined;
  readonly leaseId: Int64;
  readonly condition?: ConditionFields | undefined;
  readonly returnPrevious: boolean;
}

export function put(store: Store, request: PutFields, call: Call): Promise<PutResult> {
  const { key, value, returnPrevious } = request;
  return store.put(key, value, {
    leaseId: wholeNumber('lease_id', request.leaseId),
    returnPrevious,
    admit: (result) => call.chargeReply(entryBytes(result)),
    ...given({ ttlMs: timeToLiveMs('ttl', request.ttl), condition: condition(request.condition) }),
  });
}

export interface DeleteFields {
  readonly key: string;
  readonly condition?: ConditionFields | undefined;
  readonly returnPrevious: boolean;
}

export function deleteKey(store: Store, request: DeleteFields, call: Call): Promise<DeleteResult> {
  const { key, returnPrevious } = request;
  return store.delete(key, {
    returnPrevious,
    admit: (result) => call.chargeReply(entryBytes(result)),
    ...given({ condition: condition(request.condition) }),
  });
}

export function exists(store: Store, request: { readonly keys: readonly string[] }): Promise<ExistsResult> {
  return store.exists(request.keys);
}

export interface ScanFields {
  readonly range?: KeyRangeFields | undefined;
  readonly limit: number;
  readonly pageToken: string;
  readonly revision: Int64;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
}

export interface ScanResult extends ScanPage {
  readonly count: number;
}

export async function scan(store: Store, request: ScanFields, call: Call): Promise<ScanResult> {
  const range = keyRange(request.range);
  const revision = wholeNumber('revision', request.revision);
  const limit = pageLimit(request.limit);
  const { pageToken, reverse, keysOnly } = request;
  if (request.countOnly) {
    if (limit !== 0 || pageToken !== '') {
      throw new StoreError(
        'invalidArgument',
        'count_only counts all keys: it has no limit and no page_token',
      );
    }
    const counted = await store.count(range, { revision });
    return { ...counted, incarnation: '', entries: [], nextPageToken: '' };
  }
  const page = await store.scan(range, { limit, pageToken, revision, reverse, keysOnly });
  call.chargeReply(entriesBytes(page.entries));
  return { ...page, count: 0 };
}

export interface IncrementFields {
  readonly key: string;
  readonly delta: bigint;
  readonly ttl?: DurationFields | undefined;
}

export function increment(store: Store, request: IncrementFields): Promise<IncrementResult> {
  const ttlMs = timeToLiveMs('ttl', request.ttl);
  return store.increment(request.key, request.delta, given({ ttlMs }));
}

/** What recipes need of their client: calls on keys, and leases. */
import type { CountResult, ExistsResult, GetResult, Key, KeyRange } from '../../api.ts';
import type { PagedList } from '../../paged-list.ts';
import type { Caller } from '../calls/caller.ts';
import type { Entry } from '../messages/entry.ts';
import type * as calls from '../messages/types.ts';

export interface RecipeHost {
  /** For its clock, and for what its calls make of an error. */
  readonly caller: Caller;
  readonly keys: KeyCalls;
  grant(ttlMs: number, options: calls.CallOptions): Promise<GrantedLease>;
}

interface KeyCalls {
  get(key: string, options: calls.GetOptions): Promise<GetResult<Entry>>;
  exists(keys: readonly Key[], options: calls.ReadCallOptions): Promise<ExistsResult>;
  count(range: KeyRange, options: calls.CountOptions): Promise<CountResult>;
  scan(range: KeyRange, options: calls.ScanOptions): PagedList<Entry>;
  txn(request: calls.TxnRequest, options: calls.CallOptions): Promise<calls.TxnResult>;
  watch(request: calls.WatchRequest): calls.Watch;
}

/** See `LeaseHandle`. */
export interface GrantedLease {
  readonly id: number;
  readonly remainingMs: number;
  readonly signal: AbortSignal;
  keepAlive(): unknown;
  revoke(options?: calls.CallOptions): Promise<unknown>;
}

/**
 * What the state is that decides who holds what: never an old one, whatever the reads of the client ask for by default.
 */
export const newest = { consistency: 'linearizable' } as const;

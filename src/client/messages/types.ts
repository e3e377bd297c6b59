/**
 * What goes into the client and comes out of it: the plain types of `api.ts`, with what calls over a network need besides,
 * and with entries that read their value. Where more differs, the reason is said.
 *
 * `Omit<..., 'admit'>`: what is about to be handed out can be looked at in the store's own process only.
 */
import type * as api from '../../api.ts';
import type { Entry } from './entry.ts';
import type { KelpError } from '../errors/error.ts';

/** What every call takes. */
export interface CallOptions {
  /** Aborting it ends the call with the error `canceled`. A write that is on its way may still take effect. */
  readonly signal?: AbortSignal;
  /** The time the call may take, its retries included. Default: the client's. */
  readonly deadlineMs?: number;
}

export interface GetOptions extends Omit<api.GetOptions, 'admit'>, CallOptions {}

export type GetResult = api.GetResult<Entry>;

export interface PutOptions extends Omit<api.PutOptions, 'admit'>, CallOptions {}

export type PutResult = api.PutResult<Entry>;

export interface DeleteOptions extends Omit<api.DeleteOptions, 'admit'>, CallOptions {}

export type DeleteResult = api.DeleteResult<Entry>;

/** A signal ends any call, also one that is no delete in parts. */
export interface DeleteRangeOptions extends Omit<api.DeleteRangeOptions, 'signal'>, CallOptions {}

export type DeleteRangeResult = api.DeleteRangeResult;

/**
 * What every call takes that reads page by page. A signal holds throughout, a deadline for each page. The client asks for pages by
 * itself: its `limit` is that of the whole list, and it has no tokens.
 */
export interface ListOptions extends CallOptions {
  /** Stop after this many items; left out: at the end. */
  readonly limit?: number;
  /** The most items that one page holds, 1 to 10000. Default 1000. */
  readonly pageSize?: number;
}

export interface ScanOptions extends Omit<api.ScanPageOptions, keyof api.PageOptions>, ListOptions {}

export interface CountOptions extends api.CountOptions, CallOptions {}

export interface IncrementOptions extends api.IncrementOptions, CallOptions {}

export interface TouchOptions extends api.TouchOptions, CallOptions {}

export type TouchResult = api.TouchResult<Entry>;

export interface TxnRequest extends Omit<api.TxnRequest, 'admit'> {}

export type OperationResult = api.OperationResult<Entry>;

export type TxnResult = api.TxnResult<Entry>;

export interface GrantOptions extends CallOptions {
  /** The id it shall have, from 1 on; left out: the server chooses. */
  readonly leaseId?: number;
}

export interface GetLeaseOptions extends api.GetLeaseOptions, CallOptions {}

/** How the store does, and the server's process. */
export interface Status extends api.StoreStatus {
  /** The server's version. */
  readonly version: string;
  /** The memory of the whole process. */
  readonly residentBytes: number;
  readonly uptimeMs: number;
}

/**
 * Over its reconnections a watch never goes on with another store, or in another history of the same one, unsaid: a
 * `storeId` that is left out is that of the first connection.
 */
export interface WatchRequest extends Omit<api.WatchRequest, 'admit'> {
  /**
   * The keys and values that the events of one revision may hold, since they are handed out together. Default 256 MiB;
   * with more the watch ends with `limitReached`.
   */
  readonly revisionBytesMax?: number;
  /**
   * When the watch can't go on where it broke off (the revision is compacted, or the server has another store by now,
   * say a restored backup, or another history of the same one), begin again with the present entries: first comes `restarted`, then `current` and so on.
   * Default false: such a watch ends, with `compacted` or an error.
   */
  readonly restartWhenLost?: boolean;
  /** Called when the connection broke and the watch will try to go on: once, however many tries it takes; for logs. */
  readonly onInterrupted?: (error: KelpError) => void;
  /** Called once the server sends again. */
  readonly onResumed?: () => void;
}

export type WatchEvent = api.WatchEvent<Entry>;

/**
 * What a watch says. First `current` (if asked for, any number), then `synced` once, then the rest. `incarnation` is the
 * one that wrote `revision`: another watch goes on behind that with both, and with the store's id.
 */
export type WatchMessage =
  | api.WatchCurrent<Entry>
  /** Another connection may lead to another store, so it is named. */
  | (api.WatchSynced & { readonly storeId: string })
  /** All events of one revision: the client puts fragments together. */
  | api.WatchEvents<Entry>
  | api.WatchProgress
  /**
   * What has been sent so far is void: the present entries come anew. `interrupted` when the connection broke before
   * `synced`, `lost` as `restartWhenLost` says.
   */
  | { readonly kind: 'restarted'; readonly reason: 'interrupted' | 'lost' }
  /** The last message: the events from `requestedRevision` on are not kept any more. */
  | {
      readonly kind: 'compacted';
      readonly requestedRevision: number;
      readonly oldestRevision: number;
      readonly newestRevision: number;
    };

/**
 * What goes into the client and comes out of it: the plain types of `api.ts`, with what calls over a network need besides,
 * and with entries that read their value. Where more differs, the reason is said.
 *
 * `Omit<..., 'admit'>`: what is about to be handed out can be looked at in the store's own process only.
 */
import type * as api from '../../api.ts';
import type { PagedListOptions } from '../../paged-list.ts';
import type { Entry } from './entry.ts';
import type { KelpError } from '../errors/error.ts';

/** What every call takes. */
export interface CallOptions {
  /** Aborting it ends the call with the error `canceled`. A write that is on its way may still take effect. */
  readonly signal?: AbortSignal;
  /** The time the call may take, its retries included. Default: the client's. */
  readonly deadlineMs?: number;
}

/** Of a read, in a cluster: `linearizable` sees all that any server had acknowledged before, `local` what the server has that is asked. */
export type Consistency = 'linearizable' | 'local';

/** What every call takes that reads the store. */
export interface ReadCallOptions extends CallOptions {
  /**
   * How new what it reads must be, which matters in a cluster alone. `local` asks no other server, and may show an old state. Default: the
   * client's, which is `linearizable` unless it was told otherwise. A read that writes (`refreshTtl`) is linearizable in any case.
   */
  readonly consistency?: Consistency;
  /**
   * The server must have come to this revision, for which it waits: with that of one's own write, a `local` read shows the write. A
   * server that is alone has come to all that it told of, and refuses a higher one (`revisionFuture`). Default: the client's, or none.
   */
  readonly minRevision?: number;
}

export interface GetOptions extends Omit<api.GetOptions, 'admit'>, ReadCallOptions {}

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
export interface ListOptions extends CallOptions, PagedListOptions {}

/** What `keys` takes. */
export interface KeysOptions extends ListOptions, ReadCallOptions {}

export interface ScanOptions
  extends Omit<api.ScanPageOptions, keyof api.PageOptions>, ListOptions, ReadCallOptions {}

export interface CountOptions extends api.CountOptions, ReadCallOptions {}

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

/** What is going on, as the server has counted it since it was started. */
export interface Activity {
  /** How long the server has been running when this was counted. */
  readonly uptimeMs: number;
  /** The methods that were called, by door and method, in the order of their names. */
  readonly methods: readonly MethodActivity[];
  /** The upper bounds, inclusive, by which `durationCounts` counts, in microseconds, ascending. */
  readonly durationBoundsMicros: readonly number[];
  /** What the keys begin with that were read or written most lately, the busiest first. */
  readonly prefixes: readonly PrefixActivity[];
  /** The time that the counts of `prefixes` are of: the last 10 to 20 seconds; less right after the start. */
  readonly prefixWindowMs: number;
  readonly connectionCount: number;
  /** The calls under way that are streams, such as watches. */
  readonly streamCount: number;
  /** Over all connections. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** The events and present entries that watches were sent. */
  readonly watchEventCount: number;
  /** How often the log was flushed, and how long that took in sum. */
  readonly flushCount: number;
  readonly flushMicros: number;
  /** The transactions and notes that were written to the log, and the bytes that they took there. */
  readonly logRecordCount: number;
  readonly logWrittenBytes: number;
  /** Of the connections, those that speak the protocol of Redis; and those of them that wait for an element (BLPOP and the like). */
  readonly redisConnectionCount: number;
  readonly redisBlockedClientCount: number;
  /**
   * How late timers of the server's event loop were, by `durationBoundsMicros`, one more beyond all: looked at 50 times a second, from the
   * first `activity()` on, until none was asked for in 10 seconds.
   */
  readonly eventLoopDelayCounts: readonly number[];
}

/** The calls of one method through one door. */
export interface MethodActivity {
  /** `grpc`, `grpc_web`, `connect`, `rest`, `scripts`, `http`; `pipeline`: the operations of batches; `redis`: commands of its protocol. */
  readonly door: string;
  /** Such as `Get` or `LeaseGrant`; `get` or `config|get` of Redis. */
  readonly method: string;
  /** How many have ended, and how many of these by an error. */
  readonly callCount: number;
  readonly errorCount: number;
  /** How many are under way. */
  readonly inProgressCount: number;
  /** How long those that have ended took in sum; 0 for streams. */
  readonly durationMicros: number;
  /** Of these, how many took no longer than each bound, and longer than the one before; one more is beyond all. Empty for streams. */
  readonly durationCounts: readonly number[];
}

/** What was read and written of keys that begin alike, estimated from a sample. */
export interface PrefixActivity {
  /** Up to the first `/` or `:` of the key, with that; empty: keys that have neither in their first 64 bytes. */
  readonly prefix: api.Key;
  readonly readCount: number;
  readonly writeCount: number;
}

/** What a server is in its cluster: `single`, it is alone; `writer`, all that is written goes through it; `follower`. */
export type ServerRole = 'single' | 'writer' | 'follower';

/** Of a server that is alone all of it is 0 or empty. */
export interface ClusterStatus {
  readonly role: ServerRole;
  /** How many writers there have been in the cluster, the present one included. */
  readonly epoch: number;
  /** Where the writer is reached; empty: there is none now, or it is not known. */
  readonly writerAddress: string;
  /** For how long the server has not held all that was written in the cluster; 0: it holds it. */
  readonly lagMs: number;
  /** How often the server has become the writer since it was started. */
  readonly takeoverCount: number;
}

/** A node of a cluster, as it has reported of itself. */
export interface Member {
  /** Where it is reached, HOST:PORT. */
  readonly address: string;
  /** The newest batch of the shared log that it holds; batches are numbered from 1 on. */
  readonly position: number;
  /** The newest batch that its newest snapshot covers; 0: it has none. */
  readonly snapshotPosition: number;
}

export interface HandoverOptions extends CallOptions {
  /** The node that is to be the writer, by its address in `Members`. Default: any one. */
  readonly to?: string;
}

/** What one node knows of its cluster. */
export interface Members extends ClusterStatus {
  /** The node itself. */
  readonly address: string;
  readonly position: number;
  /** The newest batch that the node knows to be in the shared log. */
  readonly logPosition: number;
  /** The nodes that have reported of late, in the order of their addresses: the writer knows all, a follower itself alone. */
  readonly members: readonly Member[];
}

/** How the store does, and the server's process. */
export interface Status extends api.StoreStatus, ClusterStatus {
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

export type WatchEvent<AnEntry = Entry> = api.WatchEvent<AnEntry>;

/**
 * What a watch says. First `current` (if asked for, any number), then `synced` once, then the rest. `incarnation` is the
 * one that wrote `revision`: another watch goes on behind that with both, and with the store's id.
 */
export type WatchMessage<AnEntry = Entry> =
  | api.WatchCurrent<AnEntry>
  /** Another connection may lead to another store, so it is named. */
  | (api.WatchSynced & { readonly storeId: string })
  /** All events of one revision: the client puts fragments together. */
  | api.WatchEvents<AnEntry>
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

/** A running watch. It begins when it is first read. */
export interface Watch<AnEntry = Entry> extends AsyncIterableIterator<WatchMessage<AnEntry>> {
  /** Ends the watch, also while a message is being waited for. */
  return(): Promise<IteratorResult<WatchMessage<AnEntry>>>;
  [Symbol.asyncDispose](): Promise<void>;
}

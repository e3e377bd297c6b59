/**
 * The plain data that goes into the client and comes out of it. Shapes and names are those of the store in process,
 * so that a program can change from one to the other.
 *
 * Revisions, lease ids and times are whole numbers up to 2^53 - 1; keys are text of 1 to 4096 bytes as UTF-8.
 */
import type { Compare, Condition, Operation } from '../arguments/requests.ts';
import type { Entry } from './entry.ts';

export type {
  Compare,
  Condition,
  DeletedRange,
  KeyRange,
  Operation,
  Relation,
} from '../arguments/requests.ts';
export type { Value } from '../arguments/value.ts';

/** What every call takes. */
export interface CallOptions {
  /** Aborting it ends the call with the error `canceled`. A write that is on its way may still take effect. */
  readonly signal?: AbortSignal;
  /** The time the call may take, its retries included. Default: the client's. */
  readonly deadlineMs?: number;
}

export interface GetOptions extends CallOptions {
  /** The revision to read at; 0 (default) is the newest. Not with `refreshTtl`. */
  readonly revision?: number;
  /** The entry's own time to live starts anew. That makes the call a write, which is not repeated blindly. */
  readonly refreshTtl?: boolean;
}

export interface GetResult {
  /** Nothing when there is no such key. */
  readonly entry: Entry | undefined;
  /** The revision of the store at which it was read. */
  readonly revision: number;
}

export interface PutOptions extends CallOptions {
  /** Left out: lives until deleted. */
  readonly ttlMs?: number;
  /** 0 (default): none. */
  readonly leaseId?: number;
  readonly condition?: Condition;
  readonly returnPrevious?: boolean;
}

export interface PutResult {
  /** The revision of this write. */
  readonly revision: number;
  /** The entry before, if asked for and there was one. */
  readonly previous: Entry | undefined;
}

export interface DeleteOptions extends CallOptions {
  readonly condition?: Condition;
  readonly returnPrevious?: boolean;
}

export interface DeleteResult {
  /** Of the delete, or of the store when nothing was deleted. */
  readonly revision: number;
  readonly deleted: boolean;
  readonly previous: Entry | undefined;
}

export interface DeleteRangeResult {
  readonly revision: number;
  readonly deletedCount: number;
}

export interface ExistsResult {
  /** For each key of the request, at the same place, whether it exists. */
  readonly exists: boolean[];
  readonly revision: number;
}

export interface CountResult {
  readonly count: number;
  readonly revision: number;
}

/** What every call takes that reads page by page. A signal and a deadline hold for each page. */
export interface ListOptions extends CallOptions {
  /** Stop after this many items; left out: at the end. */
  readonly limit?: number;
  /** The most items that one page holds, 1 to 10000. Default 1000. */
  readonly pageSize?: number;
}

export interface ScanOptions extends ListOptions {
  /** The revision to read at; 0 (default) is the newest when the first page is read. */
  readonly revision?: number;
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** Entries come with an empty value. */
  readonly keysOnly?: boolean;
}

export interface CountOptions extends CallOptions {
  /** The revision to read at; 0 (default) is the newest. */
  readonly revision?: number;
}

export interface IncrementOptions extends CallOptions {
  /** The time to live of a key that this creates. */
  readonly ttlMs?: number;
}

export interface IncrementResult {
  /** The number after the addition. */
  readonly value: bigint;
  readonly revision: number;
}

export interface TouchOptions extends CallOptions {
  /** Above 0: that long from now; 0: for ever; left out: the entry's own time to live anew. */
  readonly ttlMs?: number;
}

export interface TouchResult {
  readonly revision: number;
  /** Without its value. */
  readonly entry: Entry;
}

export interface TxnRequest {
  /** None means that `success` runs: an atomic batch. */
  readonly compares?: readonly Compare[];
  /** Runs when all compares hold. */
  readonly success?: readonly Operation[];
  /** Runs when one does not. */
  readonly failure?: readonly Operation[];
}

export type OperationResult =
  | { readonly kind: 'get'; readonly entry: Entry | undefined }
  | { readonly kind: 'put'; readonly previous: Entry | undefined }
  | { readonly kind: 'delete'; readonly deleted: boolean; readonly previous: Entry | undefined }
  | { readonly kind: 'deleteRange'; readonly deletedCount: number }
  | { readonly kind: 'increment'; readonly value: bigint };

export interface TxnResult {
  /** Whether all compares held, and so which list ran. */
  readonly succeeded: boolean;
  /** One for each operation that ran, in their order. */
  readonly results: OperationResult[];
  /** That the writes took, or of the store when there was none. */
  readonly revision: number;
}

export interface Lease {
  readonly leaseId: number;
  /** The time to live it was granted. */
  readonly ttlMs: number;
  readonly remainingMs: number;
  readonly keyCount: number;
  /** In key order; empty unless asked for. */
  readonly keys: string[];
}

export interface Status {
  /** The server's version. */
  readonly version: string;
  /** 32 hexadecimal digits, made with the data directory. */
  readonly storeId: string;
  readonly revision: number;
  /** That wrote `revision`: with it a watch goes on from there. Empty with revision 0. */
  readonly incarnation: string;
  /** The oldest that `get` and `scan` can read; 0 while all can. */
  readonly oldestRevision: number;
  /** The lowest `startRevision` of a watch. */
  readonly oldestWatchRevision: number;
  readonly keyCount: number;
  readonly leaseCount: number;
  /** Keys and values in all kept versions. */
  readonly memoryDataBytes: number;
  /** Of the whole process. */
  readonly memoryResidentBytes: number;
  /** What counts towards the limit: keys, values, all kept versions, indexes, leases. */
  readonly memoryUsedBytes: number;
  /** Writes that need more get `limitReached`. */
  readonly memoryLimitBytes: number;
  readonly logBytes: number;
  readonly segmentCount: number;
  readonly snapshotBytes: number;
  readonly snapshotCount: number;
  /** 0: none. */
  readonly snapshotRevision: number;
  readonly watcherCount: number;
  readonly uptimeMs: number;
}

/**
 * The plain types of KelpDB: what goes into the store and the client and what comes out of them, and the `Store` contract,
 * which the server, the tests and an embedding program talk to. A program can change from the store in process to the
 * client: calls have the same names and take and give the same shapes. Where the client's differ, its own types say why.
 *
 * Revisions, lease ids and times in milliseconds are whole numbers up to 2^53 - 1. Types with entries leave open which: the
 * client's have methods that read their value.
 */

import type { CollectionOperation, CollectionResult } from './api-collections.ts';
import type { Key, NamedKey, Value } from './api-value.ts';
import type { Hashes } from './collections/hash.ts';
import type { Lists } from './collections/list.ts';
import type { Sets } from './collections/set.ts';
import type { Sketches } from './collections/sketch.ts';
import type { SortedSets } from './collections/sorted-set.ts';
import type { CountResult } from './collections/types.ts';

export type { CountResult, Key, NamedKey, Value };

/**
 * Keys that lie next to each other in the order of their bytes: `key`, or all that begin with `prefix`, or from
 * `start` (inclusive) to `end` (exclusive). `{}` is all keys. What is empty counts as left out. Bytes may be cut within a
 * character.
 */
export interface KeyRange {
  readonly key?: Key;
  readonly prefix?: Key;
  readonly start?: Key;
  readonly end?: Key;
}

/** All keys there are, where they are deleted. */
export interface AllKeys {
  readonly all: true;
}

/**
 * Keys that are to be deleted. Here nothing stands for all keys but `{ all: true }`: a range that is empty, or has a
 * member that is empty or `undefined`, is refused, since it may come of a variable that was not set.
 */
export type DeletedRange = KeyRange | AllKeys;

/** What must be true of a key for a write to go ahead. */
export type Condition =
  | { readonly kind: 'mustNotExist' }
  | { readonly kind: 'mustExist' }
  /** 0: the key must not exist. */
  | { readonly kind: 'modRevisionEquals'; readonly modRevision: number };

export type Relation = 'equal' | 'notEqual' | 'less' | 'greater';

/** A statement about one key (`{ key }`) or about every key of a range: "there RELATION operand". */
export interface Compare {
  readonly subject: { readonly key: Key } | { readonly range: KeyRange };
  readonly relation: Relation;
  readonly operand:
    /** Only with `equal` and `notEqual`; for a range: whether it has any key. */
    | { readonly kind: 'exists'; readonly value: boolean }
    | { readonly kind: 'value'; readonly value: Value }
    | { readonly kind: 'version' | 'createRevision' | 'modRevision' | 'leaseId'; readonly value: number };
}

/** An operation of a transaction. */
export type Operation = KeyOperation | CollectionOperation;

/** One on keys, whatever they hold. */
export type KeyOperation =
  | { readonly kind: 'get'; readonly key: Key }
  | {
      readonly kind: 'put';
      readonly key: Key;
      readonly value: Value;
      readonly ttlMs?: number;
      readonly leaseId?: number;
      readonly returnPrevious?: boolean;
    }
  | { readonly kind: 'delete'; readonly key: Key; readonly returnPrevious?: boolean }
  | { readonly kind: 'deleteRange'; readonly range: DeletedRange }
  | {
      readonly kind: 'increment';
      readonly key: Key;
      readonly delta: bigint | number;
      readonly ttlMs?: number;
    };

export type EventType = 'put' | 'delete' | 'touch';

/** The calls on collections, by type. Options of their own are the client's, too, which takes `CallOptions` besides. */
export interface Collections {
  /** Hashes: fields with their values under one key. */
  readonly hash: Hashes;
  /** Lists: elements in an order under one key. */
  readonly list: Lists;
  /** Sets: members, each once, under one key. */
  readonly set: Sets;
  /** Sorted sets: members in the order of their scores under one key. */
  readonly sortedSet: SortedSets;
  /** HyperLogLogs and Bloom filters. */
  readonly sketch: Sketches;
}

/**
 * Every method rejects with a `StoreError`; the codes that are particular to a method stand in its comment, any method
 * may give `invalidArgument` and `closed`, and any write `storageFailed`, `readOnly` and `limitReached`; all but
 * `storageFailed` say that nothing has changed. Writes resolve once they are as durable as the store's `fsync` policy
 * says, and never show before. Calls take effect in the order in which they are made: behind one that waits for room in
 * memory, until an engine on disk has written a checkpoint, all wait but reads.
 *
 * Values that are handed out must not be changed; values that are handed in may be reused as soon as the call has
 * returned its promise.
 */
export interface Store extends Collections {
  /** Tells stores apart, 32 hexadecimal digits; revisions mean nothing from one store to another. */
  readonly storeId: string;
  /** Reads one key; with `refreshTtl` it also starts the entry's own time to live anew, which is a write. */
  get(key: Key, options?: GetOptions): Promise<GetResult>;
  /** Writes one key. Rejects with `conditionFailed`, `leaseNotFound`. */
  put(key: Key, value: Value, options?: PutOptions): Promise<PutResult>;
  /** Deletes one key; `deleted` tells whether there was one. Rejects with `conditionFailed`. */
  delete(key: Key, options?: DeleteOptions): Promise<DeleteResult>;
  /**
   * Deletes all keys of a range; `{ all: true }` is all keys there are. In one revision, or, when there are too many keys for
   * that, not at all (`limitReached`); with `inParts` in as many revisions as it takes. One that ends early, since a part has
   * failed or `signal` was aborted, rejects with `partlyDeleted`, or, when nothing was deleted, with what ended it: the
   * error of the part, or the reason of the signal.
   */
  deleteRange(range: DeletedRange, options?: DeleteRangeOptions): Promise<DeleteRangeResult>;
  /**
   * Reads several keys at one revision, 1 to 10000. Rejects with `revisionCompacted`, `revisionFuture`, and with
   * `limitReached` when the values are more than 64 MiB.
   */
  getMany(keys: readonly Key[], options?: GetManyOptions): Promise<GetManyResult>;
  exists(keys: readonly Key[]): Promise<ExistsResult>;
  /** One page of a range, or of all keys, in key order. Rejects with `revisionCompacted`, `revisionFuture`, `historyDiffers`. */
  scan(range?: KeyRange, options?: ScanPageOptions): Promise<ScanPage>;
  /** The number of keys in a range, or of all. Rejects with `revisionCompacted`, `revisionFuture`. */
  count(range?: KeyRange, options?: CountOptions): Promise<CountResult>;
  /** One page of the keys that match a glob, or of all, in key order. Rejects with `revisionCompacted`, `historyDiffers`. */
  keys(pattern?: string, options?: PageOptions): Promise<KeysPage>;
  /** Adds to a number kept as decimal text, 1 if it is not said how much. Rejects with `notAnInteger`, `integerOverflow`. */
  increment(key: Key, delta?: bigint | number, options?: IncrementOptions): Promise<IncrementResult>;
  /**
   * Sets the time to live of a key: `ttlMs` above 0 that long from now, 0 for ever, left out its own length anew.
   * Rejects with `keyNotFound`, `noTimeToLive`.
   */
  touch(key: Key, options?: TouchOptions): Promise<TouchResult>;
  /** Compares, then runs one of two lists of operations, atomically and in one revision. */
  txn(request: TxnRequest): Promise<TxnResult>;
  /**
   * Streams changes; see `WatchMessage`. The iteration throws `revisionCompacted`, `revisionFuture`, `otherStore`,
   * `historyDiffers`, `slowWatcher`, `readFailed` or `closed`; behind the last two it goes on where it was. Leaving the loop, or aborting `signal`, ends the watch.
   */
  watch(request?: WatchRequest): AsyncIterableIterator<WatchMessage>;

  /** Makes a lease; without an id the store chooses one. Rejects with `leaseExists`. */
  grantLease(ttlMs: number, leaseId?: number): Promise<LeaseGrant>;
  /** Starts the time to live of a lease anew. Rejects with `leaseNotFound`. */
  renewLease(leaseId: number): Promise<{ readonly ttlMs: number }>;
  /** Ends a lease and deletes its keys in one revision. Rejects with `leaseNotFound`. */
  revokeLease(leaseId: number): Promise<DeleteRangeResult>;
  /** Rejects with `leaseNotFound`. */
  getLease(leaseId: number, options?: GetLeaseOptions): Promise<Lease>;
  /** One page of the leases in the order of their ids. */
  listLeases(options?: PageOptions): Promise<LeasePage>;

  status(): Promise<StoreStatus>;
  /**
   * Writes a snapshot and resolves when it is on disk; with an engine on disk it is a checkpoint, and revisions before it can't be
   * read any more. Rejects with `snapshotFailed`.
   */
  snapshot(): Promise<{ readonly revision: number; readonly bytes: number }>;
  /**
   * The whole state at one revision, the newest when it is first read, as the bytes of a snapshot file; writes go on. After
   * the disk has failed it is the newest that reads show, and there are still backups.
   * A reader that takes longer than `backupMsMax`, or is waited for longer than `fullPinMs` in sum while writes find no memory, may
   * be too slow: the iteration then throws `limitReached`; `snapshotFailed` when the disk could not be read. Leaving the loop ends it.
   * With an engine on disk it begins with a checkpoint, as `snapshot` does, and may be of a later revision; it holds up neither writes nor
   * further checkpoints, and may take `backupMsMax` and `backupMsPerMiB` more for each MiB that was read.
   */
  backup(): AsyncIterableIterator<Uint8Array>;
  /**
   * Makes `revision` the oldest that can be read; that lasts over a restart. Rejects with `revisionCompacted`,
   * `revisionFuture`.
   */
  compact(revision: number): Promise<{ readonly oldestRevision: number }>;
  /**
   * Merges what can be merged of the files of an engine on disk, so that they hold little but what is live; resolves when that is
   * done, which may take long. With `memory` there is nothing to merge.
   */
  compactStorage(): Promise<StorageSizes>;
  /**
   * The error that stopped all writes for good, once a write or flush has failed; reads go on. Settled at most once,
   * never rejects.
   */
  readonly failed: Promise<Error>;
  /**
   * Ends watches with `closed`, finishes the writes under way, flushes and gives the data directory back. If the log has
   * grown long it first writes a snapshot, so that the next start is quick, or gives it up when the time for that is over.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** A key with its value, as of one revision. */
export interface Entry extends NamedKey {
  /** Empty when only keys were asked for. */
  readonly value: Uint8Array;
  /** The revision at which the key was created. */
  readonly createRevision: number;
  /** The revision of the last put or increment. */
  readonly modRevision: number;
  /** 1 at creation, one more with each put or increment. */
  readonly version: number;
  /** The lease it is attached to; 0: none. */
  readonly leaseId: number;
  /** The instant from which it is no longer readable, in milliseconds since 1970-01-01 UTC; 0: never. */
  readonly expireTimeMs: number;
  /** What it holds; left out: plain bytes. Anything else has an empty `value`: its elements are read by the calls of its type. */
  readonly type?: ValueType;
}

/** What a key may hold besides plain bytes. */
export type ValueType = 'hash' | 'list' | 'set' | 'sortedSet' | 'stream' | 'bloomFilter';

/**
 * Called with what a call is about to hand out, before its write takes effect: what it throws refuses the call, and
 * nothing has changed. So a caller that can't carry the result says so in time.
 */
export type Admit<Result> = (result: Result) => void;

export interface GetOptions {
  /** The revision to read at; 0 (default) is the newest. Not with `refreshTtl`. */
  readonly revision?: number;
  /** The entry's own time to live starts anew. That makes the call a write. */
  readonly refreshTtl?: boolean;
  readonly admit?: Admit<Entry | undefined>;
}

export interface GetResult<AnEntry = Entry> {
  /** Nothing when there is no such key. */
  readonly entry: AnEntry | undefined;
  /** The revision of the store at which it was read. */
  readonly revision: number;
}

export interface PutOptions {
  /** Left out: lives until deleted. */
  readonly ttlMs?: number;
  /** 0 (default): none. */
  readonly leaseId?: number;
  readonly condition?: Condition;
  readonly returnPrevious?: boolean;
  readonly admit?: Admit<Entry | undefined>;
}

export interface PutResult<AnEntry = Entry> {
  /** The revision of this write. */
  readonly revision: number;
  /** The entry before, if asked for and there was one. */
  readonly previous: AnEntry | undefined;
}

export interface DeleteOptions {
  readonly condition?: Condition;
  readonly returnPrevious?: boolean;
  readonly admit?: Admit<Entry | undefined>;
}

export interface DeleteResult<AnEntry = Entry> {
  /** Of the delete, or of the store when nothing was deleted. */
  readonly revision: number;
  readonly deleted: boolean;
  readonly previous: AnEntry | undefined;
}

export interface DeleteRangeOptions {
  /**
   * Deletes the keys in key order, some in each revision, while other calls go on: a key that is written behind where the
   * delete has come to survives.
   */
  readonly inParts?: boolean;
  /** Aborting it ends a delete in parts before its next part. One in a single revision is over by then. */
  readonly signal?: AbortSignal;
}

export interface DeleteRangeResult {
  /** With `inParts`: of the first part. Else `revision`. */
  readonly firstRevision: number;
  /** Of the delete (its last part), or of the store when nothing was deleted. */
  readonly revision: number;
  readonly deletedCount: number;
}

export interface GetManyOptions {
  /** The revision to read at; 0 (default) is the newest. */
  readonly revision?: number;
  /** Entries come with an empty value. */
  readonly keysOnly?: boolean;
}

export interface GetManyResult {
  /** For each key, at the same place, its entry; `undefined`: there is none. */
  readonly entries: (Entry | undefined)[];
  readonly revision: number;
}

export interface ExistsResult {
  /** For each key of the request, at the same place, whether it exists. */
  readonly exists: boolean[];
  readonly revision: number;
}

export interface PageOptions {
  /** 1 to 10000; 0 or left out: 1000; more is taken as 10000. */
  readonly limit?: number;
  /** `nextPageToken` of the page before; empty or left out: the first page. */
  readonly pageToken?: string;
}

export interface ScanPageOptions extends PageOptions {
  /** 0 (default): the newest; all further pages then show the one that the first page has shown. */
  readonly revision?: number;
  readonly reverse?: boolean;
  /** Entries come with an empty value. */
  readonly keysOnly?: boolean;
}

export interface CountOptions {
  /** The revision to read at; 0 (default) is the newest. */
  readonly revision?: number;
}

export interface IncrementOptions {
  /** The time to live of a key that this creates. */
  readonly ttlMs?: number;
}

export interface TouchOptions {
  /** Above 0: that long from now; 0: for ever; left out: the entry's own time to live anew. */
  readonly ttlMs?: number;
}

export interface GetLeaseOptions {
  /** The answer lists the keys attached to the lease. */
  readonly includeKeys?: boolean;
}

export interface CloseOptions {
  /** How long a snapshot may take; default 5000; 0: none is written. */
  readonly snapshotMsMax?: number;
}

export interface ScanPage<AnEntry = Entry> {
  readonly entries: AnEntry[];
  /** Empty after the last page. */
  readonly nextPageToken: string;
  readonly revision: number;
  /** That wrote `revision`: with it a watch goes on from here. Empty with revision 0. */
  readonly incarnation: string;
}

export interface KeysPage {
  readonly keys: Key[];
  /** Empty after the last page; a page may be short, even empty, before. */
  readonly nextPageToken: string;
  readonly revision: number;
  /** That wrote `revision`. */
  readonly incarnation: string;
}

export interface IncrementResult {
  /** The number after the addition. */
  readonly value: bigint;
  readonly revision: number;
}

export interface TouchResult<AnEntry = Entry> {
  readonly revision: number;
  /** Without its value. */
  readonly entry: AnEntry;
}

export interface TxnRequest {
  /** None means that `success` runs: an atomic batch. */
  readonly compares?: readonly Compare[];
  /** Runs when all compares hold. */
  readonly success?: readonly Operation[];
  /** Runs when one does not. */
  readonly failure?: readonly Operation[];
  /** Called with each result as it is made. */
  readonly admit?: Admit<OperationResult>;
}

/** What an operation has done. */
export type OperationResult<AnEntry = Entry> = KeyResult<AnEntry> | CollectionResult;

/** What a `KeyOperation` has done. */
export type KeyResult<AnEntry = Entry> =
  | { readonly kind: 'get'; readonly entry: AnEntry | undefined }
  | { readonly kind: 'put'; readonly previous: AnEntry | undefined }
  | { readonly kind: 'delete'; readonly deleted: boolean; readonly previous: AnEntry | undefined }
  | { readonly kind: 'deleteRange'; readonly deletedCount: number }
  | { readonly kind: 'increment'; readonly value: bigint };

export interface TxnResult<AnEntry = Entry> {
  /** Whether all compares held, and so which list ran. */
  readonly succeeded: boolean;
  /** One for each operation that ran, in their order. */
  readonly results: OperationResult<AnEntry>[];
  /** That the writes took, or of the store when there was none. */
  readonly revision: number;
}

export type DeleteReason = 'requested' | 'expired' | 'leaseExpired' | 'leaseRevoked' | 'evicted';

export interface WatchRequest {
  /** Left out or empty: all keys. A key in several ranges gives one event. */
  readonly ranges?: readonly KeyRange[];
  /** The first revision to send, inclusive; 0 (default): only what comes from now on. */
  readonly startRevision?: number;
  /** The store that `startRevision` belongs to: with another one the watch ends with `otherStore`. Left out or empty: not looked at. */
  readonly storeId?: string;
  /**
   * The incarnation that wrote the revision before `startRevision`, as a watch, a page or `status` told it: where another
   * one wrote it, the watch ends with `historyDiffers`, since what lies before is not what was seen. Left out or empty:
   * that is not looked at.
   */
  readonly incarnation?: string;
  /** The present entries first. Not with `startRevision`. */
  readonly includeCurrent?: boolean;
  /** Left out or empty: `put` and `delete`. */
  readonly eventTypes?: readonly EventType[];
  /** Entries come with an empty value. */
  readonly keysOnly?: boolean;
  /** Each event carries the entry as it was before. */
  readonly returnPrevious?: boolean;
  /** A put of a hash, a list, a set or a sorted set says what has changed within it. */
  readonly includeElements?: boolean;
  /** How often `progress` comes while there is no event. Default 10000, at least 100. */
  readonly progressIntervalMs?: number;
  /** Aborting it ends the watch; the loop ends without an error. */
  readonly signal?: AbortSignal;
  /**
   * Called with the bytes that the watch is to hold in messages from now on: with the most before it makes any, with what
   * they take, the one that is handed out included, and with 0 when it has none and waits. When it is to be more than before
   * the watch waits for the answer, and ends when that is false. So what many watches hold can be bounded together.
   */
  readonly admit?: (bytes: number) => boolean | Promise<boolean>;
}

/**
 * What a watch says. First `current` (if asked for, any number), then `synced` once, then the rest. `incarnation` is the
 * one that wrote `revision`; with both another watch goes on behind it. It is empty with revision 0, and where it is older
 * than what is kept of that.
 */
export type WatchMessage =
  | WatchCurrent
  | WatchSynced
  /** With `moreFragments` the next message goes on with the same revision. */
  | (WatchEvents & { readonly moreFragments: boolean })
  | WatchProgress;

/** Some of the present entries, in key order within each range. */
export interface WatchCurrent<AnEntry = Entry> {
  readonly kind: 'current';
  readonly entries: AnEntry[];
  readonly revision: number;
  readonly incarnation: string;
}

/** Everything up to `revision` has been sent; what follows is live. */
export interface WatchSynced {
  readonly kind: 'synced';
  readonly revision: number;
  readonly incarnation: string;
}

/** The events of one revision. */
export interface WatchEvents<AnEntry = Entry> {
  readonly kind: 'events';
  readonly revision: number;
  readonly incarnation: string;
  readonly commitTimeMs: number;
  readonly events: WatchEvent<AnEntry>[];
}

/** Everything up to `revision` has been sent; there was nothing for a while. */
export interface WatchProgress {
  readonly kind: 'progress';
  readonly revision: number;
  readonly incarnation: string;
}

export type WatchEvent<AnEntry = Entry> =
  /** The entry of a touch has an empty value. */
  | {
      readonly type: 'put' | 'touch';
      readonly entry: AnEntry;
      readonly previous: AnEntry | undefined;
      /** The put took the place of an entry whose time to live had ended: its end has no event, and there is no previous entry. */
      readonly replacedExpired?: true;
      /** With `includeElements`, of a put of a hash, a list, a set or a sorted set. */
      readonly elements?: ElementChanges;
    }
  | (NamedKey & {
      readonly type: 'delete';
      /** The revision of the delete. */
      readonly modRevision: number;
      readonly reason: DeleteReason;
      readonly previous: AnEntry | undefined;
    });

/** What has become of the elements of a collection. */
export interface ElementChanges {
  readonly changes: readonly ElementChange[];
  /** `changes` are all elements that there are now; else those that are not among them are as they were. */
  readonly isWhole: boolean;
  /** There is more than an event carries, or it is a long list: `changes` is empty, and the collection is to be read. */
  readonly isLeftOut: boolean;
}

export interface ElementChange {
  /** The field of a hash, the member of a set or of a sorted set; empty for an element of a list, which come in their order. */
  readonly name: Uint8Array;
  /** The value of a field, the element of a list; else empty. */
  readonly value: Uint8Array;
  /** Of a member of a sorted set; else 0. */
  readonly score: number;
  /** It was removed. */
  readonly isRemoved: boolean;
}

export interface LeaseGrant {
  readonly leaseId: number;
  readonly ttlMs: number;
  readonly revision: number;
}

export interface Lease {
  readonly leaseId: number;
  /** The time to live it was granted. */
  readonly ttlMs: number;
  readonly remainingMs: number;
  readonly keyCount: number;
  /** In key order; empty unless asked for. */
  readonly keys: Key[];
}

export interface LeasePage {
  readonly leases: Lease[];
  readonly nextPageToken: string;
}

export interface StoreStatus {
  /** 32 hexadecimal digits, made with the data directory. */
  readonly storeId: string;
  readonly revision: number;
  /** That wrote `revision`: with it a watch goes on from there. Empty with revision 0. */
  readonly incarnation: string;
  /** The oldest that `get` and `scan` can read; 0 while all can. */
  readonly oldestRevision: number;
  /** The lowest `startRevision` of a watch. */
  readonly oldestWatchRevision: number;
  /** The keys and leases that there are on disk: what a crash could still undo is not counted. */
  readonly keyCount: number;
  readonly leaseCount: number;
  /**
   * Keys and values in memory, in all kept versions. Unlike the counts it includes what waits to be written, which after a failure
   * of the disk never will be.
   */
  readonly dataBytes: number;
  /** The values among them that are kept compressed (`valueCompression`): as they are read, and what they take. */
  readonly compressedPlainBytes: number;
  readonly compressedStoredBytes: number;
  /** The memory that counts towards `memoryBytesMax`: keys, values, history, indexes, leases; what waits to be written, too. */
  readonly memoryBytes: number;
  /** Writes that need more get `limitReached`. */
  readonly memoryBytesMax: number;
  readonly logBytes: number;
  readonly segmentCount: number;
  /** The segment that is written, by the first revision that it may hold; its file in the data directory is named by it. */
  readonly activeSegmentId: number;
  /** The oldest segment that there is, in the same way. */
  readonly oldestSegmentId: number;
  readonly snapshotBytes: number;
  readonly snapshotCount: number;
  /** 0: none. */
  readonly snapshotRevision: number;
  readonly watcherCount: number;
  /** What keeps the keys: an `EngineName`; that of a later server may be another one. */
  readonly engine: string;
  /** How the files of the engine do; `undefined` with `memory`, which has none. */
  readonly storage: StorageStatus | undefined;
}

/** How the files of an engine on disk do. Counts are since the store was opened. */
export interface StorageStatus {
  /** Whose state the files hold: that of the newest checkpoint; 0 before the first. */
  readonly revision: number;
  /** The memory of what has changed since the newest checkpoint was begun. */
  readonly unsealedBytes: number;
  /** The memory of what the checkpoint that is under way writes; 0: none is. */
  readonly sealedBytes: number;
  /** Of all files of the engine. */
  readonly diskBytes: number;
  /**
   * Those of them that a compaction does not give back: what the newest versions of keys take, with all that the format adds. With `lsm` an
   * estimate, by the count of keys; with `btree` the pages in use, of which some may be partly full.
   */
  readonly liveBytes: number;
  /** Of the keys and values whose state the files hold, as they are read: `diskBytes` over that is the space amplification. */
  readonly dataBytes: number;
  /** Blocks or values that were found in a cache, and those that had to be read from a file. */
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Lookups that a Bloom filter ended, and those that it let pass in vain; `lsm` alone. */
  readonly filterStops: number;
  readonly filterMisses: number;
  /** What checkpoints and merges wrote to files. */
  readonly flushedBytes: number;
  readonly mergedBytes: number;
  /** Of the files that a merge is about to replace; 0: none is under way. */
  readonly mergingBytes: number;
  /** What was compressed, before and behind that. */
  readonly plainBytes: number;
  readonly compressedBytes: number;
  /** The files, the oldest first; of `btree` one. */
  readonly runs: readonly StorageRun[];
}

/** The bytes of all files of an engine before and behind a merge; 0 with `memory`. */
export interface StorageSizes {
  readonly diskBytesBefore: number;
  readonly diskBytes: number;
}

/** A file of an engine on disk. */
export interface StorageRun {
  readonly name: string;
  readonly bytes: number;
  readonly liveBytes: number;
  /** Versions and deletions in it. */
  readonly recordCount: number;
}

/** When an acknowledged write is on disk. */
export type FsyncPolicy =
  /** Before it is acknowledged: it survives a crash of the machine. */
  | 'always'
  /** Within `fsyncIntervalMs`: a crash of the process loses nothing, one of the machine that much. */
  | 'interval'
  /** When the operating system likes. */
  | 'never';

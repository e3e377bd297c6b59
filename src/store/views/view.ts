/**
 * What a transaction sees, and what it may do: ordered bytes, and nothing of what they mean.
 *
 * Keys are those of the engine, `regions.ts` says which belong to users. A key past its deadline counts as absent
 * (`overdue.ts`): reads leave it out, a put on it is a creation, a delete or a touch finds nothing.
 *
 * All work is paid from `budget`: a visit for each key that is looked at, in the engine or among what the transaction has
 * written. When it is spent, `read`, `readMeta`, `rank`, `select`, `count` and what writes throw `limitReached`; `scan`
 * returns where to go on, and its caller makes a page of it or gives up.
 *
 * A view is good for the call that it was given to. Keys and values that are handed in must stay as they are for as long;
 * a version that is handed out belongs to the caller.
 */
import type { DeleteReason } from '../../api.ts';
import type { EngineRange, Visit } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import type { WorkBudget } from '../../work-budget.ts';

export interface ReadView {
  /** Of the state that is read. */
  readonly revision: number;
  /** Entries whose deadline is at or before this are left out; 0: none is. Milliseconds since 1970-01-01 UTC. */
  readonly instantMs: number;
  readonly budget: WorkBudget;

  read(key: Uint8Array): Version | undefined;
  /** Like `read`, for a caller that does not need the value: that may be empty. */
  readMeta(key: Uint8Array): Version | undefined;
  /**
   * Visits the entries of a range in key order (or its reverse), until `visit` returns false or the budget is spent. A visit
   * may read and scan; it must not write.
   * @returns the key to go on from, inclusive; `undefined` at the end of the range.
   */
  scan(range: EngineRange, reverse: boolean, visit: Visit): Uint8Array | undefined;
}

export interface View extends ReadView {
  /** The revision that the transaction takes if it changes a key. */
  readonly nextRevision: number;
  /** `nextRevision` once a key has been changed, else `revision`: what a reply says of the transaction. */
  readonly replyRevision: number;

  /** How many entries of a range lie before `key`, in O(log n); an engine on disk looks at some 80 keys besides, as for what follows. */
  rank(range: EngineRange, key: Uint8Array): number;
  /** The key at an index, from 0, among the entries of a range, in O(log n); `undefined` behind the last. */
  select(range: EngineRange, index: number): Uint8Array | undefined;
  /**
   * The keys at several places as `select` counts them, ascending and all of them there, each for one visit. What two calls of `select` would go through, this does once, the ends of the range among it.
   */
  selectAll(range: EngineRange, places: Float64Array): Uint8Array[];
  /** About how many visits `select` takes: some, or with an engine on disk those of a page. */
  readonly selectVisits: number;
  /** How many entries a range has, in O(log n). */
  count(range: EngineRange): number;

  /**
   * Writes an entry. Of several writes of a key in one transaction the last one counts, as one event. The key is one of the
   * engine's (`regions.ts`); what is not users' data has no limit of length or memory here.
   * @returns the entry as it is now; its value is the one that was handed in.
   * @throws StoreError `limitReached`, `leaseNotFound`, and `invalidArgument` for a value that is too long.
   */
  put(key: Uint8Array, value: Uint8Array, options?: PutOptions): Version;
  /** Deletes an entry; without one it does nothing. @returns the entry before, as `readMeta` gives it. */
  delete(key: Uint8Array, reason?: DeleteReason): Version | undefined;
  /** Deletes the entries of a range from the first on, as many as `limits` and the budget allow. */
  deleteRange(range: EngineRange, limits?: RangeLimits): DeletedEntries;
  /**
   * Deletes the elements at several places of a range, as `selectAll` finds them, without another look at each.
   * @returns their keys.
   */
  deleteElementsAt(range: EngineRange, places: Float64Array): Uint8Array[];
  /** Gives an entry another time to live from now, and leaves all else of it; 0: for ever. @returns the entry as it is now; `undefined`: there is none. */
  touch(key: Uint8Array, ttlMs: number): Version | undefined;

  /** An id for a collection, which was never given out and never will be again, whatever becomes of this transaction. */
  newCollectionId(): number;

  /** A lease as this transaction sees it; `undefined`: there is none. */
  lease(leaseId: number): LeaseView | undefined;
  /**
   * Makes a lease; its id must be above 0 and free, and no lease that this transaction has ended may have had it. Its time
   * begins now. @param owner the user that it belongs to; '': none. @throws StoreError `limitReached`.
   */
  grantLease(leaseId: number, ttlMs: number, owner?: string): void;
  /** The time of a lease begins anew. The lease must exist. */
  renewLease(leaseId: number): void;
  /** Ends a lease and deletes its keys. The lease must exist. @returns how many entries that deleted. */
  endLease(leaseId: number, reason: 'leaseExpired' | 'leaseRevoked'): number;

  /** What `rollBack` goes back to, as often as wanted, while the transaction runs. */
  savepoint(): Savepoint;
  /** Undoes what was changed since; later savepoints are void. */
  rollBack(savepoint: Savepoint): void;
}

/** What removes entries whose time is over. What is written behind that asks for no room: they have to go. */
export interface ExpiringView extends View {
  /** Deletes an entry whose deadline has passed. @returns whether there was one. */
  expire(key: Uint8Array): boolean;
}

export interface PutOptions {
  /** 0 or left out: none. */
  readonly ttlMs?: number;
  /** The deadline itself, in place of `ttlMs` from now: after `instantMs`. An entry whose deadline has passed is deleted instead. */
  readonly expireTimeMs?: number;
  /** 0 or left out: none. */
  readonly leaseId?: number;
  /** What kind of value it is; 0 or left out: plain bytes. */
  readonly kind?: number;
  /** Of the elements that belong to the entry, by `newCollectionId`, which no other key may have; 0 or left out: none do. */
  readonly collectionId?: number;
}

export interface RangeLimits {
  readonly keysMax: number;
  /** Of keys. */
  readonly bytesMax: number;
}

export interface DeletedEntries {
  readonly count: number;
  /** Where to go on, inclusive; `undefined`: all of the range is deleted. */
  readonly nextKey: Uint8Array | undefined;
}

export interface LeaseView {
  readonly leaseId: number;
  readonly ttlMs: number;
  readonly remainingMs: number;
  /** The user that granted it; '': none did. */
  readonly owner: string;
}

/** How far a draft had come. */
export interface Savepoint {
  readonly changeMark: number;
  readonly leaseChangeCount: number;
}

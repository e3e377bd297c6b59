/**
 * The `Engine` contract: multi-version state by key.
 *
 * To an engine a key is a sequence of 1 to 65535 bytes, ordered byte by byte; a value is a sequence of bytes. Each key
 * has a row of versions, each made by one revision; a version may say that the key is deleted. A read at revision R
 * sees, for each key, the version with the highest revision that is not above R.
 *
 * Guarantees:
 *
 * - `apply` is seen by every later call. Versions never change once applied.
 * - Between `compact(C)` and the next one, every read at a revision of C or above answers as if nothing had been
 *   compacted. A read below C is a broken invariant of the caller.
 * - No call but `count` takes time that grows with the number of keys (logarithms aside); work that would is spread
 *   over calls of `maintain`.
 *
 * Buffers: an engine copies what it keeps of the arguments; the caller may reuse them. What an engine hands out (keys
 * and values) belongs to nobody: it is never changed afterwards by the engine and must not be changed by the caller. What
 * a walk shows is another matter: it is the engine's, and as it is during the visit only.
 *
 * All methods are synchronous and run on the one writer thread. A `visit` function must not change the engine it is
 * called from.
 */
import type { PlacedChange } from './placed-change.ts';

export interface Engine {
  /** The newest version of `key` at `revision`; `undefined` when there is none or it says "deleted". */
  read(key: Uint8Array, revision: number): Version | undefined;

  /** Like `read`, for whoever does not need the value: `value` of the answer is empty. */
  readMeta(key: Uint8Array, revision: number): Version | undefined;

  /**
   * Visits the versions that `read` would give for the keys of a range, in key order, until `visit` returns false, or
   * the range or `visitsMax` (also of deleted keys) is used up.
   * @returns the key from which a further scan goes on (inclusive, in scan direction; it may be a deleted one), or
   * `undefined` at the end of the range.
   */
  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined;

  /** How many keys of a range `scan` would visit, but for those whose deadline is at or before `nowMs` (0: none). */
  count(range: EngineRange, revision: number, nowMs: number): number;

  /** Adds a version. Its revision is above those of all versions of the same key. */
  apply(change: Change): void;

  /**
   * The same for an engine that is being filled, before any other call but `read` and `readMeta`: the key is not found
   * in the order of keys before `finishLoad`.
   * @returns the lease of the key's newest version so far (0: none), or `REFUSED_LOAD` when the revision is not above
   * that version's, and nothing has changed.
   */
  load(change: PlacedChange): number;

  /**
   * `load` into an engine that was empty before the first of these calls, keys in ascending order; nothing but
   * `finishLoad` may come before or between them. Refuses a key that is not above, or the same as, the one before, too.
   */
  loadAscending(change: PlacedChange): number;

  /**
   * Does a bounded piece of what loads have left to do.
   * @returns whether there is more to do. Further loads may follow the last piece, but no `loadAscending`.
   */
  finishLoad(): boolean;

  /**
   * Visits, in key order and per key from the oldest to the newest, every version that is needed to read at any
   * revision from `oldest` to `newest`, both inclusive: for each key all versions of revisions in (oldest, newest] and
   * the newest one at or below `oldest` unless it says "deleted". Stops once `visitsMax` versions were visited (a key of
   * which none is needed counts as one) or `visit` has returned false.
   * @returns the place to go on from with the same revisions, or `undefined` at the end.
   */
  walk(
    from: WalkPosition,
    oldest: number,
    newest: number,
    visitsMax: number,
    visit: WalkVisit,
  ): WalkPosition | undefined;

  /**
   * Declares that no read below `revision` comes any more. Memory is given back by `maintain`. A revision at or below
   * one that was given before changes nothing.
   */
  compact(revision: number): void;

  /**
   * Does a bounded piece of the work that is left: dropping versions, giving back memory, rebuilding.
   * @param isThorough also gives back what takes much work for little memory: for when memory is scarce, or nothing else
   *   is to be done.
   * @returns whether there is more to do.
   */
  maintain(isThorough?: boolean): boolean;

  /**
   * Keys whose newest version has a deadline (`expireTimeMs`) at or before `nowMs`, in the order of deadline, then of
   * key; at most `limit`. They stay until a later `apply` gives them another version.
   */
  due(nowMs: number, limit: number): Uint8Array[];

  /** The earliest deadline of all newest versions; `undefined` when none has one. */
  nextDeadlineMs(): number | undefined;

  stats(): EngineStats;

  /** The memory that is reserved for everything that is kept, indexes included, in bytes. Costs nothing to ask for. */
  readonly memoryBytes: number;

  /** Walks every structure and throws when one does not hold together. Slow; for tests. */
  verifyIntegrity(): void;
}

/** What `load` returns for a change that can't follow those before. */
export const REFUSED_LOAD = -1;

/** The longest key of an engine. */
export const KEY_BYTES_MAX = 65_535;

/** Keys from `start` (inclusive; empty: the first) to `end` (exclusive; `undefined`: the last). */
export interface EngineRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array | undefined;
}

export interface ScanOptions {
  /** From the last key to the first. */
  readonly reverse: boolean;
  /** The versions handed out have an empty `value`. */
  readonly keysOnly: boolean;
  /** Keys looked at, deleted ones included. */
  readonly visitsMax: number;
}

/** @returns false to stop; the scan then goes on after this key. */
export type Visit = (key: Uint8Array, version: Version) => boolean;

/** A place within a walk: keys from `key` on (inclusive), but of `key` itself only versions above `aboveRevision`. */
export interface WalkPosition {
  readonly key: Uint8Array;
  readonly aboveRevision: number;
}

/** Before the first key. */
export const WALK_START: WalkPosition = { key: new Uint8Array(0), aboveRevision: 0 };

/** The same object comes with every visit. @returns false to stop after this version; else the walk goes on. */
export type WalkVisit = (change: PlacedChange) => unknown;

/** One version of a key that is not deleted. */
export interface Version {
  /** The revision that made this version. */
  readonly revision: number;
  readonly value: Uint8Array;
  /** What kind of value it is; 0: plain bytes. */
  readonly kind: number;
  readonly createRevision: number;
  /** The revision that wrote the value; below `revision` when only the time to live has changed since. */
  readonly modRevision: number;
  /** How often the key was written since its creation, from 1. */
  readonly version: number;
  /** 0: none. */
  readonly leaseId: number;
  /** 0: none. */
  readonly ttlMs: number;
  /** Milliseconds since 1970-01-01 UTC; 0: never. */
  readonly expireTimeMs: number;
}

/** A version with its key; when `deleted` is true, only `key` and `revision` count. */
export interface Change extends Version {
  readonly key: Uint8Array;
  readonly deleted: boolean;
}

export interface EngineStats {
  /** Keys whose newest version does not say "deleted". */
  readonly keyCount: number;
  /** All versions, deletions included. */
  readonly versionCount: number;
  /** Bytes of keys and values in all versions; a key counts once for each of its versions. */
  readonly dataBytes: number;
}

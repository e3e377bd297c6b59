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
 * - No call takes time that grows with the number of keys (logarithms aside) or with how many of them are deleted; work
 *   that would is spread over calls of `maintain`.
 *
 * Buffers: an engine copies what it keeps of the arguments; the caller may reuse them. A `Version` that is handed out, and
 * a key, belong to the caller. A `PlacedChange` that is shown to a visitor is the engine's: it and the bytes that it
 * stands for are as they are during the visit only.
 *
 * Errors: what needs files may throw a `StoreError` of code `damaged` or `readFailed`, and then has changed nothing; `maintain` never does.
 *
 * All methods are synchronous and run on one thread. A visitor may read and scan; it must not change the engine.
 */
import type { WorkBudget } from '../work-budget.ts';
import type { StorageFigures } from './layered/base/base-figures.ts';
import type { PutRow } from './put-row.ts';
import type { Change, PlacedChange, Version } from './version.ts';

export interface Engine {
  /** The newest version of `key` at `revision`; `undefined` when there is none or it says "deleted". */
  read(key: Uint8Array, revision: number): Version | undefined;

  /** Like `read`, where the value is not needed: `value` of the answer is empty. */
  readMeta(key: Uint8Array, revision: number): Version | undefined;

  /** Like `read`, where the version lies: visits it, or `undefined`, once. */
  readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void;

  /**
   * Like `readPlaced` for each of the first `count` of `keys`, in their order, with their places fetched together, until `visit`
   * returns false.
   */
  readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void;

  /**
   * Brings the places in memory of `keys` from `start` to `end` (exclusive) together into the processor's cache, for reads
   * and changes of them that follow soon. Changes no answer, and keeps nothing of the keys.
   */
  fetch(keys: readonly Uint8Array[], start: number, end: number): void;

  /**
   * Visits the versions that `read` would give for the keys of a range, in key order, until `visit` returns false, or
   * the range or the visits of the budget are used up. A visit is paid for each key that is looked at, whether it existed
   * then or not, and now and then for what is passed over. Keys that are deleted in the newest state are passed over, all
   * of them when that is what is read; at an older revision those in places where nothing was deleted since.
   * @returns the key from which a further scan goes on (inclusive, in scan direction; it may be a deleted one), or
   * `undefined` at the end of the range.
   */
  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined;

  /** How many keys of a range exist in the newest state. */
  count(range: EngineRange): number;

  /** How many keys of a range exist in the newest state and lie before `key`. */
  rank(range: EngineRange, key: Uint8Array): number;

  /** The key at an index (from 0) among those of a range that exist in the newest state; `undefined` behind the last. */
  select(range: EngineRange, index: number): Uint8Array | undefined;

  /**
   * Visits the keys at several indexes (from 0) among all that exist in the newest state: ascending ones, of all of which there are keys. The
   * budget pays for what an engine on disk goes through on the way; the caller has paid a visit for each that is visited.
   * @returns how many were visited: fewer when the visits of the budget are used up.
   */
  selectAll(indexes: Float64Array, budget: WorkBudget, visit: (key: Uint8Array) => void): number;

  /**
   * Visits, for each of several keys, how many live keys lie before it: of ascending keys, each once, or of an empty one. The budget pays as for
   * `selectAll`. @returns how many keys were visited: fewer when the visits of the budget are used up.
   */
  rankAll(keys: readonly Uint8Array[], budget: WorkBudget, visit: (rank: number) => void): number;

  /** About how many visits `rank`, `select` and each end of `count` take. */
  readonly selectVisits: number;

  /**
   * Adds a version. Its revision is not below any that was applied before, and above those of all versions of the same
   * key.
   */
  apply(change: Change): void;

  /**
   * Applies the puts of a row one behind the other, as far as a key has no lease and no deadline, and belongs to the row's
   * collection, or to none as the row does; revisions as for `apply`. What each has made of its key it tells in the row.
   * @returns how many it has applied: the next key is not such a one, or there is none.
   */
  putAll(row: PutRow): number;

  /**
   * Drops keys of a range with all their versions, for keys that no reader can name any more, and that never come again: at most
   * `limit`, from the first on. It is no change: nothing tells readers of it, and no walk may be open. Older versions count in `stats` until
   * compaction has passed them.
   * @returns how many it dropped; fewer than `limit`: the range is empty now.
   */
  forget(range: EngineRange, limit: number): number;

  /**
   * Opens a walk over every version that is needed to read at any revision from `oldest` to `newest`, both inclusive.
   * Until it is closed nothing may be compacted beyond `oldest`. An engine that is durable walks over one revision alone: both are the
   * same.
   */
  openWalk(oldest: number, newest: number): Walk;

  /** Whether a walk is open. */
  readonly isWalked: boolean;

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

  /** Of the newest versions that have a deadline, those whose keys are in one group. Costs nothing to ask for. */
  deadlineSums(group: number): DeadlineSums;

  /** The newest versions that have a deadline, in the order of deadline, then of key. Missing: they are not known by their places. */
  readonly deadlinePlaces?: DeadlinePlaces | undefined;

  stats(): EngineStats;

  /** The values that are kept compressed in memory, in all versions. Missing: none are. Costs nothing to ask for. */
  readonly compressed?: CompressedSums | undefined;

  /** The memory that is reserved for everything that is kept, indexes included, in bytes. Costs nothing to ask for. */
  readonly memoryBytes: number;

  /** Fills an engine that was just made. */
  readonly loader: EngineLoader;

  /** Where the engine keeps its state by itself; missing: it is in memory alone, and the store writes snapshots of it. */
  readonly durable?: DurableState;

  /**
   * The visits since the engine was made that no budget has paid: reads of a disk and values unpacked, of which each takes as long as some ten, and
   * the keys that `rank`, `select` and `count` went through.
   * Costs nothing to ask for.
   */
  readonly unpaidVisits: number;
}

/**
 * The state that an engine keeps on disk, at one revision. The log above it is replayed at a start, and kept until then.
 *
 * A checkpoint moves that revision: `seal` at the newest revision E of the store; then, once E is durable in the log and no read
 * below E comes any more, `commit`; then the log up to E is not needed. A crash at any point finds the old state with the log above it,
 * or the new one with the log above that.
 */
export interface DurableState {
  /** 0: nothing was ever committed. */
  readonly revision: number;
  /** What was given to the commit of that revision. */
  readonly notes: Uint8Array;
  /**
   * Why a crash may find an older state than that: the disk was full as the start was to make durable what it had found. Until a commit has,
   * nothing is removed that an older one needs. `undefined`: a crash finds this state, or a newer one.
   */
  readonly unsettled: Error | undefined;
  /** The memory of what has changed above the last seal, in bytes: what the next checkpoint would write. */
  readonly unsealedBytes: number;
  /** The memory of what is sealed and not committed yet; 0: nothing is. */
  readonly sealedBytes: number;
  /** Of the checkpoint that is under way; 0: none is. */
  readonly sealedRevision: number;
  /**
   * Begins a checkpoint. Nothing may be sealed.
   * @param revision the newest of the store: above that of the state on disk, and at or above those of all that was
   *   applied, since a transaction may change no key.
   */
  seal(revision: number): void;
  /**
   * Writes what is sealed. Rejects with a `DiskError`, or what else went wrong, and then may be called again.
   * @param notes those at the sealed revision.
   */
  commit(notes: Uint8Array): Promise<void>;
  /**
   * Fills a state of revision 0 with the newest version of each key at a revision, in any order of keys: calls of `add`, then `commit`,
   * all of which are waited for. A crash before the end leaves a state of revision 0. The leases of keys are those of `leasedKeys`, then.
   */
  load(revision: number): StateLoad;
  /** The keys that have a lease, for a start. */
  leasedKeys(): Iterable<readonly [leaseId: number, key: Uint8Array]>;
  /**
   * Opens a view of the state on disk, which stays what it is past later commits: for backups.
   * @returns `undefined`: there is none, since the state is in memory alone.
   */
  view(): Promise<StateView | undefined>;
  /** Merges by hand what can be merged on disk; resolves when that is durable. */
  compactStorage(): Promise<void>;
  figures(): StorageFigures;
  /** Ends what is at work, and closes the files. What is sealed and not committed stays in the log. */
  close(): Promise<void>;
}

/** A state on disk, once, in the order of keys (`BaseView`). `close` comes at its end, or before it. */
export interface StateView {
  /** That of the last commit, or of one that is just being made. */
  readonly revision: number;
  /** What was given to the commit of that revision. */
  readonly notes: Uint8Array;
  /** The next version, which lies where it lies until the next call. @returns `undefined`: `read` is to be called. */
  next(): PlacedChange | undefined;
  /** One call at a time. @returns false: there is no more. */
  read(): Promise<boolean>;
  /** Never rejects. Files of the state that are not needed any more are removed then. */
  close(): Promise<void>;
}

export interface StateLoad {
  /** Key and value are copied. */
  add(change: PlacedChange): void;
  /** Whether `drain` is to be called before the next `add`. */
  readonly isFull: boolean;
  drain(): Promise<void>;
  commit(notes: Uint8Array): Promise<void>;
  /** Never rejects. */
  abort(): Promise<void>;
}

/**
 * The way of a snapshot and of the log behind it into an empty engine: calls of `newest`, then `finishNewest`, calls of
 * `older`, of `next`, then `finish`. Before the last of them only `read` and `readMeta` of the engine may be called, and these
 * not before `finishNewest` is done. Each method that takes a version returns the lease that the key's newest version had
 * before (0: none), or `REFUSED_LOAD` for what can't follow, and then nothing has changed. The others do a bounded piece of
 * their work between two yields; when they return false, the engine is of no use any more.
 */
export interface EngineLoader {
  /** The newest version of a key that is not there yet. In any order of keys. */
  newest(change: PlacedChange): number;
  /** Does what is left to do behind the last call of `newest`; once more, nothing. @returns whether no key came twice. */
  finishNewest(): Generator<undefined, boolean>;
  /**
   * A version that another one replaced: in the order of `replacedBy`, after all calls of `newest`. A deletion of revision
   * 0 says that there was none.
   */
  older(change: PlacedChange): number;
  /** The next version of a key, as `apply` takes it. */
  next(change: PlacedChange): number;
  /** @returns whether no key lacks versions between its newest and the older ones that came. */
  finish(): Generator<undefined, boolean>;
}

/** What a loader returns for a change that can't follow those before. */
export const REFUSED_LOAD = -1;

/**
 * First shows the newest version of each key at `newest`, in no order, unless it is a deletion at or before `oldest`; then,
 * in the order of `replacedBy`, the versions that were replaced after `oldest` and at or before `newest`. Where a deletion
 * replaced nothing that can be read, a deletion of revision 0 stands for that.
 */
export interface Walk {
  /** Goes on until `visit` returns false or so many versions (or keys of which none is needed) were looked at. @returns whether there is more. */
  next(visitsMax: number, visit: WalkVisit): boolean;
  close(): void;
}

/** @returns false to stop after this version; else the walk goes on. */
export type WalkVisit = (change: PlacedChange) => unknown;

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
  /** The scan pays from it, and goes on paying when it is called again. With no visits left it does nothing. */
  readonly budget: WorkBudget;
}

/** @returns false to stop; the scan then goes on after this key. */
export type Visit = (version: PlacedChange) => boolean;

/** @returns false to stop after this key. */
export type VisitRow = (version: PlacedChange | undefined) => boolean;

export type VisitRead = (version: PlacedChange | undefined) => void;

/** The group of a key by its first two bytes, a missing one as 0: below `KEY_GROUPS_MAX`, or -1 for none. Each engine is made with one. */
export type GroupOfKey = (first: number, second: number) => number;

export const KEY_GROUPS_MAX = 256;

/** What `Engine.deadlinePlaces` shows. */
export interface DeadlinePlaces {
  readonly count: number;
  /** The key at a place, which is there, in memory of its own. */
  keyAt(place: number): Uint8Array;
}

export interface DeadlineSums {
  readonly count: number;
  /** Of all deadlines together. */
  readonly sumMs: bigint;
}

export interface CompressedSums {
  /** The values as they are read, and what they take. */
  readonly plainBytes: number;
  readonly storedBytes: number;
}

export interface EngineStats {
  /** Keys whose newest version does not say "deleted". */
  readonly keyCount: number;
  /** All versions, deletions included. */
  readonly versionCount: number;
  /** Bytes of keys and values in all versions; a key counts once for each of its versions. */
  readonly dataBytes: number;
}

/**
 * The `Base` contract: what an engine on disk implements. It holds the state at exactly one revision, the newest version of each
 * key at or below it; everything newer stands in memory above it (`layered-engine.ts`). So there are no old versions on disk, and a
 * base knows nothing of history.
 *
 * Guarantees:
 *
 * - Before the `commit` of a flush is durable a crash leaves the base as it was; behind it, as the flush made it. There is no state
 *   between the two. A commit that fails leaves one or the other; the base goes on with the old state, and another flush may be tried. Until one
 *   has succeeded, keys of the one that failed may be read in either state: the generation above has them still.
 * - After a commit that failed the next start may find the new state, though this process goes on with the old one: what lies on disk
 *   may name the files of that flush. So they stay, `abort` included, until a later commit is durable that does not name them.
 * - What a start has found is durable before the base is used: the flush of the folder may have failed in the life before, and then no later
 *   one makes the names of that time durable. So the manifest is made anew. The log is cut by what was found. Where a full disk has no room for
 *   that, what was found can be read all the same, and `unsettled` says so: a crash may find the state before, so nothing that this needs is removed.
 * - All bytes that are read are verified by a checksum. What does not fit throws a `StoreError` of code `damaged`, which names the
 *   file and the offset, and nothing of it is shown. What the system would not read throws a `DiskError`, or rejects with it; the same read
 *   may be tried again (`base-reads.ts`).
 * - A key, range or notes that are handed in belong to the caller, and are copied if they are kept. What `find` and cursors place
 *   lies in memory of the base that stays as it is until the next call of the same kind by the same object, or the visit ends.
 * - Reads are synchronous; flushes, merges and views do their input and output by promises, and their work in time slices.
 */
import type { EngineRange } from '../../engine.ts';
import type { PlacedChange } from '../../version.ts';
import type { BaseFigures } from './base-figures.ts';

export type { BaseFigures } from './base-figures.ts';

export interface Base {
  /** The revision whose state it holds; 0: it is empty, and was never committed to. */
  readonly revision: number;
  /** What was given with the commit of that revision; empty at revision 0. */
  readonly notes: Uint8Array;

  /** Why what the start has found may not be durable: the disk was full. `undefined`: it is, by now. */
  readonly unsettled: Error | undefined;

  /**
   * Makes `placed` the version of a key.
   * @param withValue false: the value of `placed` may not be looked at, and where that saves a read nothing of it is read; how long it is
   * `placed` tells all the same, by `valueStart` and `valueEnd`.
   * @returns whether the key is there; else `placed` is as it was.
   */
  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean;

  /** Like `find`, without any read of the disk: false when the key is certainly not there. */
  mayHave(key: Uint8Array): boolean;

  /** The keys of a range in their order, or from the last to the first; values as in `find`. It is used within one turn of the event loop, and not behind a commit. */
  cursor(range: EngineRange, reverse: boolean, withValues: boolean): BaseCursor;

  /** The keys that have a deadline, in the order of deadline, then of key, from behind a place on. Of the same use as `cursor`. */
  deadlines(after: DeadlinePlace | undefined): DeadlineCursor;

  /** The keys that have a lease, in any order; for a start, which pauses between two of them as it likes. */
  leasedKeys(): Iterable<readonly [leaseId: number, key: Uint8Array]>;

  /**
   * From now on no key of the range is there: none can be named any more, and none comes again. In memory alone, until a flush says so
   * too (`BaseFlush.forget`). What a flush adds that was begun before may have keys of the range: once it is committed, the range is hidden
   * again.
   */
  hide(range: EngineRange): void;

  /**
   * Opens a view of the newest state that is durable, as a start would find it now: with what is hidden, and no flush has forgotten.
   * It stays that state, whatever is committed, merged or hidden meanwhile.
   * @returns `undefined`: this base has none, since its state is in memory alone, and what is written over there is gone.
   */
  view(): Promise<BaseView | undefined>;

  /**
   * Begins what will be the state at a revision: one above that of the base, or that of the base once more, with the same changes, for a
   * commit may fail behind what makes it durable, and then it is tried again. One at a time.
   */
  begin(revision: number): Promise<BaseFlush>;

  /**
   * Merges by hand what can be merged, so that the files hold little but what is live.
   * @returns once that is durable.
   */
  compactStorage(): Promise<void>;

  /** Whether there are deleted keys that cursors step over. Costs nothing to ask for. */
  readonly hasDeletions: boolean;
  /** Indexes, filters and caches, in bytes. Costs nothing to ask for. */
  readonly memoryBytes: number;
  /** Reads of the disk since it was opened: what no cache had. Costs nothing to ask for. */
  readonly readCount: number;
  /** @param keyCount how many keys it has, where that is known: an estimate of what is live may go by it. */
  figures(keyCount?: number): BaseFigures;

  /** Gives up the merge that is under way, and begins no other: nothing waits for one any more. To be called before the flush that is under way ends. */
  stopMerging(): void;

  /** Ends merges, whose work is lost, closes views, and the files. No flush is under way. */
  close(): Promise<void>;
}

/** The state at one revision in the order of keys, once. What it reads need not be in memory, and files that it reads stay until it is closed. */
export interface BaseView {
  /** That of the base, or already the one that a flush makes it of. */
  readonly revision: number;
  /** Those of that revision. */
  readonly notes: Uint8Array;
  /**
   * The next version, with its value; it lies where it lies until the next call. It looks at a bounded number of records.
   * @returns `undefined`: `read` is to be called, and others may run before that.
   * @throws StoreError `damaged`; `closed`.
   */
  next(): PlacedChange | undefined;
  /** Reads on, where what was read is used up; one call at a time. Rejects as `next` throws, and with what the disk rejects with. @returns false: there is no more. */
  read(): Promise<boolean>;
  /** May be called at any time, and again. Never rejects. */
  close(): Promise<void>;
}

/** A cursor steps over so many deleted keys at a time. */
export const DELETED_PER_STEP = 64;

/** One step at a time; `placed` is filled by each. */
export interface BaseCursor {
  /**
   * Where deleted keys take work until a merge drops them, a step may end at one of them, and does so with the `DELETED_PER_STEP`th of a row: its
   * deletion is placed, so that the work can be paid for, or the others be passed over.
   * @returns false at the end: then `placed` is as it was.
   */
  next(placed: PlacedChange): boolean;
  close(): void;
}

export interface DeadlinePlace {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly deadlineMs: number;
  readonly key: Uint8Array;
}

export interface DeadlineCursor {
  /** Newest versions alone: no place whose key has another deadline by now. */
  next(): DeadlinePlace | undefined;
  close(): void;
}

/** The changes of a flush: of each key at most one, its newest. */
export interface BaseFlush {
  /**
   * Adds a version, or the deletion of a key (which need not be there). Keys ascend, but for the first behind `beginRun`. Key and value
   * are copied before it returns.
   */
  add(change: PlacedChange): void;
  /** Whether so much waits to be written that `drain` is to be called before the next `add`. */
  readonly isFull: boolean;
  drain(): Promise<void>;
  /** The keys begin anew: for what is loaded in an order of its own. No key comes twice in all runs of a flush. */
  beginRun(): Promise<void>;
  /**
   * Has the base keep beyond a restart that the keys of a range are gone. They are hidden already. Before the first `add`, which may add
   * a key of the range all the same.
   */
  forget(range: EngineRange): void;
  /** Makes everything durable, with the notes; once it resolves, the base is at the flush's revision. */
  commit(notes: Uint8Array): Promise<void>;
  /** Gives it up, whatever was done, `commit` begun and failed included. Removes what it can of its files. Never rejects. */
  abort(): Promise<void>;
}

/**
 * The seam: what a door (gRPC calls, Redis commands, etcd's transactions, ...) stands on. There is one order of
 * transactions, and one way into it.
 *
 * `decide` runs a function over a `View` of the newest state, synchronously. What the function changes is a draft, which the
 * function itself sees; when it returns, the draft is committed as one record of the log, or nothing is when there is no
 * change. When it throws, nothing has changed. A transaction that changes keys takes the next revision; one that only grants,
 * renews or ends leases without keys is a note, with a sequence number and no revision.
 *
 * A decision may depend on records that are not durable yet, its own and those before it. So what it returns must not leave
 * the process before `durableSequence` has reached `Decision.sequence`; that holds for what it threw, too. `readVisible`
 * shows what is durable already, and waits for nothing.
 *
 * Example, a door that sets a key unless it exists:
 *
 *     const { result, sequence } = seam.decide((view) => {
 *       if (view.readMeta(key) !== undefined) return false;
 *       view.put(key, value);
 *       return true;
 *     });
 *     replies.push({ sequence, text: result ? 'set' : 'exists' });   // sent by a listener of onDurable
 *
 * Nothing here is re-entrant: a function that is given a view calls nothing of the seam but that view.
 */
import type { NoRoomYetError } from '../errors.ts';
import type { RoomWait } from './commit/room-gate.ts';
import type { Place } from './history/place.ts';
import type { PlannedChange } from './views/planned-change.ts';
import type { ReadView, View } from './views/view.ts';
import type { RecentChange } from './watch/matching/recent-changes.ts';

export interface Seam {
  /** Tells stores apart, 32 hexadecimal digits; revisions mean nothing from one store to another. */
  readonly storeId: string;

  /**
   * Runs a transaction; at a follower of a cluster one that changes nothing, since any other throws `notWriter`. Throws what `run`
   * throws, and `closed`, `readOnly`, `limitReached` (the log's buffer is full) and `storageFailed`; all but the last say that nothing
   * has changed.
   */
  decide<Result>(run: (view: View) => Result): Decision<Result>;

  /**
   * A decision was refused for want of memory, which a checkpoint makes: has `goOn` of the wait called once there may be room, or
   * waiting is over, to decide again. @returns false: it does not help, or has been long enough, so that this is the refusal.
   */
  waitForRoom(wait: RoomWait, error: NoRoomYetError): boolean;
  /** Its caller is gone. */
  leaveRoom(wait: RoomWait): void;

  /**
   * Brings what several keys need into the processor's cache together, for the decisions and reads that follow in the same
   * turn. A hint: nothing depends on it.
   * @param count of the keys from the first on; left out: all.
   */
  fetch(keys: readonly Uint8Array[], count?: number): void;

  /**
   * For listeners of `onCommitted`, which must not decide by themselves: runs a transaction once the one that is being told
   * of has been told to all listeners, before any other and in the order of these calls. What it throws goes to
   * `onFailure`; the decision that it was queued in has happened all the same. It draws on the budget of that decision: when
   * that is spent `limitReached` goes to `onFailure`, and the door tries again in another turn.
   */
  queueDecide(run: (view: View) => void, onFailure: (error: unknown) => void): void;

  /** Reads the newest visible state. */
  readVisible<Result>(run: (view: ReadView) => Result): Result;

  /** Reads an older state, or the visible one by its revision. Throws `revisionCompacted`, `revisionFuture`. */
  readAt<Result>(state: StateAt, run: (view: ReadView) => Result): Result;

  /**
   * Keeps a state for a reply that is made piece by piece, until it is released or has been kept for
   * `fixed.pinMsMax`, or gives way to writes (`history/pins.ts`). Throws `revisionCompacted`, `revisionFuture`.
   * @param state left out: the one that is visible now.
   */
  pin(state?: StateAt): PinnedState;

  /** The newest revision that is durable and shown. */
  readonly visibleRevision: number;
  /** The newest record of the log. */
  readonly committedSequence: number;
  /** The newest record that is as durable as the store's `fsync` policy asks for. */
  readonly durableSequence: number;
  /** Once the log has failed for good: what is not durable by then never will be. */
  readonly failure: Failure | undefined;

  /** The incarnation that wrote a revision; '' when none did, or that is not known any more. */
  incarnationOf(revision: number): string;
  /** Throws `historyDiffers` when another incarnation than the place's wrote its revision here. */
  checkPlace(what: string, place: Place): void;

  /**
   * Called in a decision as it has been committed, durable or not, with what it changed: for clients that wait for a key. Who
   * keeps a key or a value copies it: they are as they are during the call only.
   */
  onCommitted(listen: (changes: readonly PlannedChange[]) => void): Stop;
  /** Called when everything up to `sequence` is durable and shown; or, once, with the failure that ends that for good. */
  onDurable(listen: (sequence: number, failure: Failure | undefined) => void): Stop;
  /** Called for each revision that is committed from now on, once it is visible, in their order, with what it changed. */
  onVisible(listen: (revision: number, changes: readonly RecentChange[]) => void): Stop;
}

/** What came of a transaction. */
export interface Decision<Result> {
  readonly result: Result;
  /** The reply may go out once this is durable. */
  readonly sequence: number;
  /** Whether it has changed anything. */
  readonly hasChanged: boolean;
}

/** Which state an old read sees. */
export interface StateAt {
  readonly revision: number;
  /** Entries whose deadline is at or before this are left out; 0: none is, which is how a state was committed. */
  readonly instantMs: number;
}

export interface PinnedState {
  readonly revision: number;
  /** Throws `revisionCompacted` when the state was kept for too long, or has given way to writes. */
  read<Result>(run: (view: ReadView) => Result): Result;
  release(): void;
}

/** What is told of calls that can't be answered since the log has failed. */
export interface Failure {
  /** To those that have changed something, which may be on disk or not. */
  readonly whenChanged: Error;
  /** To those that have not. */
  readonly whenUnchanged: Error;
}

/** Ends a listening. */
export type Stop = () => void;

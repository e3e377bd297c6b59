/**
 * What has been committed and is not visible yet, in its order; and the step from the one to the other.
 *
 * A transaction becomes visible when its record is as durable as the policy asks for: the visible revision moves, the watch
 * hub learns of it, then the listeners. When the log fails for good, what is still queued never becomes visible, and what it
 * did to leases is undone, so that they can be read as of the visible revision.
 */
import type { PutRow } from '../../engine/put-row.ts';
import { undoLeases, type UndoLeases } from '../leases/lease-table.ts';
import type { PlannedChange } from '../views/planned-change.ts';
import { isUserKey } from '../views/regions.ts';
import {
  recentChange,
  RecentExtent,
  type RecentChange,
  type RecentTransaction,
  type StagedChanges,
  stagePuts,
} from '../watch/matching/recent-changes.ts';
import type { WatchHub } from '../watch/watch-hub.ts';
import { Fifo } from '../fifo.ts';
import { Listeners } from './listeners.ts';

interface Committed {
  readonly sequence: number;
  /** 0: a note. */
  readonly revision: number;
  /** For the watch hub; `undefined` too when more is staged already than is kept. */
  readonly staged: StagedChanges;
  /** What the puts of a row changed, of which `revision` is the last; empty as `staged` is `undefined`. */
  readonly stagedRow: readonly RecentTransaction[];
  /** For the listeners; `undefined` when there was none. */
  readonly changes: readonly RecentChange[] | undefined;
  readonly undoLeases: UndoLeases | undefined;
  /** How many there are with it. */
  readonly keyCount: number;
  readonly leaseCount: number;
}

/** Of keys of users, overdue ones included until they are removed, and of leases. */
export interface Counts {
  readonly keyCount: number;
  readonly leaseCount: number;
}

const NO_ROW: readonly RecentTransaction[] = [];

export class Visibility {
  readonly listeners: Listeners<[revision: number, changes: readonly RecentChange[]]>;
  readonly #hub: WatchHub;
  readonly #committed = new Fifo<Committed>();
  /** Of what is staged in there. */
  readonly #stagedExtent = new RecentExtent();
  #revision: number;
  #visibleKeyCount: number;
  #visibleLeaseCount: number;
  /** Of what is committed. */
  #keyCount: number;
  #leaseCount: number;

  constructor(hub: WatchHub, revision: number, counts: Counts, onListenerFailed: (error: Error) => void) {
    this.#hub = hub;
    this.#revision = revision;
    this.#visibleKeyCount = counts.keyCount;
    this.#visibleLeaseCount = counts.leaseCount;
    this.#keyCount = counts.keyCount;
    this.#leaseCount = counts.leaseCount;
    this.listeners = new Listeners(onListenerFailed);
  }

  /** The newest revision that reads and watches may show. */
  get revision(): number {
    return this.#revision;
  }

  /** Of what is visible. */
  get counts(): Counts {
    return { keyCount: this.#visibleKeyCount, leaseCount: this.#visibleLeaseCount };
  }

  /** A transaction has joined the log's batch. */
  committed(
    sequence: number,
    revision: number,
    timeMs: number,
    changes: readonly PlannedChange[],
    leaseCount: number,
    undoLeases: UndoLeases | undefined,
  ): void {
    for (const change of changes) this.#keyCount += addedKeys(change);
    this.#leaseCount = leaseCount;
    const staged = this.#stagedExtent.isOver ? undefined : this.#hub.stage(revision, timeMs, changes);
    if (staged !== undefined) this.#stagedExtent.add(staged);
    const listened = this.listeners.isEmpty ? undefined : changes.map(recentChange);
    this.#push(sequence, revision, staged, listened, undoLeases, NO_ROW);
  }

  /**
   * A transaction of another life was applied (`replication/applier.ts`).
   * @param changes `undefined`: neither `isStaging` nor listeners want them.
   */
  applied(
    sequence: number,
    revision: number,
    timeMs: number,
    changes: readonly PlannedChange[] | undefined,
    { addedKeyCount, leaseCount }: { readonly addedKeyCount: number; readonly leaseCount: number },
    undoLeases: UndoLeases | undefined,
  ): void {
    this.#keyCount += addedKeyCount;
    this.#leaseCount = leaseCount;
    const staged = changes && this.isStaging ? this.#hub.stage(revision, timeMs, changes) : undefined;
    if (staged !== undefined) this.#stagedExtent.add(staged);
    const listened = changes && !this.listeners.isEmpty ? changes.map(recentChange) : undefined;
    this.#push(sequence, revision, staged, listened, undoLeases, NO_ROW);
  }

  /** The puts of a row have, the first `count`. There are no listeners. */
  committedPuts(sequence: number, row: PutRow, count: number, timeMs: number): void {
    const { firstRevision, createRevisions, keys } = row;
    for (let index = 0; index < count; index++) {
      if (createRevisions[index] === firstRevision + index) this.#keyCount++;
    }
    const staged = this.isStaging ? stagePuts(firstRevision, timeMs, keys.slice(0, count)) : undefined;
    this.committedRow(sequence, firstRevision + count - 1, staged);
  }

  /** Whether watches have to know what is committed next. */
  get isStaging(): boolean {
    return this.#hub.watcherCount > 0 && !this.#stagedExtent.isOver;
  }

  /**
   * A row of transactions has joined the batch that brings no user's key and takes none away. There are no listeners.
   * @param revision of the last of them. @param staged each of them, when `isStaging`.
   */
  committedRow(
    sequence: number,
    revision: number,
    staged: readonly RecentTransaction[] | undefined = NO_ROW,
  ): void {
    for (const transaction of staged) this.#stagedExtent.add(transaction);
    this.#push(sequence, revision, undefined, undefined, undefined, staged);
  }

  /** A note has. */
  committedNote(sequence: number, leaseCount: number, undoLeases: UndoLeases): void {
    this.#leaseCount = leaseCount;
    this.#push(sequence, 0, undefined, undefined, undoLeases, NO_ROW);
  }

  /** Everything up to `sequence` is durable. @returns whether the visible revision has moved. */
  durable(sequence: number): boolean {
    let hasMoved = false;
    for (let next = this.#committed.peek(); next !== undefined && next.sequence <= sequence;) {
      this.#committed.shift();
      this.#visibleKeyCount = next.keyCount;
      this.#visibleLeaseCount = next.leaseCount;
      if (next.revision !== 0) {
        this.#revision = next.revision;
        hasMoved = true;
        this.#publish(next);
        if (next.changes !== undefined) this.listeners.tell(next.revision, next.changes);
      }
      next = this.#committed.peek();
    }
    return hasMoved;
  }

  /** The log has failed for good. */
  fail(): void {
    const undone: UndoLeases[] = [];
    for (let next = this.#committed.shift(); next !== undefined; next = this.#committed.shift()) {
      if (next.undoLeases !== undefined) undone.push(next.undoLeases);
    }
    for (const undo of undone.toReversed()) undoLeases(undo);
  }

  #publish({ revision, staged, stagedRow }: Committed): void {
    for (const transaction of stagedRow) {
      this.#stagedExtent.remove(transaction);
      this.#hub.publish(transaction.revision, transaction);
    }
    if (staged !== undefined) this.#stagedExtent.remove(staged);
    if (stagedRow.length === 0) this.#hub.publish(revision, staged);
  }

  #push(
    sequence: number,
    revision: number,
    staged: StagedChanges,
    changes: readonly RecentChange[] | undefined,
    undoLeases: UndoLeases | undefined,
    stagedRow: readonly RecentTransaction[],
  ): void {
    const keyCount = this.#keyCount;
    const leaseCount = this.#leaseCount;
    this.#committed.push({
      sequence,
      revision,
      staged,
      stagedRow,
      changes,
      undoLeases,
      keyCount,
      leaseCount,
    });
  }
}

/** By how much a change alters the number of users' keys. */
function addedKeys(change: PlannedChange): number {
  if (!isUserKey(change.key)) return 0;
  return Number(!change.deleted) - Number(change.hadEntry || change.replacedExpired);
}

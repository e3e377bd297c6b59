/**
 * Connects transactions that become visible with the watches that want them.
 *
 * No watch has a queue. Each has a cursor, the last revision it has dealt with, and pulls what follows: from the recent
 * changes that all watches share, or, when it has fallen behind those, from the log. So writers never wait for a watch,
 * and a watch that is not read costs nothing but its place here.
 */
import type { Clock } from '../../clock.ts';
import { StoreError } from '../../errors.ts';
import { fixed, type Limits } from '../../limits.ts';
import type { PlannedChange } from '../views/planned-change.ts';
import { Fifo } from '../fifo.ts';
import { toKeyText, type KeyText } from '../views/keys.ts';
import type { DeleteReason, EventType, WatchRequest } from '../../api.ts';
import type { TextRange } from './watch-filter.ts';
import { WatchIndex } from './watch-index.ts';
import { Watcher, type WatchSource } from './watcher.ts';

/** What the hub keeps of one change; the entry itself is read from the engine when a watch wants it. */
export interface RecentChange {
  readonly key: KeyText;
  readonly type: EventType;
  readonly reason: DeleteReason | undefined;
  readonly replacedExpired: boolean;
}

/** The changes of one transaction; `undefined` when nobody was watching as it was committed. */
export type StagedChanges =
  | { readonly revision: number; readonly timeMs: number; readonly changes: readonly RecentChange[] }
  | undefined;

export class WatchHub {
  readonly #limits: Pick<Limits, 'watchersMax'>;
  readonly #clock: Clock;
  readonly #watchers = new Set<Watcher>();
  readonly #index = new WatchIndex<Watcher>();
  /** A row of revisions without gap that ends with the newest visible one. */
  readonly #recent = new Fifo<NonNullable<StagedChanges>>();
  #recentChangeCount = 0;
  /** Those that wait to read a piece of the log. */
  readonly #turns = new Fifo<() => void>();
  /** Those that are to be woken. */
  readonly #woken = new Set<Watcher>();
  #isWaking = false;
  #isClosed = false;

  constructor(limits: Pick<Limits, 'watchersMax'>, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  /** Opens a watch; the source tells it what is readable. */
  open(request: WatchRequest, source: WatchSource): Watcher {
    if (this.#isClosed) throw storeClosing();
    if (this.#watchers.size >= this.#limits.watchersMax) {
      throw new StoreError(
        'limitReached',
        `${this.#watchers.size} watches are open; no more are allowed (watchers-max). Close some first`,
      );
    }
    const watcher = new Watcher(request, source, this.#clock, this);
    if (watcher.isEnded) return watcher;
    this.#watchers.add(watcher);
    this.#index.add(watcher.filter.ranges, watcher);
    return watcher;
  }

  /** A watch has ended. */
  remove(watcher: Watcher, ranges: readonly TextRange[]): void {
    this.#woken.delete(watcher);
    if (this.#watchers.delete(watcher)) this.#index.remove(ranges, watcher);
  }

  /** Notes the changes of a transaction that was committed and is not visible yet. Copies the keys. */
  stage(revision: number, timeMs: number, changes: readonly PlannedChange[]): StagedChanges {
    if (this.#watchers.size === 0) return undefined;
    return {
      revision,
      timeMs,
      changes: changes.map(({ key, type, reason, replacedExpired }) => ({
        key: toKeyText(key),
        type,
        reason,
        replacedExpired,
      })),
    };
  }

  /** The transaction is visible now. */
  publish(revision: number, staged: StagedChanges): void {
    if (staged === undefined) {
      this.#forgetRecent();
      // Watches that were opened since it was committed: what it changed is known to the log alone.
      for (const watcher of this.#watchers) {
        if (watcher.noticeUnknown(revision)) this.#woken.add(watcher);
      }
      return;
    }
    this.#recent.push(staged);
    this.#recentChangeCount += weight(staged);
    while (this.#recentChangeCount > fixed.recentChangesMax && this.#recent.length > 1) {
      const oldest = this.#recent.shift();
      if (oldest !== undefined) this.#recentChangeCount -= weight(oldest);
    }
    for (const { key, type } of staged.changes) {
      this.#index.visit(key, (watcher) => {
        if (watcher.noticeMatch(revision, type)) this.#woken.add(watcher);
      });
    }
  }

  /** A row of transactions was published: wakes the watches that wait for one of them, some at a time. */
  wake(): void {
    if (!this.#isWaking) this.#wakeSome();
  }

  #wakeSome(): void {
    let left = fixed.watchesWokenMax;
    for (const watcher of this.#woken) {
      if (left-- === 0) break;
      this.#woken.delete(watcher);
      watcher.wake();
    }
    this.#isWaking = this.#woken.size > 0;
    // Thousands of watches of one key must not hold up the answer to the writer, and all other calls.
    if (this.#isWaking) this.#clock.yieldNow(() => this.#wakeSome());
  }

  /** The recent changes of a revision, or `undefined` when they are not kept: then the log has them. */
  recent(revision: number): StagedChanges {
    const first = this.#recent.peek();
    return first === undefined ? undefined : this.#recent.at(revision - first.revision);
  }

  /**
   * One watch reads a piece of the log in each turn of the event loop, however many catch up: what they decode must not
   * hold up writers and other reads.
   */
  takeTurn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns.push(resolve);
    if (this.#turns.length === 1) this.#giveTurn();
    return promise;
  }

  #giveTurn(): void {
    this.#clock.yieldNow(() => {
      this.#turns.shift()?.();
      if (this.#turns.length > 0) this.#giveTurn();
    });
  }

  /** Ends all watches with `closed`. */
  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher.fail(storeClosing());
  }

  #forgetRecent(): void {
    while (this.#recent.shift() !== undefined);
    this.#recentChangeCount = 0;
  }
}

/** A transaction takes room even if it changes no key. */
function weight(staged: NonNullable<StagedChanges>): number {
  return staged.changes.length + 1;
}

function storeClosing(): StoreError {
  return new StoreError('closed', 'the store is closing; watch again at the next revision once it is open');
}

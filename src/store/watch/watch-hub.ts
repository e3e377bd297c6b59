/**
 * Connects transactions that become visible with the watches that want them.
 *
 * No watch has a queue. Each has a cursor, the last revision it has dealt with, and pulls what follows: from the recent
 * changes that all watches share, or, when it has fallen behind those, from the log. So writers never wait for a watch,
 * and a watch that is not read costs nothing but its place here.
 *
 * What becomes visible is looked through for the watches that wait: one that was told waits no longer, so it is told once,
 * however much of a transaction is in its ranges, and one that is met and does not wait is not met again. Long transactions are looked through, and
 * many watches woken, in slices. Where that falls behind what is kept of the recent changes, all that wait are told.
 *
 * Invariant: each watch that waits was told of everything up to `noticedRevision` that lies behind its cursor and in its
 * ranges.
 */
import type { Clock } from '../../clock.ts';
import { StoreError, isStoreError } from '../../errors.ts';
import { fixed, limitName, type Limits } from '../../limits.ts';
import type { EventType, WatchRequest } from '../../api.ts';
import type { WatchEnd } from '../figures.ts';
import { TurnLine } from '../turn-line.ts';
import type { PlannedChange } from '../views/planned-change.ts';
import {
  RecentChanges,
  stageChanges,
  type RecentChange,
  type RecentTransaction,
  type StagedChanges,
} from './matching/recent-changes.ts';
import { ProgressTimers } from './matching/progress-timers.ts';
import type { PulledWatch, WatchForm, WatchReader } from './messages/pulled-watch.ts';
import { SharedMessages } from './messages/shared-messages.ts';
import { mayWant } from './matching/watch-filter.ts';
import { type WatchGroup, WatchGroups } from './watch-group.ts';
import { WatchIndex } from './matching/watch-index.ts';
import type { HubWatch, WatchRegistry } from './matching/watch-registry.ts';
import type { WatchSource } from './sources/watch-source.ts';
import { Watcher } from './watcher.ts';

export class WatchHub implements WatchRegistry {
  readonly #limits: Pick<Limits, 'watchersMax'>;
  readonly #clock: Clock;
  /** The open watches. */
  readonly #watches = new Set<HubWatch>();
  readonly #groups: WatchGroups;
  readonly #recent = new RecentChanges();
  readonly progress: ProgressTimers;
  /** What groups of watches share. */
  readonly shared = new SharedMessages();
  /** Those that are to be told. */
  readonly #waiting = new Set<HubWatch>();
  /** By what they wait for. One that was told stays, since most wait again at once, until it is met when it does not wait. */
  readonly #indexByType: Readonly<Record<EventType, WatchIndex<HubWatch>>> = {
    put: new WatchIndex(),
    delete: new WatchIndex(),
    touch: new WatchIndex(),
  };
  /** Those that were told and are to be woken. */
  readonly #woken = new Set<HubWatch>();
  /** Those that wait for a turn. */
  readonly #turns: TurnLine;
  sentEventCount = 0;
  readonly #endCounts: Record<WatchEnd, number> = { requested: 0, fell_behind: 0, closed: 0, failed: 0 };
  /** How often there was more to notice or to wake than one turn has time for. */
  #restCount = 0;
  #publishedRevision = 0;
  #noticedRevision = 0;
  /** The changes of the revision after `#noticedRevision` that were looked at. */
  #noticedChanges = 0;
  #visitsLeft = 0;
  #isAtWork = false;
  #isClosed = false;

  constructor(limits: Pick<Limits, 'watchersMax'>, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#turns = new TurnLine(clock);
    this.progress = new ProgressTimers(clock);
    this.#groups = new WatchGroups(this.shared);
  }

  get watcherCount(): number {
    return this.#watches.size;
  }

  get endCounts(): Readonly<Record<WatchEnd, number>> {
    return { ...this.#endCounts };
  }

  /** How often the work of watches went on in a later turn. */
  get restCount(): number {
    return this.#restCount + this.#turns.waitCount;
  }

  get noticedRevision(): number {
    return this.#noticedRevision;
  }

  /** Opens a watch in the form that its reader wants; the source tells it what is readable. */
  open<Item>(
    request: WatchRequest,
    source: WatchSource,
    form: WatchForm<Item>,
    reader: WatchReader,
  ): PulledWatch<Item> {
    if (this.#isClosed) throw storeClosing();
    if (this.#watches.size >= this.#limits.watchersMax) {
      throw new StoreError(
        'limitReached',
        `${this.#watches.size} watches are open; no more are allowed by ${limitName('watchersMax')}. Close some first`,
      );
    }
    const group = this.#groups.of(request, form, source);
    const watcher = new Watcher<Item>(request, group, source, this.#clock, this, reader);
    if (!watcher.isEnded) {
      this.#watches.add(watcher);
      this.#groups.join(group);
    }
    return watcher;
  }

  remove(watch: HubWatch, group: WatchGroup, error: Error | undefined): void {
    this.stopWaiting(watch);
    this.#leaveIndex(watch);
    if (!this.#watches.delete(watch)) return;
    this.#groups.leave(group);
    this.#endCounts[endOf(error)]++;
  }

  /** How many watches are behind a revision that is visible, and what the one that is furthest behind has dealt with. */
  behind(visibleRevision: number): { readonly count: number; readonly dealtWith: number } {
    let count = 0;
    let dealtWith = visibleRevision;
    for (const watch of this.#watches) {
      const reached = watch.dealtWith ?? visibleRevision;
      if (reached >= visibleRevision) continue;
      count++;
      dealtWith = Math.min(dealtWith, reached);
    }
    return { count, dealtWith };
  }

  startWaiting(watch: HubWatch): void {
    this.#waiting.add(watch);
    if (watch.isIndexed) return;
    watch.isIndexed = true;
    const { types, ranges } = watch.filter;
    for (const type of types) this.#indexByType[type].add(ranges, watch);
  }

  stopWaiting(watch: HubWatch): void {
    this.#woken.delete(watch);
    this.#waiting.delete(watch);
  }

  wakeInTurn(watch: HubWatch): void {
    this.#woken.add(watch);
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    this.#clock.yieldNow(() => this.#workOn());
  }

  /**
   * Keeps the changes of a transaction that was committed and is not visible yet; `undefined` when there is no watch. Copies
   * the keys.
   */
  stage(revision: number, timeMs: number, changes: readonly PlannedChange[]): StagedChanges {
    return this.#watches.size === 0 ? undefined : stageChanges(revision, timeMs, changes);
  }

  /** The transaction is visible now. */
  publish(revision: number, staged: StagedChanges): void {
    if (this.#publishedRevision === 0) this.#noticedRevision = revision - 1;
    this.#publishedRevision = revision;
    // Watches that were opened since it was committed: what it changed is known to the log alone.
    if (staged === undefined) this.#recent.clear();
    else this.#recent.push(staged);
  }

  /** A row of transactions was published: wakes the watches that wait for one of them, some at a time. */
  wake(): void {
    if (!this.#isAtWork) this.#workOn();
  }

  recent(revision: number): RecentTransaction | undefined {
    return this.#recent.get(revision);
  }

  /**
   * One watch does the work of a turn in each turn of the event loop, however many catch up: what they read and make must
   * not hold up writers and other reads.
   */
  takeTurn(): Promise<void> {
    return this.#turns.next();
  }

  /** Ends all watches with `closed`. */
  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches) watch.fail(storeClosing());
  }

  #workOn(): void {
    this.#visitsLeft = fixed.watchNoticeVisitsMax;
    while (this.#noticedRevision < this.#publishedRevision && this.#visitsLeft > 0) this.#noticeNext();
    this.#wakeSome();
    this.#isAtWork = this.#woken.size > 0 || this.#noticedRevision < this.#publishedRevision;
    if (!this.#isAtWork) return;
    this.#restCount++;
    this.#clock.yieldNow(() => this.#workOn());
  }

  /** Thousands of watches of one key must not hold up the answer to the writer, and all other calls. */
  #wakeSome(): void {
    let left: number = fixed.watchesWokenVisitsMax;
    for (const watch of this.#woken) {
      if (left <= 0) break;
      this.#woken.delete(watch);
      const visits = watch.wake();
      left -= visits === 0 ? fixed.wokenLaterVisits : Math.max(visits, fixed.wokenVisitsMin);
    }
  }

  /** Looks on through what was published, as far as the visits reach. */
  #noticeNext(): void {
    if (this.#waiting.size === 0) return this.#noticedUpTo(this.#publishedRevision);
    const revision = this.#noticedRevision + 1;
    const staged = this.#recent.get(revision);
    this.#visitsLeft--;
    if (staged === undefined) {
      const unknownUpTo = (this.#recent.firstRevision ?? this.#publishedRevision + 1) - 1;
      if (this.#tellAll(revision, unknownUpTo, () => true)) this.#noticedUpTo(unknownUpTo);
    } else if (staged.changes === undefined) {
      const isConcerned = (watch: HubWatch): boolean => mayWant(watch.filter, staged.borders);
      if (this.#tellAll(revision, revision, isConcerned)) this.#noticedUpTo(revision);
    } else if (this.#tellByKey(revision, staged.changes)) {
      this.#noticedUpTo(revision);
    }
  }

  #noticedUpTo(revision: number): void {
    this.#noticedRevision = revision;
    this.#noticedChanges = 0;
  }

  /** @returns whether all were told; else the visits are used up, and the rest is to be told later. */
  #tellAll(first: number, last: number, isConcerned: (watch: HubWatch) => boolean): boolean {
    for (const watch of this.#waiting) {
      if (isConcerned(watch) && !this.#tell(watch, first, last)) return false;
    }
    return true;
  }

  /** @returns whether all changes were looked at; else the visits are used up. */
  #tellByKey(revision: number, changes: readonly RecentChange[]): boolean {
    let isStopped = false;
    const tell = (watch: HubWatch): boolean => {
      if (this.#waiting.has(watch)) {
        isStopped = !this.#tell(watch, revision, revision);
      } else {
        this.#leaveIndex(watch);
        this.#visitsLeft -= watch.filter.ranges.length;
        isStopped = this.#visitsLeft <= 0;
      }
      return !isStopped;
    };
    for (; this.#waiting.size > 0; this.#noticedChanges++) {
      const change = changes[this.#noticedChanges];
      if (change === undefined) break;
      if (this.#visitsLeft <= 0) return false;
      this.#visitsLeft -= this.#indexByType[change.type].visit(change.key, tell);
      // Others may be left at the same key.
      if (isStopped) return false;
    }
    return true;
  }

  /** @returns whether there are visits left. */
  #tell(watch: HubWatch, first: number, last: number): boolean {
    if (!watch.notice(first, last)) return true;
    this.#waiting.delete(watch);
    this.#woken.add(watch);
    return --this.#visitsLeft > 0;
  }

  #leaveIndex(watch: HubWatch): void {
    if (!watch.isIndexed) return;
    watch.isIndexed = false;
    const { types, ranges } = watch.filter;
    for (const type of types) this.#indexByType[type].remove(ranges, watch);
  }
}

function endOf(error: Error | undefined): WatchEnd {
  if (error === undefined) return 'requested';
  if (isStoreError(error, 'slowWatcher')) return 'fell_behind';
  return isStoreError(error, 'closed') ? 'closed' : 'failed';
}

function storeClosing(): StoreError {
  return new StoreError('closed', 'the store is closing; watch again at the next revision once it is open');
}

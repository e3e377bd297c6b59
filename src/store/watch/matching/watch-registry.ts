/** What a watch and the hub know of each other. */
import type { ProgressTimers } from './progress-timers.ts';
import type { RecentTransaction } from './recent-changes.ts';
import type { WatchFilter } from './watch-filter.ts';
import type { WatchGroup } from '../watch-group.ts';

/** The hub, as far as a watch knows it. */
export interface WatchRegistry {
  /**
   * Up to here the watches that wait were told what became visible. It may lie behind the visible revision: a long
   * transaction is gone through in slices.
   */
  readonly noticedRevision: number;
  /** The recent changes of a revision, or `undefined` when they are not kept: then the log has them. */
  recent(revision: number): RecentTransaction | undefined;
  /** Resolves when the watch may do the work of a turn. */
  takeTurn(): Promise<void>;
  /** The watch wants to be told what becomes visible in its ranges, once. */
  startWaiting(watch: HubWatch): void;
  readonly progress: ProgressTimers;
  /** Wakes the watch, which waits, as if it had been told: many may ask at once. */
  wakeInTurn(watch: HubWatch): void;
  /** The watch waits no longer, whether it was told or not. */
  stopWaiting(watch: HubWatch): void;
  /** The watch, one of this group, has ended, with an error or by its reader. */
  remove(watch: HubWatch, group: WatchGroup, error: Error | undefined): void;
  /** The events and present entries that watches have handed out. */
  sentEventCount: number;
}

/** A watch, as far as the hub knows it. */
export interface HubWatch {
  readonly filter: WatchFilter;
  /** Of the hub: it stands in the index of watches by what they wait for. */
  isIndexed: boolean;
  /** Up to which revision it has dealt with what it wants; `undefined`: up to the newest that is visible. */
  readonly dealtWith: number | undefined;
  /**
   * One of the revisions from `first` to `last`, all of them visible, may hold what the watch waits for.
   * @returns false when it is past them, and goes on waiting.
   */
  notice(first: number, last: number): boolean;
  /** It was told, and is to go on. @returns the visits that its reader made of it at once. */
  wake(): number;
  /** Ends the watch with an error: what is ready is still handed out, then the error is thrown. */
  fail(error: Error): void;
}

/**
 * A watch without promises, for doors: its reader takes what there is and is told when there is more.
 *
 * - `take` never waits. Where it has nothing the watch is at work or waits, and tells its reader by `ready`, once; a reader that
 *   does not take is told nothing, costs a cursor and holds about one message.
 * - Messages come in the form that the reader wants. Watches of the same form that want the same are handed the same items, made
 *   once: an item is never changed.
 */
import type { WatchMessage } from '../../../api.ts';

/** How messages are handed out, such as encoded. One object for all watches that may share. */
export interface WatchForm<Item> {
  /** Whether several watches may be handed the same item. */
  readonly isShared: boolean;
  /** Keeps nothing of the message that is not in the item. */
  make(message: WatchMessage): Item;
}

export interface WatchReader {
  /** There may be something to take, or the watch is over by itself. Does not come within `take` and `end`. */
  ready(): void;
  /** As `WatchRequest.admit`. Left out: whatever the watch is to hold may be. */
  admit?(bytes: number): boolean | Promise<boolean>;
}

export interface PulledWatch<Item> {
  /** The next item. Throws, once, the error that has ended the watch, behind all items. */
  take(): Item | undefined;
  /** Whether it has ended, is at work no more, and there is nothing more to take or throw. */
  readonly isOver: boolean;
  /** Whether it waits, so that nothing is to be expected of it before `ready`. */
  readonly isIdle: boolean;
  /** What it has to tell up to this revision was taken, or there was nothing: at least. */
  readonly pulledRevision: number;
  /** Ends it; nothing can be taken any more. What it is at is still done, and told by `ready`. */
  end(): void;
}

/** Messages as they are. A reader may do with them what it likes, so they are not shared. */
export const plainForm: WatchForm<WatchMessage> = { isShared: false, make: (message) => message };

/** What the parts of one watch share that make its messages: `readRecent`, `LogSource` and `PresentEntries`. */
import type { ElementRows } from '../messages/element-rows.ts';
import type { EventMaker } from '../messages/event-maker.ts';
import type { ReadyMessages } from '../messages/ready-messages.ts';
import type { WatchFilter } from '../matching/watch-filter.ts';
import type { WatchSource } from './watch-source.ts';
import type { WatchTurn } from './watch-turn.ts';

export interface WatchWork {
  readonly filter: WatchFilter;
  readonly source: WatchSource;
  readonly place: WatchPlace;
  readonly turn: WatchTurn;
  readonly ready: ReadyMessages;
  readonly events: EventMaker;
  /** Of the revision that is read; `undefined`: the watch is not told of elements. */
  readonly elements: ElementRows | undefined;
}

/**
 * How far a watch has come: everything up to `cursor` is dealt with, and of the revision after it the first `changesDone`
 * changes of keys, wanted or not, in the order of the transaction. So what reads one revision in several parts can begin
 * with the recent changes and go on with the log.
 */
export class WatchPlace {
  cursor: number;
  changesDone = 0;
  /** How many of them the messages that are made have dealt with: the next message begins behind them. */
  changesTold = 0;

  constructor(cursor: number) {
    this.cursor = cursor;
  }

  /** All of a revision is dealt with. */
  pass(revision: number): void {
    this.cursor = revision;
    this.changesDone = this.changesTold = 0;
  }

  /** A message ends within a revision, behind so many of its changes. */
  passFragment(changes: number): void {
    this.changesDone = this.changesTold = changes;
  }
}

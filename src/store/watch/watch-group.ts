/**
 * Watches that want the same: equal ranges, types and contents, in one form. They share their filter, and what was made of a
 * message for one of them is handed to the others that come to the same place.
 *
 * A shared message says what follows one place: the events of a revision from the first change that no message before has dealt
 * with, up to the end of the revision or to the change that did not fit. So it is right for whichever watch of the group is at
 * that place, however that came there.
 */
import type { WatchRequest } from '../../api.ts';
import { fixed } from '../../limits.ts';
import { type EventContents, EventMaker } from './messages/event-maker.ts';
import type { WatchForm } from './messages/pulled-watch.ts';
import type { SharedAmong, SharedMessage, SharedMessages } from './messages/shared-messages.ts';
import { toWatchFilter, type WatchFilter } from './matching/watch-filter.ts';
import type { WatchSource } from './sources/watch-source.ts';
import type { WatchPlace, WatchWork } from './sources/watch-work.ts';

export class WatchGroup implements SharedAmong {
  readonly filter: WatchFilter;
  readonly events: EventMaker;
  readonly form: WatchForm<unknown>;
  /** `undefined`: alone, since what it wants is too long to be looked for. */
  readonly key: string | undefined;
  watchCount = 0;
  /** The watch that was last seen in the middle of a message. */
  maker: WatchWork | undefined;
  readonly #shared: SharedMessages;
  #byRevision: Map<number, SharedMessage[]> | undefined;
  /** Nothing is kept of what lies before: who is behind it is slow, and would drive out what it needs next. */
  #newestRevision = 0;

  constructor(
    filter: WatchFilter,
    events: EventMaker,
    form: WatchForm<unknown>,
    key: string | undefined,
    shared: SharedMessages,
  ) {
    this.filter = filter;
    this.events = events;
    this.form = form;
    this.key = key;
    this.#shared = shared;
  }

  /** The message that comes next for a watch at this place, if it is one of the next revision. */
  find(place: WatchPlace): SharedMessage | undefined {
    return this.#find(place.cursor + 1, place.changesTold);
  }

  /** Whether a watch is in the middle of making the message that comes next for one at this place. */
  isMaking(place: WatchPlace): boolean {
    if (this.maker === undefined) return false;
    const { ready, place: makers } = this.maker;
    return ready.isOpen && makers.cursor === place.cursor && makers.changesTold === place.changesTold;
  }

  /** Keeps what one watch has made for the others, if there are any. */
  share(
    made: Pick<SharedMessage, 'revision' | 'changesFrom' | 'changesTo' | 'item' | 'eventCount' | 'bytes'>,
  ): void {
    if (!this.form.isShared || this.watchCount < 2 || made.revision < this.#newestRevision) return;
    if (this.#find(made.revision, made.changesFrom) !== undefined) return;
    this.#newestRevision = made.revision;
    const message: SharedMessage = { ...made, group: this, takersLeft: this.watchCount - 1 };
    this.#byRevision ??= new Map();
    const row = this.#byRevision.get(made.revision);
    if (row === undefined) this.#byRevision.set(made.revision, [message]);
    else row.push(message);
    this.#shared.keep(message);
  }

  #find(revision: number, changesFrom: number): SharedMessage | undefined {
    return this.#byRevision?.get(revision)?.find((message) => message.changesFrom === changesFrom);
  }

  /** A watch has taken it. What all have taken is not kept. */
  taken(message: SharedMessage): void {
    if (--message.takersLeft <= 0) this.#shared.drop(message);
  }

  /** The last watch has left. */
  clear(): void {
    for (const row of this.#byRevision?.values() ?? []) for (const message of row) this.#shared.drop(message);
  }

  /** Of `SharedMessages`, which drops it. */
  forget(message: SharedMessage): void {
    const row = this.#byRevision?.get(message.revision)?.filter((other) => other !== message) ?? [];
    if (row.length > 0) this.#byRevision?.set(message.revision, row);
    else this.#byRevision?.delete(message.revision);
  }
}

/** The groups of all watches, by what they want. */
export class WatchGroups {
  readonly #shared: SharedMessages;
  readonly #groupsByForm = new Map<WatchForm<unknown>, Map<string, WatchGroup>>();

  constructor(shared: SharedMessages) {
    this.#shared = shared;
  }

  /** The group of a request. The watch that joins it counts in `watchCount`. */
  of(request: WatchRequest, form: WatchForm<unknown>, source: WatchSource): WatchGroup {
    const filter = toWatchFilter(request.ranges, request.eventTypes);
    const contents = {
      keysOnly: request.keysOnly === true,
      returnPrevious: request.returnPrevious === true,
      includeElements: request.includeElements === true,
    };
    const key = keyOf(filter, contents);
    const found = key === undefined ? undefined : this.#groupsByForm.get(form)?.get(key);
    return found ?? new WatchGroup(filter, new EventMaker(source, contents), form, key, this.#shared);
  }

  join(group: WatchGroup): void {
    if (group.watchCount++ > 0 || group.key === undefined) return;
    let groups = this.#groupsByForm.get(group.form);
    if (groups === undefined) this.#groupsByForm.set(group.form, (groups = new Map()));
    groups.set(group.key, group);
  }

  leave(group: WatchGroup): void {
    if (--group.watchCount > 0) return;
    group.clear();
    const groups = this.#groupsByForm.get(group.form);
    if (groups === undefined || group.key === undefined) return;
    groups.delete(group.key);
    if (groups.size === 0) this.#groupsByForm.delete(group.form);
  }
}

function keyOf({ ranges, types }: WatchFilter, contents: EventContents): string | undefined {
  let characters = 0;
  for (const { start, end = '' } of ranges) characters += start.length + end.length;
  if (characters > fixed.watchGroupCharactersMax) return undefined;
  const bounds = ranges.map(({ start, end }) => [start, end]);
  const { keysOnly, returnPrevious, includeElements } = contents;
  return JSON.stringify([bounds, [...types].sort(), keysOnly, returnPrevious, includeElements]);
}

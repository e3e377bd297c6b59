/**
 * Keeps a mirror: reads a watch of its range and moves the copy on by whole revisions.
 *
 * Where the watch begins anew (its place is compacted, or the server has another store or history by now) the present entries are
 * gathered in a second copy, and the first is shown until the second is whole: what is shown was the state of the range at its
 * revision, always. The difference between the two is told as one change.
 */
import type { KeyRange } from '../../api.ts';
import type { Caller } from '../calls/caller.ts';
import { KelpError } from '../errors/error.ts';
import { type Entry, copyOfEntry } from '../messages/entry.ts';
import type { WatchEvent, WatchMessage, WatchRequest } from '../messages/types.ts';
import { type MirrorBounds, MirroredEntries, keyOf } from './mirrored-entries.ts';
import type { MirrorChange, MirrorEvent } from './types.ts';

export interface MirrorListener {
  changed(change: MirrorChange): void;
  /** It has moved on to another revision, or has become stale, fresh or over. */
  moved(): void;
}

export type OpenWatch = (request: WatchRequest) => AsyncIterable<WatchMessage>;

export interface FeedOptions extends MirrorBounds {
  readonly watch: OpenWatch;
  readonly range: KeyRange;
  readonly progressIntervalMs: number;
  /** Ends the feed. */
  readonly signal: AbortSignal;
}

/** The copy that takes the place of the shown one when it is whole. */
interface Gathering {
  readonly entries: MirroredEntries;
  readonly events: MirrorEvent[];
  /** Keys that the shown copy has, too. */
  sharedCount: number;
}

const noBytes = new Uint8Array(0);

export class MirrorFeed {
  /** As of its revision. */
  entries: MirroredEntries;
  /** Why there will be no more changes. */
  failure: KelpError | undefined;
  /** On the clock of the pace; `undefined`: it is fresh. */
  staleSinceMs: number | undefined;
  readonly #caller: Caller;
  readonly #options: FeedOptions;
  readonly #listener: MirrorListener;
  #gathering: Gathering | undefined;
  #isSynced = false;

  constructor(caller: Caller, options: FeedOptions, listener: MirrorListener) {
    this.#caller = caller;
    this.#options = options;
    this.#listener = listener;
    this.entries = new MirroredEntries(options);
    this.#gathering = this.#newGathering();
  }

  /** Whether a state has been there yet. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Resolves when it has ended or failed; never rejects. */
  async run(): Promise<void> {
    const { watch, range, progressIntervalMs, signal } = this.#options;
    const request: WatchRequest = {
      ranges: [range],
      includeCurrent: true,
      eventTypes: ['put', 'delete', 'touch'],
      restartWhenLost: true,
      progressIntervalMs,
      signal,
      onInterrupted: () => this.#becomeStale(),
    };
    try {
      for await (const message of watch(request)) this.#take(message);
      if (!signal.aborted && !this.#caller.closed.aborted) this.#fail(unexpected('the watch ended'));
    } catch (reason) {
      this.#fail(this.#caller.errorOf(reason, false, undefined));
    }
  }

  /** Lets go of what it has. */
  forget(): void {
    this.entries = new MirroredEntries(this.#options);
    this.#gathering = undefined;
  }

  #take(message: WatchMessage): void {
    switch (message.kind) {
      case 'restarted':
        this.#gathering = this.#newGathering();
        this.#becomeStale();
        return;
      case 'current':
        for (const entry of message.entries) this.#gather(entry);
        return;
      case 'synced':
        this.#show(message);
        return;
      case 'events':
        this.#apply(message.events, message.commitTimeMs, message.revision, message.incarnation);
        return;
      case 'progress':
        // Among present entries it says nothing of them.
        if (this.#gathering === undefined) this.#moveOn(message.revision, message.incarnation);
        return;
      case 'compacted':
        throw unexpected('the watch ended though it was to begin anew');
    }
  }

  #newGathering(): Gathering {
    return { entries: new MirroredEntries(this.#options), events: [], sharedCount: 0 };
  }

  #gather(found: Entry): void {
    const gathering = this.#gathering;
    if (gathering === undefined) throw unexpected('the server sent present entries unasked');
    const previous = this.entries.get(keyOf(found));
    const isSame = previous !== undefined && isSameEntry(previous, found);
    const entry = isSame ? previous : copyOfEntry(found, found.value);
    if (gathering.entries.put(entry) === undefined && previous !== undefined) gathering.sharedCount++;
    // The first state is no change.
    if (isSame || !this.#isSynced) return;
    gathering.events.push({ type: 'put', entry, previous });
  }

  #show({ revision, incarnation, storeId }: Extract<WatchMessage, { readonly kind: 'synced' }>): void {
    const gathering = this.#gathering;
    if (gathering === undefined) throw unexpected('the server said "synced" twice');
    const { entries, events } = gathering;
    if (gathering.sharedCount < this.entries.size) {
      for (const previous of this.entries.between('', undefined)) {
        if (entries.get(keyOf(previous)) === undefined) events.push(deletionOf(previous));
      }
    }
    const wasSynced = this.#isSynced;
    entries.revision = revision;
    entries.incarnation = incarnation;
    entries.storeId = storeId;
    this.entries = entries;
    this.#gathering = undefined;
    this.#isSynced = true;
    this.staleSinceMs = undefined;
    if (wasSynced) this.#listener.changed({ kind: 'resync', revision, incarnation, events });
    this.#listener.moved();
  }

  #apply(watched: readonly WatchEvent[], commitTimeMs: number, revision: number, incarnation: string): void {
    if (this.#gathering !== undefined) throw unexpected('the server sent changes before it said "synced"');
    const events: MirrorEvent[] = [];
    for (const event of watched) {
      const applied = event.type === 'delete' ? this.#delete(event) : this.#put(event);
      if (applied !== undefined) events.push(applied);
    }
    this.entries.revision = revision;
    this.entries.incarnation = incarnation;
    if (events.length > 0) {
      this.#listener.changed({ kind: 'events', revision, incarnation, commitTimeMs, events });
    }
    this.#listener.moved();
  }

  #put({ type, entry: found }: Extract<WatchEvent, { readonly type: 'put' | 'touch' }>): MirrorEvent {
    // That of a touch comes without its value, which stays as it is.
    const value = type === 'touch' ? (this.entries.get(keyOf(found))?.value ?? noBytes) : found.value;
    const entry = copyOfEntry(found, value);
    return { type: 'put', entry, previous: this.entries.put(entry) };
  }

  #delete(event: Extract<WatchEvent, { readonly type: 'delete' }>): MirrorEvent | undefined {
    const previous = this.entries.delete(keyOf(event));
    return previous === undefined ? undefined : deletionOf(previous);
  }

  #moveOn(revision: number, incarnation: string): void {
    this.entries.revision = revision;
    this.entries.incarnation = incarnation;
    this.staleSinceMs = undefined;
    this.#listener.moved();
  }

  #becomeStale(): void {
    if (!this.#isSynced || this.staleSinceMs !== undefined) return;
    this.staleSinceMs = this.#caller.pace.monotonicMs();
    this.#listener.moved();
  }

  #fail(error: KelpError): void {
    this.failure = error;
    this.#gathering = undefined;
    this.staleSinceMs ??= this.#caller.pace.monotonicMs();
    this.#listener.moved();
  }
}

function deletionOf(previous: Entry): MirrorEvent {
  const { key, keyBytes } = previous;
  return { type: 'delete', key, ...(keyBytes && { keyBytes }), previous };
}

/** Revisions of another store or another history may be the same, and what they wrote another value. */
function isSameEntry(first: Entry, second: Entry): boolean {
  return (
    first.modRevision === second.modRevision &&
    first.createRevision === second.createRevision &&
    first.version === second.version &&
    first.leaseId === second.leaseId &&
    first.expireTimeMs === second.expireTimeMs &&
    first.type === second.type &&
    Buffer.compare(first.value, second.value) === 0
  );
}

function unexpected(text: string): KelpError {
  return new KelpError('internal', text, undefined);
}

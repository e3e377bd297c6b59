/**
 * A consistent copy of a range in the memory of the program, kept by a watch: what informers are to Kubernetes.
 *
 * ```ts
 * await using config = await client.mirror({ prefix: 'config/' });
 * config.get('config/colour')?.text();
 * for (const entry of config) console.log(entry.key, entry.text());
 *
 * const { revision } = await client.put('config/colour', 'green');
 * await config.waitFor(revision); // what was written is in it
 *
 * for await (const { events } of config.changes()) console.log(events);
 * ```
 *
 * What it shows is the state that the range had at its revision, whole revisions at a time, over broken connections, restarts of
 * the server and compactions, too. While it has no connection it shows the last state and says for how long that may be behind
 * (`staleMs`). When it can't go on at all (rights taken away, larger than its bounds) it says why in `failure`.
 */
import type { Key, KeyRange } from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { readRange } from '../../arguments/requests.ts';
import { noOptions } from '../../arguments/shape.ts';
import type { Caller } from '../calls/caller.ts';
import type { KelpError } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import type { Entry } from '../messages/entry.ts';
import type { CallOptions } from '../messages/types.ts';
import type { ChangeQueue } from './change-queue.ts';
import { idRangeOf } from './key-ids.ts';
import type { OpenWatch } from './mirror-feed.ts';
import { MirrorState } from './mirror-state.ts';
import type { MirrorChange, MirrorEvent, MirrorOptions, MirrorSignals, MirrorView } from './types.ts';

/** Closes mirrors that the program has let go of. */
const forgotten = new FinalizationRegistry<AbortController>((ending) => ending.abort());

/** Entries as they are in the store. */
export const rawView: MirrorView<Entry> = {
  keyOf: (key) => key,
  rangeOf: (range) => range,
  entryOf: (raw) => raw,
  namedOf: (raw) => raw,
};

/** @internal Resolves when the present entries are there. @param watch opens one with this caller. */
export async function openMirror<AnEntry>(
  caller: Caller,
  watch: OpenWatch,
  range: KeyRange,
  options: MirrorOptions,
  view: MirrorView<AnEntry>,
): Promise<Mirror<AnEntry>> {
  const ending = new AbortController();
  const state = new MirrorState(caller, watch, view.rangeOf(range), options, ending);
  await state.synced;
  const mirror = new Mirror(state, view);
  forgotten.register(mirror, ending);
  return mirror;
}

export class Mirror<AnEntry = Entry> implements Iterable<AnEntry> {
  readonly #state: MirrorState;
  readonly #view: MirrorView<AnEntry>;

  /** @internal Use `client.mirror`. */
  constructor(state: MirrorState, view: MirrorView<AnEntry>) {
    this.#state = state;
    this.#view = view;
  }

  get(key: Key): AnEntry | undefined {
    const raw = this.#find(key);
    return raw === undefined ? undefined : this.#view.entryOf(raw);
  }

  has(key: Key): boolean {
    return this.#find(key) !== undefined;
  }

  get size(): number {
    return this.#state.entries.size;
  }

  /** Everything up to it is in what is shown. It goes back only where the server has another store or history: see `resync`. */
  get revision(): number {
    return this.#state.entries.revision;
  }

  /** The store that it shows. */
  get storeId(): string {
    return this.#state.entries.storeId;
  }

  /** For how long it has had no connection, or has not caught up after one; 0 when it is fresh. */
  get staleMs(): number {
    return this.#state.staleMs;
  }

  /** Why it does not go on; it shows what it showed last. */
  get failure(): KelpError | undefined {
    return this.#state.failure;
  }

  /** Those of a range in key order. A loop that waits for something goes on with what is there then. */
  entries(range: KeyRange = {}): IterableIterator<AnEntry> {
    refuse(named('range', readRange(range)));
    const { start, end } = idRangeOf(this.#view.rangeOf(range));
    return this.#shownOf(this.#state.entries.between(start, end));
  }

  [Symbol.iterator](): IterableIterator<AnEntry> {
    return this.entries();
  }

  /**
   * The changes from this call on, each a whole revision. A reader that lets 10,000 of them or 64 MiB come together loses the
   * place: the loop throws `limitReached`. Those bytes are of the entries in the changes, the previous ones too: key, value and
   * 400 more for each. It throws the failure of the mirror, and ends when that is closed.
   */
  changes(): AsyncIterableIterator<MirrorChange<AnEntry>, void, undefined> {
    return new ChangeReader(this.#state.changes(this), this.#shown);
  }

  /** A listener keeps the mirror alive as long as the client. What it throws is thrown in the next turn: the mirror goes on. */
  on<Name extends keyof MirrorSignals>(
    name: Name,
    listener: (...args: MirrorSignals<AnEntry>[Name]) => void,
  ): this {
    const heard = listener as (...args: unknown[]) => void;
    const call = name === 'change' ? (change: unknown) => heard(this.#shown(change as MirrorChange)) : heard;
    this.#state.on({ mirror: this, name, listener, call });
    return this;
  }

  off<Name extends keyof MirrorSignals>(
    name: Name,
    listener: (...args: MirrorSignals<AnEntry>[Name]) => void,
  ): this {
    this.#state.off(name, listener);
    return this;
  }

  /**
   * Resolves when everything up to this revision is in what is shown. What has not changed the range shows with the server's next
   * `progress` only, so a deadline has to be well above `progressIntervalMs` (1 s by default). Rejects with `deadlineExceeded`, with the failure of the mirror, or `closed`.
   */
  waitFor(revision: number, options: CallOptions = noOptions): Promise<void> {
    return this.#state.waitFor(this, revision, options);
  }

  /** Ends the watch and lets go of the entries. */
  close(): void {
    this.#state.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  *#shownOf(entries: Iterable<Entry>): Generator<AnEntry, void, undefined> {
    for (const raw of entries) yield this.#view.entryOf(raw);
  }

  #find(key: Key): Entry | undefined {
    refuse(named('key', isKey(key)));
    return this.#state.entries.get(this.#view.keyOf(key));
  }

  readonly #shown = (change: MirrorChange): MirrorChange<AnEntry> => ({
    ...change,
    events: change.events.map((event) => this.#shownEvent(event)),
  });

  #shownEvent(event: MirrorEvent): MirrorEvent<AnEntry> {
    const { type, previous } = event;
    if (type === 'delete') {
      return { type, ...this.#view.namedOf(event), previous: this.#view.entryOf(event.previous) };
    }
    const entry = this.#view.entryOf(event.entry);
    return { type, entry, previous: previous === undefined ? undefined : this.#view.entryOf(previous) };
  }
}

/** The changes of a queue as a view shows them. */
class ChangeReader<AnEntry> implements AsyncIterableIterator<MirrorChange<AnEntry>, void, undefined> {
  readonly #queue: ChangeQueue;
  readonly #shown: (change: MirrorChange) => MirrorChange<AnEntry>;

  constructor(queue: ChangeQueue, shown: (change: MirrorChange) => MirrorChange<AnEntry>) {
    this.#queue = queue;
    this.#shown = shown;
  }

  async next(): Promise<IteratorResult<MirrorChange<AnEntry>, void>> {
    const result = await this.#queue.next();
    return result.done === true ? result : { done: false, value: this.#shown(result.value) };
  }

  async return(): Promise<IteratorResult<MirrorChange<AnEntry>, void>> {
    this.#queue.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#queue.end();
    return Promise.resolve();
  }
}

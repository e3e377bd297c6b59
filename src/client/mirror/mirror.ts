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
import { idRangeOf } from './key-ids.ts';
import type { OpenWatch } from './mirror-feed.ts';
import { MirrorState } from './mirror-state.ts';
import type { MirrorChange, MirrorOptions, MirrorSignals } from './types.ts';

/** Closes mirrors that the program has let go of. */
const forgotten = new FinalizationRegistry<AbortController>((ending) => ending.abort());

/** @internal Resolves when the present entries are there. @param watch opens one with this caller. */
export async function openMirror(
  caller: Caller,
  watch: OpenWatch,
  range: KeyRange,
  options: MirrorOptions,
): Promise<Mirror> {
  const ending = new AbortController();
  const state = new MirrorState(caller, watch, range, options, ending);
  await state.synced;
  const mirror = new Mirror(state);
  forgotten.register(mirror, ending);
  return mirror;
}

export class Mirror implements Iterable<Entry> {
  readonly #state: MirrorState;

  /** @internal Use `client.mirror`. */
  constructor(state: MirrorState) {
    this.#state = state;
  }

  get(key: Key): Entry | undefined {
    refuse(named('key', isKey(key)));
    return this.#state.entries.get(key);
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined;
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
  entries(range: KeyRange = {}): IterableIterator<Entry> {
    refuse(named('range', readRange(range)));
    const { start, end } = idRangeOf(range);
    return this.#state.entries.between(start, end);
  }

  [Symbol.iterator](): IterableIterator<Entry> {
    return this.entries();
  }

  /**
   * The changes from this call on, each a whole revision. A reader that lets 10,000 of them or 64 MiB come together loses the
   * place: the loop throws `limitReached`. It throws the failure of the mirror, and ends when that is closed.
   */
  changes(): AsyncIterableIterator<MirrorChange, void, undefined> {
    return this.#state.changes(this);
  }

  /** A listener keeps the mirror alive as long as the client. What it throws is thrown in the next turn: the mirror goes on. */
  on<Name extends keyof MirrorSignals>(name: Name, listener: (...args: MirrorSignals[Name]) => void): this {
    this.#state.on(this, name, listener);
    return this;
  }

  off<Name extends keyof MirrorSignals>(name: Name, listener: (...args: MirrorSignals[Name]) => void): this {
    this.#state.off(name, listener);
    return this;
  }

  /**
   * Resolves when everything up to this revision is in what is shown. What has not changed the range shows with the server's next
   * `progress` only. Rejects with `deadlineExceeded`, with the failure of the mirror, or `closed`.
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
}

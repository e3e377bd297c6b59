/** What a store holds of all its revisions, read in process: the truth that watches through the client are held against. */
import type { Entry, KeyRange, Store, WatchEvent } from '../../src/api.ts';
import type { TrueEvent, WatchTruth } from '../support/watch-validator.ts';

export class StoredTruth implements WatchTruth {
  /** By revision - 1. */
  readonly #events: TrueEvent[][] = [];
  /** By revision - 1, and key. */
  readonly #states: ReadonlyMap<string, Entry>[] = [];

  private constructor() {}

  /** Of a store whose log goes back to its first revision. */
  static async of(store: Store): Promise<StoredTruth> {
    const truth = new StoredTruth();
    const { revision } = await store.status();
    const watch = store.watch({ startRevision: 1 });
    let fragments: WatchEvent[] = [];
    while (truth.revision < revision) {
      const { value: message } = await watch.next();
      if (message?.kind !== 'events') continue;
      fragments.push(...message.events);
      if (message.moreFragments) continue;
      while (truth.revision < message.revision - 1) truth.#add([]);
      truth.#add(fragments);
      fragments = [];
    }
    await watch.return?.();
    return truth;
  }

  get revision(): number {
    return this.#events.length;
  }

  eventsAt(revision: number): readonly TrueEvent[] {
    return this.#events[revision - 1] ?? [];
  }

  /** Of single keys, or of all. */
  entriesAt(revision: number, { key = '' }: KeyRange): readonly Entry[] {
    const entries = [...(this.#states[revision - 1] ?? new Map<string, Entry>()).values()];
    return entries
      .filter((entry) => key === '' || entry.key === key)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #add(events: readonly WatchEvent[]): void {
    const state = new Map(this.#states.at(-1));
    this.#events.push(
      events.map((event) => {
        const key = event.type === 'delete' ? event.key : event.entry.key;
        const before = state.get(key);
        const after = event.type === 'delete' ? undefined : event.entry;
        if (after === undefined) state.delete(key);
        else state.set(key, after);
        const reason = event.type === 'delete' ? event.reason : undefined;
        return { key, type: event.type, reason, replacedExpired: false, before, after };
      }),
    );
    this.#states.push(state);
  }
}

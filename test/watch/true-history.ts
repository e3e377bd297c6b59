/** What happened to keys, told by the one who made it happen: the truth that watches are held against. */
import type { Entry, KeyRange } from '../../src/api.ts';
import type { TrueEvent, WatchTruth } from '../support/watch-validator.ts';
import { textKey } from '../support/text-key.ts';

export type TrueChange =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'delete' | 'touch'; readonly key: string };

/** Nothing in it has a lease or a deadline. */
export class TrueHistory implements WatchTruth {
  /** By revision - 1. */
  readonly #events: TrueEvent[][] = [];
  /** By key, the newest last; `undefined` in one: it was deleted. */
  readonly #entriesByKey = new Map<
    string,
    { readonly revision: number; readonly entry: Entry | undefined }[]
  >();

  get revision(): number {
    return this.#events.length;
  }

  /** The changes of the next revision; none for one that changed no key. */
  add(changes: readonly TrueChange[]): void {
    const revision = this.revision + 1;
    this.#events.push(changes.map((change) => this.#apply(change, revision)));
  }

  eventsAt(revision: number): readonly TrueEvent[] {
    return this.#events[revision - 1] ?? [];
  }

  entryAt(revision: number, key: string): Entry | undefined {
    const versions = this.#entriesByKey.get(key) ?? [];
    return versions.findLast((version) => version.revision <= revision)?.entry;
  }

  /** Of ranges by prefix or key, which is all that these tests ask for. */
  entriesAt(revision: number, { key = '', prefix = '' }: KeyRange): readonly Entry[] {
    const keys = [...this.#entriesByKey.keys()].filter((each) =>
      key === '' ? each.startsWith(textKey(prefix)) : each === key,
    );
    return keys.sort().flatMap((each) => this.entryAt(revision, each) ?? []);
  }

  #apply(change: TrueChange, revision: number): TrueEvent {
    const { key, type } = change;
    const before = this.entryAt(revision, key);
    const after = type === 'delete' ? undefined : entryAfter(change, before, revision);
    const versions = this.#entriesByKey.get(key) ?? [];
    versions.push({ revision, entry: after });
    this.#entriesByKey.set(key, versions);
    const reason = type === 'delete' ? 'requested' : undefined;
    return { key, type, reason, replacedExpired: false, before, after };
  }
}

function entryAfter(change: TrueChange, before: Entry | undefined, revision: number): Entry {
  if (change.type === 'put') {
    return {
      key: change.key,
      value: change.value,
      createRevision: before?.createRevision ?? revision,
      modRevision: revision,
      version: (before?.version ?? 0) + 1,
      leaseId: 0,
      expireTimeMs: 0,
    };
  }
  if (before === undefined) throw new Error(`${change.key} does not exist`);
  return before;
}

/**
 * What the newest transactions changed, kept in memory for all watches together: the keys alone, since the entries are read
 * from the engine when a watch wants them. Bounded by the number of changes: watches that fall behind read the log, and so
 * do all when a transaction has changed too much to be kept here; of that only the borders are known.
 */
import { fixed } from '../../../limits.ts';
import type { DeleteReason, EventType } from '../../../api.ts';
import { Fifo } from '../../fifo.ts';
import type { PlannedChange } from '../../views/planned-change.ts';
import { toKeyText, type KeyText } from '../../views/keys.ts';

/** What is kept of one change. */
export interface RecentChange {
  readonly key: KeyText;
  readonly type: EventType;
  readonly reason: DeleteReason | undefined;
  readonly replacedExpired: boolean;
}

/** What is kept of a transaction; `undefined` when there was no watch as it was committed. */
export type StagedChanges = RecentTransaction | undefined;

export interface RecentTransaction {
  readonly revision: number;
  readonly timeMs: number;
  /** `undefined`: there are more than `fixed.watchStagedChangesMax`, and the log has them. */
  readonly changes: readonly RecentChange[] | undefined;
  /** Where they lie; `undefined` when there is none. */
  readonly borders: ChangeBorders | undefined;
}

/** The lowest and the highest key that a transaction has changed, and what it has done to any of them. */
export interface ChangeBorders {
  readonly first: KeyText;
  readonly last: KeyText;
  readonly types: ReadonlySet<EventType>;
}

/** Copies what watches have to know of a transaction; of a long one that takes no object for each change. */
export function stageChanges(
  revision: number,
  timeMs: number,
  changes: readonly PlannedChange[],
): RecentTransaction {
  if (changes.length > fixed.watchStagedChangesMax) {
    return { revision, timeMs, changes: undefined, borders: bordersOf(changes) };
  }
  return { revision, timeMs, changes: changes.map(recentChange), borders: undefined };
}

/** Copies what watches have to know of puts that are a transaction each, one behind the other. */
export function stagePuts(
  firstRevision: number,
  timeMs: number,
  keys: readonly Uint8Array[],
): RecentTransaction[] {
  return keys.map((key, index) => ({
    revision: firstRevision + index,
    timeMs,
    changes: [{ key: toKeyText(key), type: 'put', reason: undefined, replacedExpired: false }],
    borders: undefined,
  }));
}

export function recentChange({ key, type, reason, replacedExpired }: PlannedChange): RecentChange {
  return { key: toKeyText(key), type, reason, replacedExpired };
}

function bordersOf(changes: readonly PlannedChange[]): ChangeBorders | undefined {
  let first: Uint8Array | undefined;
  let last: Uint8Array | undefined;
  const types = new Set<EventType>();
  for (const { key, type } of changes) {
    types.add(type);
    // A range is deleted in key order: one comparison for each key.
    if (last === undefined || Buffer.compare(key, last) > 0) last = key;
    else if (first !== undefined && Buffer.compare(key, first) < 0) first = key;
    first ??= key;
  }
  if (first === undefined || last === undefined) return undefined;
  return { first: toKeyText(first), last: toKeyText(last), types };
}

/** A row of revisions without gap that ends with the newest visible one; empty when that was not staged. */
export class RecentChanges {
  readonly #row = new Fifo<RecentTransaction>();
  #weight = 0;

  get firstRevision(): number | undefined {
    return this.#row.peek()?.revision;
  }

  get(revision: number): RecentTransaction | undefined {
    const first = this.firstRevision;
    return first === undefined ? undefined : this.#row.at(revision - first);
  }

  push(transaction: RecentTransaction): void {
    this.#row.push(transaction);
    this.#weight += weightOf(transaction);
    while (this.#weight > fixed.recentChangesMax && this.#row.length > 1) {
      const oldest = this.#row.shift();
      if (oldest !== undefined) this.#weight -= weightOf(oldest);
    }
  }

  clear(): void {
    while (this.#row.shift() !== undefined);
    this.#weight = 0;
  }
}

/** A transaction takes room even if it changes no key. */
function weightOf({ changes }: RecentTransaction): number {
  return 1 + (changes?.length ?? 0);
}

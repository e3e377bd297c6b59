/**
 * What the newest transactions changed, kept in memory for all watches together: the keys alone, since the entries are read
 * from the engine when a watch wants them. Bounded by the number of changes and the bytes of their keys (`RecentExtent`):
 * watches that fall behind read the log, and so do all when a transaction has changed too much to be kept here; of that only
 * the borders are known.
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
  /**
   * `undefined`: there are more than `fixed.watchStagedChangesMax`, or their keys are longer than `fixed.watchStagedKeyBytesMax`
   * together, and the log has them.
   */
  readonly changes: readonly RecentChange[] | undefined;
  /** Where they lie; `undefined` when there is none. */
  readonly borders: ChangeBorders | undefined;
  /** Of the keys that are kept. */
  readonly keyBytes: number;
}

/**
 * Between which keys those lie that a transaction has changed, and what it has done to any of them. Long borders are cut, and then
 * lie a little further out than the keys.
 */
export interface ChangeBorders {
  readonly first: KeyText;
  readonly last: KeyText;
  readonly types: ReadonlySet<EventType>;
}

/** A border is kept to this length. */
const BORDER_BYTES_MAX = 128;
/** Behind the beginning of a key it stands for all that may follow there: no byte of a key comes after it. */
const BEHIND_ALL = '\u0100';

/** Copies what watches have to know of a transaction; of a long one that takes no object for each change. */
export function stageChanges(
  revision: number,
  timeMs: number,
  changes: readonly PlannedChange[],
): RecentTransaction {
  const keyBytes = changes.reduce((sum, { key }) => sum + key.length, 0);
  if (changes.length > fixed.watchStagedChangesMax || keyBytes > fixed.watchStagedKeyBytesMax) {
    const borders = bordersOf(changes);
    const borderBytes = borders === undefined ? 0 : borders.first.length + borders.last.length;
    return { revision, timeMs, changes: undefined, borders, keyBytes: borderBytes };
  }
  return { revision, timeMs, changes: changes.map(recentChange), borders: undefined, keyBytes };
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
    keyBytes: key.length,
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
  const lastBegins = toKeyText(last.subarray(0, BORDER_BYTES_MAX));
  return {
    first: toKeyText(first.subarray(0, BORDER_BYTES_MAX)),
    last: last.length > BORDER_BYTES_MAX ? (`${lastBegins}${BEHIND_ALL}` as KeyText) : lastBegins,
    types,
  };
}

/** How much there is of several transactions: what is kept of them is bounded by it, before they are visible and afterwards. */
export class RecentExtent {
  #changeCount = 0;
  #keyBytes = 0;

  /** Whether there is more than is kept in memory. */
  get isOver(): boolean {
    return this.#changeCount > fixed.recentChangesMax || this.#keyBytes > fixed.recentKeyBytesMax;
  }

  add(transaction: RecentTransaction): void {
    this.#count(transaction, 1);
  }

  remove(transaction: RecentTransaction): void {
    this.#count(transaction, -1);
  }

  #count({ changes, keyBytes }: RecentTransaction, sign: 1 | -1): void {
    // A transaction takes room even if it changes no key.
    this.#changeCount += sign * (1 + (changes?.length ?? 0));
    this.#keyBytes += sign * keyBytes;
  }
}

/** A row of revisions without gap that ends with the newest visible one; empty when that was not staged. */
export class RecentChanges {
  readonly #row = new Fifo<RecentTransaction>();
  #extent = new RecentExtent();

  get firstRevision(): number | undefined {
    return this.#row.peek()?.revision;
  }

  get(revision: number): RecentTransaction | undefined {
    const first = this.firstRevision;
    return first === undefined ? undefined : this.#row.at(revision - first);
  }

  push(transaction: RecentTransaction): void {
    this.#row.push(transaction);
    this.#extent.add(transaction);
    while (this.#extent.isOver && this.#row.length > 1) {
      const oldest = this.#row.shift();
      if (oldest !== undefined) this.#extent.remove(oldest);
    }
  }

  clear(): void {
    while (this.#row.shift() !== undefined);
    this.#extent = new RecentExtent();
  }
}

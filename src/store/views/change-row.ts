/**
 * The changes of keys that one transaction plans, in the order in which keys were first written; once it is sealed, those of elements
 * before all others.
 *
 * Invariants: a key is there at most once; a key whose changes cancelled out (a put and then a delete of one that was absent)
 * is not there, and stands behind the others when it is written again. Behind a mark every step can be undone.
 */
import { assert } from '../../errors.ts';
import { isElementKey } from '../collections/collection-keys.ts';
import { toKeyText, type KeyText } from './keys.ts';
import type { PlannedChange } from './planned-change.ts';

/** What undoes one step. */
interface Undo {
  /** The key's change before; `undefined`: it had none. */
  readonly before: PlannedChange | undefined;
  /** Where that stood, or the change that was new stands. */
  readonly index: number;
}

/** Keys that come to a lease. */
interface AttachedKeys {
  readonly keyCount: number;
  readonly keyBytes: number;
}

/** So few changes are looked through one by one: a text of each key costs more. */
const UNINDEXED_MAX = 8;

const NOTHING_ATTACHED: AttachedKeys = { keyCount: 0, keyBytes: 0 };

export class ChangeRow {
  readonly #onChange: (key: Uint8Array, change: PlannedChange | undefined) => void;
  /** Those of keys whose changes cancelled out are `undefined`. */
  #changes: (PlannedChange | undefined)[] = [];
  #count = 0;
  /**
   * Where the change of a key stands, for those up to `#indexedCount`: the rest follow when one of several is looked for, so that
   * what changes many keys and looks for none (a lease that ends) makes no index at all.
   */
  #indexByKey: Map<KeyText, number> | undefined;
  #indexedCount = 0;
  /** Only kept behind a mark. */
  #undos: Undo[] | undefined;
  #bytes = 0;
  /** What comes to each lease, as far as any does. */
  #attached: Map<number, AttachedKeys> | undefined;
  #attachedBytes = 0;
  /** Whether one of another key than that of an element is among them, ... */
  #hasOther = false;
  /** ... and an element stands behind it. */
  #isMixed = false;

  /** @param onChange told of each key whose change is another one, or gone, by now. */
  constructor(onChange: (key: Uint8Array, change: PlannedChange | undefined) => void) {
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#count;
  }

  /** Of keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes of the keys that come to a lease, whichever. */
  get attachedBytes(): number {
    return this.#attachedBytes;
  }

  /** The keys that come to one lease. */
  attachedTo(leaseId: number): AttachedKeys {
    return this.#attached?.get(leaseId) ?? NOTHING_ATTACHED;
  }

  /** In their order. */
  get all(): readonly PlannedChange[] {
    const changes = this.#changes;
    return changes.length === this.#count
      ? (changes as PlannedChange[])
      : changes.filter((change) => change !== undefined);
  }

  get(key: Uint8Array): PlannedChange | undefined {
    const changes = this.#changes;
    if (changes.length > UNINDEXED_MAX) {
      const index = this.#index().get(toKeyText(key));
      return index === undefined ? undefined : changes[index];
    }
    for (let index = 0; index < changes.length; index++) {
      const change = changes[index];
      if (change !== undefined && isSameKey(change.key, key)) return change;
    }
    return undefined;
  }

  /** @param before the change of the same key whose place it takes. */
  put(before: PlannedChange | undefined, change: PlannedChange): void {
    const index = before === undefined ? this.#changes.length : this.#indexOf(before);
    if (!isElementKey(change.key)) this.#hasOther = true;
    else if (this.#hasOther) this.#isMixed = true;
    this.#undos?.push({ before, index });
    this.#set(index, before, change);
  }

  drop(change: PlannedChange): void {
    const index = this.#indexOf(change);
    this.#undos?.push({ before: change, index });
    this.#remove(index, change);
  }

  /**
   * Puts those of elements before all others, once the transaction is done: who goes through them then knows all of a collection's
   * elements as its metadata comes. Behind this nothing is looked for, nor undone.
   */
  seal(): void {
    if (!this.#isMixed) return;
    const { all } = this;
    this.#changes = [
      ...all.filter(({ key }) => isElementKey(key)),
      ...all.filter(({ key }) => !isElementKey(key)),
    ];
  }

  /** What `rollBack` goes back to. */
  mark(): number {
    this.#undos ??= [];
    return this.#undos.length;
  }

  /** Undoes what was done since a mark. */
  rollBack(mark: number): void {
    const undos = this.#undos;
    assert(undos !== undefined && mark <= undos.length, 'a savepoint is rolled back to before it is void');
    // The last one first, so that each finds the changes as it left them.
    while (undos.length > mark) {
      const undo = undos.pop();
      if (undo !== undefined) this.#undo(undo);
    }
  }

  /** For the next transaction. */
  clear(): void {
    // The row of one change, which is nearly every one, is used again: an array that is made anew takes memory for sixteen.
    if (this.#changes.length === 1) this.#changes.pop();
    else if (this.#changes.length > 0) this.#changes = [];
    this.#count = 0;
    this.#indexByKey = undefined;
    this.#indexedCount = 0;
    this.#undos = undefined;
    this.#bytes = 0;
    this.#attached = undefined;
    this.#attachedBytes = 0;
    this.#hasOther = this.#isMixed = false;
  }

  #undo({ before, index }: Undo): void {
    const change = this.#changes[index];
    if (before !== undefined) return this.#set(index, change, before);
    assert(change !== undefined, 'a change is undone where it was made');
    this.#remove(index, change);
    this.#changes.pop();
    this.#indexedCount = Math.min(this.#indexedCount, this.#changes.length);
  }

  #set(index: number, before: PlannedChange | undefined, change: PlannedChange): void {
    this.#bytes += bytesOf(change) - bytesOf(before);
    if (before !== undefined) this.#attach(before, -1);
    this.#attach(change, 1);
    if (before === undefined) {
      this.#count++;
      if (index < this.#indexedCount) this.#indexByKey?.set(toKeyText(change.key), index);
    }
    this.#changes[index] = change;
    this.#onChange(change.key, change);
  }

  #remove(index: number, change: PlannedChange): void {
    this.#bytes -= bytesOf(change);
    this.#attach(change, -1);
    this.#count--;
    this.#changes[index] = undefined;
    if (index < this.#indexedCount) this.#indexByKey?.delete(toKeyText(change.key));
    this.#onChange(change.key, undefined);
  }

  /** A change is there now (`sign` 1), or no more (-1), which may bring its key to a lease. */
  #attach({ key, leaseId, previousLeaseId }: PlannedChange, sign: 1 | -1): void {
    if (leaseId === 0 || leaseId === previousLeaseId) return;
    const { keyCount, keyBytes } = this.attachedTo(leaseId);
    const bytes = sign * key.length;
    this.#attached ??= new Map();
    this.#attached.set(leaseId, { keyCount: keyCount + sign, keyBytes: keyBytes + bytes });
    this.#attachedBytes += bytes;
  }

  /** Where a change stands that is there. */
  #indexOf(change: PlannedChange): number {
    if (this.#changes.length <= UNINDEXED_MAX) return this.#changes.indexOf(change);
    return this.#index().get(toKeyText(change.key)) ?? 0;
  }

  #index(): Map<KeyText, number> {
    const indexByKey = (this.#indexByKey ??= new Map());
    for (; this.#indexedCount < this.#changes.length; this.#indexedCount++) {
      const change = this.#changes[this.#indexedCount];
      if (change !== undefined) indexByKey.set(toKeyText(change.key), this.#indexedCount);
    }
    return indexByKey;
  }
}

/** From the end on: the keys of a collection's elements begin alike. */
function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = a.length - 1; at >= 0; at--) if (a[at] !== b[at]) return false;
  return true;
}

/** What a change has of keys and values. */
export function bytesOf(change: PlannedChange | undefined): number {
  return change === undefined ? 0 : change.key.length + change.value.length;
}

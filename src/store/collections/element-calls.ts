/**
 * `ElementCalls`: calls to one spread collection that stand one behind the other, each of which looks at one element and may change
 * that one. Each that changes something is a transaction of its own, with the collection's metadata last, as it would be by itself;
 * together is how they go through the store (`Committer.changeElements`).
 *
 * The collection and its kind are as its version of the newest state says, which has no deadline and no lease. What a call may change
 * beside the element that it looks at are keys that follow from it, as the key by score of a sorted set does: one that is there is
 * deleted, one that is not is put.
 */
import type { PlacedChange } from '../../engine/version.ts';
import { NO_BYTES } from '../../wire/bytes.ts';

export interface ElementCalls {
  /** That of the collection, with the version that it has before the first call. */
  readonly key: Uint8Array;
  readonly kind: number;
  readonly collectionId: number;
  readonly createRevision: number;
  readonly version: number;
  /** How many calls there are, and the element that each looks at. */
  readonly length: number;
  readonly elements: readonly Uint8Array[];
  /** Of all keys and values that they may write, without the collection's key. */
  readonly bytesMax: number;
  /**
   * Does a call: says what it changes, if anything.
   * @param found the element as the calls before have left it, to be looked at during the call; `undefined`: it is not there.
   */
  decide(index: number, found: PlacedChange | undefined, changes: ElementChanges): void;
}

/** The most keys of elements that a call changes. */
const CHANGES_MAX = 3;

/** What one call changes, in its order. One object for one call after the other. */
export class ElementChanges {
  /** The first `count`, and where one deletes: of the others it is the value that is put. */
  readonly keys: Uint8Array[] = Array.from({ length: CHANGES_MAX }, () => NO_BYTES);
  readonly values: Uint8Array[] = Array.from({ length: CHANGES_MAX }, () => NO_BYTES);
  readonly deletes: boolean[] = Array.from({ length: CHANGES_MAX }, () => false);
  count = 0;
  /** What is left of the collection. */
  metadata: Uint8Array = NO_BYTES;

  put(key: Uint8Array, value: Uint8Array): void {
    this.#add(key, value, false);
  }

  delete(key: Uint8Array): void {
    this.#add(key, NO_BYTES, true);
  }

  #add(key: Uint8Array, value: Uint8Array, isDelete: boolean): void {
    const { count } = this;
    this.keys[count] = key;
    this.values[count] = value;
    this.deletes[count] = isDelete;
    this.count = count + 1;
  }
}

/**
 * What a revision has changed of the elements of collections, gathered for the watches that are told of them.
 *
 * In a record of the log, and among recent changes, those of elements stand before all others (`ChangeRow.sealed`), so that all of a
 * collection's are known as the put of its metadata comes. What a watch gathers is bounded: beyond that nothing is kept of a revision, and
 * its events say that the elements are left out.
 */
import type { ElementChange, ElementChanges } from '../../../api.ts';
import type { PlacedChange } from '../../../engine/version.ts';
import { fixed } from '../../../limits.ts';
import { collectionIdOf, subOf, tagOf, tags } from '../../collections/collection-keys.ts';

/** One element that was written or removed. */
export interface ElementRow {
  /** The field, or the member. */
  readonly name: Uint8Array;
  /** `undefined`: it was removed. */
  readonly value: Uint8Array | undefined;
}

/**
 * Makes of a collection's metadata, and of what a revision has changed of its elements, what a watch is told. The store knows no types,
 * so it is given by those who do.
 * @param rows those of elements with keys of their own.
 * @returns `undefined`: the collection is of a type whose elements are not told.
 */
export type DescribeElements = (
  metadata: PlacedChange,
  rows: readonly ElementRow[],
) => { readonly changes: readonly ElementChange[]; readonly isWhole: boolean } | undefined;

const NO_ROWS: readonly ElementRow[] = [];

export const LEFT_OUT: ElementChanges = { changes: [], isWhole: false, isLeftOut: true };

export class ElementRows {
  #revision = 0;
  readonly #rowsById = new Map<number, ElementRow[]>();
  #count = 0;
  #bytes = 0;

  /** The revision that was gathered last. */
  get revision(): number {
    return this.#revision;
  }

  begin(revision: number): void {
    this.#revision = revision;
    this.#rowsById.clear();
    this.#count = this.#bytes = 0;
  }

  /** Whether there is more than is kept. */
  get isOver(): boolean {
    return this.#count > fixed.watchElementsMax || this.#bytes > fixed.watchElementBytesMax;
  }

  /** @param key of an element, whose bytes stay as they are. @param value undefined: it was removed. */
  add(key: Uint8Array, value: Uint8Array | undefined): void {
    const tag = tagOf(key);
    // What else there is of a type says the same once more, or is no element.
    if (tag !== tags.field && tag !== tags.member) return;
    this.#count++;
    this.#bytes += key.length + (value?.length ?? 0);
    if (this.isOver) return this.#rowsById.clear();
    const id = collectionIdOf(key);
    const row = { name: subOf(key), value };
    const rows = this.#rowsById.get(id);
    if (rows === undefined) this.#rowsById.set(id, [row]);
    else rows.push(row);
  }

  of(id: number): readonly ElementRow[] {
    return this.#rowsById.get(id) ?? NO_ROWS;
  }
}

/** What the changes of elements take in a message. */
export function bytesOfElements({ changes }: ElementChanges): number {
  return changes.reduce(
    (bytes, { name, value }) => bytes + name.length + value.length + ELEMENT_BYTES,
    ELEMENT_BYTES,
  );
}

/** What one takes as an object. */
const ELEMENT_BYTES = 96;

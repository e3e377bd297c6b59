/**
 * A copy of a key of any type. A packed collection is a value like any other; the elements of a spread one are copied one by one,
 * under an id of their own, so that a large one reaches the limits of a transaction.
 */
import type { EngineRange } from '../../engine/engine.ts';
import type { PutOptions, View } from '../../store/views/view.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { elementsOf, elementsWithTag, tags } from '../../store/collections/collection-keys.ts';
import { isTimed, putHolder, timedMetadata } from '../collections/timed-table.ts';
import { keepLifetime } from '../lifetime.ts';

/** A scan may not write: so many elements, of about so many bytes, are gathered between two pieces of one. */
const GATHERED_MAX = 256;
const GATHERED_BYTES_MAX = 1024 * 1024;

const VISITS_OF_ELEMENT = 2;

/**
 * Copies a key, with its deadline and its lease. @param replaces a key of the new name gives way; else nothing is done when there
 * is one. Throws `limitReached` for a collection of too many elements.
 * @returns whether it was copied.
 */
export function copyKey(view: View, from: Uint8Array, to: Uint8Array, replaces: boolean): boolean {
  const version = view.read(from);
  if (version === undefined) return false;
  if (!replaces && view.readMeta(to) !== undefined) return false;
  const { value, kind } = version;
  const collectionId = version.collectionId === 0 ? 0 : copyElements(view, version.collectionId);
  const options = { ...keepLifetime(version), kind, collectionId };
  if (!isTimed(version)) {
    view.put(to, value, options);
    return true;
  }
  // Fields past their deadline are not copied.
  const count = view.count(elementsWithTag(collectionId, tags.field));
  if (count === 0) return false;
  view.put(to, timedMetadata(count), options);
  putHolder(view, collectionId, to);
  return true;
}

interface Element {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly options: PutOptions;
}

/** @returns the id of the copies. */
function copyElements(view: View, id: number): number {
  // Each is looked at and written: what can't come to its end is refused before it begins.
  if (view.count(elementsOf(id)) * VISITS_OF_ELEMENT > view.budget.visitsLeft) {
    view.budget.spendVisits(view.budget.visitsLeft);
    throw budgetSpent(view.budget);
  }
  const copyId = view.newCollectionId();
  copyRange(view, elementsOf(id), copyId);
  return copyId;
}

/** Copies elements of a collection to the same places of another. Throws `limitReached`. */
export function copyRange(view: View, { start, end }: EngineRange, copyId: number): void {
  const copyStart = elementsOf(copyId).start;
  for (let next: Uint8Array | undefined = start; next !== undefined;) {
    const gathered: Element[] = [];
    let bytes = 0;
    next = view.scan({ start: next, end }, false, (shown) => {
      const key = shown.copyKey();
      key.set(copyStart);
      const value = shown.copyValue();
      gathered.push({ key, value, options: keepLifetime(shown) });
      bytes += key.length + value.length;
      view.budget.spendBytes(value.length);
      return gathered.length < GATHERED_MAX && bytes < GATHERED_BYTES_MAX;
    });
    if (next !== undefined && view.budget.isSpent) throw budgetSpent(view.budget);
    for (const { key, value, options } of gathered) view.put(key, value, options);
  }
}

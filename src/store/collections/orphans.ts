/**
 * Which collections a transaction leaves without a key: those that its replaced or removed versions had, and no version that it
 * leaves has. Their elements are to be swept.
 *
 * Types can't see to that: a key expires, its lease ends, its range is deleted, a plain value replaces it, all below them. And
 * the store does not parse metadata: a version says which collection it has. So a rename takes the collection along by writing
 * its id to the other key in the same transaction.
 *
 * What the transaction began and gave up itself (a collection that was made and deleted in one MULTI) has left elements in it, and
 * no key that ever was: it is known by those.
 */
import { assert } from '../../errors.ts';
import type { PlannedChange } from '../views/planned-change.ts';
import { collectionIdOf, isElementKey } from './collection-keys.ts';

/** @param newFrom the first id that was given out to this transaction; infinite: none was. */
export function orphansOf(changes: readonly PlannedChange[], newFrom: number): ReadonlySet<number> {
  const held = new Set<number>();
  const released = new Set<number>();
  for (const { collectionId, previousCollectionId } of changes) {
    if (previousCollectionId !== collectionId && previousCollectionId !== 0)
      released.add(previousCollectionId);
    if (collectionId === 0) continue;
    assert(!held.has(collectionId), 'no two keys have the same collection');
    held.add(collectionId);
  }
  const orphans = new Set<number>();
  for (const { key, collectionId, previousCollectionId } of changes) {
    if (collectionId !== 0 && collectionId !== previousCollectionId)
      assert(
        collectionId >= newFrom || released.has(collectionId),
        'a collection comes to a key from nowhere, or from one that lets go of it',
      );
    if (newFrom !== Infinity && isElementKey(key)) {
      const id = collectionIdOf(key);
      if (id >= newFrom && !held.has(id)) orphans.add(id);
    }
  }
  for (const id of released) if (!held.has(id)) orphans.add(id);
  return orphans;
}

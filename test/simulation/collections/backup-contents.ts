/** The elements in a backup: those of its collections, whole, and of none that is neither there nor to be swept. */
import type { SnapshotVersionShape } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { collectionIdOf, isElementKey } from '../../../src/store/collections/collection-keys.ts';
import { isUserKey } from '../../../src/store/views/regions.ts';
import { OldState } from '../../../src/store/views/old-state.ts';
import { HeapEngine } from '../../engine/contract/heap-engine.ts';
import type { ModelEntry } from '../model.ts';
import { checkContents } from './collection-checks.ts';

/** @param versions of the backup, in the order of their keys. */
export function checkBackup(
  versions: readonly SnapshotVersionShape[],
  revision: number,
  entries: readonly ModelEntry[],
): void {
  const engine = new HeapEngine();
  const held = new Set<number>();
  for (const version of [...versions].sort((a, b) => a.revision - b.revision)) {
    engine.apply(version);
    // A collection that is to be swept may have lost some of its elements.
    if (!isElementKey(version.key))
      held.add(isUserKey(version.key) ? version.collectionId : collectionIdOf(version.key));
  }
  for (const { key } of versions)
    if (isElementKey(key) && !held.has(collectionIdOf(key)))
      throw new Error(`the backup of ${revision} has elements of ${collectionIdOf(key)}, which no key has`);
  const state = new OldState(
    engine,
    () => 0,
    () => undefined,
  );
  state.show(revision, 0, (view) => checkContents(view, entries));
}

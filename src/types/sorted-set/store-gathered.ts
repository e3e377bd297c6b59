/** Puts what was gathered of a combination at a key. */
import type { View } from '../../store/views/view.ts';
import type { Gathered } from './gathered.ts';
import { SortedSetEdit } from './sorted-set-edit.ts';
import { finishStored, type StoredSet } from './span-changes.ts';

/** It takes the place of whatever the key holds; without members it deletes that. */
export function storeGathered(view: View, key: Uint8Array, gathered: Gathered): StoredSet {
  const edit = new SortedSetEdit(view, key, true);
  for (const [member, score] of gathered.all()) edit.set(member, score);
  return finishStored(view, key, edit);
}

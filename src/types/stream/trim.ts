/**
 * Trimming: the first entries go, until so many are left or until an id. What is told to do so about (`~`) goes by hundreds, or as a whole,
 * so that a stream which is held at a length is trimmed once for a hundred entries, and not with each.
 */
import { elementsOf, elementsWithTag, subOf, tags } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import { copyRange } from '../keys/copying.ts';
import { edgeId, entryRange } from './entries.ts';
import type { Stream } from './stream.ts';
import { compareIds, ID_BYTES, ID_ZERO, idBefore } from './stream-id.ts';

export type TrimBound =
  /** So many are left. */
  | { readonly by: 'count'; readonly count: number }
  /** Those with lower ids go. */
  | { readonly by: 'id'; readonly id: Uint8Array };

export interface Trim {
  readonly bound: TrimBound;
  readonly isAbout: boolean;
  /** The most entries that go; infinite: all. */
  readonly removedMax: number;
}

const HUNDRED = 100;
/** When more elements go than this, and than stay, what stays is written anew, and all from before are swept later. */
const REWRITTEN_ELEMENTS_MIN = 1024;

/** @returns how many entries are gone. Throws `limitReached` where they are too many for one transaction. */
export function trim(view: View, stream: Stream, { bound, isAbout, removedMax }: Trim): number {
  const wanted = Math.min(surplusOf(view, stream, bound), removedMax);
  const count = isAbout && wanted < stream.count ? wanted - (wanted % HUNDRED) : wanted;
  if (count > 0) removeFirst(view, stream, count);
  return count;
}

function surplusOf(view: View, stream: Stream, bound: TrimBound): number {
  if (bound.by === 'count') return Math.max(0, stream.count - bound.count);
  const last = idBefore(bound.id);
  if (stream.count === 0 || last === undefined || compareIds(last, stream.firstId) < 0) return 0;
  return compareIds(last, stream.lastId) >= 0
    ? stream.count
    : view.count(entryRange(stream.id, stream.firstId, last));
}

function removeFirst(view: View, stream: Stream, count: number): void {
  const leftCount = stream.count - count;
  const range = entryRange(stream.id, stream.firstId, stream.lastId);
  if (count > REWRITTEN_ELEMENTS_MIN) {
    const otherCount = view.count(elementsOf(stream.id)) - stream.count;
    if (count > leftCount + otherCount) {
      rewrite(view, stream, count);
      return;
    }
  }
  const deleted = view.deleteRange(range, { keysMax: count, bytesMax: Infinity });
  if (deleted.count < count) throw budgetSpent(view.budget);
  stream.count = leftCount;
  if (leftCount === 0) {
    stream.firstId = ID_ZERO;
    return;
  }
  // Where the first one is looked for: not again among those that are gone.
  if (deleted.nextKey !== undefined) stream.firstId = subOf(deleted.nextKey).slice(0, ID_BYTES);
  stream.firstId = edgeId(view, stream, false);
}

/** All that stays gets another id: the entries have the lowest keys of all, so that it is one range. */
function rewrite(view: View, stream: Stream, count: number): void {
  const { id, firstId, lastId } = stream;
  const firstKey = view.select(entryRange(id, firstId, lastId), count);
  stream.id = view.newCollectionId();
  stream.count -= count;
  stream.firstId = firstKey === undefined ? ID_ZERO : subOf(firstKey).slice();
  const start = firstKey ?? elementsWithTag(id, tags.group).start;
  copyRange(view, { start, end: elementsOf(id).end }, stream.id);
}

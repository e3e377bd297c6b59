/** Elements that leave a list by what they are. */
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import { seekChunk } from './chunks.ts';
import { visitMatches, visitMatchesBackward } from './find.ts';
import { List } from './list.ts';
import { refillChunks } from './refill.ts';
import { withoutItems } from './rows.ts';

export interface Removed {
  readonly removedCount: number;
  /** How many elements the list has now; 0: it is gone, or there was none. */
  readonly count: number;
}

/**
 * Removes elements that equal another.
 * @param limit how many, from the head on; negative: from the tail on; 0: all.
 * Throws `wrongType`, `limitReached`.
 */
export function removeEqual(view: View, key: Uint8Array, limit: number, element: Uint8Array): Removed {
  const list = List.read(view, key);
  if (list === undefined) return { removedCount: 0, count: 0 };
  const region = findRegion(view, list, limit, element);
  const { matchCount, from, to } = region;
  if (matchCount === 0) return { removedCount: 0, count: list.count };
  if (matchCount === list.count) list.clear();
  else removeWithin(view, list, from, to, element);
  list.write(view, key);
  return { removedCount: matchCount, count: list.count };
}

/** The elements to remove are those that equal the given one from one index to another (exclusive). */
interface Region {
  readonly matchCount: number;
  readonly from: number;
  readonly to: number;
}

function findRegion(view: View, list: List, limit: number, element: Uint8Array): Region {
  const { count } = list;
  const most = limit === 0 ? count : Math.min(Math.abs(limit), count);
  let matchCount = 0;
  let from = count;
  let to = 0;
  const note = (index: number): boolean => {
    matchCount++;
    from = Math.min(from, index);
    to = Math.max(to, index + 1);
    return matchCount < most;
  };
  const isBackward = limit < 0;
  const reached = isBackward
    ? visitMatchesBackward(view, list, element, 0, count, note)
    : visitMatches(view, list, element, 0, count, note);
  if (matchCount < most && reached !== (isBackward ? 0 : count)) throw budgetSpent(view.budget);
  return { matchCount, from, to };
}

function removeWithin(view: View, list: List, from: number, to: number, element: Uint8Array): void {
  const { headCount, tailStart } = list;
  // The chunks first: their ordinals are those from before.
  const chunksFrom = Math.max(from, headCount);
  const chunksTo = Math.min(to, tailStart);
  if (chunksFrom < chunksTo) removeFromChunks(view, list, chunksFrom, chunksTo, element);
  if (from < headCount) {
    const { row, removedCount } = withoutItems(
      list.headRow,
      (item, index) => index >= from && index < to && item.isItem(element),
    );
    list.headRow = row;
    list.headCount -= removedCount;
    list.count -= removedCount;
    list.first += removedCount;
  }
  if (to > tailStart) {
    const { row, removedCount } = withoutItems(
      list.tailRow,
      (item, index) => tailStart + index >= from && tailStart + index < to && item.isItem(element),
    );
    list.tailRow = row;
    list.tailCount -= removedCount;
    list.count -= removedCount;
  }
}

/** Moves what lies between the elements that go and the nearer end up to it. */
function removeFromChunks(view: View, list: List, from: number, to: number, element: Uint8Array): void {
  const { id, first, chunksStart, chunksEnd } = list;
  const isTowardsHead = to - list.headCount < list.tailStart - from;
  let removedCount = 0;
  const start = isTowardsHead ? chunksStart : seekChunk(view, id, chunksStart, first + from).ordinal;
  const end = isTowardsHead ? first + to : chunksEnd;
  refillChunks(view, id, { from: start, to: end, reverse: isTowardsHead }, ({ ordinal, row }) => {
    const rowIndex = ordinal - first;
    const kept = withoutItems(
      row,
      (item, index) => rowIndex + index >= from && rowIndex + index < to && item.isItem(element),
    );
    removedCount += kept.removedCount;
    return kept.row;
  });
  list.count -= removedCount;
  if (isTowardsHead) list.first += removedCount;
}

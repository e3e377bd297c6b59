/** Elements of a list that equal one that is given. */
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';
import { ItemCursor } from '../collections/packed-items.ts';
import type { List } from './list.ts';
import { visitRows, visitRowsBackward } from './read.ts';

/** @returns false to stop. */
export type VisitMatch = (index: number) => boolean;

/** The index of the first element that equals another; -1: there is none. Throws `limitReached`. */
export function findFirst(view: ReadView, list: List, element: Uint8Array): number {
  let found = -1;
  const next = visitMatches(view, list, element, 0, list.count, (index) => {
    found = index;
    return false;
  });
  if (found < 0 && next < list.count) throw budgetSpent(view.budget);
  return found;
}

/**
 * Visits the elements that equal another among those from one index to another (exclusive), in this order, until `visit`
 * returns false or the budget is spent. @returns the index to go on from; `to` at the end.
 */
export function visitMatches(
  view: ReadView,
  list: List,
  element: Uint8Array,
  from: number,
  to: number,
  visit: VisitMatch,
): number {
  let next = from;
  visitRows(view, list, from, to, (row, rowIndex) => {
    const cursor = new ItemCursor(row);
    for (let index = rowIndex; index < to && cursor.next(); index++) {
      if (index < from) continue;
      next = index + 1;
      if (cursor.isItem(element) && !visit(index)) return false;
    }
    return true;
  });
  return next;
}

/** The same from the last one to the first. @returns behind the index to go on from; `from` at the end. */
export function visitMatchesBackward(
  view: ReadView,
  list: List,
  element: Uint8Array,
  from: number,
  to: number,
  visit: VisitMatch,
): number {
  let end = to;
  visitRowsBackward(view, list, from, to, (row, rowIndex) => {
    const matches: number[] = [];
    const cursor = new ItemCursor(row);
    for (let index = rowIndex; index < to && cursor.next(); index++) {
      if (index >= from && cursor.isItem(element)) matches.push(index);
    }
    for (const index of matches.reverse()) {
      end = index;
      if (!visit(index)) return false;
    }
    end = Math.max(from, rowIndex);
    return true;
  });
  return end;
}

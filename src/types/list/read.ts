/** What lists are asked: all of it holds at old revisions, too. */
import { assert } from '../../errors.ts';
import type { ReadView } from '../../store/views/view.ts';
import { ItemCursor } from '../collections/packed-items.ts';
import { chunkRange, ordinalOf, seekChunk } from './chunks.ts';
import { List } from './list.ts';
import { countItems, itemAt, startOfItem, startsOfItems } from './rows.ts';

/** So many elements are gone through in about the time of one visit. */
const ELEMENTS_PER_VISIT = 16;

/** @returns false to stop. The bytes hold during the visit only. */
export type VisitElement = (element: Uint8Array, index: number) => boolean;

/** @param rowIndex of the row's first element in the list. @returns false to stop. The bytes hold during the visit only. */
export type VisitRow = (row: Uint8Array, rowIndex: number) => boolean;

/** 0: there is no list. Throws `wrongType`. */
export function lengthOf(view: ReadView, key: Uint8Array): number {
  return List.read(view, key)?.count ?? 0;
}

/** The element at an index; negative: from the tail, -1 the last. `undefined`: there is none. Throws `wrongType`. */
export function elementAt(view: ReadView, key: Uint8Array, index: number): Uint8Array | undefined {
  const list = List.read(view, key);
  if (list === undefined) return undefined;
  const at = index < 0 ? list.count + index : index;
  if (at < 0 || at >= list.count) return undefined;
  const { headRow, headCount, tailRow, id } = list;
  if (at < headCount) return itemAt(headRow, startOfItem(headRow, at));
  const inTail = at - list.tailStart;
  if (inTail >= 0) return itemAt(tailRow, startOfItem(tailRow, inTail));
  const { ordinal, row } = seekChunk(view, id, list.chunksStart, list.first + at);
  return itemAt(row, startOfItem(row, list.first + at - ordinal));
}

/**
 * Visits the elements from one index to another (exclusive), in this order, until `visit` returns false or the budget is spent.
 * @returns the index to go on from; `to` at the end.
 */
export function visitElements(
  view: ReadView,
  list: List,
  from: number,
  to: number,
  visit: VisitElement,
): number {
  let index = from;
  visitRows(view, list, from, to, (row, rowIndex) => {
    const cursor = new ItemCursor(row, startOfItem(row, index - rowIndex));
    while (index < to && cursor.next()) if (!visit(cursor.item, index++)) return false;
    return true;
  });
  return index;
}

/**
 * The same from the last one to the first.
 * @returns behind the index to go on from; `from` at the end.
 */
export function visitElementsBackward(
  view: ReadView,
  list: List,
  from: number,
  to: number,
  visit: VisitElement,
): number {
  let end = to;
  visitRowsBackward(view, list, from, to, (row, rowIndex) => {
    const starts = startsOfItems(row);
    while (end > from && end > rowIndex) {
      end--;
      if (!visit(itemAt(row, starts[end - rowIndex] ?? 0), end)) return false;
    }
    return true;
  });
  return end;
}

/**
 * Visits the rows that hold elements from one index to another (exclusive), in this order, until `visit` returns false or the
 * budget is spent. @returns the index to go on from, at the end one from `to` on.
 */
export function visitRows(view: ReadView, list: List, from: number, to: number, visit: VisitRow): number {
  const { headRow, headCount, tailStart, tailRow, id, first, chunksStart } = list;
  const { budget } = view;
  let index = from;
  let isStopped = false;
  const visitRow = (row: Uint8Array, rowIndex: number): void => {
    budget.spendBytes(row.length);
    isStopped = !visit(row, rowIndex);
    if (isStopped) return;
    const itemCount = countItems(row);
    budget.spendVisits(Math.floor(itemCount / ELEMENTS_PER_VISIT));
    index = rowIndex + itemCount;
  };
  if (index < headCount && index < to) visitRow(headRow, 0);
  const chunksEnd = Math.min(to, tailStart);
  for (;;) {
    if (isStopped || index >= chunksEnd || budget.isSpent) break;
    const start = first + index;
    if (start !== chunksStart && index === from) {
      const { ordinal, row } = seekChunk(view, id, chunksStart, start);
      visitRow(row, ordinal - first);
      continue;
    }
    view.scan(chunkRange(id, start, first + chunksEnd), false, (shown) => {
      assert(ordinalOf(shown) === first + index, 'chunks lie side by side');
      visitRow(shown.value, index);
      return !isStopped;
    });
  }
  if (!isStopped && index >= tailStart && index < to) visitRow(tailRow, tailStart);
  return index;
}

/** The same from the last one to the first. @returns behind the index to go on from, at the end one up to `from`. */
export function visitRowsBackward(
  view: ReadView,
  list: List,
  from: number,
  to: number,
  visit: VisitRow,
): number {
  const { headRow, headCount, tailStart, tailRow, id, first, chunksStart } = list;
  const { budget } = view;
  let end = to;
  let isStopped = false;
  const visitRow = (row: Uint8Array, rowIndex: number): void => {
    budget.spendBytes(row.length);
    isStopped = !visit(row, rowIndex);
    if (isStopped) return;
    budget.spendVisits(Math.floor((end - rowIndex) / ELEMENTS_PER_VISIT));
    end = rowIndex;
  };
  if (end > tailStart && end > from) visitRow(tailRow, tailStart);
  for (;;) {
    if (isStopped || end <= from || end <= headCount || budget.isSpent) break;
    view.scan(chunkRange(id, chunksStart, first + end), true, (shown) => {
      visitRow(shown.value, ordinalOf(shown) - first);
      return !isStopped && end > from;
    });
  }
  if (!isStopped && end > from && end <= headCount) visitRow(headRow, 0);
  return end;
}

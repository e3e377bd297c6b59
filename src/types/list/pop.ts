/** Elements that leave an end of a list. */
import { assert } from '../../errors.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { chunkKey, seekChunk } from './chunks.ts';
import { type End, List } from './list.ts';
import { visitElements, visitElementsBackward } from './read.ts';
import { countItems, itemAt, partOfRow, startOfItem, startsOfItems } from './rows.ts';

/** So many popped elements cost a visit. */
const POPPED_PER_VISIT = 4;

export interface Popped {
  /** The outermost first. */
  readonly elements: readonly Uint8Array[];
  /** How many elements the list has now; 0: it is gone. */
  readonly count: number;
}

/**
 * Pops elements from an end, as many as there are.
 * @param count 0: none, which tells only whether there is a list.
 * @returns `undefined`: there is no list. Throws `wrongType`.
 */
export function pop(view: View, key: Uint8Array, end: End, count: number): Popped | undefined {
  const list = List.read(view, key);
  if (list === undefined) return undefined;
  if (count === 0) return { elements: [], count: list.count };
  const elements = popFrom(view, list, end, count);
  list.write(view, key);
  return { elements, count: list.count };
}

/** Takes elements out of a list; its metadata is written by the caller. */
export function popFrom(view: View, list: List, end: End, count: number): readonly Uint8Array[] {
  if (count >= list.count) return popAll(view, list, end);
  const elements: Uint8Array[] = [];
  view.budget.spendVisits(Math.floor(count / POPPED_PER_VISIT));
  while (elements.length < count) {
    if (end === 'head') popHeadRow(view, list, count - elements.length, elements);
    else popTailRow(view, list, count - elements.length, elements);
    if (view.budget.isSpent) throw budgetSpent(view.budget);
  }
  return elements;
}

/** The list's chunks stay where they are: they are swept, since nothing names them any more. */
function popAll(view: View, list: List, end: End): readonly Uint8Array[] {
  const { count } = list;
  const elements: Uint8Array[] = [];
  const keep = (element: Uint8Array): boolean => elements.push(element.slice()) > 0;
  view.budget.spendVisits(Math.floor(count / POPPED_PER_VISIT));
  const isWhole =
    end === 'head'
      ? visitElements(view, list, 0, count, keep) === count
      : visitElementsBackward(view, list, 0, count, keep) === 0;
  if (!isWhole) throw budgetSpent(view.budget);
  list.clear();
  return elements;
}

/** Takes what it can from the outermost row at the head. */
function popHeadRow(view: View, list: List, wanted: number, elements: Uint8Array[]): void {
  if (list.headCount === 0) {
    if (list.chunksStart === list.chunksEnd) {
      // All is in the tail row, which goes on as the head row.
      list.headRow = list.tailRow;
      list.headCount = list.tailCount;
      list.tailRow = NO_BYTES;
      list.tailCount = 0;
    } else {
      const chunk = chunkKey(list.id, list.first);
      const version = view.read(chunk);
      assert(version !== undefined, 'a chunk begins where the head row ends');
      view.delete(chunk);
      list.headRow = version.value;
      list.headCount = countItems(version.value);
    }
  }
  const taken = Math.min(wanted, list.headCount);
  let start = 0;
  for (let left = taken; left > 0; left--) {
    const item = itemAt(list.headRow, start);
    elements.push(item);
    start = item.byteOffset + item.length - list.headRow.byteOffset;
  }
  list.headRow = list.headRow.subarray(start);
  list.headCount -= taken;
  list.count -= taken;
  list.first += taken;
}

/** Takes what it can from the outermost row at the tail. */
function popTailRow(view: View, list: List, wanted: number, elements: Uint8Array[]): void {
  if (list.id === 0) {
    // Packed: all is in the head row.
    list.tailRow = list.headRow;
    list.tailCount = list.headCount;
  } else if (list.tailCount === 0) {
    if (list.chunksStart === list.chunksEnd) {
      list.tailRow = list.headRow;
      list.tailCount = list.headCount;
      list.headRow = NO_BYTES;
      list.headCount = 0;
    } else {
      const { ordinal, row } = seekChunk(view, list.id, list.chunksStart, list.chunksEnd - 1);
      view.delete(chunkKey(list.id, ordinal));
      list.tailRow = row;
      list.tailCount = list.chunksEnd - ordinal;
    }
  }
  const taken = Math.min(wanted, list.tailCount);
  const left = list.tailCount - taken;
  if (taken === 1) {
    const start = startOfItem(list.tailRow, left);
    elements.push(itemAt(list.tailRow, start));
    list.tailRow = list.tailRow.subarray(0, start);
  } else {
    const starts = startsOfItems(list.tailRow);
    for (let index = list.tailCount - 1; index >= left; index--)
      elements.push(itemAt(list.tailRow, starts[index] ?? 0));
    list.tailRow = partOfRow(list.tailRow, 0, left);
  }
  list.tailCount = left;
  list.count -= taken;
  if (list.id === 0) {
    list.headRow = list.tailRow;
    list.headCount = left;
    list.tailRow = NO_BYTES;
    list.tailCount = 0;
  }
}

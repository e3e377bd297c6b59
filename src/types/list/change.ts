/** Elements that are replaced, or come, in the middle of a list. */
import { StoreError } from '../../errors.ts';
import type { View } from '../../store/views/view.ts';
import { spliceItems } from '../collections/packed-items.ts';
import { putRow, seekChunk } from './chunks.ts';
import { List } from './list.ts';
import { findFirst } from './find.ts';
import { refillChunks } from './refill.ts';
import { countItems, startOfItem } from './rows.ts';

/** Replaces the element at an index; negative: from the tail. Throws `keyNotFound`, `indexOutOfRange`, `wrongType`. */
export function setElement(view: View, key: Uint8Array, index: number, element: Uint8Array): void {
  const list = List.read(view, key);
  if (list === undefined) throw new StoreError('keyNotFound', 'there is no such list');
  const { count, headCount, tailStart, id, first } = list;
  const at = index < 0 ? count + index : index;
  if (at < 0 || at >= count) {
    throw new StoreError('indexOutOfRange', `the list has ${count} elements, and none at ${index}`);
  }
  if (at < headCount) list.headRow = spliced(list.headRow, at, at + 1, element);
  else if (at >= tailStart) list.tailRow = spliced(list.tailRow, at - tailStart, at - tailStart + 1, element);
  else {
    const { ordinal, row } = seekChunk(view, id, list.chunksStart, first + at);
    const inRow = first + at - ordinal;
    putRow(view, id, ordinal, spliced(row, inRow, inRow + 1, element));
  }
  list.write(view, key);
}

/**
 * Inserts an element before or behind the first one that equals `pivot`.
 * @returns how many elements the list has now; -1: it has no such one; 0: there is no list. Throws `wrongType`, `limitReached`.
 */
export function insertBeside(
  view: View,
  key: Uint8Array,
  place: 'before' | 'behind',
  pivot: Uint8Array,
  element: Uint8Array,
): number {
  const list = List.read(view, key);
  if (list === undefined) return 0;
  const index = findFirst(view, list, pivot);
  if (index < 0) return -1;
  insertAt(view, list, place === 'before' ? index : index + 1, element);
  list.write(view, key);
  return list.count;
}

function insertAt(view: View, list: List, index: number, element: Uint8Array): void {
  const { headCount, tailStart, id, first, chunksStart, chunksEnd } = list;
  if (index <= headCount) {
    // The elements before it are in no chunk, so that their ordinals may fall.
    list.headRow = spliced(list.headRow, index, index, element);
    list.headCount++;
    list.first--;
  } else if (index >= tailStart) {
    list.tailRow = spliced(list.tailRow, index - tailStart, index - tailStart, element);
    list.tailCount++;
  } else {
    const { ordinal, row } = seekChunk(view, id, chunksStart, first + index);
    const inRow = first + index - ordinal;
    const behind = ordinal + countItems(row);
    const reverse = ordinal - chunksStart < chunksEnd - behind;
    const range = { from: reverse ? chunksStart : ordinal, to: reverse ? behind : chunksEnd, reverse };
    refillChunks(view, id, range, (chunk) =>
      chunk.ordinal === ordinal ? spliced(chunk.row, inRow, inRow, element) : chunk.row,
    );
    if (reverse) list.first--;
  }
  list.count++;
}

/** A row with an element in place of those from one index to another (exclusive). */
function spliced(row: Uint8Array, from: number, to: number, element: Uint8Array): Uint8Array {
  return spliceItems(row, startOfItem(row, from), startOfItem(row, to), [element]);
}

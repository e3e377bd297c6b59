/** What is asked of a row of items (`collections/packed-items.ts`) where it is a part of a list. */
import { assert } from '../../errors.ts';
import { ItemCursor } from '../collections/packed-items.ts';

/** The longest chunk with more than one element, and the longest head or tail row. */
export const ROW_BYTES_MAX = 256;

/** How many items a row has. */
export function countItems(row: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < row.length; count++) at = itemEnd(row, at);
  return count;
}

/** Where the item at an index begins, with its length before it; the end of the row for the index behind the last. */
export function startOfItem(row: Uint8Array, index: number): number {
  let at = 0;
  for (let left = index; left > 0; left--) at = itemEnd(row, at);
  return at;
}

/** The bytes of the item that begins at a place: a view of the row. */
export function itemAt(row: Uint8Array, start: number): Uint8Array {
  const cursor = new ItemCursor(row, start);
  const isThere = cursor.next();
  assert(isThere, 'an item is read where there is one');
  return cursor.item;
}

/** The items from one index to another (exclusive), as a row: a view of it. */
export function partOfRow(row: Uint8Array, from: number, to: number): Uint8Array {
  const start = startOfItem(row, from);
  let end = start;
  for (let left = to - from; left > 0 && end < row.length; left--) end = itemEnd(row, end);
  return row.subarray(start, end);
}

/** The places where the items of a row begin, in their order. */
export function startsOfItems(row: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < row.length; at = itemEnd(row, at)) starts.push(at);
  return starts;
}

/** A row with some items left out. @param isLeftOut asked for each item, in their order. */
export function withoutItems(
  row: Uint8Array,
  isLeftOut: (item: ItemCursor, index: number) => boolean,
): { readonly row: Uint8Array; readonly removedCount: number } {
  const kept = new Uint8Array(row.length);
  let keptBytes = 0;
  let removedCount = 0;
  const cursor = new ItemCursor(row);
  for (let index = 0; cursor.next(); index++) {
    if (isLeftOut(cursor, index)) {
      removedCount++;
      continue;
    }
    kept.set(row.subarray(cursor.itemStart, cursor.end), keptBytes);
    keptBytes += cursor.end - cursor.itemStart;
  }
  return { row: removedCount === 0 ? row : kept.subarray(0, keptBytes), removedCount };
}

/** Where an item ends that begins at a place. */
export function itemEnd(row: Uint8Array, start: number): number {
  let at = start;
  let length = row[at++] ?? 0;
  if (length >= 0x80) {
    length &= 0x7f;
    for (let scale = 0x80; ; scale *= 0x80) {
      const byte = row[at++] ?? 0;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
  }
  return at + length;
}

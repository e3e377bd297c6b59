/** Elements that come to an end of a list. */
import { assert } from '../../errors.ts';
import type { View } from '../../store/views/view.ts';
import {
  ITEMS_START,
  PACKED,
  PACKED_BYTES_MAX,
  PACKED_ELEMENTS_MAX,
  putMetadata,
} from '../collections/metadata.ts';
import { sizeOfItem, writeItem } from '../collections/packed-items.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { chunkKey } from './chunks.ts';
import { type End, List } from './list.ts';
import { ROW_BYTES_MAX } from './rows.ts';

/**
 * Pushes elements to an end, one after the other, so that the last one is the outermost.
 * @returns how many elements the list has now. Throws `wrongType`.
 */
export function push(view: View, key: Uint8Array, end: End, elements: readonly Uint8Array[]): number {
  return pushTo(view, key, List.read(view, key) ?? new List(), end, elements);
}

/** As `push`, when there is a list; 0: there is none, and nothing was done. */
export function pushIfExists(view: View, key: Uint8Array, end: End, elements: readonly Uint8Array[]): number {
  const list = List.read(view, key);
  return list === undefined ? 0 : pushTo(view, key, list, end, elements);
}

export function pushTo(
  view: View,
  key: Uint8Array,
  list: List,
  end: End,
  elements: readonly Uint8Array[],
): number {
  assert(elements.length > 0, 'a push has elements');
  if (list.id === 0) {
    if (pushPacked(view, key, list, end, elements)) return list.count;
    // A new list has nothing to put into chunks.
    list.spread(view);
  }
  if (end === 'head') pushToHead(view, list, elements);
  else pushToTail(view, list, elements);
  list.write(view, key);
  return list.count;
}

/** @returns whether the elements fit into a packed list. */
function pushPacked(
  view: View,
  key: Uint8Array,
  list: List,
  end: End,
  elements: readonly Uint8Array[],
): boolean {
  const { headRow } = list;
  const count = list.count + elements.length;
  if (count > PACKED_ELEMENTS_MAX) return false;
  let added = 0;
  for (const element of elements) added += sizeOfItem(element);
  const valueBytes = ITEMS_START + headRow.length + added;
  if (valueBytes > PACKED_BYTES_MAX) return false;
  const value = Buffer.allocUnsafe(valueBytes);
  value[0] = PACKED;
  let at = ITEMS_START;
  if (end === 'head') {
    for (let index = elements.length - 1; index >= 0; index--) at = writeElement(value, at, elements[index]);
    value.set(headRow, at);
  } else {
    value.set(headRow, at);
    at += headRow.length;
    for (const element of elements) at = writeItem(value, at, element);
  }
  putMetadata(view, key, kinds.list, value, list.before, 0);
  list.count = count;
  return true;
}

function pushToTail(view: View, list: List, elements: readonly Uint8Array[]): void {
  let at = 0;
  const { id } = list;
  while (at < elements.length) {
    // As many as fit behind the row that is there, or one that is too long for any row.
    let bytes = list.tailRow.length;
    let next = at;
    for (; next < elements.length; next++) {
      const size = sizeOf(elements[next]);
      if (bytes + size > ROW_BYTES_MAX) break;
      bytes += size;
    }
    if (next > at) {
      const row = Buffer.allocUnsafe(bytes);
      row.set(list.tailRow);
      let rowAt = list.tailRow.length;
      for (let index = at; index < next; index++) rowAt = writeElement(row, rowAt, elements[index]);
      list.tailRow = row;
      list.tailCount += next - at;
      list.count += next - at;
      at = next;
      continue;
    }
    if (list.tailCount > 0) list.sealTail(view);
    else {
      view.put(chunkKey(id, list.chunksEnd), rowOf(elements[at]));
      list.count++;
      at++;
    }
  }
}

function pushToHead(view: View, list: List, elements: readonly Uint8Array[]): void {
  let at = 0;
  const { id } = list;
  while (at < elements.length) {
    let bytes = list.headRow.length;
    let next = at;
    for (; next < elements.length; next++) {
      const size = sizeOf(elements[next]);
      if (bytes + size > ROW_BYTES_MAX) break;
      bytes += size;
    }
    if (next > at) {
      const row = Buffer.allocUnsafe(bytes);
      let rowAt = 0;
      for (let index = next - 1; index >= at; index--) rowAt = writeElement(row, rowAt, elements[index]);
      row.set(list.headRow, rowAt);
      list.headRow = row;
      list.headCount += next - at;
      list.count += next - at;
      list.first -= next - at;
      at = next;
      continue;
    }
    if (list.headCount > 0) list.sealHead(view);
    else {
      list.first--;
      list.count++;
      view.put(chunkKey(id, list.first), rowOf(elements[at]));
      at++;
    }
  }
}

function sizeOf(element: Uint8Array | undefined): number {
  assert(element !== undefined, 'an element is there');
  return sizeOfItem(element);
}

function writeElement(target: Uint8Array, offset: number, element: Uint8Array | undefined): number {
  assert(element !== undefined, 'an element is there');
  return writeItem(target, offset, element);
}

/** A row of one element. */
function rowOf(element: Uint8Array | undefined): Uint8Array {
  const row = new Uint8Array(sizeOf(element));
  writeElement(row, 0, element);
  return row;
}

/** The chunks of a spread list: rows with keys of their own, by the ordinal of their first element. */
import type { PlacedChange } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { beginElementKey, ELEMENT_HEAD_BYTES, tags } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { ItemCursor } from '../collections/packed-items.ts';
import { ROW_BYTES_MAX } from './rows.ts';

const ORDINAL_BYTES = 8;

/** So many bytes of chunks are copied together by what moves them. */
const GATHERED_BYTES_MAX = 64 * 1024;

export interface Chunk {
  readonly ordinal: number;
  readonly row: Uint8Array;
}

export function chunkKey(id: number, ordinal: number): Uint8Array {
  const key = beginElementKey(id, tags.chunk, ORDINAL_BYTES);
  let rest = ordinal;
  for (let at = ELEMENT_HEAD_BYTES + ORDINAL_BYTES - 1; at >= ELEMENT_HEAD_BYTES; at--) {
    key[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return key;
}

/** The ordinal of a chunk that a scan shows. */
export function ordinalOf({ keyMemory, keyStart, keyEnd }: PlacedChange): number {
  assert(keyEnd - keyStart === ELEMENT_HEAD_BYTES + ORDINAL_BYTES, 'the key of a chunk ends with an ordinal');
  let ordinal = 0;
  for (let at = keyStart + ELEMENT_HEAD_BYTES; at < keyEnd; at++)
    ordinal = ordinal * 256 + (keyMemory.bytes[at] ?? 0);
  return ordinal;
}

/** The chunks whose keys are from one ordinal to another (exclusive). */
export function chunkRange(id: number, from: number, to: number): { start: Uint8Array; end: Uint8Array } {
  return { start: chunkKey(id, from), end: chunkKey(id, to) };
}

/** The chunk that holds an ordinal, which one does: its bytes belong to the caller. Throws `limitReached`. */
export function seekChunk(view: ReadView, id: number, lowest: number, ordinal: number): Chunk {
  let found: Chunk | undefined;
  view.scan(chunkRange(id, lowest, ordinal + 1), true, (shown) => {
    found = { ordinal: ordinalOf(shown), row: shown.copyValue() };
    return false;
  });
  if (found === undefined && view.budget.isSpent) throw budgetSpent(view.budget);
  assert(found !== undefined, 'an ordinal between those of the ends lies in a chunk');
  view.budget.spendBytes(found.row.length);
  return found;
}

/** Writes a row as one chunk, or as several when it is too long for one. */
export function putRow(view: View, id: number, ordinal: number, row: Uint8Array): void {
  if (row.length === 0) return;
  if (row.length <= ROW_BYTES_MAX) {
    view.put(chunkKey(id, ordinal), row);
    return;
  }
  let pieceStart = 0;
  let pieceOrdinal = ordinal;
  let next = ordinal;
  const cursor = new ItemCursor(row);
  for (; cursor.next(); next++) {
    if (cursor.itemStart === pieceStart || cursor.end - pieceStart <= ROW_BYTES_MAX) continue;
    view.put(chunkKey(id, pieceOrdinal), row.subarray(pieceStart, cursor.itemStart));
    pieceStart = cursor.itemStart;
    pieceOrdinal = next;
  }
  view.put(chunkKey(id, pieceOrdinal), row.subarray(pieceStart));
}

/**
 * Gives the chunks of a range of ordinals, one after the other, to a function that may move them: away from those that are
 * yet to come. Throws `limitReached`.
 */
export function eachChunk(
  view: View,
  id: number,
  from: number,
  to: number,
  reverse: boolean,
  change: (chunk: Chunk) => void,
): void {
  let start = from;
  let end = to;
  while (start < end) {
    const gathered: Chunk[] = [];
    let bytes = 0;
    view.scan(chunkRange(id, start, end), reverse, (shown) => {
      const chunk = { ordinal: ordinalOf(shown), row: shown.copyValue() };
      gathered.push(chunk);
      bytes += chunk.row.length;
      return bytes < GATHERED_BYTES_MAX;
    });
    view.budget.spendBytes(bytes);
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    const last = gathered.at(-1);
    if (last === undefined) return;
    if (reverse) end = last.ordinal;
    else start = last.ordinal + 1;
    for (const chunk of gathered) change(chunk);
  }
}

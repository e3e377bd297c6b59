/** A list of which a part is kept. */
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { chunkKey, chunkRange, eachChunk, seekChunk } from './chunks.ts';
import { List } from './list.ts';
import { countItems, partOfRow } from './rows.ts';

/** When more elements go than this, and than stay, what stays is written anew, and all chunks from before are swept later. */
const REWRITTEN_ELEMENTS_MIN = 1024;

/**
 * Keeps the elements from `start` to `stop` (inclusive; negative: from the tail) and no others.
 * @returns how many are left; 0: the list is gone; `undefined`: there was none. Throws `wrongType`, `limitReached`.
 */
export function trim(view: View, key: Uint8Array, start: number, stop: number): number | undefined {
  const list = List.read(view, key);
  if (list === undefined) return undefined;
  const { count } = list;
  const from = Math.max(0, start < 0 ? count + start : start);
  const to = Math.min(count, (stop < 0 ? count + stop : stop) + 1);
  if (from >= to) list.clear();
  else keep(view, list, from, to);
  list.write(view, key);
  return list.count;
}

function keep(view: View, list: List, from: number, to: number): void {
  const { headCount, tailStart, first, chunksStart, chunksEnd, id } = list;
  const headTo = Math.min(to, headCount);
  let headRow = from < headTo ? partOfRow(list.headRow, from, headTo) : NO_BYTES;
  let headKept = Math.max(0, headTo - from);
  const tailFrom = Math.max(from, tailStart);
  let tailRow = tailFrom < to ? partOfRow(list.tailRow, tailFrom - tailStart, to - tailStart) : NO_BYTES;
  let tailKept = Math.max(0, to - tailFrom);
  // Between these ordinals chunks stay whole.
  let keptStart = Math.max(chunksStart, first + from);
  let keptEnd = Math.min(chunksEnd, first + to);
  if (keptStart < keptEnd && keptStart > chunksStart) {
    const { ordinal, row } = seekChunk(view, id, chunksStart, keptStart);
    if (ordinal < keptStart) {
      const rowEnd = ordinal + countItems(row);
      const partEnd = Math.min(rowEnd, keptEnd);
      headRow = partOfRow(row, keptStart - ordinal, partEnd - ordinal);
      headKept = partEnd - keptStart;
      keptStart = Math.min(rowEnd, chunksEnd);
    }
  }
  if (keptStart < keptEnd && keptEnd < chunksEnd) {
    const { ordinal, row } = seekChunk(view, id, chunksStart, keptEnd - 1);
    if (ordinal + countItems(row) > keptEnd) {
      tailRow = partOfRow(row, 0, keptEnd - ordinal);
      tailKept = keptEnd - ordinal;
      keptEnd = ordinal;
    }
  }
  if (keptStart >= keptEnd) keptStart = keptEnd = chunksStart;
  if (chunksStart < chunksEnd) dropChunks(view, list, keptStart, keptEnd);
  list.first += from;
  list.count = to - from;
  list.headRow = headRow;
  list.headCount = headKept;
  list.tailRow = tailRow;
  list.tailCount = tailKept;
}

/** Drops the chunks before one ordinal and those from another on. */
function dropChunks(view: View, list: List, keptStart: number, keptEnd: number): void {
  const { id, chunksStart, chunksEnd } = list;
  const keptCount = keptEnd - keptStart;
  const goneCount = chunksEnd - chunksStart - keptCount;
  if (goneCount > Math.max(keptCount, REWRITTEN_ELEMENTS_MIN)) {
    list.id = view.newCollectionId();
    eachChunk(view, id, keptStart, keptEnd, false, ({ ordinal, row }) => {
      view.put(chunkKey(list.id, ordinal), row);
    });
    return;
  }
  deleteChunks(view, id, chunksStart, keptStart);
  deleteChunks(view, id, keptEnd, chunksEnd);
}

function deleteChunks(view: View, id: number, from: number, to: number): void {
  if (from >= to) return;
  const { nextKey } = view.deleteRange(chunkRange(id, from, to));
  if (nextKey !== undefined) throw budgetSpent(view.budget);
}

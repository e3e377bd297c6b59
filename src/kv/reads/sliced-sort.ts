/** Merge sort in slices, for what is too much for one turn of the event loop. */
import { fixed } from '../../limits.ts';

/**
 * Sorts texts by their code units. One slice puts `fixed.sortedInTurnMax` texts in their places.
 * @param pause resolves when other work has had its turn.
 */
export async function sortInSlices<Text extends string>(
  texts: readonly Text[],
  pause: () => Promise<void>,
): Promise<Text[]> {
  const length = fixed.sortedInTurnMax;
  let rows: Text[][] = [];
  for (let start = 0; start < texts.length; start += length) {
    if (start > 0) await pause();
    rows.push(texts.slice(start, start + length).sort());
  }
  while (rows.length > 1) {
    const merged: Text[][] = [];
    for (let index = 0; index < rows.length; index += 2)
      merged.push(await merge(rows[index] ?? [], rows[index + 1] ?? [], pause));
    rows = merged;
  }
  return rows[0] ?? [];
}

async function merge<Text extends string>(
  left: readonly Text[],
  right: readonly Text[],
  pause: () => Promise<void>,
): Promise<Text[]> {
  const merged: Text[] = [];
  let leftPlace = 0;
  let rightPlace = 0;
  for (;;) {
    const fromLeft = left[leftPlace];
    const fromRight = right[rightPlace];
    if (fromLeft !== undefined && (fromRight === undefined || fromLeft <= fromRight)) {
      merged.push(fromLeft);
      leftPlace++;
    } else if (fromRight !== undefined) {
      merged.push(fromRight);
      rightPlace++;
    } else return merged;
    if (merged.length % fixed.sortedInTurnMax === 0) await pause();
  }
}

/**
 * The longest common subsequence of two strings (LCS), by the table of Redis' own function, so that of several longest ones the
 * same is found:
 *
 *     length[i][j]   of the longest one of the first i bytes of a and the first j of b
 *
 * The table has 4 bytes for each pair of bytes, and each is a step: both are paid from the budget before memory is taken.
 */
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';

/** Cells of the table that take about as long as a look at one key. */
const CELLS_PER_VISIT = 64;
const CELL_BYTES = 4;

/** A run of bytes that both strings have; ends are inclusive. */
export interface CommonRun {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
  readonly length: number;
}

/** @param onRun told of each run, from the end of the strings to their start. @returns the subsequence. */
export function longestCommon(
  view: ReadView,
  a: Uint8Array,
  b: Uint8Array,
  onRun?: (run: CommonRun) => void,
): Uint8Array {
  const width = b.length + 1;
  const cellCount = (a.length + 1) * width;
  view.budget.spendVisits(Math.ceil(cellCount / CELLS_PER_VISIT));
  view.budget.spendBytes(cellCount * CELL_BYTES);
  if (view.budget.isSpent) throw budgetSpent(view.budget);
  const lengths = new Uint32Array(cellCount);
  for (let i = 1; i <= a.length; i++) {
    const row = i * width;
    const byte = a[i - 1];
    for (let j = 1; j <= b.length; j++) {
      const cell = row + j;
      if (byte === b[j - 1]) lengths[cell] = (lengths[cell - width - 1] ?? 0) + 1;
      else lengths[cell] = Math.max(lengths[cell - width] ?? 0, lengths[cell - 1] ?? 0);
    }
  }
  return walkBack(lengths, a, b, onRun);
}

/** From the end of both strings along the greatest lengths, gathering the runs on the way. */
function walkBack(
  lengths: Uint32Array,
  a: Uint8Array,
  b: Uint8Array,
  onRun: ((run: CommonRun) => void) | undefined,
): Uint8Array {
  const width = b.length + 1;
  let left = lengths[a.length * width + b.length] ?? 0;
  const common = new Uint8Array(left);
  let i = a.length;
  let j = b.length;
  /** Of the run that is being gathered; 0: none is. */
  let runLength = 0;
  const endRun = (): void => {
    if (runLength > 0) {
      onRun?.({ aStart: i, aEnd: i + runLength - 1, bStart: j, bEnd: j + runLength - 1, length: runLength });
    }
    runLength = 0;
  };
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      common[--left] = a[i - 1] ?? 0;
      i--;
      j--;
      runLength++;
      continue;
    }
    endRun();
    if ((lengths[(i - 1) * width + j] ?? 0) > (lengths[i * width + j - 1] ?? 0)) i--;
    else j--;
  }
  endRun();
  return common;
}

/** The known name that is most like a mistyped one; `undefined` when none is close enough to be meant. */
export function nearestName(mistyped: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  // A third of the letters may be wrong.
  let distanceMin = Math.max(1, Math.floor(mistyped.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(mistyped, name);
    if (distance < distanceMin) {
      distanceMin = distance;
      nearest = name;
    }
  }
  return nearest;
}

/**
 * How many insertions, deletions and replacements of a character and swaps of two neighbours make `to` of `from`
 * (Damerau, 1964; no character is edited twice).
 */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}

/** Longer than any name that is known: what is longer is no slip of the finger, and comparing it would take long. */
const MISTYPED_LENGTH_MAX = 64;
/** Fewer letters are the beginning of too many names. */
const BEGINNING_LENGTH_MIN = 3;

/**
 * The known name that is most like a mistyped one, whatever the case; `undefined` when none is close enough to be meant.
 * A name that begins like a known one, such as `ttl` for `ttlMs`, is close, and so is one that goes on behind it.
 */
export function nearestName(mistyped: string, known: readonly string[]): string | undefined {
  if (mistyped.length > MISTYPED_LENGTH_MAX) return undefined;
  const written = mistyped.toLowerCase();
  let nearest: string | undefined;
  // A third of the letters may be wrong.
  let distanceMin = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(written, name.toLowerCase());
    if (distance < distanceMin) {
      distanceMin = distance;
      nearest = name;
    }
  }
  return nearest ?? known.find((name) => beginsLike(written, name.toLowerCase()));
}

function beginsLike(a: string, b: string): boolean {
  return Math.min(a.length, b.length) >= BEGINNING_LENGTH_MIN && (a.startsWith(b) || b.startsWith(a));
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

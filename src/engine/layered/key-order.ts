/** The order of keys where they lie: byte by byte, without a view of either. */

/** Below 0 when the first key comes before the second, 0 when they are the same, else above. */
export function compareKeys(
  first: Uint8Array,
  firstStart: number,
  firstEnd: number,
  second: Uint8Array,
  secondStart: number,
  secondEnd: number,
): number {
  const firstBytes = firstEnd - firstStart;
  const secondBytes = secondEnd - secondStart;
  const common = firstBytes < secondBytes ? firstBytes : secondBytes;
  for (let index = 0; index < common; index++) {
    const difference = first[firstStart + index]! - second[secondStart + index]!;
    if (difference !== 0) return difference;
  }
  return firstBytes - secondBytes;
}

/** The shortest bytes that are above the first key and not above the second, which is above the first. */
export function separatorOf(first: Uint8Array, second: Uint8Array): Uint8Array {
  let common = 0;
  while (common < first.length && first[common] === second[common]) common++;
  return second.slice(0, common + 1);
}

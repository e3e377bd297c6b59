/** Chance that is the same in every run: figures of two runs are of the same work. */
export interface RandomSource {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
}

const UINT32_RANGE = 2 ** 32;

/** xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
export function makeRandom(seed: number): RandomSource {
  // Neighbouring seeds would begin alike, and 0 would stay 0 for ever.
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
  return {
    below(limit) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return Math.floor(((state >>> 0) / UINT32_RANGE) * limit);
    },
  };
}

/** The numbers from 0 to `count` - 1, shuffled. */
export function shuffledIndexes(count: number, seed: number): Uint32Array {
  const random = makeRandom(seed);
  const indexes = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    // Fisher and Yates, inside out: the number `index` goes to a random place, what was there to the end.
    const place = random.below(index + 1);
    indexes[index] = indexes[place] ?? index;
    indexes[place] = index;
  }
  return indexes;
}

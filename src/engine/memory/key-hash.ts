/**
 * HalfSipHash-1-3: a keyed hash of 32 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its variant
 * for 32-bit processors). Without the seed one can't choose keys that all fall into one place of the map.
 *
 * It differs from the published function in how the end is padded (words of zeros, then the length as a word), which
 * lets it run over whole words; its strength does not rest on that.
 */
export type HashSeed = readonly [number, number];

/**
 * The hash of the first `byteCount` bytes of `words`; the last word is filled up with zeros. It is a signed number, which
 * V8 keeps without a heap object, and never 0.
 */
export function hashKey(words: Int32Array, byteCount: number, seed0: number, seed1: number): number {
  let v0 = seed0 | 0;
  let v1 = seed1 | 0;
  let v2 = seed0 ^ 0x6c796765;
  let v3 = seed1 ^ 0x74656462;
  const wordCount = (byteCount + 3) >>> 2;
  for (let index = 0; index <= wordCount + 3; index++) {
    const isMessage = index <= wordCount;
    const word = index < wordCount ? words[index]! : index === wordCount ? byteCount : 0;
    if (index === wordCount + 1) v2 ^= 0xff;
    if (isMessage) v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (isMessage) v0 ^= word;
  }
  return v1 ^ v3 || 1;
}

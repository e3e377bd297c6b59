/** Above this `TypedArray.set` is faster than a loop, in spite of the view that it takes. */
const LOOP_WORDS_MAX = 128;

/** Copies words from one place to another; the two do not overlap. */
export function copyWords(
  source: Int32Array,
  from: number,
  target: Int32Array,
  to: number,
  wordCount: number,
): void {
  if (wordCount > LOOP_WORDS_MAX) {
    target.set(source.subarray(from, from + wordCount), to);
    return;
  }
  for (let index = 0; index < wordCount; index++) target[to + index] = source[from + index]!;
}

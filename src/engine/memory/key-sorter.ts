/**
 * Sorts blocks by their keys: radix sort (from the lowest digit, Knuth, volume 3, 5.2.5) by the 8 bytes behind those that
 * all keys share; blocks that are alike in these are sorted in the same way by the bytes that follow. Works a piece between
 * two yields.
 */
import { commonBytes, compareBlocks, writeHead } from './block-keys.ts';
import type { Slabs } from './slabs.ts';

const DIGIT_BITS = 16;
const DIGITS = 2 ** DIGIT_BITS;
const ITEMS_PER_PIECE = 2 ** 16;
/** Fewer are compared with each other. */
const RADIX_ITEMS_MIN = 512;

/** @param shared how many first bytes are known to be the same in all keys. */
export function* sortByKey(slabs: Slabs, references: Int32Array, shared = 0): Generator<undefined, void> {
  const count = references.length;
  const skip = count < RADIX_ITEMS_MIN ? shared : commonBytesOf(slabs, references);
  const highs = new Int32Array(count);
  const lows = new Int32Array(count);
  if (count >= RADIX_ITEMS_MIN) {
    for (let index = 0; index < count; index++) {
      writeHead(slabs, references[index]!, skip, highs, index, lows, index);
      if (index % ITEMS_PER_PIECE === 0) yield;
    }
    yield* sortByHeads(references, highs, lows);
  }
  for (let start = 0, end = 0; start < count; start = end) {
    while (end < count && highs[end] === highs[start] && lows[end] === lows[start]) end++;
    const alike = references.subarray(start, end);
    // Few, or keys of which one ends where the others go on with zeros.
    if (end - start < RADIX_ITEMS_MIN || (end - start === count && skip === shared))
      alike.sort((first, second) => compareBlocks(slabs, first, second));
    else yield* sortByKey(slabs, alike, skip);
  }
}

function* sortByHeads(
  references: Int32Array,
  highs: Int32Array,
  lows: Int32Array,
): Generator<undefined, void> {
  const count = references.length;
  type Columns = readonly [Int32Array, Int32Array, Int32Array];
  let from: Columns = [references, highs, lows];
  let to: Columns = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  const starts = new Int32Array(DIGITS);
  for (const [part, shift] of [
    [2, 0],
    [2, DIGIT_BITS],
    [1, 0],
    [1, DIGIT_BITS],
  ] as const) {
    const keys = from[part];
    // Numbers with a sign: the highest bit comes the other way round.
    const flip = shift === 0 ? 0 : DIGITS >>> 1;
    starts.fill(0);
    for (let index = 0; index < count; index++) starts[((keys[index]! >>> shift) & (DIGITS - 1)) ^ flip]!++;
    if (starts[((keys[0]! >>> shift) & (DIGITS - 1)) ^ flip] === count) continue;
    for (let digit = 0, sum = 0; digit < DIGITS; digit++) {
      const items = starts[digit]!;
      starts[digit] = sum;
      sum += items;
    }
    for (let index = 0; index < count; index++) {
      const place = starts[((keys[index]! >>> shift) & (DIGITS - 1)) ^ flip]!++;
      to[0][place] = from[0][index]!;
      to[1][place] = from[1][index]!;
      to[2][place] = from[2][index]!;
      if (index % ITEMS_PER_PIECE === 0) yield;
    }
    [from, to] = [to, from];
  }
  if (from[0] === references) return;
  references.set(from[0]);
  highs.set(from[1]);
  lows.set(from[2]);
}

function commonBytesOf(slabs: Slabs, references: Int32Array): number {
  let common = Infinity;
  for (const reference of references)
    common = Math.min(common, commonBytes(slabs, references[0]!, reference));
  return common;
}

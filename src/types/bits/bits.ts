/**
 * Bits of a string: bit 0 is the highest of the first byte. What lies behind the end counts as zeros; a write there makes the
 * string longer. A bitmap is one string, so the store's limit of a value is its limit.
 */
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { putInPlace, readString, resized } from '../strings/strings.ts';

/** So many bytes are counted in the time of a visit. */
const COUNTED_BYTES_PER_VISIT = 384;

/** What findBit passes over at once. */
const BLOCK_BYTES = 1024;
const BLOCK_OF_ZEROS = Buffer.alloc(BLOCK_BYTES);
const BLOCK_OF_ONES = Buffer.alloc(BLOCK_BYTES, 0xff);

/** Every other bit of a word. */
const EVEN_BITS = 0x55555555;

/** How many bits of each byte are set. */
const SET_BITS = new Uint8Array(256);
for (let byte = 1; byte < 256; byte++) SET_BITS[byte] = (SET_BITS[byte >> 1] ?? 0) + (byte & 1);

export function bitAt(bytes: Uint8Array, offset: number): 0 | 1 {
  return (((bytes[Math.floor(offset / 8)] ?? 0) >> (7 - (offset % 8))) & 1) as 0 | 1;
}

/** @returns what the bit was, and whether anything has changed. */
export function setBit(
  view: View,
  key: Uint8Array,
  offset: number,
  bit: 0 | 1,
): { readonly before: 0 | 1; readonly hasChanged: boolean } {
  const version = readString(view, key);
  const length = version?.value.length ?? 0;
  const at = Math.floor(offset / 8);
  const before = version === undefined ? 0 : bitAt(version.value, offset);
  if (at < length && before === bit) return { before, hasChanged: false };
  const value = resized(view, version, Math.max(length, at + 1));
  const mask = 0x80 >> (offset % 8);
  value[at] = bit === 1 ? (value[at] ?? 0) | mask : (value[at] ?? 0) & ~mask;
  putInPlace(view, key, value, version);
  return { before, hasChanged: true };
}

/** How many bits are set, from bit `start` to bit `end` (exclusive), both within the bytes. Throws `limitReached`. */
export function countBits(view: ReadView, bytes: Uint8Array, start: number, end: number): number {
  view.budget.spendVisits(Math.floor((end - start) / 8 / COUNTED_BYTES_PER_VISIT));
  if (view.budget.isSpent) throw budgetSpent(view.budget);
  let at = start;
  let count = 0;
  for (; at < end && at % 8 !== 0; at++) count += bitAt(bytes, at);
  const lastByte = Math.floor(end / 8);
  if (at < end) {
    count += countOfBytes(bytes, at / 8, lastByte);
    at = Math.max(at, lastByte * 8);
  }
  for (; at < end; at++) count += bitAt(bytes, at);
  return count;
}

/** Four bytes at a time; the halves of a word are summed side by side. */
function countOfBytes(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let count = 0;
  for (; at + 4 <= end; at += 4) {
    let word =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    word -= (word >>> 1) & EVEN_BITS;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  for (; at < end; at++) count += SET_BITS[bytes[at] ?? 0] ?? 0;
  return count;
}

/** The first bit that is `bit`, from `start` to `end` (exclusive); -1: there is none. */
export function findBit(bytes: Uint8Array, bit: 0 | 1, start: number, end: number): number {
  const skipped = bit === 1 ? 0x00 : 0xff;
  let at = start;
  for (; at < end && at % 8 !== 0; at++) if (bitAt(bytes, at) === bit) return at;
  const block = bit === 1 ? BLOCK_OF_ZEROS : BLOCK_OF_ONES;
  while (at + 8 * BLOCK_BYTES <= end && block.equals(bytes.subarray(at / 8, at / 8 + BLOCK_BYTES)))
    at += 8 * BLOCK_BYTES;
  while (at < end) {
    if (at % 8 === 0 && at + 8 <= end && bytes[at / 8] === skipped) at += 8;
    else if (bitAt(bytes, at) === bit) return at;
    else at++;
  }
  return -1;
}

export type BitOperation = 'and' | 'or' | 'xor' | 'not';

/**
 * Combines strings bit by bit and puts the result in place of what `target` has; an empty one deletes it.
 * @param sources one for `not`. @returns the length of the result, which is that of the longest source.
 */
export function combineBits(
  view: View,
  operation: BitOperation,
  target: Uint8Array,
  sources: readonly Uint8Array[],
): { readonly length: number; readonly hasDeleted: boolean } {
  const values = sources.map((source) => readString(view, source)?.value ?? NO_BYTES);
  const length = values.reduce((longest, value) => Math.max(longest, value.length), 0);
  if (length === 0) return { length, hasDeleted: view.delete(target) !== undefined };
  view.budget.spendBytes(length);
  if (view.budget.isSpent) throw budgetSpent(view.budget);
  const [first = NO_BYTES, ...others] = values;
  const result = new Uint8Array(length);
  result.set(first);
  if (operation === 'not') for (let at = 0; at < length; at++) result[at] = ~(result[at] ?? 0);
  for (const value of others) combineInto(result, value, operation);
  view.put(target, result);
  return { length, hasDeleted: false };
}

function combineInto(result: Uint8Array, value: Uint8Array, operation: BitOperation): void {
  const { length } = value;
  if (operation === 'and') {
    for (let at = 0; at < length; at++) result[at] = (result[at] ?? 0) & (value[at] ?? 0);
    result.fill(0, length);
  } else if (operation === 'or') {
    for (let at = 0; at < length; at++) result[at] = (result[at] ?? 0) | (value[at] ?? 0);
  } else {
    for (let at = 0; at < length; at++) result[at] = (result[at] ?? 0) ^ (value[at] ?? 0);
  }
}

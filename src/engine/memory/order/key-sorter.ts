/**
 * Sorts blocks by their keys: radix sort (from the lowest digit, Knuth, volume 3, 5.2.5) by the 8 bytes behind those that
 * all keys share; blocks that are alike in these are sorted in the same way by the bytes that follow. Works a piece between
 * two yields.
 */
import type { Slabs } from '../slabs.ts';
import { HEAD_BYTES, commonBytes, compareBlocks, keyBytesOf, writeHead } from '../block-keys.ts';

/** Three digits to a word: the places for 2,048 digits stay in the cache. */
const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;
const ITEMS_PER_PIECE = 2 ** 16;
/** Fewer are compared with each other, ... */
const RADIX_ITEMS_MIN = 512;
/** ... which takes each about ten comparisons, that visit blocks: as long as moving so many. */
const COMPARED_WORK = 64;

/** Blocks in the order of their keys, with the heads of these behind their first `skip` bytes, which all share. */
export interface SortedKeys {
  readonly blocks: Int32Array;
  readonly highs: Int32Array;
  readonly lows: Int32Array;
  readonly skip: number;
}

export function* sortByKey(slabs: Slabs, blocks: Int32Array): Generator<undefined, SortedKeys> {
  const sorted = yield* sortByNextBytes(slabs, blocks, 0);
  const pending = yield* sortAlike(slabs, sorted);
  for (let alike = pending.pop(); alike !== undefined; alike = pending.pop())
    pending.push(...(yield* sortAlike(slabs, yield* sortByNextBytes(slabs, alike.blocks, alike.skip))));
  return sorted;
}

/** Keys that share their first `skip` bytes at least. */
type Alike = Pick<SortedKeys, 'blocks' | 'skip'>;

/** Sorts those with the same head when they are few. @returns the others. */
function* sortAlike(slabs: Slabs, { blocks, highs, lows, skip }: SortedKeys): Generator<undefined, Alike[]> {
  const others: Alike[] = [];
  const count = blocks.length;
  let work = 0;
  for (let start = 0, end = 0; start < count; start = end) {
    do end++;
    while (end < count && highs[end] === highs[start] && lows[end] === lows[start]);
    const items = end - start;
    work += items === 1 ? 1 : items * COMPARED_WORK;
    if (work >= ITEMS_PER_PIECE) {
      work = 0;
      yield;
    }
    if (items === 1) continue;
    const alike = blocks.subarray(start, end);
    if (items < RADIX_ITEMS_MIN) alike.sort((first, second) => compareBlocks(slabs, first, second));
    else others.push(dropEnded(slabs, alike, skip + HEAD_BYTES));
  }
  return others;
}

/** Puts keys that end within the head, whose zeros may stand for nothing, before the others. @returns these. */
function dropEnded(slabs: Slabs, alike: Int32Array, skip: number): Alike {
  const isEnded = (block: number): boolean => keyBytesOf(slabs, block) <= skip;
  // No more than 9: those of the same length would be the same key.
  const ended = alike.filter(isEnded).sort((first, second) => compareBlocks(slabs, first, second));
  alike.set(
    alike.filter((block) => !isEnded(block)),
    ended.length,
  );
  alike.set(ended);
  return { blocks: alike.subarray(ended.length), skip };
}

/** Sorts by the 8 bytes behind those that all share, which are `known` at least. */
function* sortByNextBytes(slabs: Slabs, blocks: Int32Array, known: number): Generator<undefined, SortedKeys> {
  const count = blocks.length;
  let skip = count === 0 ? 0 : keyBytesOf(slabs, blocks[0]!);
  for (let index = 0; index < count; index++) {
    if (skip > known) skip = Math.min(skip, commonBytes(slabs, blocks[0]!, blocks[index]!, known));
    if (index % ITEMS_PER_PIECE === 0) yield;
  }
  const columns = { blocks, highs: new Int32Array(count), lows: new Int32Array(count) };
  for (let index = 0; index < count; index++) {
    writeHead(slabs, blocks[index]!, skip, columns.highs, index, columns.lows, index);
    if (index % ITEMS_PER_PIECE === 0) yield;
  }
  yield* sortColumns(columns);
  return { ...columns, skip };
}

type Columns = Pick<SortedKeys, 'blocks' | 'highs' | 'lows'>;

function* sortColumns(columns: Columns): Generator<undefined, void> {
  const count = columns.blocks.length;
  let from = columns;
  let to: Columns = {
    blocks: new Int32Array(count),
    highs: new Int32Array(count),
    lows: new Int32Array(count),
  };
  const starts = new Int32Array(DIGITS);
  for (const part of ['lows', 'highs'] as const) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      const keys = from[part];
      if (!countDigits(keys, shift, starts)) continue;
      for (let start = 0; start < count; start += ITEMS_PER_PIECE) {
        moveItems(from, to, keys, shift, starts, start, Math.min(start + ITEMS_PER_PIECE, count));
        yield;
      }
      [from, to] = [to, from];
    }
  }
  if (from === columns) return;
  columns.blocks.set(from.blocks);
  columns.highs.set(from.highs);
  columns.lows.set(from.lows);
}

/** Finds where the items with each digit begin. @returns false when all have the same. */
function countDigits(keys: Int32Array, shift: number, starts: Int32Array): boolean {
  starts.fill(0);
  const count = keys.length;
  for (let index = 0; index < count; index++) starts[digitOf(keys[index]!, shift)]!++;
  if (count === 0 || starts[digitOf(keys[0]!, shift)] === count) return false;
  for (let digit = 0, sum = 0; digit < DIGITS; digit++) {
    const items = starts[digit]!;
    starts[digit] = sum;
    sum += items;
  }
  return true;
}

function moveItems(
  from: Columns,
  to: Columns,
  keys: Int32Array,
  shift: number,
  starts: Int32Array,
  start: number,
  end: number,
): void {
  const { blocks, highs, lows } = from;
  for (let index = start; index < end; index++) {
    const place = starts[digitOf(keys[index]!, shift)]!++;
    to.blocks[place] = blocks[index]!;
    to.highs[place] = highs[index]!;
    to.lows[place] = lows[index]!;
  }
}

/** The parts of a head are numbers with a sign: their highest bit comes the other way round. */
function digitOf(key: number, shift: number): number {
  return ((key ^ (1 << 31)) >>> shift) & (DIGITS - 1);
}

/**
 * Sorts keys that lie all over a large memory, with few visits to them: a radix sort, least significant byte first, by
 * eight bytes of each key at a time. Keys of which these are equal are sorted among each other by the next eight.
 *
 * What is sorted by is, of each key, its bytes from a position on (zeros beyond its end), and after them how many it has
 * left: of two keys with the same bytes the shorter one comes first, though a zero may stand where it ends.
 */
import { KeyHeads } from './key-heads.ts';
import type { KeyOrder } from './key-order.ts';

const HEAD_BYTES = 8;
/** A key has at least this many bytes left: it goes on behind its heads. */
const LEFT_MAX = HEAD_BYTES + 1;

/** Fewer keys than this are sorted by insertion. */
const RADIX_COUNT_MIN = 64;
/** How many keys are visited in one piece of the work. */
const KEYS_PER_PIECE = 10_000;

/** Keys that are alike in all bytes before `position`. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly position: number;
}

/** What is kept of each key: it moves from one of two such rows to the other with each byte that is sorted by. */
class Row {
  readonly ids: Uint32Array;
  readonly heads: KeyHeads;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly left: Uint8Array;

  constructor(capacity: number) {
    this.ids = new Uint32Array(capacity);
    this.heads = new KeyHeads(capacity);
    this.high = this.heads.high;
    this.low = this.heads.low;
    this.left = new Uint8Array(capacity);
  }

  take(index: number, from: Row, fromIndex: number): void {
    this.ids[index] = from.ids[fromIndex]!;
    this.high[index] = from.high[fromIndex]!;
    this.low[index] = from.low[fromIndex]!;
    this.left[index] = from.left[fromIndex]!;
  }

  isAlike(a: number, b: number): boolean {
    return this.high[a] === this.high[b] && this.low[a] === this.low[b] && this.left[a] === this.left[b];
  }
}

export class KeySorter {
  readonly #order: KeyOrder;
  readonly #capacity: number;
  #row: Row;
  #otherRow: Row;
  #count = 0;
  readonly #starts = new Uint32Array(256);

  constructor(capacity: number, order: KeyOrder) {
    this.#capacity = capacity;
    this.#order = order;
    this.#row = new Row(capacity);
    this.#otherRow = new Row(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  /** The first `count` are the keys. */
  get ids(): Uint32Array {
    return this.#row.ids;
  }

  /** After `sort`: the bytes by which a key was found to be where it is. */
  get heads(): KeyHeads {
    return this.#row.heads;
  }

  add(id: number): void {
    this.#row.ids[this.#count++] = id;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Sorts in pieces; no key may be there twice, and all begin with the same `prefixBytes` bytes. */
  *sort(prefixBytes: number): Generator<undefined, undefined> {
    const spans: Span[] = [{ start: 0, end: this.#count, position: prefixBytes }];
    let visitsLeft = KEYS_PER_PIECE;
    for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
      const count = span.end - span.start;
      visitsLeft -= count;
      if (count < RADIX_COUNT_MIN) {
        this.#readHeads(span.start, span.end, span.position);
        this.#insertionSort(span);
      } else {
        yield* this.#readAllHeads(span);
        const alikeBytes = this.#alikeBytes(span);
        if (alikeBytes > 0) {
          // Nothing has moved, so that the second look goes through the memory in the order of the first.
          spans.push({ ...span, position: span.position + alikeBytes });
          continue;
        }
        yield* this.#radixSort(span);
      }
      this.#pushAlike(span, spans);
      if (visitsLeft <= 0) {
        yield;
        visitsLeft = KEYS_PER_PIECE;
      }
    }
  }

  *#readAllHeads({ start, end, position }: Span): Generator<undefined, undefined> {
    for (let from = start; from < end; from += KEYS_PER_PIECE) {
      this.#readHeads(from, Math.min(end, from + KEYS_PER_PIECE), position);
      if (from + KEYS_PER_PIECE < end) yield;
    }
  }

  #readHeads(start: number, end: number, position: number): void {
    const { ids, high, low, left, heads } = this.#row;
    const order = this.#order;
    heads.positions.fill(position, start, end);
    for (let index = start; index < end; index++) {
      const bytesLeft = order.readHeads(ids[index]!, position, high, low, index);
      left[index] = Math.min(bytesLeft, LEFT_MAX);
    }
  }

  /** With how many same bytes all heads begin; 0 if a key ends within them. */
  #alikeBytes({ start, end }: Span): number {
    const { high, low, left } = this.#row;
    let highBits = 0;
    let lowBits = 0;
    for (let index = start; index < end; index++) {
      if (left[index] !== LEFT_MAX) return 0;
      highBits |= high[index]! ^ high[start]!;
      lowBits |= low[index]! ^ low[start]!;
    }
    return highBits === 0 ? 4 + (Math.clz32(lowBits) >>> 3) : Math.clz32(highBits) >>> 3;
  }

  *#radixSort({ start, end }: Span): Generator<undefined, undefined> {
    const rowBefore = this.#row;
    for (let byte = HEAD_BYTES; byte >= 0; byte--) {
      if (this.#sortByByte(start, end, byte) && end - start > KEYS_PER_PIECE) yield;
    }
    if (this.#row === rowBefore) return;
    for (let index = start; index < end; index++) rowBefore.take(index, this.#row, index);
    this.#otherRow = this.#row;
    this.#row = rowBefore;
  }

  /** Byte 0 to 7 are of the heads, 8 is how much is left. @returns whether anything had to move. */
  #sortByByte(start: number, end: number, byte: number): boolean {
    const row = this.#row;
    const digits = byte === HEAD_BYTES ? row.left : byte < 4 ? row.high : row.low;
    const shift = byte === HEAD_BYTES ? 0 : 24 - 8 * (byte & 3);
    const starts = this.#starts.fill(0);
    for (let index = start; index < end; index++) starts[(digits[index]! >>> shift) & 255]!++;
    if (starts[(digits[start]! >>> shift) & 255] === end - start) return false;
    let next = start;
    for (let digit = 0; digit < starts.length; digit++) {
      const count = starts[digit]!;
      starts[digit] = next;
      next += count;
    }
    const to = this.#otherRow;
    for (let index = start; index < end; index++) {
      to.take(starts[(digits[index]! >>> shift) & 255]!++, row, index);
    }
    this.#otherRow = row;
    this.#row = to;
    return true;
  }

  #insertionSort({ start, end }: Span): void {
    const { ids, high, low, left } = this.#row;
    for (let index = start + 1; index < end; index++) {
      const id = ids[index]!;
      const highHead = high[index]!;
      const lowHead = low[index]!;
      const bytesLeft = left[index]!;
      let place = index;
      for (; place > start; place--) {
        const before = place - 1;
        const difference = high[before]! - highHead || low[before]! - lowHead || left[before]! - bytesLeft;
        if (difference <= 0) break;
        this.#row.take(place, this.#row, before);
      }
      ids[place] = id;
      high[place] = highHead;
      low[place] = lowHead;
      left[place] = bytesLeft;
    }
  }

  /** Puts down, to be sorted by what follows, each group of keys with the same heads. */
  #pushAlike({ start, end, position }: Span, spans: Span[]): void {
    for (let first = start; first < end;) {
      let next = first + 1;
      while (next < end && this.#row.isAlike(first, next)) next++;
      if (next - first > 1) spans.push({ start: first, end: next, position: position + HEAD_BYTES });
      first = next;
    }
  }
}

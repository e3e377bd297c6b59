/**
 * Items of bytes, one behind the other in one value, each with its length before it as a varint:
 *
 *     02 'a' 'b'  00  01 'c'        the items "ab", "" and "c"
 *
 * A packed collection is such a row behind its form byte (`metadata.ts`), and so are the chunks and buffers of a list. A row is never
 * changed in place: `spliceItems` makes the next one.
 */
import { assert } from '../../errors.ts';
import { sizeWithLength } from '../../wire/varint.ts';

/** Goes through a row, item by item; one object for many rows. */
export class ItemCursor {
  /** Where the item with its length begins. */
  itemStart = 0;
  /** Where its bytes begin, ... */
  start = 0;
  /** ... and end (exclusive), where the next item begins. */
  end = 0;
  #bytes: Uint8Array;
  #rowEnd: number;

  /** Before the first item. @param rowStart how many bytes stand before the row. */
  constructor(bytes: Uint8Array, rowStart = 0, rowEnd = bytes.length) {
    this.#bytes = bytes;
    this.end = rowStart;
    this.#rowEnd = rowEnd;
  }

  /** Goes to the next item. @returns whether there is one. */
  next(): boolean {
    if (this.end >= this.#rowEnd) return false;
    this.itemStart = this.end;
    let at = this.end;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[at++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    this.start = at;
    this.end = at + length;
    assert(this.end <= this.#rowEnd, 'an item ends within its row');
    return true;
  }

  /** The item's bytes: a view of the row. */
  get item(): Uint8Array {
    return this.#bytes.subarray(this.start, this.end);
  }

  isItem(bytes: Uint8Array): boolean {
    if (this.end - this.start !== bytes.length) return false;
    for (let index = 0; index < bytes.length; index++) {
      if (this.#bytes[this.start + index] !== bytes[index]) return false;
    }
    return true;
  }
}

/** The bytes that an item takes in a row. */
export function sizeOfItem(item: Uint8Array): number {
  return sizeWithLength(item.length);
}

/** Writes an item; returns where it ends. */
export function writeItem(target: Uint8Array, offset: number, item: Uint8Array): number {
  const at = writeLength(target, offset, item.length);
  target.set(item, at);
  return at + item.length;
}

function writeLength(target: Uint8Array, offset: number, length: number): number {
  let rest = length;
  let at = offset;
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}

/** A few short items, one behind the other, in memory that is used again: a view of each length is made once. */
export class ItemsPlace {
  readonly #bytes: Uint8Array;
  readonly #views: (Uint8Array | undefined)[] = [];
  #end = 0;

  /** @param bytesMax of the items with their lengths. */
  constructor(bytesMax: number) {
    this.#bytes = new Uint8Array(bytesMax);
  }

  begin(): void {
    this.#end = 0;
  }

  /** Adds a part of some bytes as the next item. @returns what there is so far. */
  putWord(source: Uint8Array, start: number, end: number): Uint8Array {
    const bytes = this.#bytes;
    let at = writeLength(bytes, this.#end, end - start);
    for (let index = start; index < end; index++) bytes[at++] = source[index] ?? 0;
    this.#end = at;
    return this.items;
  }

  get items(): Uint8Array {
    return (this.#views[this.#end] ??= this.#bytes.subarray(0, this.#end));
  }
}

/** Bytes with what lies from `from` to `to` (exclusive) replaced by items. */
export function spliceItems(
  bytes: Uint8Array,
  from: number,
  to: number,
  items: readonly Uint8Array[],
): Uint8Array {
  let added = 0;
  for (const item of items) added += sizeOfItem(item);
  const spliced = new Uint8Array(from + added + bytes.length - to);
  spliced.set(bytes.subarray(0, from));
  let at = from;
  for (const item of items) at = writeItem(spliced, at, item);
  spliced.set(bytes.subarray(to), at);
  return spliced;
}

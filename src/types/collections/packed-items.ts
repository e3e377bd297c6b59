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
  let rest = item.length;
  let at = offset;
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  target.set(item, at);
  return at + item.length;
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

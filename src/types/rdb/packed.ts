/**
 * The strings in which Redis keeps all elements of a small collection, or of a part of a list, taken apart: listpacks, as it has written
 * since 7.0, ziplists before, and intsets. Numbers come as their decimal text.
 *
 *     listpack   bytes:u32 count:u16 (entry, its length backwards)* FF
 *     ziplist    bytes:u32 tail:u32 count:u16 (length of the one before, entry)* FF
 *     intset     width:u32 count:u32 number*
 *
 * All little-endian. A count of FFFF stands for more than that.
 */
import { PayloadError } from './payload-error.ts';

type VisitElement = (element: Uint8Array) => void;

export const LISTPACK_END = 0xff;
/** A count that says that there are so many or more. */
export const LISTPACK_MANY = 0xffff;

export const LISTPACK_HEAD_BYTES = 6;
const ZIPLIST_HEAD_BYTES = 10;
const INTSET_HEAD_BYTES = 8;

/** Reads within bounds; whatever lies beyond is an error. */
class Cursor {
  readonly bytes: Uint8Array;
  readonly data: DataView;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    if (bytes.length < at + 1) throw new PayloadError();
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
  }

  advance(length: number): number {
    const start = this.at;
    // The byte at the end is no part of an entry.
    if (length > this.bytes.length - 1 - start) throw new PayloadError();
    this.at += length;
    return start;
  }

  byte(): number {
    return this.data.getUint8(this.advance(1));
  }

  take(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A signed number of so many bytes. */
  integer(byteCount: 1 | 2 | 3 | 4 | 8): number | bigint {
    const start = this.advance(byteCount);
    if (byteCount === 8) return this.data.getBigInt64(start, true);
    let value = 0;
    for (let at = byteCount - 1; at >= 0; at--) value = value * 256 + this.data.getUint8(start + at);
    const range = 2 ** (8 * byteCount);
    return value >= range / 2 ? value - range : value;
  }

  /** The end is where it has to be, and there were as many elements as were said. */
  finish(count: number, said: number): void {
    if (this.at !== this.bytes.length - 1 || this.bytes[this.at] !== LISTPACK_END) throw new PayloadError();
    if (said !== LISTPACK_MANY && said !== count) throw new PayloadError();
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length - 1;
  }
}

function toText(value: number | bigint): Uint8Array {
  return Buffer.from(String(value), 'latin1');
}

export function visitListpack(bytes: Uint8Array, visit: VisitElement): void {
  const reader = new ListpackReader(bytes);
  while (!reader.isAtEnd) visit(reader.element());
  reader.finish();
}

/** Takes a listpack apart, element by element, where their number alone does not say what they are. */
export class ListpackReader {
  readonly #cursor: Cursor;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#cursor = new Cursor(bytes, LISTPACK_HEAD_BYTES);
    if (this.#cursor.data.getUint32(0, true) !== bytes.length) throw new PayloadError();
  }

  get isAtEnd(): boolean {
    return this.#cursor.isAtEnd;
  }

  /** The next one; a number comes as its text. */
  element(): Uint8Array {
    const found = this.#next();
    return found instanceof Uint8Array ? found : toText(found);
  }

  /** The next one, which is a number. */
  integer(): number | bigint {
    const found = this.#next();
    if (found instanceof Uint8Array) throw new PayloadError();
    return found;
  }

  /** The next one, which says how many of something there are. */
  count(): number {
    const count = Number(this.integer());
    if (!Number.isSafeInteger(count) || count < 0) throw new PayloadError();
    return count;
  }

  /** All was read. */
  finish(): void {
    this.#cursor.finish(this.#count, this.#cursor.data.getUint16(4, true));
  }

  #next(): Uint8Array | number | bigint {
    const cursor = this.#cursor;
    const start = cursor.at;
    const found = listpackElement(cursor);
    cursor.advance(listpackLengthBytes(cursor.at - start));
    this.#count++;
    return found;
  }
}

function listpackElement(cursor: Cursor): Uint8Array | number | bigint {
  const first = cursor.byte();
  if (first < 0x80) return first;
  if (first < 0xc0) return cursor.take(first & 0x3f);
  if (first < 0xe0) {
    const value = ((first & 0x1f) << 8) | cursor.byte();
    return value >= 0x1000 ? value - 0x2000 : value;
  }
  if (first < 0xf0) return cursor.take(((first & 0x0f) << 8) | cursor.byte());
  switch (first) {
    case 0xf0:
      return cursor.take(cursor.data.getUint32(cursor.advance(4), true));
    case 0xf1:
      return cursor.integer(2);
    case 0xf2:
      return cursor.integer(3);
    case 0xf3:
      return cursor.integer(4);
    case 0xf4:
      return cursor.integer(8);
    default:
      throw new PayloadError();
  }
}

/** How many bytes the length of an entry takes that stands behind it, seven bits each. */
export function listpackLengthBytes(entryBytes: number): number {
  if (entryBytes <= 127) return 1;
  if (entryBytes < 16_383) return 2;
  if (entryBytes < 2_097_151) return 3;
  return entryBytes < 268_435_455 ? 4 : 5;
}

export function visitZiplist(bytes: Uint8Array, visit: VisitElement): void {
  const cursor = new Cursor(bytes, ZIPLIST_HEAD_BYTES);
  if (cursor.data.getUint32(0, true) !== bytes.length) throw new PayloadError();
  let count = 0;
  for (; !cursor.isAtEnd; count++) {
    // The length of the entry before is of no use here.
    if (cursor.byte() === 0xfe) cursor.advance(4);
    visit(ziplistElement(cursor));
  }
  cursor.finish(count, cursor.data.getUint16(8, true));
}

function ziplistElement(cursor: Cursor): Uint8Array {
  const first = cursor.byte();
  if (first < 0x40) return cursor.take(first);
  if (first < 0x80) return cursor.take(((first & 0x3f) << 8) | cursor.byte());
  if (first === 0x80) return cursor.take(cursor.data.getUint32(cursor.advance(4)));
  switch (first) {
    case 0xc0:
      return toText(cursor.integer(2));
    case 0xd0:
      return toText(cursor.integer(4));
    case 0xe0:
      return toText(cursor.integer(8));
    case 0xf0:
      return toText(cursor.integer(3));
    case 0xfe:
      return toText(cursor.integer(1));
    default:
      if (first < 0xf1 || first > 0xfd) throw new PayloadError();
      return toText((first & 0x0f) - 1);
  }
}

export function visitIntset(bytes: Uint8Array, visit: VisitElement): void {
  if (bytes.length < INTSET_HEAD_BYTES) throw new PayloadError();
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width = data.getUint32(0, true);
  const count = data.getUint32(4, true);
  if ((width !== 2 && width !== 4 && width !== 8) || bytes.length !== INTSET_HEAD_BYTES + width * count)
    throw new PayloadError();
  for (let at = INTSET_HEAD_BYTES; at < bytes.length; at += width) {
    if (width === 2) visit(toText(data.getInt16(at, true)));
    else if (width === 4) visit(toText(data.getInt32(at, true)));
    else visit(toText(data.getBigInt64(at, true)));
  }
}

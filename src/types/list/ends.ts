/**
 * `ListEnds`: pushes and pops at the ends of one list, one behind the other, as long as each changes nothing but the list's metadata.
 * The list is read once; each call gives the metadata that it leaves, byte for byte what `push` or `pop` would write. A call that does
 * more is refused, and changes nothing here: one that makes a chunk or takes one in, makes a packed list spread, or takes the last
 * element.
 *
 * The metadata of one version after the other lies in one buffer; what comes next is put together from the version before:
 *
 *     01 count first headCount headBytes | head row | tailCount | tail row
 *                                        ^ #headStart           ^ #tailStart
 */
import { assert } from '../../errors.ts';
import { kinds } from '../../store/collections/kinds.ts';
import type { ReadView } from '../../store/views/view.ts';
import { copyBytes, wholeBuffer, type Memory } from '../../wire/memory.ts';
import { writeInt64 } from '../../wire/varint.ts';
import {
  ITEMS_START,
  PACKED,
  PACKED_BYTES_MAX,
  PACKED_ELEMENTS_MAX,
  SPREAD,
} from '../collections/metadata.ts';
import { sizeOfItem, writeItem } from '../collections/packed-items.ts';
import { hasLifetime } from '../lifetime.ts';
import { type End, List, SHORT_NUMBER_BYTES_MAX, writePlaces } from './list.ts';
import { itemEnd, ROW_BYTES_MAX } from './rows.ts';

const INT64_BYTES_MAX = 8;
/** Of a spread list: its form, count and first ordinal, the numbers of its rows, and these. */
const METADATA_BYTES_MAX = 1 + 2 * INT64_BYTES_MAX + 3 * SHORT_NUMBER_BYTES_MAX + 2 * ROW_BYTES_MAX;

export class ListEnds {
  /** How many elements the list has now. */
  count = 0;
  /** Of its chunks; 0: it is packed, or there is none yet. */
  id = 0;
  /** Where the element that was popped last lies: it stays there until the next list is opened. */
  readonly bytes: Uint8Array;
  poppedStart = 0;
  poppedEnd = 0;
  readonly #buffer: Buffer;
  readonly #memory: Memory;
  #first = 0;
  #headCount = 0;
  #tailCount = 0;
  /** Where the rows of the newest version lie. Packed, all elements are in the head row. */
  #headStart = 0;
  #headEnd = 0;
  #tailStart = 0;
  /** Where its tail row ends. */
  #end = 0;
  /** What lies before is taken: popped elements stay, and the next version comes behind. */
  #used = 0;

  /** @param callsMax of one list. */
  constructor(callsMax: number) {
    const { buffer, memory } = wholeBuffer((callsMax + 1) * METADATA_BYTES_MAX);
    this.#buffer = buffer;
    this.#memory = memory;
    this.bytes = memory.bytes;
  }

  /** Begins with the list at a key, or without one. @returns false: there is something else, or its lifetime has to go with each change. */
  open(view: ReadView, key: Uint8Array): boolean {
    const before = view.read(key);
    if (before !== undefined && (before.kind !== kinds.list || hasLifetime(before))) return false;
    const { id, first, count, headRow, headCount, tailRow, tailCount } = new List(before);
    this.id = id;
    this.count = count;
    this.#first = first;
    this.#headCount = headCount;
    this.#tailCount = tailCount;
    this.#buffer.set(headRow, 0);
    this.#buffer.set(tailRow, headRow.length);
    this.#headStart = 0;
    this.#headEnd = this.#tailStart = headRow.length;
    this.#end = this.#used = headRow.length + tailRow.length;
    return true;
  }

  /** @returns the list's metadata with the element; `undefined`: it is not a matter of that alone. */
  push(end: End, element: Uint8Array): Uint8Array | undefined {
    const isPacked = this.id === 0;
    const isAtHead = end === 'head';
    const rowBytes = isAtHead || isPacked ? this.#headEnd - this.#headStart : this.#end - this.#tailStart;
    const bytes = rowBytes + sizeOfItem(element);
    if (isPacked) {
      if (this.count >= PACKED_ELEMENTS_MAX || ITEMS_START + bytes > PACKED_BYTES_MAX) return undefined;
    } else if (bytes > ROW_BYTES_MAX) return undefined;
    this.count++;
    if (isAtHead) {
      this.#headCount++;
      this.#first--;
      return this.#next(bytes, element, undefined);
    }
    if (isPacked) this.#headCount++;
    else this.#tailCount++;
    return this.#next(isPacked ? bytes : this.#headEnd - this.#headStart, undefined, element);
  }

  /** @returns the list's metadata without its outermost element; `undefined`: it is not a matter of that alone. */
  pop(end: End): Uint8Array | undefined {
    const isPacked = this.id === 0;
    const isOfHeadRow = end === 'head' || isPacked;
    if (this.count <= 1 || (isOfHeadRow ? this.#headCount : this.#tailCount) === 0) return undefined;
    this.count--;
    if (end === 'head') {
      const itemStart = this.#headStart;
      this.#headStart = this.#pop(itemStart);
      this.#headCount--;
      this.#first++;
    } else if (isPacked) {
      this.#headEnd = this.#tailStart = this.#end = this.#popLast(this.#headStart, --this.#headCount);
    } else this.#end = this.#popLast(this.#tailStart, --this.#tailCount);
    return this.#next(this.#headEnd - this.#headStart, undefined, undefined);
  }

  /** @returns where the item ends that begins there. */
  #pop(itemStart: number): number {
    const itemStop = itemEnd(this.bytes, itemStart);
    // Its length has two bytes from 128 on.
    this.poppedStart = itemStart + ((this.bytes[itemStart] ?? 0) < 0x80 ? 1 : 2);
    this.poppedEnd = itemStop;
    return itemStop;
  }

  /** @param index of the last item of the row that begins there. @returns where that item begins. */
  #popLast(rowStart: number, index: number): number {
    let at = rowStart;
    for (let left = index; left > 0; left--) at = itemEnd(this.bytes, at);
    this.#pop(at);
    return at;
  }

  /** Puts the next version together. @param headBytes of its head row. @param head a new first element. @param tail a new last one. */
  #next(headBytes: number, head: Uint8Array | undefined, tail: Uint8Array | undefined): Uint8Array {
    const buffer = this.#buffer;
    const start = this.#used;
    assert(start + METADATA_BYTES_MAX <= buffer.length, 'no more calls come than there is room for');
    const isPacked = this.id === 0;
    let at = start;
    buffer[at++] = isPacked ? PACKED : SPREAD;
    if (!isPacked) {
      at = writeInt64(buffer, at, this.count);
      at = writePlaces(buffer, at, this.#first, this.#headCount, headBytes);
    }
    const headStart = at;
    if (head !== undefined) at = writeItem(buffer, at, head);
    at = this.#copy(at, this.#headStart, this.#headEnd);
    if (isPacked) {
      if (tail !== undefined) at = writeItem(buffer, at, tail);
      this.#tailStart = at;
      this.#headEnd = at;
    } else {
      const headEnd = at;
      at = writeInt64(buffer, at, this.#tailCount);
      const tailStart = at;
      at = this.#copy(at, this.#tailStart, this.#end);
      if (tail !== undefined) at = writeItem(buffer, at, tail);
      this.#headEnd = headEnd;
      this.#tailStart = tailStart;
    }
    this.#headStart = headStart;
    this.#end = this.#used = at;
    return new Uint8Array(buffer.buffer, start, at - start);
  }

  #copy(at: number, from: number, to: number): number {
    copyBytes(this.#memory, at, this.#memory, from, to - from);
    return at + to - from;
  }
}

/**
 * A block of a run in memory, verified and decompressed: its records, and where each begins. What it places stays as it is for as
 * long as anything refers to the block.
 */
import { memoryOf } from '../../../wire/memory.ts';
import type { Memory } from '../../../wire/memory.ts';
import { PLACE_BYTES } from '../format.ts';

export class Block {
  readonly memory: Memory;
  /** Where the payload begins in the memory, ... */
  readonly start: number;
  /** ... and where it ends. */
  readonly end: number;
  /** Records; 0 where there are none to be found by their places. */
  readonly count: number;
  readonly #placesAt: number;

  constructor(bytes: Uint8Array, count: number) {
    this.memory = memoryOf(bytes);
    this.start = bytes.byteOffset;
    this.end = this.start + bytes.length;
    this.count = count;
    this.#placesAt = this.end - count * PLACE_BYTES;
  }

  /** Whether all records lie where records may lie; to be asked once, of a block that has some. */
  hasPlaces(): boolean {
    if (this.#placesAt < this.start) return false;
    let before = this.start - 1;
    for (let index = 0; index < this.count; index++) {
      const place = this.recordAt(index);
      if (place <= before || place >= this.#placesAt) return false;
      before = place;
    }
    return true;
  }

  /** Where a record begins in the memory. */
  recordAt(index: number): number {
    const { bytes } = this.memory;
    const at = this.#placesAt + index * PLACE_BYTES;
    return (
      this.start +
      (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | ((bytes[at + 3]! << 24) >>> 0))
    );
  }

  /** Compares the key of a record with another one. @returns less than 0: it comes before that. */
  compareKeyAt(index: number, key: Uint8Array): number {
    const { bytes } = this.memory;
    let at = this.recordAt(index);
    let byte = bytes[at++]!;
    let keyBytes = byte & 0x7f;
    if (byte >= 0x80) {
      byte = bytes[at++]!;
      keyBytes |= (byte & 0x7f) << 7;
      if (byte >= 0x80) keyBytes |= bytes[at++]! << 14;
    }
    const { length } = key;
    const common = keyBytes < length ? keyBytes : length;
    for (let offset = 0; offset < common; offset++) {
      const difference = bytes[at + offset]! - key[offset]!;
      if (difference !== 0) return difference;
    }
    return keyBytes - length;
  }

  /** The first record whose key is not below a key; `count` if there is none. */
  seek(key: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKeyAt(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first record whose key is above a key; `count` if there is none. */
  seekBehind(key: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKeyAt(middle, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Values that were read lately, in a ring of bytes: the next goes behind the newest, over the oldest. One of the older half that
 * is asked for again becomes the newest. A record never changes, and no number of a run is used again, so nothing in it
 * becomes wrong.
 *
 * What finds them is a table of one place for each hash: of two values with the same hash the newer one is found. A position
 * counts all bytes that were ever written, so it tells whether its bytes are still those.
 */
import { memoryOf, type Memory } from '../../wire/memory.ts';

/** A value in the cache takes some such bytes; the table has a place for each of so many. */
const BYTES_PER_PLACE = 128;
/** Of the table. */
const PLACE_BYTES = 20;
/** The share of the ring that one value may take. */
const VALUE_SHARE_MAX = 1 / 8;
const RUN_FACTOR = 0x9e3779b1;
const OFFSET_FACTOR = 0x85ebca6b;

export class ValueCache {
  readonly memory: Memory;
  readonly #bytesMax: number;
  readonly #valueBytesMax: number;
  readonly #mask: number;
  /** By place: run, offset and length of the value. */
  readonly #tags: Int32Array;
  /** By place: its position and one more; 0: there is none. */
  readonly #positions: Float64Array;
  /** Of the next value. */
  #position = 0;
  /** Of the value that was found. */
  start = 0;
  end = 0;

  /** @param memoryBytesMax of values and table together. */
  constructor(memoryBytesMax: number) {
    const bytesMax = Math.floor((memoryBytesMax * BYTES_PER_PLACE) / (BYTES_PER_PLACE + PLACE_BYTES));
    this.#bytesMax = bytesMax;
    this.#valueBytesMax = Math.floor(bytesMax * VALUE_SHARE_MAX);
    this.memory = memoryOf(new Uint8Array(bytesMax));
    const placeCount = 2 ** Math.floor(Math.log2(Math.max(1, bytesMax / BYTES_PER_PLACE)));
    this.#mask = placeCount - 1;
    this.#tags = new Int32Array(3 * placeCount);
    this.#positions = new Float64Array(placeCount);
  }

  get memoryBytes(): number {
    return this.#bytesMax + this.#tags.byteLength + this.#positions.byteLength;
  }

  /** Goes to the value of the record at an offset of a run. @returns whether it is there. */
  find(run: number, offset: number): boolean {
    const place = this.#placeOf(run, offset);
    const tags = this.#tags;
    const tag = 3 * place;
    const position = this.#positions[place]! - 1;
    const age = this.#position - position;
    if (position < 0 || age > this.#bytesMax) return false;
    if (tags[tag] !== (run | 0) || tags[tag + 1] !== (offset | 0)) return false;
    const length = tags[tag + 2]!;
    this.start = position % this.#bytesMax;
    this.end = this.start + length;
    if (age > this.#bytesMax / 2) this.#renew(place, length);
    return true;
  }

  /** Adds the value of a record, which is not there. */
  add(run: number, offset: number, source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#valueBytesMax) return;
    const place = this.#placeOf(run, offset);
    const at = this.#reserve(place, length);
    this.memory.bytes.set(source.subarray(start, end), at);
    const tag = 3 * place;
    this.#tags[tag] = run;
    this.#tags[tag + 1] = offset;
    this.#tags[tag + 2] = length;
  }

  /** Makes the value that was found the newest. */
  #renew(place: number, length: number): void {
    const from = this.start;
    this.start = this.#reserve(place, length);
    this.end = this.start + length;
    this.memory.bytes.copyWithin(this.start, from, from + length);
  }

  /** @returns where so many bytes go. */
  #reserve(place: number, length: number): number {
    const rest = this.#bytesMax - (this.#position % this.#bytesMax);
    if (rest < length) this.#position += rest;
    const position = this.#position;
    this.#positions[place] = position + 1;
    this.#position += length;
    return position % this.#bytesMax;
  }

  #placeOf(run: number, offset: number): number {
    const mixed = Math.imul(run, RUN_FACTOR) ^ Math.imul(offset, OFFSET_FACTOR);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }
}

/** Gathers the records of a block. */
import { NO_BYTES } from '../../../wire/bytes.ts';
import { copyBytes, wholeBuffer } from '../../../wire/memory.ts';
import type { Memory, WholeBuffer } from '../../../wire/memory.ts';
import { writeInt64 } from '../../../wire/varint.ts';
import { PLACE_BYTES } from '../format.ts';

export class BlockBuilder {
  target: WholeBuffer = wholeBuffer(8 * 1024);
  /** Where the records end so far. */
  end = 0;
  count = 0;
  /** Of the first record: a copy. */
  firstKey: Uint8Array = NO_BYTES;
  #places = new Uint32Array(256);

  clear(): void {
    this.end = 0;
    this.count = 0;
  }

  /** A record begins; makes room for so much. */
  begin(bytesMax: number): void {
    this.#reserve(this.end + bytesMax + (this.count + 1) * PLACE_BYTES);
    if (this.count === this.#places.length) {
      const places = new Uint32Array(2 * this.count);
      places.set(this.#places);
      this.#places = places;
    }
    this.#places[this.count++] = this.end;
  }

  /** Begins a record with a key. */
  beginKey(memory: Memory, keyStart: number, keyBytes: number, bytesMax: number): void {
    this.begin(keyBytes + bytesMax);
    if (this.count === 1) this.firstKey = memory.bytes.slice(keyStart, keyStart + keyBytes);
    const at = writeInt64(this.target.buffer, this.end, keyBytes);
    copyBytes(this.target.memory, at, memory, keyStart, keyBytes);
    this.end = at + keyBytes;
  }

  number(value: number): void {
    this.end = writeInt64(this.target.buffer, this.end, value);
  }

  /** The payload of the block, which is good until the next call. */
  finish(): Uint8Array {
    const { buffer } = this.target;
    for (let index = 0; index < this.count; index++)
      buffer.writeUInt32LE(this.#places[index]!, this.end + index * PLACE_BYTES);
    return buffer.subarray(0, this.end + this.count * PLACE_BYTES);
  }

  #reserve(byteCount: number): void {
    if (byteCount <= this.target.buffer.length) return;
    const grown = wholeBuffer(Math.max(byteCount, 2 * this.target.buffer.length));
    grown.buffer.set(this.target.buffer.subarray(0, this.end));
    this.target = grown;
  }
}

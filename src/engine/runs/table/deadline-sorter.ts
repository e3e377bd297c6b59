/**
 * Sorts places by deadline, then by key, a piece of bounded memory at a time: by merging from the bottom up, in steps between which others
 * may run. Keys come in their order, so that deadlines that ascend with them take one pass.
 */
import { copyBytes, wholeBuffer } from '../../../wire/memory.ts';
import type { Memory } from '../../../wire/memory.ts';
import type { PlacedChange } from '../../version.ts';

/** Of a place besides its key: deadline, offset and length of the key, and its number twice. */
const BESIDES_BYTES = 24;
const STEPS_BETWEEN_YIELDS = 256;

/** Bytes of the deadline before the key, the highest first, so that bytes are in the order of places. */
export const DEADLINE_BYTES = 8;

export class DeadlineSorter {
  readonly #bytesMax: number;
  #keys = wholeBuffer(64 * 1024);
  #keysEnd = 0;
  #deadlines: number[] = [];
  #offsets: number[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#deadlines.length;
  }

  get isFull(): boolean {
    return this.#keysEnd + this.count * BESIDES_BYTES >= this.#bytesMax;
  }

  /** Keys ascend. */
  add(change: PlacedChange): void {
    const keyBytes = change.keyEnd - change.keyStart;
    const wanted = this.#keysEnd + DEADLINE_BYTES + keyBytes;
    if (wanted > this.#keys.buffer.length) {
      const grown = wholeBuffer(Math.max(wanted, 2 * this.#keys.buffer.length));
      grown.buffer.set(this.#keys.buffer.subarray(0, this.#keysEnd));
      this.#keys = grown;
    }
    this.#deadlines.push(change.expireTimeMs);
    this.#offsets.push(this.#keysEnd);
    this.#keys.buffer.writeBigUInt64BE(BigInt(change.expireTimeMs), this.#keysEnd);
    copyBytes(this.#keys.memory, this.#keysEnd + DEADLINE_BYTES, change.keyMemory, change.keyStart, keyBytes);
    this.#keysEnd = wanted;
  }

  /** The memory in which places lie. */
  get memory(): Memory {
    return this.#keys.memory;
  }

  /** Where a place begins. */
  startOf(index: number): number {
    return this.#offsets[index]!;
  }

  endOf(index: number): number {
    return index + 1 < this.count ? this.#offsets[index + 1]! : this.#keysEnd;
  }

  clear(): void {
    this.#keysEnd = 0;
    this.#deadlines = [];
    this.#offsets = [];
  }

  /** @returns the indexes of the places in their order. */
  *sort(): Generator<undefined, Uint32Array> {
    const { count } = this;
    const deadlines = this.#deadlines;
    // Two places of one deadline came in key order, and a merge that prefers the left one keeps that.
    let source = new Uint32Array(count);
    for (let index = 0; index < count; index++) source[index] = index;
    let target = new Uint32Array(count);
    let steps = 0;
    for (let width = 1; width < count; width *= 2) {
      for (let start = 0; start < count; start += 2 * width) {
        const middle = Math.min(start + width, count);
        const end = Math.min(start + 2 * width, count);
        let left = start;
        let right = middle;
        for (let at = start; at < end; at++) {
          const takesLeft =
            right >= end || (left < middle && deadlines[source[left]!]! <= deadlines[source[right]!]!);
          target[at] = takesLeft ? source[left++]! : source[right++]!;
          if (++steps % STEPS_BETWEEN_YIELDS === 0) yield;
        }
      }
      [source, target] = [target, source];
    }
    return source;
  }
}

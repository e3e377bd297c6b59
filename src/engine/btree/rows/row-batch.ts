/**
 * Changes on their way to the thread that writes them, one behind the other in one buffer. Each begins at a multiple of 8 bytes:
 *
 *     0    u32   bytes of its head; 0: the key is deleted
 *     4    u32   bytes of its key
 *     8    u32   bytes of its value
 *     12   u32   1: the value is apart (`isApart` of `schema.ts`)
 *     16   f64   deadline, 0: none
 *     24   f64   lease, 0: none
 *     32         head, key, value (`row-head.ts`)
 *
 * `row-writer.ts` reads them. Numbers are as the machine has them, since they do not leave the process.
 */
import { assert } from '../../../errors.ts';
import { copyBytes, wholeBuffer, type WholeBuffer } from '../../../wire/memory.ts';
import type { PlacedChange } from '../../version.ts';
import { isApart } from '../database/schema.ts';
import { HEAD_BYTES_MAX, writeRow } from './row-head.ts';

const ROW_AT = 32;
const ALIGNMENT = 8;

export class RowBatch {
  byteCount = 0;
  readonly #target: WholeBuffer;
  readonly #integers: Uint32Array;
  readonly #floats: Float64Array;

  constructor(capacityBytes: number) {
    const byteLength = aligned(capacityBytes);
    this.#target = wholeBuffer(byteLength);
    this.#integers = new Uint32Array(this.buffer);
    this.#floats = new Float64Array(this.buffer);
  }

  /** How much room a change takes at most. */
  static bytesOf(change: PlacedChange): number {
    const keyBytes = change.keyEnd - change.keyStart;
    return aligned(ROW_AT + HEAD_BYTES_MAX + keyBytes + change.valueEnd - change.valueStart);
  }

  get buffer(): ArrayBuffer {
    return this.#target.buffer.buffer as ArrayBuffer;
  }

  get capacityBytes(): number {
    return this.#target.buffer.length;
  }

  /** There is room for it. */
  add(change: PlacedChange): void {
    const start = this.byteCount;
    assert(start + RowBatch.bytesOf(change) <= this.capacityBytes, 'a batch has room for what is added');
    const keyBytes = change.keyEnd - change.keyStart;
    const valueBytes = change.deleted ? 0 : change.valueEnd - change.valueStart;
    const rowStart = start + ROW_AT;
    let headBytes = 0;
    if (change.deleted) {
      copyBytes(this.#target.memory, rowStart, change.keyMemory, change.keyStart, keyBytes);
    } else headBytes = writeRow(this.#target, rowStart, change) - rowStart;
    this.#integers[start / 4] = headBytes;
    this.#integers[start / 4 + 1] = keyBytes;
    this.#integers[start / 4 + 2] = valueBytes;
    this.#integers[start / 4 + 3] = !change.deleted && isApart(keyBytes, valueBytes) ? 1 : 0;
    this.#floats[start / 8 + 2] = change.deleted ? 0 : change.expireTimeMs;
    this.#floats[start / 8 + 3] = change.deleted ? 0 : change.leaseId;
    this.byteCount = aligned(rowStart + headBytes + keyBytes + valueBytes);
  }
}

function aligned(byteCount: number): number {
  return Math.ceil(byteCount / ALIGNMENT) * ALIGNMENT;
}

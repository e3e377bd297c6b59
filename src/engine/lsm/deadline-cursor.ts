/**
 * The places by deadline of all runs. A run has places of its own records; one whose key has a newer record in another run is stale, for
 * good. Stale ones at the beginning of a piece, as keys leave that have expired, are passed over once and never looked at
 * again (`skim`).
 */
import type { DeadlineCursor, DeadlinePlace } from '../layered/base/base.ts';
import { compareBytes } from '../runs/block/compare.ts';
import { DEADLINE_BYTES } from '../runs/table/deadline-sorter.ts';
import { KeyHeap } from './key-heap.ts';
import type { RunView } from './run-view.ts';
import type { Piece } from './sparse-run.ts';

/** A place of one piece. */
class PieceCursor {
  readonly piece: Piece;
  readonly age: number;
  block: number;
  index: number;
  bytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;

  constructor(piece: Piece, age: number, block: number, index: number) {
    this.piece = piece;
    this.age = age;
    this.block = block;
    this.index = index;
  }

  /** @returns whether there is a record at the place, or behind the end of its block. */
  settle(): boolean {
    const { piece } = this;
    while (this.block < piece.blocks.length) {
      const block = piece.run.deadlineBlock(piece, this.block);
      if (this.index < block.count) {
        this.bytes = block.memory.bytes;
        const at = block.recordAt(this.index);
        // The length of the key is a varint of three bytes at most.
        let length = this.bytes[at]! & 0x7f;
        let start = at + 1;
        if (this.bytes[at]! >= 0x80) {
          length |= (this.bytes[start++]! & 0x7f) << 7;
          if (this.bytes[start - 1]! >= 0x80) length |= this.bytes[start++]! << 14;
        }
        this.keyStart = start;
        this.keyEnd = start + length;
        return true;
      }
      this.block++;
      this.index = 0;
    }
    return false;
  }

  step(): boolean {
    this.index++;
    return this.settle();
  }

  /** The key, without the deadline before it. */
  get key(): Uint8Array {
    return this.bytes.subarray(this.keyStart + DEADLINE_BYTES, this.keyEnd);
  }

  get deadlineMs(): number {
    const { bytes, keyStart } = this;
    let deadlineMs = 0;
    for (let index = 0; index < DEADLINE_BYTES; index++)
      deadlineMs = deadlineMs * 256 + bytes[keyStart + index]!;
    return deadlineMs;
  }

  /** Goes behind a place, if it is not there already. @returns whether there is a record. */
  seekBehind(place: Uint8Array): boolean {
    const { blocks, run } = this.piece;
    let low = this.block;
    let high = blocks.length;
    // The last block that does not begin behind the place.
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(blocks[middle]!.firstKey, place) <= 0) low = middle;
      else high = middle;
    }
    if (low < blocks.length) {
      const index = run.deadlineBlock(this.piece, low).seekBehind(place);
      if (low > this.block || index > this.index) {
        this.block = low;
        this.index = index;
      }
    }
    return this.settle();
  }
}

export class RunDeadlines implements DeadlineCursor {
  readonly #view: RunView;
  readonly #heap = new KeyHeap<PieceCursor>(false);

  constructor(view: RunView, after: DeadlinePlace | undefined) {
    this.#view = view;
    const bound = after === undefined ? undefined : placeBytes(after);
    let age = 0;
    for (const piece of view.pieces) {
      const front = view.frontOf(piece);
      const cursor = new PieceCursor(piece, age++, front.block, front.index);
      if (bound === undefined ? cursor.settle() : cursor.seekBehind(bound)) this.#heap.push(cursor);
    }
  }

  next(): DeadlinePlace | undefined {
    for (let top = this.#heap.first; top !== undefined; top = this.#heap.first) {
      const { key } = top;
      const place = this.#view.isNewestIn(top.piece.run, key)
        ? { deadlineMs: top.deadlineMs, key: key.slice() }
        : undefined;
      this.#heap.moved(!top.step());
      if (place !== undefined) return place;
    }
    return undefined;
  }

  close(): void {
    this.#heap.clear();
  }
}

/** Moves the fronts of a view behind what is stale; pauses where it yields. */
export function* skim(view: RunView): Generator<undefined, void> {
  for (const piece of view.pieces) {
    const front = view.frontOf(piece);
    const cursor = new PieceCursor(piece, 0, front.block, front.index);
    let isThere = cursor.settle();
    while (isThere && !view.isNewestIn(piece.run, cursor.key)) {
      isThere = cursor.step();
      yield;
    }
    view.setFront(piece, { block: cursor.block, index: cursor.index });
  }
}

/** The bytes that a place is sorted by. */
function placeBytes({ deadlineMs, key }: DeadlinePlace): Uint8Array {
  const bytes = Buffer.alloc(DEADLINE_BYTES + key.length);
  // A deadline that is no whole number comes before the next one that is.
  bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.floor(deadlineMs))));
  bytes.set(key, DEADLINE_BYTES);
  return bytes;
}

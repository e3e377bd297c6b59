/** Puts versions together to `SnapshotBlock` messages, straight from where they lie. */
import type { PlacedChange } from '../engine/placed-change.ts';
import { fixed } from '../limits.ts';
import {
  blockBytesOfVersion,
  itemBuffer,
  sizeOfVersion,
  writeVersionToBlock,
  type ItemBuffer,
} from './placed-items.ts';

/** A `SnapshotBlock` message and how many items are in it. */
export interface CheckpointBlock {
  readonly bytes: Buffer;
  readonly itemCount: number;
}

export class BlockWriter {
  /** Blocks to which nothing is added any more. */
  readonly #full: CheckpointBlock[] = [];
  #target: ItemBuffer | undefined;
  #end = 0;
  #itemCount = 0;

  /** @returns whether a block is full. */
  add(change: PlacedChange): boolean {
    const versionBytes = sizeOfVersion(change);
    const bytes = blockBytesOfVersion(versionBytes);
    if (this.#target !== undefined && this.#end + bytes > this.#target.buffer.length) this.seal();
    // A longer version has a block of its own.
    this.#target ??= itemBuffer(Math.max(fixed.snapshotBlockBytes, bytes));
    this.#end = writeVersionToBlock(change, versionBytes, this.#target, this.#end);
    this.#itemCount++;
    return this.#full.length > 0;
  }

  /** What was added makes a block, however little it is. */
  seal(): void {
    if (this.#target === undefined) return;
    this.#full.push({ bytes: this.#target.buffer.subarray(0, this.#end), itemCount: this.#itemCount });
    this.#target = undefined;
    this.#end = 0;
    this.#itemCount = 0;
  }

  /** Takes the first full block out; `undefined`: there is none. */
  take(): CheckpointBlock | undefined {
    return this.#full.shift();
  }
}

/** Puts versions together to `SnapshotBlock` messages, straight from where they lie. */
import {
  prependHeadInSnapshotBlockVersions,
  prependPlacedSnapshotVersion,
  sizeInSnapshotBlockVersions,
  sizeOfPlacedSnapshotVersion,
  type PlacedSnapshotVersion,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { fixed } from '../../limits.ts';
import { wholeBuffer, type WholeBuffer } from '../../wire/memory.ts';
import { assertFilled } from '../../wire/room.ts';

/** A `SnapshotBlock` message and how many items are in it. */
export interface CheckpointBlock {
  readonly bytes: Buffer;
  readonly itemCount: number;
  /** What the bytes are a part of, if it can be used again. */
  readonly target?: WholeBuffer;
}

export class BlockWriter {
  /** Blocks to which nothing is added any more. */
  readonly #full: CheckpointBlock[] = [];
  /** Fresh memory costs more than all that is written to it: the kernel hands it out page by page. */
  readonly #spares: WholeBuffer[] = [];
  #target: WholeBuffer | undefined;
  #end = 0;
  #itemCount = 0;

  /** @returns whether a block is full. */
  add(version: PlacedSnapshotVersion): boolean {
    const versionBytes = sizeOfPlacedSnapshotVersion(version);
    const bytes = sizeInSnapshotBlockVersions(versionBytes);
    if (this.#target !== undefined && this.#end + bytes > this.#target.buffer.length) this.seal();
    this.#target ??= this.#takeBuffer(bytes);
    const end = this.#end + bytes;
    const start = prependPlacedSnapshotVersion(version, this.#target, end);
    assertFilled(prependHeadInSnapshotBlockVersions(this.#target.buffer, start, versionBytes), this.#end);
    this.#end = end;
    this.#itemCount++;
    return this.#full.length > 0;
  }

  /** What was added makes a block, however little it is. */
  seal(): void {
    if (this.#target === undefined) return;
    const target = this.#target;
    const bytes = target.buffer.subarray(0, this.#end);
    this.#full.push({ bytes, itemCount: this.#itemCount, target });
    this.#target = undefined;
    this.#end = 0;
    this.#itemCount = 0;
  }

  /** Takes the first full block out; `undefined`: there is none. */
  take(): CheckpointBlock | undefined {
    return this.#full.shift();
  }

  /** The bytes of the block are not needed any more. */
  giveBack({ target }: CheckpointBlock): void {
    if (target?.buffer.length === fixed.snapshotBlockBytes) this.#spares.push(target);
  }

  /** A longer version than all others has a block of its own. */
  #takeBuffer(bytes: number): WholeBuffer {
    if (bytes > fixed.snapshotBlockBytes) return wholeBuffer(bytes);
    return this.#spares.pop() ?? wholeBuffer(fixed.snapshotBlockBytes);
  }
}

/** Puts changes into batches, and gives each out when it is full. */
import { fixed } from '../../../limits.ts';
import type { PlacedChange } from '../../version.ts';
import { RowBatch } from '../rows/row-batch.ts';

export class BatchFiller {
  #batch: RowBatch | undefined;

  /** @returns a batch that has no room for the change, if there is one; the change is in the next. */
  add(change: PlacedChange): RowBatch | undefined {
    const byteCount = RowBatch.bytesOf(change);
    const batch = this.#batch;
    if (batch !== undefined && batch.byteCount + byteCount <= batch.capacityBytes) {
      batch.add(change);
      return undefined;
    }
    // A longer change has a batch of its own.
    this.#batch = new RowBatch(Math.max(byteCount, fixed.btreeBatchBytes));
    this.#batch.add(change);
    return batch;
  }

  /** @returns the batch that was begun, if there is one. */
  takeRest(): RowBatch | undefined {
    const batch = this.#batch;
    this.#batch = undefined;
    return batch;
  }
}

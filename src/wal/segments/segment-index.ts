/** Where in a segment a reader may begin. Kept in memory alone, within a fixed size. */
import type { CursorStart } from '../frames/frame-cursor.ts';

/** The distance between two entries, to begin with. */
const SPACING_BYTES_MIN = 64 * 1024;
/** When there are more, every second one is dropped. Enough for a segment of the default length. */
const ENTRIES_MAX = 1024;

/**
 * Where in a segment a reader can begin: a sparse list of frames. It saves reading a segment from its start; being
 * without an entry costs time, never correctness.
 */
export class SegmentIndex {
  #entries: CursorStart[] = [];
  #spacingBytes = SPACING_BYTES_MIN;

  /** Told of every frame, in order; keeps some. `revision` is the highest before the frame. */
  add(offset: number, previousChecksum: number, revision: number): void {
    const newest = this.#entries.at(-1);
    if (newest !== undefined && offset < newest.offset + this.#spacingBytes) return;
    this.#entries.push({ offset, previousChecksum, revision });
    if (this.#entries.length <= ENTRIES_MAX) return;
    this.#entries = this.#entries.filter((_, index) => index % 2 === 0);
    this.#spacingBytes *= 2;
  }

  /** The last known frame before which only revisions below `revision` stand. */
  find(revision: number): CursorStart | undefined {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && entry.revision < revision) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low - 1];
  }
}

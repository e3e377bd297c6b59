/** Eight bytes of each of some keys, from a position on, so that the heads of a tree's nodes are made without the keys. */
const HEAD_BYTES = 4;

export class KeyHeads {
  /** The first and the last four bytes, the first byte the highest; zeros beyond the end of a key. */
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Where in its key the first of the bytes is. */
  readonly positions: Uint32Array;

  constructor(capacity: number) {
    this.high = new Uint32Array(capacity);
    this.low = new Uint32Array(capacity);
    this.positions = new Uint32Array(capacity);
  }

  copy(index: number, from: KeyHeads, fromIndex: number): void {
    this.high[index] = from.high[fromIndex]!;
    this.low[index] = from.low[fromIndex]!;
    this.positions[index] = from.positions[fromIndex]!;
  }

  /** The four bytes from a position on as a number; -1 unless they are among the eight. */
  headAt(index: number, position: number): number {
    const skipped = position - this.positions[index]!;
    if (skipped < 0 || skipped > HEAD_BYTES) return -1;
    const high = this.high[index]!;
    const low = this.low[index]!;
    if (skipped === 0) return high;
    if (skipped === HEAD_BYTES) return low;
    return ((high << (8 * skipped)) | (low >>> (32 - 8 * skipped))) >>> 0;
  }
}

/** Ranges whose keys count as gone, whatever runs have of them: apart from each other, in the order of keys. */
import type { EngineRange } from '../engine.ts';

export class HiddenRanges {
  #ranges: EngineRange[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** Adds a range, which takes in those that it meets; an empty one adds nothing. */
  add({ start, end }: EngineRange): void {
    if (end !== undefined && Buffer.compare(start, end) >= 0) return;
    const first = this.#firstEndingAt(start);
    let next = first;
    let low = start;
    let high = end;
    for (; next < this.#ranges.length; next++) {
      const range = this.#ranges[next]!;
      if (high !== undefined && Buffer.compare(range.start, high) > 0) break;
      if (Buffer.compare(range.start, low) < 0) low = range.start;
      if (high !== undefined && (range.end === undefined || Buffer.compare(range.end, high) > 0))
        high = range.end;
    }
    this.#ranges.splice(first, next - first, { start: low.slice(), end: high?.slice() });
  }

  /** The range that has a key. */
  holding(key: Uint8Array): EngineRange | undefined {
    if (this.#ranges.length === 0) return undefined;
    let range = this.#ranges[this.#firstEndingAt(key)];
    if (range?.end !== undefined && Buffer.compare(range.end, key) === 0)
      range = this.#ranges[this.#firstEndingAt(key) + 1];
    return range !== undefined && Buffer.compare(range.start, key) <= 0 ? range : undefined;
  }

  /** The index of the first range that ends at a key, or behind it. */
  #firstEndingAt(key: Uint8Array): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { end } = this.#ranges[middle]!;
      if (end !== undefined && Buffer.compare(end, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

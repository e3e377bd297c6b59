/** Ranges of keys that were forgotten: few, kept apart from each other and in their order. */
import type { EngineRange } from '../engine.ts';

export class RangeSet {
  /** None touches another. */
  readonly #ranges: EngineRange[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  *[Symbol.iterator](): Generator<EngineRange, undefined> {
    yield* this.#ranges;
  }

  /** Adds a range, which takes in those that it meets. An empty one adds nothing. */
  add({ start, end }: EngineRange): void {
    if (end !== undefined && Buffer.compare(start, end) >= 0) return;
    const from = this.#firstEndingAt(start);
    let low = start;
    let high = end;
    let to = from;
    for (; to < this.#ranges.length; to++) {
      const range = this.#ranges[to]!;
      if (high !== undefined && Buffer.compare(range.start, high) > 0) break;
      if (Buffer.compare(range.start, low) < 0) low = range.start;
      if (high !== undefined && (range.end === undefined || Buffer.compare(range.end, high) > 0))
        high = range.end;
    }
    const range = { start: new Uint8Array(low), end: high === undefined ? undefined : new Uint8Array(high) };
    this.#ranges.splice(from, to - from, range);
  }

  has(key: Uint8Array): boolean {
    return this.holding(key) !== undefined;
  }

  /** The range that has a key. */
  holding(key: Uint8Array): EngineRange | undefined {
    if (this.#ranges.length === 0) return undefined;
    const range = this.#ranges[this.#firstEndingAt(key)];
    if (range === undefined || Buffer.compare(range.start, key) > 0) return undefined;
    // What begins where it ends would have been taken in.
    return range.end === undefined || Buffer.compare(key, range.end) < 0 ? range : undefined;
  }

  /** The place of the first range that ends at a key or behind it. */
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

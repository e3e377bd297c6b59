/** Ranges whose keys count as gone: apart from each other, and in the order of their keys. They are copied. */
import type { EngineRange } from './engine.ts';

export class RangeSet {
  /** None touches another, but where a part was removed between. */
  readonly #ranges: EngineRange[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  *[Symbol.iterator](): Generator<EngineRange, undefined> {
    yield* this.#ranges;
  }

  /** Adds a range, which takes in those that it meets. An empty one adds nothing. */
  add({ start, end }: EngineRange): void {
    if (!isBelow(start, end)) return;
    const first = this.#firstWhere((range) => !isBelow(range.end, start));
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

  /** Takes a range out; what others have on its sides stays. */
  remove({ start, end }: EngineRange): void {
    const first = this.#firstWhere((range) => isBelow(start, range.end));
    const left: EngineRange[] = [];
    let next = first;
    for (; next < this.#ranges.length; next++) {
      const range = this.#ranges[next]!;
      if (!isBelow(range.start, end)) break;
      if (Buffer.compare(range.start, start) < 0) left.push({ start: range.start, end: start.slice() });
      if (end !== undefined && isBelow(end, range.end)) left.push({ start: end.slice(), end: range.end });
    }
    this.#ranges.splice(first, next - first, ...left);
  }

  has(key: Uint8Array): boolean {
    return this.holding(key) !== undefined;
  }

  /** The range that has a key. */
  holding(key: Uint8Array): EngineRange | undefined {
    if (this.#ranges.length === 0) return undefined;
    const range = this.#ranges[this.#firstWhere(({ end }) => isBelow(key, end))];
    return range !== undefined && Buffer.compare(range.start, key) <= 0 ? range : undefined;
  }

  /** The place of the first range for which it holds; it holds for all behind that. */
  #firstWhere(holds: (range: EngineRange) => boolean): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#ranges[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Whether a key, or an end, comes before an end; `undefined` is the last one. */
function isBelow(key: Uint8Array | undefined, end: Uint8Array | undefined): boolean {
  return key !== undefined && (end === undefined || Buffer.compare(key, end) < 0);
}

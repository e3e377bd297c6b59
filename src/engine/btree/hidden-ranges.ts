/**
 * The ranges whose keys count as gone though their rows are still there: they do not touch, and stand in the order of their keys, so
 * that one that holds a key is found in logarithmic time.
 */
import type { EngineRange } from '../engine.ts';

export class HiddenRanges {
  readonly #ranges: EngineRange[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** The range that holds a key. */
  holding(key: Uint8Array): EngineRange | undefined {
    if (this.isEmpty) return undefined;
    const range = this.#ranges[this.#firstEndingBehind(key)];
    return range !== undefined && Buffer.compare(range.start, key) <= 0 ? range : undefined;
  }

  /** Ranges that overlap it, or touch it, become one with it. */
  add({ start, end }: EngineRange): void {
    if (end !== undefined && Buffer.compare(start, end) >= 0) return;
    const first = this.#firstEndingAtOrBehind(start);
    let next = first;
    let whole: EngineRange = { start: start.slice(), end: end?.slice() };
    for (; ; next++) {
      const range = this.#ranges[next];
      if (range === undefined || (end !== undefined && Buffer.compare(range.start, end) > 0)) break;
      whole = { start: lower(whole.start, range.start), end: higherEnd(whole.end, range.end) };
    }
    this.#ranges.splice(first, next - first, whole);
  }

  /** Takes a range out; what hidden ones have on its sides stays. */
  remove({ start, end }: EngineRange): void {
    const first = this.#firstEndingBehind(start);
    const left: EngineRange[] = [];
    let next = first;
    for (; ; next++) {
      const range = this.#ranges[next];
      if (range === undefined || (end !== undefined && Buffer.compare(range.start, end) >= 0)) break;
      if (Buffer.compare(range.start, start) < 0) left.push({ start: range.start, end: start.slice() });
      if (end !== undefined && (range.end === undefined || Buffer.compare(range.end, end) > 0)) {
        left.push({ start: end.slice(), end: range.end });
      }
    }
    this.#ranges.splice(first, next - first, ...left);
  }

  #firstEndingBehind(key: Uint8Array): number {
    return this.#firstWhere(({ end }) => end === undefined || Buffer.compare(end, key) > 0);
  }

  #firstEndingAtOrBehind(key: Uint8Array): number {
    return this.#firstWhere(({ end }) => end === undefined || Buffer.compare(end, key) >= 0);
  }

  /** The index of the first for which it holds; it holds for all behind that. */
  #firstWhere(holds: (range: EngineRange) => boolean): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && holds(range)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function lower(left: Uint8Array, right: Uint8Array): Uint8Array {
  return Buffer.compare(left, right) <= 0 ? left : right;
}

function higherEnd(left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array | undefined {
  if (left === undefined || right === undefined) return undefined;
  return Buffer.compare(left, right) >= 0 ? left : right;
}

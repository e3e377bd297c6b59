/** The ranges that the manifest tells of as forgotten, in the order of their keys. Where two overlap, the one that was added last counts. */
import type { EngineRange } from '../engine.ts';
import type { ForgottenRange } from '../runs/manifest.ts';

export class ForgottenRanges {
  /** By start; each ends before the next begins, or where it does. */
  #ranges: ForgottenRange[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  get all(): readonly ForgottenRange[] {
    return this.#ranges;
  }

  add(range: ForgottenRange): void {
    if (!isBelow(range.start, range.end)) return;
    this.#cut(range);
    const place = this.#ranges.findIndex(({ start }) => Buffer.compare(start, range.start) > 0);
    this.#ranges.splice(place === -1 ? this.#ranges.length : place, 0, range);
  }

  /** Takes out what lies in a range. */
  #cut(range: EngineRange): void {
    const { start, end } = range;
    this.#ranges = this.#ranges.flatMap((other) => {
      if (!isBelow(start, other.end) || !isBelow(other.start, end)) return [other];
      const rest: ForgottenRange[] = [];
      if (isBelow(other.start, start)) rest.push({ ...other, end: start });
      if (end !== undefined && isBelow(end, other.end)) rest.push({ ...other, start: end });
      return rest;
    });
  }

  /** The range that has a key. */
  find(key: Uint8Array): ForgottenRange | undefined {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && Buffer.compare(range.start, key) <= 0) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low - 1];
    return range !== undefined && isBelow(key, range.end) ? range : undefined;
  }

  /** Leaves those alone for which `isKept`. */
  keep(isKept: (range: ForgottenRange) => boolean): void {
    this.#ranges = this.#ranges.filter((range) => isKept(range));
  }
}

/** A copy of a range, which may be kept. */
export function copyRange({ start, end }: EngineRange): EngineRange {
  return { start: start.slice(), end: end?.slice() };
}

/** Whether a key comes before an end; all do before `undefined`. */
function isBelow(key: Uint8Array, end: Uint8Array | undefined): boolean {
  return end === undefined || Buffer.compare(key, end) < 0;
}

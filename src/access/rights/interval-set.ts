/**
 * Keys as a set of intervals: what the grants of a role let one read or write, put together, so that two grants that meet cover a
 * range which goes over their border.
 *
 * Invariants: each interval has a key; they stand in their order, and none touches the next.
 */
import type { EngineRange } from '../../engine/engine.ts';

interface Interval {
  /** Inclusive. */
  readonly start: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
}

interface TextInterval {
  readonly start: string;
  /** `undefined`: behind all texts. */
  readonly end: string | undefined;
}

export class IntervalSet {
  static readonly none = new IntervalSet([]);
  readonly #intervals: readonly Interval[];
  /** With borders as texts, so that a key that is one need not become bytes. */
  readonly #textIntervals: readonly TextInterval[] | undefined;

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals;
    this.#textIntervals = textIntervalsOf(intervals);
  }

  static of(intervals: readonly Interval[]): IntervalSet {
    const sorted = intervals
      .filter(({ start, end }) => Buffer.compare(start, end) < 0)
      .sort((a, b) => Buffer.compare(a.start, b.start));
    const merged: Interval[] = [];
    for (const interval of sorted) {
      const last = merged.at(-1);
      if (last === undefined || Buffer.compare(last.end, interval.start) < 0) merged.push(interval);
      else if (Buffer.compare(last.end, interval.end) < 0)
        merged[merged.length - 1] = { start: last.start, end: interval.end };
    }
    return new IntervalSet(merged);
  }

  has(key: Uint8Array): boolean {
    const interval = this.#at(key);
    return interval !== undefined && compare(key, interval.end) < 0;
  }

  /** As `has`, of a key as its text. @returns `undefined`: not all borders can be compared with texts. */
  hasText(text: string): boolean | undefined {
    const intervals = this.#textIntervals;
    if (intervals === undefined) return undefined;
    let low = 0;
    let high = intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { start, end } = intervals[middle]!;
      if (text < start) high = middle;
      else if (end === undefined || text < end) return true;
      else low = middle + 1;
    }
    return false;
  }

  /** Whether every possible key of the range is in the set. */
  covers({ start, end }: EngineRange): boolean {
    const interval = this.#at(start);
    return interval !== undefined && end !== undefined && Buffer.compare(end, interval.end) <= 0;
  }

  /** The last interval that begins at or before a key. */
  #at(key: Uint8Array): Interval | undefined {
    const intervals = this.#intervals;
    let low = 0;
    let high = intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const interval = intervals[middle];
      if (interval !== undefined && compare(interval.start, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return intervals[low - 1];
  }
}

const FIRST_NOT_ASCII = 0x80;
/** UTF-8 has no such byte, nor a higher one. */
const FIRST_OF_NO_TEXT = 0xf5;
/** Grants mostly differ from a key within these, and the call into the system's compare costs more than to look. */
const LOOKED_AT_BYTES = 16;

/** As `Buffer.compare`: this is done for each call. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const looked = Math.min(a.length, b.length, LOOKED_AT_BYTES);
  for (let index = 0; index < looked; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return looked < LOOKED_AT_BYTES ? a.length - b.length : Buffer.compare(a, b);
}

/**
 * A border of ASCII alone, whose order among texts is that among their bytes in UTF-8, whatever these have. A character beyond ASCII,
 * and each unit of it, is above such a border in both.
 */
function asciiOf(border: Uint8Array): string | undefined {
  return border.every((byte) => byte < FIRST_NOT_ASCII) ? Buffer.from(border).toString('latin1') : undefined;
}

function textIntervalsOf(intervals: readonly Interval[]): TextInterval[] | undefined {
  const found: TextInterval[] = [];
  for (const { start, end } of intervals) {
    const startText = asciiOf(start);
    const endText = asciiOf(end);
    const isEndBehindAll = (end[0] ?? 0) >= FIRST_OF_NO_TEXT;
    if (startText === undefined || (endText === undefined && !isEndBehindAll)) return undefined;
    found.push({ start: startText, end: endText });
  }
  return found;
}
